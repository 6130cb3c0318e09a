"""Files of predicted base pairs: HDF5, dot-bracket, a table, and pictures of the maps."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from genoformer.applications.rna_pairs.maps import PairMapWriter, draw_map, load_pyplot
from genoformer.errors import UsageError
from genoformer.files import atomic_path
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.records import Record
from genoformer.structures.dot_bracket import pairs_of
from genoformer.structures.pair_files import write_bpseq, write_ct, write_dbn

Result = tuple[Record, dict[str, np.ndarray]]
"""A record and what ``PairCaller.outputs`` says of it."""

PAIRS_H5, PAIRS_DBN, PAIRS_TSV, PAIRS_CT = "pairs.h5", "pairs.dbn", "pairs.tsv", "pairs.ct"
NAMES = {"h5": PAIRS_H5, "dbn": PAIRS_DBN, "tsv": PAIRS_TSV, "ct": PAIRS_CT}
"""Files by the word in ``--formats``; "bpseq" and "png" give a file for each record."""
EACH = {"bpseq": "pairs-{:04d}.bpseq", "png": "pairs-{:04d}.png"}
DEFAULT_FORMATS = ("h5", "dbn", "tsv")
LISTED = 0.05
"""Pairs in the table are in the structure, or at least this probable."""


def check_pair_formats(words: Iterable[str]) -> tuple[str, ...]:
    """The same words; UsageError if one is unknown, or if pictures cannot be made here."""
    words = tuple(words)
    for word in words:
        if word not in NAMES and word not in EACH:
            known = ", ".join([*NAMES, *EACH])
            raise UsageError("FORMATS-001", f'"{word}" is no format of base pairs: {known}.', where="--formats")
    if "png" in words:
        load_pyplot()
    return words


def write_pairs(out: Path, results: Iterable[Result], formats: tuple[str, ...]) -> tuple[list[str], dict]:
    """Write all files, record by record.

    Args:
        out: Folder; old pictures in it are removed.
        results: Records in the order of the input.
        formats: Words of ``NAMES`` and ``EACH``.

    Returns:
        Names of the files, and counts for the summary.
    """
    for pattern in ("pairs-*.bpseq", "pairs-*.png"):
        for stale in out.glob(pattern):
            stale.unlink()
    names, n_pairs = [NAMES[word] for word in formats if word in NAMES], 0
    with ExitStack() as stack:
        writers = [_WRITERS[word](stack.enter_context(atomic_path(out / NAMES[word])), stack)
                   for word in formats if word in NAMES]  # fmt: skip
        for number, (record, found) in enumerate(results, 1):
            for writer in writers:
                writer.add(record, found)
            for word in formats:
                if word in EACH:
                    names.append(EACH[word].format(number))
                    _write_one(out / names[-1], word, record, found)
            n_pairs += len(pairs_of(found["partners"]))
        for writer in writers:
            writer.close()
    return names, {"n_pairs": n_pairs}


class _TextWriter:
    """Lines of each record to one file."""

    def __init__(self, temporary: Path, stack: ExitStack) -> None:
        self.file = stack.enter_context(open(temporary, "w", encoding="utf-8"))
        self.file.write(self.header)

    header = ""

    def add(self, record: Record, found: dict[str, np.ndarray]) -> None:
        self.file.writelines(self.lines(record, found))

    def lines(self, record: Record, found: dict[str, np.ndarray]) -> Iterable[str]:
        raise NotImplementedError

    def close(self) -> None:
        self.file.close()


class _DotBracket(_TextWriter):
    def lines(self, record: Record, found: dict[str, np.ndarray]) -> Iterable[str]:
        return write_dbn([_row(record, found)])


class _Ct(_TextWriter):
    def lines(self, record: Record, found: dict[str, np.ndarray]) -> Iterable[str]:
        return write_ct([_row(record, found)])


class _Table(_TextWriter):
    header = "record_id\ti\tj\tbase_i\tbase_j\tprobability\tin_structure\n"

    def lines(self, record: Record, found: dict[str, np.ndarray]) -> Iterator[str]:
        bases = _letters(record)
        for (i, j), sure in zip(found["pairs"].tolist(), found["probability"].tolist(), strict=True):
            chosen = found["partners"][i] == j
            if chosen or sure >= LISTED:
                yield f"{record.id}\t{i + 1}\t{j + 1}\t{bases[i]}\t{bases[j]}\t{sure:.4f}\t{int(chosen)}\n"


_WRITERS = {"h5": PairMapWriter, "dbn": _DotBracket, "tsv": _Table, "ct": _Ct}


def _write_one(path: Path, word: str, record: Record, found: dict[str, np.ndarray]) -> None:
    with atomic_path(path) as temporary:
        if word == "png":
            draw_map(temporary, record.id, _map(record, found), "base (above: probability; below: structure)")
        else:
            temporary.write_text("".join(write_bpseq(_row(record, found))), encoding="utf-8")


def _map(record: Record, found: dict[str, np.ndarray]) -> np.ndarray:
    """Probabilities above the diagonal, the structure below it, float32 [L, L]."""
    values = np.zeros((len(record), len(record)), np.float32)
    values[found["pairs"][:, 0], found["pairs"][:, 1]] = found["probability"]
    chosen = pairs_of(found["partners"])
    values[chosen[:, 1], chosen[:, 0]] = 1.0
    return values


def _row(record: Record, found: dict[str, np.ndarray]) -> tuple[str, str, np.ndarray]:
    return record.id, _letters(record), found["partners"]


def _letters(record: Record) -> str:
    """Bases as RNA has them."""
    return decode_bases(record.codes).replace("T", "U")
