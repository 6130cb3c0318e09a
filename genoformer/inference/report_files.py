"""A page to look at beside the other files of a prediction: it is filled record by record, and written at the end."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from genoformer.bundle.header import CARD, BundleHeader
from genoformer.report.markup import Markup, element, join
from genoformer.report.page import Section, code_block, folded, page_html, plain_table, write_page
from genoformer.sequence.records import Record

REPORT = "report.html"
MODEL_OF_RUN = "model"
"""What the folder of every trained model is called."""
MAX_NAMED = 3
"""Files that the heading names."""


@dataclass(frozen=True)
class Finished:
    """A prediction whose other files are there.

    Attributes:
        header: The model.
        request: What was asked, JSON types.
        inputs: Names of the files that were read, without their folders, so that equal predictions give equal pages.
        summary: Content of ``summary.json``.
        precision: Of the model pass.
    """

    header: BundleHeader
    request: Mapping[str, Any]
    inputs: Sequence[str]
    summary: Mapping[str, Any]
    precision: str


class ReportWriter(ABC):
    """A writer, see ``formats.Writer``, of a page about the prediction as a whole: ``describe`` writes it.

    Args:
        path: The final name.
    """

    subject: str
    """What was predicted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return None

    @abstractmethod
    def add(self, record: Record, found: Any, **about: Any) -> None:
        """Keep what the page shows of one record."""

    @abstractmethod
    def sections(self, finished: Finished) -> list[Section]:
        """The parts of the page, from what was kept."""

    def scripts(self) -> list[str]:
        """JavaScript of the page."""
        return []

    def versions(self) -> dict[str, str]:
        """What else than genoformer has a part in the page."""
        return {}

    def describe(self, finished: Finished) -> None:
        """Write the page.

        Raises:
            OutputWriteError: If it cannot be written.
        """
        inputs = ", ".join(finished.inputs[:MAX_NAMED]) + (" …" if len(finished.inputs) > MAX_NAMED else "")
        lead = f"{self.subject[:1].upper()}{self.subject[1:]} by the model {model_name(finished.header)}"
        parts = [*self.sections(finished), about_section(finished, self.versions())]
        footer = element("p", f"genoformer {version('genoformer')}. This page needs no network.")
        write_page(self.path, page_html(inputs, parts, lead=lead, footer=footer, scripts=self.scripts()))


def model_name(header: BundleHeader) -> str:
    """Name of a model; that of its run for one that lies where training has put it."""
    folder = header.folder.resolve()
    return f"{folder.parent.name}/{folder.name}" if header.name == MODEL_OF_RUN else header.name


def about_section(finished: Finished, versions: Mapping[str, str]) -> Section:
    """Model, settings, versions and command."""
    return Section(
        "How it was made",
        join(
            element("h3", "Command"), code_block(command_of(finished)),
            element("h3", "Model and versions"), plain_table(["", ""], _model_rows(finished, versions)),
            _card(finished.header),
            folded("All settings", plain_table(["", ""], _setting_rows(finished))),
        ),
    )  # fmt: skip


def command_of(finished: Finished) -> str:
    """A command that makes the same; settings that differ from those of every day stand in the table of settings."""
    inputs, name = " ".join(finished.inputs), model_name(finished.header)
    ending = f"--formats {','.join(finished.request['formats'])} -o FOLDER"
    if finished.request.get("functions"):
        return f"genoformer annotate {inputs} --structure {name} --function MODEL {ending}"
    return f"genoformer predict {inputs} --model {name} {ending}"


def _model_rows(finished: Finished, versions: Mapping[str, str]) -> list[tuple[str, Any]]:
    header = finished.header
    return [
        ("model", model_name(header)), ("weights, SHA-256", header.digest), ("task", header.config.task),
        ("network", header.config.encoder.get("attention", {}).get("name", "")), ("number format", finished.precision),
        ("genoformer", version("genoformer")), *versions.items(),
    ]  # fmt: skip


def _card(header: BundleHeader) -> Markup:
    path = header.folder / CARD
    text = path.read_text(encoding="utf-8") if path.is_file() else "The model has no card."
    return folded("What it was trained on, and its limits: the model card", code_block(text, wraps=True))


def _setting_rows(finished: Finished) -> list[tuple[str, str]]:
    rows = ((name, _shown(value)) for name, value in flattened(finished.request).items() if name != "formats")
    return [(name, value) for name, value in rows if value]


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values of groups of settings by their names, joined with a dot."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flattened(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _shown(value: Any) -> str:
    if value is None or value == "" or value == []:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
