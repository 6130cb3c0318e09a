"""Model passes over sequence whose genes are known: what a gene decoder is fitted to.

A pass over a record needs all of it, because the statistics of a genome do; what is fitted to are stretches of it that
the network has not seen. Contig ends, which a complete genome does not have, are made by cutting these into fragments.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from torch import nn

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.decoding.caller import collect_candidates
from genoformer.decoding.candidates import find_candidates
from genoformer.decoding.options import CallOptions
from genoformer.decoding.orfs import EDGE_START
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store, StoredRecord
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import TilePlan, record_logits
from genoformer.training.progress import stage

N_CHANNELS = 5
"""Outputs of a network that finds genes."""
FRAGMENT_BP = 3_000
MIN_GENE_BP = 90


@dataclass(frozen=True)
class Held:
    """One record's model pass.

    Attributes:
        genome: Genome the record belongs to.
        codes: Base codes, uint8 [L].
        options: Genetic code.
        candidates: All candidates of the record.
        inside: Stretches to fit on: whole regions, then fragments.
        natural: The sequence is as it was found, not recoded.
        weight: What each of its candidates counts in a fit, more than 0; None in all passes where all count alike.
        family: What the genome is left out with, in a table that names groups; genomes of one are relatives.
        pieces: Short pieces of the record, each read by itself, as records of their own.
        begin: First base of such a piece in its record.
    """

    genome: str
    codes: np.ndarray
    options: CallOptions
    candidates: np.ndarray
    inside: list["Stretch"]
    natural: bool = True
    weight: float | None = None
    family: str | None = None
    pieces: list["Held"] = field(default_factory=list)
    begin: int = 0


@dataclass(frozen=True)
class Stretch:
    """Candidates with the truth about them.

    Attributes:
        candidates: Rows of ``CANDIDATE_DTYPE``.
        genes: Gene table.
        bounds: First base and one past the last base of the sequence they are candidates of: the record, or a fragment
            as if it were one.
    """

    candidates: np.ndarray
    genes: np.ndarray
    bounds: tuple[int, int]


def read_held(
    network: nn.Module, tokenizer: KmerTokenizer, plan: TilePlan, store: Store, regions: list[Region]
) -> list[Held]:
    """The model pass over every record of the genomes that have a region.

    Args:
        network: Trained model, in evaluation mode.
        tokenizer: Its tokenizer.
        plan: How sequence is cut into tiles.
        store: Sequences and genes.
        regions: What the network has not seen in training.
    """
    genomes = {store.records[region.record].genome for region in regions}
    records = [record for record in store.records if record.genome in genomes]
    n_bases = sum(record.length for record in records)
    with stage("reading the genomes of validation regions", n_bases, "bp") as shown:
        return [
            hold_record(
                network, tokenizer, plan, store, record, [r for r in regions if r.record == record.index], shown.advance
            )
            for record in records
        ]


def hold_record(
    network: nn.Module, tokenizer: KmerTokenizer, plan: TilePlan, store: Store, record: StoredRecord,
    regions: list[Region], on_bases: Callable[[int], None] = lambda n: None, *, length: int | None = None,
) -> Held:  # fmt: skip
    """The model pass over one record.

    Args:
        network: Trained model, in evaluation mode.
        tokenizer: Its tokenizer.
        plan: How sequence is cut into tiles.
        store: Sequences and genes.
        record: The record.
        regions: Stretches of it that the network has not seen in training.
        on_bases: Called with the number of bases that were read since the last call.
        length: Bases of it that are read, as if it ended there; None for all.
    """
    length = record.length if length is None else length
    codes = store.bases(record.index, 0, length)
    options = CallOptions(genetic_code=record.genetic_code, min_gene_bp=MIN_GENE_BP)
    kept = {region: np.zeros((2, region.end - region.start, N_CHANNELS), np.float32) for region in regions}

    def pieces():
        for start, end, logits in record_logits(network, tokenizer, codes, plan):
            for region, array in kept.items():
                low, high = max(start, region.start), min(end, region.end)
                if low < high:
                    array[:, low - region.start : high - region.start] = logits[:, low - start : high - start]
            on_bases(end - start)
            yield start, end, logits

    candidates = collect_candidates(codes, pieces(), options)
    genes = store.genes(record.index)
    if length < record.length:
        genes = cut_genes(genes, 0, length)
    inside: list[Stretch] = []
    for region, logits in kept.items():
        within = (candidates["start"] >= region.start) & (candidates["end"] <= region.end)
        inside.append(Stretch(candidates[within], genes, (0, length)))
        inside.extend(_fragments(codes, logits, region, genes, options))
    return Held(record.genome, codes, options, candidates, inside)


def _fragments(codes, logits, region: Region, genes, options: CallOptions) -> Iterator[Stretch]:
    """Frames that touch an end, of fragments of a region, with the genes cut to each fragment."""
    code = get_genetic_code(options.genetic_code)
    for start in range(region.start, region.end - FRAGMENT_BP + 1, FRAGMENT_BP):
        end = start + FRAGMENT_BP
        piece = logits[:, start - region.start : end - region.start]
        rows = find_candidates(
            codes[start:end], piece, code=code, min_gene_bp=options.min_gene_bp, offset=start, emitted_to=start - 1
        )
        at_end = (rows["kind"] == EDGE_START) | (rows["closed"] == 0)
        rows = rows[np.isin(rows["orf"], rows["orf"][at_end])]
        yield Stretch(rows, cut_genes(genes, start, end), (start, end))


def cut_genes(genes: np.ndarray, start: int, end: int) -> np.ndarray:
    """The gene table of a fragment: what lies over its ends is cut to whole codons.

    Args:
        genes: Gene table of the record.
        start: First base of the fragment.
        end: One past its last base.
    """
    cut = genes[(genes["end"] > start) & (genes["start"] < end)].copy()
    plus = cut["strand"] > 0
    low, high = cut["start"].copy(), cut["end"].copy()
    before, beyond = np.maximum(start - low, 0), np.maximum(high - end, 0)
    # The frame is counted from the 5′ end: codons are cut whole on both sides.
    cut["start"] = np.where(
        plus, low + 3 * -(-before // 3), np.where(before > 0, high - 3 * ((high - start) // 3), low)
    )
    cut["end"] = np.where(plus, np.where(beyond > 0, low + 3 * ((end - low) // 3), high), high - 3 * -(-beyond // 3))
    return cut[cut["end"] - cut["start"] >= MIN_GENE_BP]
