"""The page of results is what the result files give."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_tables_are_those_of_the_result_files():
    done = subprocess.run([sys.executable, "scripts/result_tables.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run python scripts/result_tables.py"


def test_every_result_file_is_on_the_page():
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))
    listed = {name for names in re.findall(r"<!-- table: \w+ ([^>]*?) -->", pages) for name in names.split()}
    names = {path.stem.partition("-")[2] for path in (ROOT / "docs" / "results").glob("*.json")}
    assert names and names <= listed


def test_result_files_hold_no_paths():
    for path in (ROOT / "docs" / "results").glob("*.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        assert "/" not in result.get("genome", ""), path.name
