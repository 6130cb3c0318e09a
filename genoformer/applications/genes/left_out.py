"""What networks read in genomes that they were not trained on: passes that lie on disk until the model is finished."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from genoformer.annotation.tracks import GENE_TABLE
from genoformer.applications.genes.held import FRAGMENT_BP, MIN_GENE_BP, Held, Stretch, hold_record
from genoformer.applications.genes.small_pieces import pieces_as_arrays, pieces_from_arrays, read_pieces
from genoformer.bundle.folder import Bundle, load_bundle
from genoformer.decoding.candidates import CANDIDATE_DTYPE
from genoformer.decoding.options import CallOptions
from genoformer.files import write_bytes_atomic
from genoformer.files.sealed import check_seal, seal
from genoformer.genomes.genome_table import TableGenome, region_shares
from genoformer.genomes.splits import Region, uncovered
from genoformer.genomes.store import Store, StoredRecord
from genoformer.inference.bundle_parts import tile_plan
from genoformer.inference.interface import Speed
from genoformer.training.finish import Fold
from genoformer.training.progress import stage

MOST_GENOME_BP = 3_000_000
"""Read of a genome, its longest records first: some three thousand genes, more than the weights of a decoder need."""
MOST_BP = 90_000_000
"""Read of all genomes together; where there are more than 30, less is read of each."""


def read_left_out(folds: Sequence[Fold], data: Any, precision: str) -> list[Held]:
    """The passes of every network over the genomes of the group that it has not seen; none over what is kept for tests.

    Genomes count as they do in training: groups alike, the genomes of a group by their weights.

    Args:
        folds: Groups, their networks trained.
        data: Data of the run, set up.
        precision: Of the passes, "bfloat16" or "float32".
    """
    limit_bp = min(MOST_GENOME_BP, MOST_BP // max(1, sum(len(fold.genomes) for fold in folds)))
    reading = Reading(data.store, data.parts["test"], limit_bp, precision)
    names = [name for fold in folds for name in fold.genomes]
    n_bases = sum(length for name in names for _, length in reading.pieces(name))
    with stage("reading genomes that were left out", n_bases, "bp") as shown:
        held = [one for fold in folds for one in _read_fold(fold, reading, shown.advance)]
    return weigh(held, data.table)


class Reading:
    """What is read of genomes, and how.

    Args:
        store: Sequences and genes.
        test: What is kept for tests: nothing is fitted to it.
        limit_bp: Most bases of a genome.
        precision: Of the passes.
    """

    def __init__(self, store: Store, test: Sequence[Region], limit_bp: int, precision: str) -> None:
        self.store, self.test, self.limit_bp, self.precision = store, test, limit_bp, precision

    def pieces(self, genome: str) -> list[tuple[StoredRecord, int]]:
        """Records with the number of bases that are read of each: all, but of the last one."""
        own = [record for record in self.store.records if record.genome == genome]
        left_bp, pieces = self.limit_bp, []
        for record in sorted(own, key=lambda record: -record.length):
            length = min(record.length, left_bp)
            # What is left of the limit may be too little for a gene.
            if (length == record.length or length >= FRAGMENT_BP) and self.regions(record, length):
                pieces.append((record, length))
                left_bp -= length
        return pieces

    def regions(self, record: StoredRecord, length: int) -> list[Region]:
        """What is fitted to of the first bases of a record."""
        return uncovered(record.index, length, self.test)

    def read(self, bundle: Bundle, genome: str, on_bases: Callable[[int], None]) -> list[Held]:
        """The passes of a network over a genome."""
        plan = tile_plan(bundle, Speed(precision=self.precision))
        passes, inside = [], []
        for record, length in self.pieces(genome):
            regions = self.regions(record, length)
            inside.append(regions)
            held = hold_record(
                bundle.model, bundle.tokenizer, plan, self.store, record, regions, on_bases, length=length
            )
            passes.append(replace(held, inside=[_without_others(part, regions) for part in held.inside]))
        return read_pieces(bundle, plan, passes, inside)


def _without_others(stretch: Stretch, regions: Sequence[Region]) -> Stretch:
    """The stretch without genes that lie in none of the regions: the prior counts all that a record is said to have."""
    genes = stretch.genes
    touch = [(genes["start"] < region.end) & (genes["end"] > region.start) for region in regions]
    return replace(stretch, genes=genes[np.logical_or.reduce(touch)])


def _read_fold(fold: Fold, reading: Reading, on_bases: Callable[[int], None]) -> list[Held]:
    """The passes of a network over its genomes; those that are kept are not repeated."""
    bundle, read = None, []
    for number, genome in enumerate(fold.genomes):
        path = fold.passes / f"{number}.npz"
        held = load_passes(path, reading, genome)
        if held is None:
            bundle = bundle or load_bundle(fold.model)
            held = reading.read(bundle, genome, on_bases)
            save_passes(path, held)
        else:
            on_bases(sum(len(one.codes) for one in held))
        read += held
    return read


def weigh(held: Sequence[Held], table: Sequence[TableGenome]) -> list[Held]:
    """The same passes with their families; their candidates count so that genomes have the shares they have of crops.

    Args:
        held: Passes over genomes whose weight is not 0.
        table: The genomes.
    """
    lengths = [len(one.codes) for one in held]
    shares = region_shares(table, [one.genome for one in held], lengths)
    families = {genome.files.name: genome.left_out_with for genome in table}
    named = [replace(one, family=families.get(one.genome)) for one in held]
    if shares is None:
        return named
    return [
        replace(one, weight=share * sum(lengths) / length)
        for one, share, length in zip(named, shares, lengths, strict=True)
    ]


def save_passes(path: Path, held: Sequence[Held]) -> None:
    """Keep the passes over a genome, all but what the store has of it.

    Raises:
        OutputExistsError, OutputWriteError: If the file cannot be written.
    """
    arrays: dict[str, Any] = {}
    for number, one in enumerate(held):
        sizes = [(len(part.candidates), len(part.genes), *part.bounds) for part in one.inside]
        arrays[f"{number}.candidates"] = one.candidates
        arrays[f"{number}.stretches"] = np.array(sizes, np.int64).reshape(-1, 4)
        arrays[f"{number}.rows"] = _joined([part.candidates for part in one.inside], CANDIDATE_DTYPE)
        arrays[f"{number}.genes"] = _joined([part.genes for part in one.inside], GENE_TABLE)
        arrays[f"{number}.pieces"], arrays[f"{number}.piece_rows"] = pieces_as_arrays(one)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes_atomic(path, seal(buffer.getvalue()))


def load_passes(path: Path, reading: Reading, genome: str) -> list[Held] | None:
    """The inverse of ``save_passes``; None where there is no file, or a damaged one."""
    try:
        data = path.read_bytes()
        check_seal(data)
        with np.load(io.BytesIO(data)) as file:
            arrays = {name: file[name] for name in file.files}
        return [
            _held(reading.store, record, length, [arrays[f"{number}.{name}"] for name in _PARTS])
            for number, (record, length) in enumerate(reading.pieces(genome))
        ]
    except (OSError, ValueError, KeyError):
        return None


_PARTS = ("candidates", "stretches", "rows", "genes", "pieces", "piece_rows")


def _held(store: Store, record: StoredRecord, length: int, arrays: Sequence[np.ndarray]) -> Held:
    candidates, sizes, rows, genes, *pieces = arrays
    if (candidates.dtype, rows.dtype, genes.dtype) != (CANDIDATE_DTYPE, CANDIDATE_DTYPE, GENE_TABLE):
        raise ValueError(f"expected candidates and genes, found {candidates.dtype}")
    ends = np.cumsum(sizes[:, :2], axis=0)[:-1]
    parts = zip(np.split(rows, ends[:, 0]), np.split(genes, ends[:, 1]), sizes[:, 2:].tolist(), strict=True)
    inside = [Stretch(own, its, (low, high)) for own, its, (low, high) in parts]
    options = CallOptions(genetic_code=record.genetic_code, min_gene_bp=MIN_GENE_BP)
    held = Held(record.genome, store.bases(record.index, 0, length), options, candidates, inside)
    return pieces_from_arrays(held, *pieces)


def _joined(tables: Sequence[np.ndarray], dtype: np.dtype) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *tables])
