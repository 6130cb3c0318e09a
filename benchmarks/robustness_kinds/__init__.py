"""What ``benchmarks/robustness.py`` tries, one kind in each module."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

for _folder in (ROOT / "tests", ROOT / "scripts"):  # tiny bundles, and made-up inputs of every task
    if str(_folder) not in sys.path:
        sys.path.append(str(_folder))
