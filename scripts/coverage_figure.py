"""Line coverage of every room and of all together, from coverage's JSON, without the functions that are left out.

python scripts/coverage_figure.py all.json -o docs/results/coverage-all.json
"""

import argparse
import json
from collections import Counter
from pathlib import Path

LEFT_OUT = Path(__file__).with_name("coverage_left_out.txt")
"""Functions that no interpreter can run, a line ``file function`` for each."""


def left_out() -> set[tuple[str, str]]:
    """Files and functions of the list."""
    lines = LEFT_OUT.read_text(encoding="utf-8").splitlines()
    return {(file, name) for file, name in (line.split() for line in lines if not line.startswith("#"))}


def room_of(path: str) -> str:
    """The room of a file of the package: its folder, or its own name where it stands alone."""
    parts = Path(path).parts[1:]
    return parts[0].removesuffix(".py")


def counts(report: dict, omitted: set[tuple[str, str]]) -> dict[str, Counter]:
    """Statements and those that ran, by room.

    Args:
        report: Coverage's JSON report with a region for each function.
        omitted: Files and functions that do not count.
    """
    found: dict[str, Counter] = {}
    for path, file in report["files"].items():
        room = found.setdefault(room_of(path), Counter())
        for name, function in file["functions"].items():
            if not any(path == omitted_path and name.split(".")[0] == top for omitted_path, top in omitted):
                summary = function["summary"]
                room.update(statements=summary["num_statements"], covered=summary["covered_lines"])
    return found


def figures(report: dict, omitted: set[tuple[str, str]]) -> dict:
    """What is written: percentages of rooms and of the package."""
    rooms = counts(report, omitted)
    total = sum(rooms.values(), Counter())
    return {
        "percent": _percent(total), "statements": total["statements"], "covered": total["covered"],
        "functions_left_out": len(omitted),
        "rooms": {room: {"percent": _percent(n), **n} for room, n in sorted(rooms.items()) if n["statements"]},
    }  # fmt: skip


def _percent(n: Counter) -> float:
    return round(100 * n["covered"] / n["statements"], 1)


def main() -> None:
    """Read, count, write, and say it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    found = figures(json.loads(args.report.read_text()), left_out())
    args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{found['percent']} % of {found['statements']} statements")


if __name__ == "__main__":
    main()
