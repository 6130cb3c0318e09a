"""Write the words of --formats where they are listed: docs/cli.md, docs/workflows.md and the workflow.

With --check nothing is written and the exit code says whether everything is up to date.

    python scripts/format_tables.py [--check]
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from markdown_table import table

from genoformer.applications import APPLICATIONS, DEFAULT_TASK
from genoformer.inference.formats import Formats, default_formats

ROOT = Path(__file__).resolve().parents[1]


def task_formats() -> Iterator[tuple[list[str], Formats]]:
    """Formats, each with the tasks that share them."""
    tasks: dict[str, list[str]] = {}
    for task, application in APPLICATIONS.items():
        if application.formats:
            tasks.setdefault(application.formats.where, []).append(task)
    for names in tasks.values():
        formats = APPLICATIONS[names[0]].formats
        assert formats is not None
        yield names, formats.load()


def format_table() -> str:
    """Words by task: the files they stand for, and what these hold."""
    body = (
        [", ".join(tasks), f"`{word}`" + ("*" if row.is_default else ""), files(row.file, row.beside), row.about]
        for tasks, formats in task_formats()
        for word, row in formats.items()
    )
    return table("| task of the model | word | file | what it holds |", body)


def files(file: str, beside: tuple[str, ...]) -> str:
    """Names of files; of those of records the first, and in brackets those that not every model has."""
    return f"`{file.format(1)}`" + "".join(f" (`{name}`)" for name in beside)


def places() -> dict[str, dict[str, str]]:
    """By file: what is written there, by the pattern of what is replaced."""
    formats = APPLICATIONS[DEFAULT_TASK].formats
    assert formats is not None
    rows = formats.load()
    words, first = list(rows), next(iter(rows))
    names = "".join(f'    "{word}": "{row.file}",\n' for word, row in rows.items())
    return {
        "docs/cli.md": {r"(?<=<!-- formats -->\n).*?(?=<!-- end -->)": format_table()},
        "docs/workflows.md": {
            r"(?<=\n\| `formats` \| )[^\n]*(?= \|\n)": f"of {first} (always), {', '.join(words[1:])}"
        },
        "workflows/schemas/config.schema.yaml": {
            r"(?<=\n  formats:\n)(.*?enum: )\[[^\]]*\]": rf"\g<1>[{', '.join(words)}]",
            r"(?<=\n  formats:\n)(.*?const: )\w+": rf"\g<1>{first}",
            r"(?<=\n  formats:\n)(.*?default: )\[[^\]]*\]": rf"\g<1>[{', '.join(default_formats(rows))}]",
        },
        "workflows/rules/common.smk": {r"(?<=\nFILES = \{\n)[^}]*(?=\}\n)": names},
    }


def filled(page: str, parts: dict[str, str]) -> str:
    """The page with every part written again.

    Raises:
        ValueError: If the place of a part is not there once.
    """
    for pattern, text in parts.items():
        page, n_places = re.subn(pattern, text, page, flags=re.DOTALL)
        if n_places != 1:
            raise ValueError(f"{n_places} places match {pattern}")
    return page


def main() -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    is_current = True
    for name, parts in places().items():
        page = (ROOT / name).read_text(encoding="utf-8")
        made = filled(page, parts)
        is_current &= made == page
        if not args.check:
            (ROOT / name).write_text(made, encoding="utf-8")
    return int(args.check and not is_current)


if __name__ == "__main__":
    raise SystemExit(main())
