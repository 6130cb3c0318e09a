"""Write random gene models in every way that programs write annotations, read them back, and compare.

    python scripts/annotation_conventions.py --models 2000

The tests do the same with 50 models; the ways stand in tests/annotation/conventions.py.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "annotation"))

from conventions import CONVENTIONS
from test_conventions import check_convention


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
            failed = [seed for seed in range(args.models) if not comes_back(name, seed, Path(folder))]
        n_failed += len(failed)
        print(
            f"{name}: {args.models - len(failed)} of {args.models}" + (f", not {failed[:5]}" if failed else ""),
            flush=True,
        )
    return min(n_failed, 1)


def comes_back(name: str, seed: int, folder: Path) -> bool:
    """Whether the models of a seed are read as they were drawn."""
    try:
        check_convention(name, seed, folder)
    except AssertionError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
