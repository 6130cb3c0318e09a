"""Files of predicted base pairs: HDF5, dot-bracket, a table, and pictures of the maps."""

import importlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import h5py
import numpy as np

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
FORMAT_VERSION = 1


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


def load_pyplot():
    """The plotting library without a screen; UsageError if it is not installed."""
    try:
        importlib.import_module("matplotlib").use("Agg")
        return importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        raise UsageError(
            "FORMATS-002", "pictures need the package matplotlib, which is not installed.", where="--formats",
            fix='Install it: pip install "genoformer[plot]".',
        ) from error  # fmt: skip


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


def read_pairs_h5(path: str | Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Id, pairs [n, 2] (0-based, i < j) and their probabilities of every record of a ``pairs.h5``."""
    with h5py.File(path, "r") as file:
        ends = file["ends"][:]
        for name, start, end in zip(file["ids"].asstr()[:], [0, *ends[:-1]], ends, strict=True):
            yield name, file["pairs"][start:end], file["probability"][start:end]


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


class _Hdf5:
    """Listed pairs of all records: ``pairs`` [n, 2] and ``probability`` [n]; those of record r end at ``ends[r]``."""

    def __init__(self, temporary: Path, stack: ExitStack) -> None:
        self.file = stack.enter_context(h5py.File(temporary, "w"))
        options = {"maxshape": (None,), "fletcher32": True}
        self.pairs = self.file.create_dataset(
            "pairs", (0, 2), np.int32, maxshape=(None, 2), chunks=(16_384, 2), fletcher32=True
        )
        self.sure = self.file.create_dataset("probability", (0,), np.float32, chunks=(16_384,), **options)
        self.ids: list[str] = []
        self.lengths: list[int] = []
        self.ends: list[int] = []

    def add(self, record: Record, found: dict[str, np.ndarray]) -> None:
        start = len(self.sure)
        end = start + len(found["pairs"])
        self.pairs.resize(end, axis=0)
        self.sure.resize(end, axis=0)
        self.pairs[start:end], self.sure[start:end] = found["pairs"], found["probability"]
        self.ids.append(record.id)
        self.lengths.append(len(record))
        self.ends.append(end)

    def close(self) -> None:
        self.file.create_dataset("ids", data=self.ids, dtype=h5py.string_dtype())
        self.file["lengths"], self.file["ends"] = np.array(self.lengths, int), np.array(self.ends, int)
        self.file.attrs["format_version"] = FORMAT_VERSION
        self.file.attrs["complete"] = True
        self.file.close()


_WRITERS = {"h5": _Hdf5, "dbn": _DotBracket, "tsv": _Table, "ct": _Ct}


def _write_one(path: Path, word: str, record: Record, found: dict[str, np.ndarray]) -> None:
    with atomic_path(path) as temporary:
        if word == "png":
            _draw(temporary, record, found)
        else:
            temporary.write_text("".join(write_bpseq(_row(record, found))), encoding="utf-8")


def _draw(path: Path, record: Record, found: dict[str, np.ndarray]) -> None:
    """The map: probabilities above the diagonal, the structure below it."""
    pyplot = load_pyplot()
    length = max(1, len(record))
    values = np.zeros((length, length), np.float32)
    values[found["pairs"][:, 0], found["pairs"][:, 1]] = found["probability"]
    chosen = pairs_of(found["partners"])
    values[chosen[:, 1], chosen[:, 0]] = 1.0
    figure, axes = pyplot.subplots(figsize=(6, 6), dpi=150)
    extent = (0.5, length + 0.5, length + 0.5, 0.5)
    axes.imshow(values, cmap="Greys", vmin=0, vmax=1, extent=extent, interpolation="nearest")
    axes.plot(extent[:2], extent[:2], color="0.7", linewidth=0.5)
    axes.set_title(record.id, fontsize=8)
    axes.set_xlabel("base (above: probability; below: structure)")
    # Without this word the file would say which version drew it.
    figure.savefig(path, format="png", metadata={"Software": None})
    pyplot.close(figure)


def _row(record: Record, found: dict[str, np.ndarray]) -> tuple[str, str, np.ndarray]:
    return record.id, _letters(record), found["partners"]


def _letters(record: Record) -> str:
    """Bases as RNA has them."""
    return decode_bases(record.codes).replace("T", "U")
