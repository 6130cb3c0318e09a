"""FASTA files: a strict streaming reader whose errors name file, line and record, and a writer."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from genoformer.errors import DataError, WarningLog
from genoformer.files import atomic_path
from genoformer.files.limits import MOST_COMMENT_LINES
from genoformer.sequence.alphabet import BASE_LETTERS, BYTE_TO_CODE, N_CODE, NOT_A_BASE, base_bytes
from genoformer.sequence.byte_chunks import display_name, read_chunks
from genoformer.sequence.fasta_extras import BYTE_TO_CODE_OR_GAP, GAP, blank_numbers, split_stop_sign
from genoformer.sequence.fasta_parts import COMMENT, HEADER, MAX_HEADER_BYTES, fasta_parts
from genoformer.sequence.records import Record

_WHITE_SPACE = b" \t\n"
_UTF8_BOM = b"\xef\xbb\xbf"
_ILLEGAL_BYTE = re.compile(rb"[^-" + (BASE_LETTERS + "U").encode() + _WHITE_SPACE + rb"]", re.IGNORECASE)
_SKIP_ADVICE = "or use --on-bad-record skip to leave such records out."
_OTHER_FORMATS = (
    (b"@", "It looks like FASTQ"),
    (b"<", "It looks like HTML or XML, perhaps an error page of a download"),
    (b"LOCUS ", "It looks like GenBank"),
    (b"ID   ", "It looks like EMBL"),
    (b"##gff", "It looks like GFF3"),
    (b"BAM\x01", "It looks like BAM"),
    (b"BZh", "It is compressed with bzip2, which is not read; decompress it first"),
    (b"\xfd7zXZ", "It is compressed with xz, which is not read; decompress it first"),
    (b"\x28\xb5\x2f\xfd", "It is compressed with zstd, which is not read; decompress it first"),
    (b"PK\x03\x04", "It is a zip archive; unpack it first"),
    (b"\xff\xfe", "It is text in UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "It is text in UTF-16; save it as UTF-8"),
    (b"\x1f\x8b", "It is compressed twice; decompress it first"),
)


def read_fasta(
    path: str | Path,
    *,
    on_bad_record: Literal["error", "skip"] = "error",
    warnings: WarningLog | None = None,
) -> Iterator[Record]:
    """Read nucleotide records one by one; nothing is passed over in silence.

    Plain text, gzip and bgzip are told apart by content. Lines may end in LF, CRLF or CR; white space and blank lines
    inside a sequence are left out, lines that start with ";" are comments. Lower case is read as upper case, U as T.
    With a counted warning, a gap "-" is read as N, and position numbers at line starts and one "*" behind the last base
    are left out. The id is the header up to the first white space.

    Args:
        path: File name, or "-" for standard input.
        on_bad_record: "skip" drops a record with an illegal letter, without a sequence, without an id or with an id
            that was seen before, and counts a warning; "error" stops there.
        warnings: Where warnings are counted; None discards them.

    Returns:
        Iterator over the records in file order; one record is held at a time, one byte per base.

    Raises:
        ValueError: If ``on_bad_record`` is another word.
        MissingFileError: If there is no such file.
        DataError: If it cannot be read, is not FASTA, is cut off or damaged, or holds a bad record.
    """
    if on_bad_record not in ("error", "skip"):
        raise ValueError(f'expected on_bad_record "error" or "skip", found {on_bad_record!r}')
    path = str(path)
    builder = _RecordBuilder(display_name(path), on_bad_record == "skip", warnings or WarningLog())
    return builder.records(fasta_parts(builder.without_bom(read_chunks(path))))


def write_fasta(path: str | Path, records: Iterable[Record], width: int = 60) -> None:
    """Write records as FASTA, upper case, atomically.

    Args:
        path: Name of the finished file.
        records: Records in the order to be written.
        width: Bases per line.

    Raises:
        ValueError: If ``width`` is below 1, or a record could not be read back: no bases, an id that is empty or holds
            white space, a line break in the description.
        OutputExistsError: If the file cannot be created.
        OutputWriteError: If writing fails.
    """
    if width < 1:
        raise ValueError(f"expected width of at least 1, found {width}")
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        for record in records:
            _write_record(file, record, width)


def _write_record(file: BinaryIO, record: Record, width: int) -> None:
    if not len(record) or record.id.split() != [record.id] or len(record.description.splitlines()) > 1:
        raise ValueError(f"expected a record with bases, an id and a one-line description, found {record.id!r}")
    file.write(f">{record.id} {record.description}".rstrip().encode() + b"\n")
    block_bp = width * max(1, (1 << 20) // width)
    for start in range(0, len(record), block_bp):
        letters = np.frombuffer(base_bytes(record.codes[start : start + block_bp]), dtype=np.uint8)
        n_full = len(letters) // width
        lines = np.full((n_full, width + 1), ord("\n"), dtype=np.uint8)
        lines[:, :width] = letters[: n_full * width].reshape(n_full, width)
        file.write(lines.tobytes())
        if len(letters) > n_full * width:
            file.write(letters[n_full * width :].tobytes() + b"\n")


@dataclass(slots=True)
class _OpenRecord:
    id: str
    description: str
    line: int
    codes: bytearray = field(default_factory=bytearray)
    problem: DataError | None = None
    at_line_start: bool = True
    held: bytes = b""  # start of a line that may become a position number
    stop_sign: DataError | None = None  # becomes the problem when a letter follows


class _RecordBuilder:
    """Grows one record at a time and holds what makes a record bad."""

    def __init__(self, name: str, skip: bool, warnings: WarningLog) -> None:
        self.name, self.skip, self.warnings = name, skip, warnings
        self.lines_by_id: dict[str, int] = {}
        self.n_records = 0

    def without_bom(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks without a byte order mark at the start of the file."""
        for i, chunk in enumerate(chunks):
            if i == 0 and chunk.startswith(_UTF8_BOM):
                self.warnings.add("FASTA-101", f"{self.name} starts with a byte order mark, which was left out.")
                chunk = chunk[len(_UTF8_BOM) :]
            if chunk:
                yield chunk

    def records(self, parts: Iterable[tuple[int, int, bytes]]) -> Iterator[Record]:
        """Records that are good; raises or counts the bad ones."""
        current, n_comments = None, 0
        for kind, line, data in parts:
            if kind == HEADER:
                if (record := self._finish(current)) is not None:
                    yield record
                current = self._start(line, data)
                n_comments = 0
            elif kind == COMMENT:
                n_comments += 1
                if n_comments > MOST_COMMENT_LINES or len(data) >= MAX_HEADER_BYTES:
                    raise self._error("FASTA-012", line, 'comments (";") have no end.', "Is this the right file?")
                self.warnings.add("FASTA-104", f'{self._at(line)}: a comment line (";") was left out.')
            elif current is not None:
                self._extend(current, line, data)
            elif data.strip():
                raise self._not_fasta(line, data)
        if (record := self._finish(current, is_last=True)) is not None:
            yield record
        self._check_not_empty()

    def _start(self, line: int, header: bytes) -> _OpenRecord:
        if len(header) >= MAX_HEADER_BYTES:
            raise self._error("FASTA-003", line, "This is not a FASTA file: a header has no end.", "Give a FASTA file.")
        self.n_records += 1
        identifier, _, description = self._text(line, header).replace("\t", " ").partition(" ")
        record = _OpenRecord(identifier, description.strip(), line)
        first_line = self.lines_by_id.setdefault(identifier, line)
        if not identifier or not identifier.isprintable():
            found = f"an id with an unprintable character: {identifier!r}" if identifier else "no id after '>'"
            self._mark(
                record, "FASTA-006", line, f"This record has {found}.", f"Write the id next to '>', {_SKIP_ADVICE}"
            )
        elif first_line != line:
            message = f'record "{identifier}" is there twice, on lines {first_line} and {line}.'
            self._mark(record, "FASTA-007", line, message, f"Give each record its own id, {_SKIP_ADVICE}")
        return record

    def _extend(self, record: _OpenRecord, line: int, block: bytes) -> None:
        if record.problem is not None:
            return
        codes = block.translate(BYTE_TO_CODE, _WHITE_SPACE)
        if record.held or record.stop_sign or codes.find(NOT_A_BASE) >= 0:
            block = self._without_extras(record, line, block)
            if (position := _ILLEGAL_BYTE.search(block)) is not None:
                record.problem = self._illegal_letter(record, line, block, position.start())
            if record.problem is not None:
                return self._raise_unless_skipping(record.problem)
            codes = block.translate(BYTE_TO_CODE_OR_GAP, _WHITE_SPACE)
        record.codes += codes
        last_line = block[block.rfind(b"\n") + 1 :]
        record.at_line_start = (record.at_line_start or len(last_line) < len(block)) and not last_line.strip()

    def _without_extras(self, record: _OpenRecord, line: int, block: bytes) -> bytes:
        """Blank position numbers, take a last stop sign off and count gaps."""
        block = record.held + block
        begin = 0 if record.at_line_start else block.find(b"\n") + 1 or len(block)
        lines, record.held, n_numbers = blank_numbers(block[begin:])
        if n_numbers:
            self.warnings.add("FASTA-106", f"{self._at(line)}: position numbers were left out.", n_numbers)
        block = block[:begin] + lines
        if record.stop_sign is not None and block.strip():
            record.problem = record.stop_sign
            return b""
        without, has_stop_sign = split_stop_sign(block)
        if has_stop_sign:
            record.stop_sign = self._illegal_letter(record, line, block, len(without))
        if n_gaps := without.count(GAP):
            found = line + without.count(b"\n", 0, without.find(GAP))
            message = f'{self._at(found)}: record "{record.id}" has gaps ("-"), which were read as N.'
            self.warnings.add("FASTA-107", message, n_gaps)
        return without

    def _illegal_letter(self, record: _OpenRecord, line: int, block: bytes, offset: int) -> DataError:
        letter = chr(block[offset])
        base = len(record.codes) + len(block[:offset].translate(None, _WHITE_SPACE)) + 1
        message = f'record "{record.id}" has {letter!r} at base {base}, which is no letter of DNA or RNA.'
        return self._error("FASTA-008", line + block.count(b"\n", 0, offset), message, _letter_advice(letter))

    def _finish(self, record: _OpenRecord | None, is_last: bool = False) -> Record | None:
        if record is None:
            return None
        if not record.codes and record.problem is None:
            cut_off = " The file looks cut off." if is_last else ""
            advice = f"Download it again, {_SKIP_ADVICE}" if is_last else f"Remove it, {_SKIP_ADVICE}"
            self._mark(record, "FASTA-005", record.line, f'record "{record.id}" has no sequence.{cut_off}', advice)
        if record.problem is not None:
            self.warnings.add("FASTA-102", f"{record.problem.where}: {record.problem.message} It was left out.")
            self.n_records -= 1
            return None
        if record.stop_sign is not None:
            self.warnings.add(
                "FASTA-108", f'{self._at(record.line)}: the "*" at the end of "{record.id}" was left out.'
            )
        codes = np.frombuffer(record.codes, dtype=np.uint8)
        if _is_only_n(codes):
            self.warnings.add("FASTA-103", f'{self._at(record.line)}: record "{record.id}" is N only.')
        return Record(record.id, codes, record.description)

    def _mark(self, record: _OpenRecord, code: str, line: int, message: str, fix: str) -> None:
        record.problem = self._error(code, line, message, fix)
        self._raise_unless_skipping(record.problem)

    def _raise_unless_skipping(self, problem: DataError) -> None:
        if not self.skip:
            raise problem

    def _text(self, line: int, header: bytes) -> str:
        try:
            return header.decode("utf-8")
        except UnicodeDecodeError:
            self.warnings.add("FASTA-105", f"{self._at(line)}: the header is not UTF-8; it was read as Latin-1.")
            return header.decode("latin-1")

    def _check_not_empty(self) -> None:
        if self.n_records:
            return
        if self.lines_by_id:
            raise DataError("FASTA-011", "Every record is bad and was left out.", where=self.name, fix="See warnings.")
        raise DataError("FASTA-004", "The file is empty.", where=self.name, fix="Download or export it again.")

    def _not_fasta(self, line: int, data: bytes) -> DataError:
        data = data.lstrip()
        kinds = [kind for start, kind in _OTHER_FORMATS if data.startswith(start)]
        if not kinds:
            kinds = ["It is binary" if b"\0" in data else f"It starts with {data[:20].decode('latin-1')!r}"]
        message = f"This is not a FASTA file: expected '>' first. {kinds[0]}."
        return self._error("FASTA-003", line, message, "Give a FASTA file of DNA or RNA.")

    def _error(self, code: str, line: int, message: str, fix: str) -> DataError:
        return DataError(code, message, where=self._at(line), fix=fix)

    def _at(self, line: int) -> str:
        return f"{self.name} line {line}"


def _letter_advice(letter: str) -> str:
    if letter in ".~":
        return f"Gaps belong to an alignment, which is not a genome: give the sequence itself, {_SKIP_ADVICE}"
    if letter in "xX?":
        return f"Write N for an unknown base, {_SKIP_ADVICE}"
    if letter in "*EFILPQJOZefilpqjoz":
        return f"If these are proteins, give the genome instead; else correct the letter, {_SKIP_ADVICE}"
    return f"Correct it, {_SKIP_ADVICE}"


def _is_only_n(codes: np.ndarray) -> bool:
    if codes[0] != N_CODE:
        return False
    blocks = (codes[start : start + (1 << 16)] for start in range(0, len(codes), 1 << 16))
    return all((block == N_CODE).all() for block in blocks)
