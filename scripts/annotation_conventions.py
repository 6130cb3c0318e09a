"""Write random gene models in every way that programs write annotations, read them back, and compare.

    python scripts/annotation_conventions.py --models 2000

Twenty models stand in each file; the tests try 50 files of one model. The ways are in tests/annotation/conventions.py.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "annotation"))

from conventions import CONVENTIONS
from test_conventions import check_convention

IN_ONE_FILE = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--models", type=int, default=2000, help="drawn for each convention; each has one to twelve genes"
    )
    parser.add_argument("--only", default="", help="conventions whose name holds this")
    args = parser.parse_args()
    n_failed = 0
    for name in filter(lambda name: args.only in name, CONVENTIONS):
        with tempfile.TemporaryDirectory() as folder:
            seeds = range(0, args.models, IN_ONE_FILE)
            failed = [seed for seed in seeds if not come_back(name, seed, Path(folder))]
        n_failed += len(failed)
        print(f"{name}: {args.models} models, {len(failed)} files of {len(seeds)} differ {failed[:5]}", flush=True)
    return min(n_failed, 1)


def come_back(name: str, seed: int, folder: Path) -> bool:
    """Whether a file of models is read as they were drawn."""
    try:
        check_convention(name, seed, folder, IN_ONE_FILE)
    except AssertionError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
