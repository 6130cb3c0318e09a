"""Pages about predictions of whole sequences: a table of all records, and drawings of the first of them."""

from abc import abstractmethod
from pathlib import Path
from typing import Any

from genoformer.inference.report_files import Finished, ReportWriter
from genoformer.report.markup import Markup, element, join
from genoformer.report.page import Column, Section, data_table, facts, figures, note, own_file
from genoformer.sequence.records import Record

MAX_ROWS = 100_000
"""Records of the table; the files have all of them."""
MAX_DRAWN, N_OPEN = 60, 2
"""Records that are drawn, and those that are seen without a click."""
MAX_DRAWN_BYTES = 8_000_000
"""Of all drawings together: then no further record is drawn."""

Figure = tuple[Markup, str]


class RecordReportWriter(ReportWriter):
    """The page.

    Args:
        path: The final name.
    """

    headings: tuple[tuple[str, int | None], ...]
    """Columns of the table, with decimals; None for text."""
    drawn_as = "Records"
    """Heading of the drawings."""
    about_drawn = ""
    """What they show."""
    longest_drawn = 1_000
    """Bases of a record that is drawn, at most."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._rows: list[tuple] = []
        self._drawn: list[Markup] = []
        self._n_records = self._drawn_bytes = 0

    def add(self, record: Record, found: Any, **about: Any) -> None:
        self._n_records += 1
        self.gather(record, found)
        if len(self._rows) < MAX_ROWS:
            self._rows.append(self.row(record, found))
        has_room = len(self._drawn) < MAX_DRAWN and self._drawn_bytes < MAX_DRAWN_BYTES
        drawing = self.draw(record, found) if has_room and len(record) <= self.longest_drawn else None
        if drawing is not None:
            self._drawn.append(self._folded(record.id, drawing))
            self._drawn_bytes += len(drawing)

    @abstractmethod
    def row(self, record: Record, found: Any) -> tuple:
        """What the table says of a record."""

    def gather(self, record: Record, found: Any) -> None:
        """Keep what pictures of all records show."""

    def draw(self, record: Record, found: Any) -> Markup | None:
        """A drawing of one record; None where there is none."""
        return None

    def facts(self, finished: Finished) -> dict[str, Any]:
        """What the summary says besides numbers of records and bases."""
        return {}

    def pictures(self) -> list[Figure]:
        """Pictures of all records together."""
        return []

    def sections(self, finished: Finished) -> list[Section]:
        said = finished.summary
        told = {"records": f"{said['n_records']:,}", "bases": f"{said['n_bases']:,}", **self.facts(finished)}
        left_out = self._n_records - len(self._rows)
        more = note(f"{left_out:,} further records are in the files.") if left_out else None
        parts = [Section("Summary", join(facts(told), more))]
        if pictures := self.pictures() if self._rows else []:
            parts.append(Section("Pictures", figures(*pictures)))
        if self._rows:
            parts.append(Section("Records", self._table()))
        if self._drawn:
            parts.append(Section(self.drawn_as, join(*self._drawn, self._undrawn()), self.about_drawn))
        return parts

    def scripts(self) -> list[str]:
        return [own_file("records.js")]

    def _table(self) -> Markup:
        columns = zip(self.headings, zip(*self._rows, strict=True), strict=True)
        return data_table("records", [Column(name, values, digits) for (name, digits), values in columns])

    def _folded(self, name: str, drawing: Markup) -> Markup:
        number = len(self._rows) - 1
        summary = element("summary", name)
        is_open = len(self._drawn) < N_OPEN
        return element("details", summary, drawing, open=is_open, class_="record", id=f"record-{number}")

    def _undrawn(self) -> Markup | None:
        n_more = self._n_records - len(self._drawn)
        if not n_more:
            return None
        return note(
            f"{n_more:,} records are not drawn: at most {MAX_DRAWN} are, of up to {self.longest_drawn:,} bp each."
        )


def key_line(names: dict[str, int]) -> Markup:
    """Names beside their colours."""
    entries = (element("li", element("span", class_=f"bg-{colour}"), name) for name, colour in names.items())
    return element("ul", *entries, class_="key-line")
