"""HTML and SVG from values: whatever is not markup already is escaped."""

import html
import json
from typing import Any

VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta"})
"""Elements of HTML that have no end tag."""


class Markup(str):
    """Text that is HTML or SVG already, and is put into a page as it stands."""

    __slots__ = ()


def escape(value: Any) -> Markup:
    """Text as markup: characters with a meaning in HTML are escaped, markup stays as it is."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value)))


def join(*children: Any) -> Markup:
    """Pieces one after the other; None is left out."""
    return Markup("".join(escape(child) for child in children if child is not None))


def element(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """One element of HTML or SVG.

    Args:
        name: Of the element.
        children: Its content: markup, or values that are escaped; None is left out.
        attributes: Their values are escaped; None and False leave one out, True gives the name alone. An underscore
            stands for a hyphen (``stroke_width``), one at the end for nothing (``class_``).
    """
    marks = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    end = "" if name in VOID else f"{join(*children)}</{name}>"
    return Markup(f"<{name}{marks}>{end}")


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{html.escape(str(value))}"'


def json_block(name: str, value: Any) -> Markup:
    """Data for the scripts of a page, found by its id.

    A browser ends a script at ``</script>``, whatever stands around it, and reads on at ``<!--``: no ``<`` is left.

    Raises:
        ValueError: If a number is not finite, for which JSON has no form.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return element("script", Markup(text), type="application/json", id=name)
