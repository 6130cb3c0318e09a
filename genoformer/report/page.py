"""A page in one file: sections, tables, pictures, with its own style and scripts. It asks no network for anything."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from genoformer.files import atomic_path
from genoformer.report.markup import Markup, element, escape, join, json_block

STYLE, TABLES = "page.css", "data_table.js"


@dataclass(frozen=True)
class Section:
    """One part of a page, which the list at its top leads to.

    Attributes:
        title: Heading.
        body: Content.
        about: What is seen, in a sentence or two.
    """

    title: str
    body: Markup
    about: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a table that readers sort and search.

    Attributes:
        title: Heading.
        values: One for each row: text, or numbers; None is an empty cell, and sorts last.
        digits: Decimals of numbers; None shows text, and numbers as they are.
        about: What it holds, shown when pointed at.
    """

    title: str
    values: Sequence[str | int | float | None]
    digits: int | None = None
    about: str = ""


def own_file(name: str) -> str:
    """Text of a style or script that stands beside this module."""
    return (files("genoformer.report") / name).read_text(encoding="utf-8")


def page_html(
    title: str, sections: Sequence[Section], *, lead: Any = "", footer: Any = "", scripts: Sequence[str] = ()
) -> str:
    """A whole page.

    Args:
        title: Heading, and title of the window.
        sections: Its parts, in order.
        lead: What stands above them: text or markup.
        footer: What stands at the end.
        scripts: JavaScript, run in this order when everything else is there; that of tables is run before.
    """
    scripts = (own_file(TABLES), *scripts)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=security_policy(scripts)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("link", rel="icon", href="data:,"),  # or a browser asks the server of the page for one
        element("style", Markup(own_file(STYLE))),
    )
    body = element(
        "body",
        element("header", element("h1", title), element("div", lead, class_="lead"), _contents(sections)),
        element("main", *(_section(number, section) for number, section in enumerate(sections))),
        element("footer", footer),
        *(element("script", Markup(script)) for script in scripts),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def security_policy(scripts: Sequence[str]) -> str:
    """What a page may do: run these scripts and no others, and load nothing that does not stand in it."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        "connect-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def write_page(path: str | Path, text: str) -> None:
    """Write a page; it appears complete under its name or not at all.

    Raises:
        OutputExistsError: If there can be no such file.
        OutputWriteError: If it cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def _contents(sections: Sequence[Section]) -> Markup:
    links = (element("a", section.title, href=f"#{_anchor(number)}") for number, section in enumerate(sections))
    return element("nav", *links, aria_label="Contents")


def _section(number: int, section: Section) -> Markup:
    about = element("p", section.about, class_="about") if section.about else None
    return element("section", element("h2", section.title), about, section.body, id=_anchor(number))


def _anchor(number: int) -> str:
    return f"part-{number + 1}"


def facts(values: Mapping[str, Any]) -> Markup:
    """A row of tiles: what it is below how much it is."""
    tiles = (
        element("div", element("dd", value), element("dt", name)) for name, value in values.items() if value is not None
    )
    return element("dl", *tiles, class_="facts")


def figures(*pictures: tuple[Markup, str]) -> Markup:
    """Pictures side by side where there is room, each with what it shows."""
    drawn = (element("figure", picture, element("figcaption", caption)) for picture, caption in pictures)
    return element("div", *drawn, class_="figures")


def note(text: Any, *, is_warning: bool = False) -> Markup:
    """A sentence that stands out."""
    return element("p", text, class_="note warning" if is_warning else "note")


def folded(title: str, body: Any, *, is_open: bool = False) -> Markup:
    """Content that a click on its title shows."""
    return element("details", element("summary", title), body, open=is_open)


def code_block(text: str, *, wraps: bool = False) -> Markup:
    """Commands and files, as they are typed; long lines are wrapped, or scrolled."""
    return element("pre", element("code", text), class_="wrapped" if wraps else None)


def plain_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup:
    """A short table as it stands; numbers are to the right."""
    head = element("tr", *(element("th", heading, scope="col") for heading in headings))
    body = (element("tr", *(_cell(value) for value in row)) for row in rows)
    table = element("table", element("thead", head), element("tbody", *body))
    return element("div", table, class_="scroll")


def _cell(value: Any) -> Markup:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return element("td", escape(f"{value:,}" if is_number else value), class_="number" if is_number else None)


def data_table(name: str, columns: Sequence[Column], *, hint: str = "Search") -> Markup:
    """A long table that readers sort, search and leaf through; only the rows that are seen are drawn.

    A click on a row, or Enter, sends the event "row-chosen" from the element of this id, with the row's number in
    ``detail``. The element takes "row-show" with numbers of rows in ``detail``, or null for all.

    Args:
        name: Its id.
        columns: All of one length.
        hint: What the search field says.

    Raises:
        ValueError: If columns differ in length, or a number is not finite.
    """
    if len({len(column.values) for column in columns}) > 1:
        raise ValueError(f"columns of one length expected, found {[len(column.values) for column in columns]}.")
    described = [{"title": c.title, "digits": c.digits, "about": c.about, "values": list(c.values)} for c in columns]
    missing = element("noscript", note("This table needs JavaScript, which is switched off here."))
    place = element("div", missing, id=name, class_="data-table", data_hint=hint)
    return join(place, json_block(f"{name}-data", described))
