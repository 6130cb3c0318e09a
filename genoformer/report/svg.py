"""Drawings as SVG files that stand alone: looks are attributes, since no page brings a style sheet."""

import re
from pathlib import Path
from xml.etree import ElementTree

from genoformer.files import write_text_atomic

NAMESPACE = "http://www.w3.org/2000/svg"
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Drawing:
    """Shapes on a white ground; the title is what screen readers and the pointer show.

    Args:
        width: In pixels.
        height: The same.
        title: What is drawn; characters that XML cannot hold become U+FFFD, and all markup is escaped.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        size = {"width": number(width), "height": number(height), "viewBox": f"0 0 {number(width)} {number(height)}"}
        font = {"font-family": "sans-serif", "font-size": "10"}
        self._root = ElementTree.Element("svg", {"xmlns": NAMESPACE, **size, **font})
        ElementTree.SubElement(self._root, "title").text = _NOT_XML.sub("\ufffd", title)
        self.draw("rect", width="100%", height="100%", fill="white")

    def draw(self, tag: str, **attributes: float | str) -> None:
        """Append a shape; "_" in names of attributes stands for "-"."""
        self._append(tag, attributes)

    def write_words(self, x: float, y: float, words: str, **attributes: float | str) -> None:
        """Append words."""
        self._append("text", {"x": x, "y": y, **attributes}).text = _NOT_XML.sub("\ufffd", words)

    def save(self, path: Path) -> None:
        """Write the file; ``OutputWriteError`` if that fails."""
        write_text_atomic(path, ElementTree.tostring(self._root, encoding="unicode") + "\n")

    def _append(self, tag: str, attributes: dict[str, float | str]) -> ElementTree.Element:
        texts = {
            name.replace("_", "-"): value if isinstance(value, str) else number(value)
            for name, value in attributes.items()
        }
        return ElementTree.SubElement(self._root, tag, texts)


def number(value: float) -> str:
    """At most two decimals, none that are zero."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
