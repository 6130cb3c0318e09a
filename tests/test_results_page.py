"""The page of results is what the result files give."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_tables_are_those_of_the_result_files():
    done = subprocess.run([sys.executable, "scripts/result_tables.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run python scripts/result_tables.py"


def test_every_result_file_is_on_the_page():
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    names = [path.stem.partition("-")[2] for path in (ROOT / "docs" / "results").glob("*.json")]
    assert names
    assert [name for name in names if name not in page] == []


def test_result_files_hold_no_paths():
    for path in (ROOT / "docs" / "results").glob("*.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        assert "/" not in result.get("genome", ""), path.name
