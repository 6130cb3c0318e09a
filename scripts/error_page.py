"""Write docs/errors.md from the register of error codes.

With --check nothing is written and the exit code says whether the page is up to date.

    python scripts/error_page.py [--check]
"""

import argparse
from itertools import groupby
from pathlib import Path

from markdown_table import table

from genoformer.cli.error_codes import ERROR_CODES, PREFIXES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "errors.md"
HEAD = """# Error and warning codes

What the codes mean in messages such as `error[FASTA-005]` and `warning[LABELS-101]`. A code has one meaning. The
message itself says where, what was found and what to do; this page says it in general.
[Exit codes](cli.md#exit-codes) have a table of their own; a warning does not change them.

This page is made by `scripts/error_page.py` from `genoformer/cli/error_codes/`.
"""


def cell(text: str) -> str:
    """Text that a Markdown table shows as it is, outside of `code`."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def error_page() -> str:
    """The page: a table for each prefix."""
    parts = [HEAD]
    for prefix, entries in groupby(ERROR_CODES.items(), key=lambda item: item[0].partition("-")[0]):
        body = (
            [code, "warning" if entry.exit_code is None else entry.exit_code, cell(entry.meaning), cell(entry.fix)]
            for code, entry in entries
        )
        parts += [f"## {prefix}: {PREFIXES[prefix]}\n", table("| code | exit code | meaning | what to do |", body)]
    return "\n".join(parts)


def main() -> int:
    """Write or check the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    page = error_page()
    if args.check:
        return int(not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page)
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
