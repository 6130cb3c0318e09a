"""Pictures that stand alone in a notebook, in the colours of the pages of reports, whatever stands around them."""

import re
from functools import cache

from genoformer.report.markup import Markup, element, join
from genoformer.report.page import STYLE, own_file

SCOPE = ".genoformer"
"""Nothing but what this class holds gets the style: a notebook has its own."""
_LAYOUT = (
    f"{SCOPE} {{ max-width: 60rem; padding: .5rem .75rem; background: #fff; color: var(--ink); "
    "font: 14px/1.45 system-ui, sans-serif; } "
    f"{SCOPE} figure {{ margin: .25rem 0 .75rem; }} {SCOPE} figcaption {{ color: var(--soft); }} "
    f"{SCOPE} svg.chart {{ max-width: 32rem; }}"
)


def figures(pictures: list[tuple[Markup, str]], *, head: str = "", foot: str = "") -> str:
    """Pictures, each with its words, below each other.

    Args:
        pictures: SVG and the words below it.
        head: Above all of them.
        foot: Below all of them.
    """
    drawn = [element("figure", picture, element("figcaption", words)) for picture, words in pictures]
    around = [element("div", element("strong", text)) if text else None for text in (head, foot)]
    return element("div", element("style", Markup(_style())), around[0], *drawn, around[1], class_=SCOPE[1:])


@cache
def _style() -> str:
    """The rules of the page's style that are about pictures, for the inside of ``SCOPE`` alone."""
    text = own_file(STYLE)
    (colours,) = re.findall(r"\A:root \{([^}]*)\}", text)
    rules = re.findall(r"^((?:svg|circle|\.(?:fill-|stroke-|arc|frame|pair)).*)$", text, re.MULTILINE)
    found = re.findall(r"([^{}]+)\{([^{}]*)\}", " ".join(rules))
    scoped = (f"{SCOPE} {selector.strip()} {{{body}}}" for selector, body in found)
    colours = " ".join(colours.replace("color-scheme: light dark;", "color-scheme: light;").split())
    return join(Markup(f"{SCOPE} {{ {colours} }} " + " ".join(scoped) + f" {_LAYOUT}"))
