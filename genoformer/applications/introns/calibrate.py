"""Fitting the decoder of genes with introns: lengths and sites from training genes, weights on held-out regions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from torch import nn

from genoformer.annotation.genetic_code import GeneticCode, get_genetic_code
from genoformer.annotation.intron_tracks import genes_of_tracks
from genoformer.annotation.models import Gene
from genoformer.annotation.tracks import MASKED
from genoformer.applications.genes.region_scores import read_region
from genoformer.applications.introns.caller import CalibratedDecoder
from genoformer.applications.introns.follow import SampleStretch, learn_counts
from genoformer.applications.introns.parts import genes_of_parts
from genoformer.bundle.folder import Bundle
from genoformer.decoding.introns.evidence import Terms, collect_terms
from genoformer.decoding.introns.motifs import GeneCounts, Motifs, count_genes, count_sequence
from genoformer.decoding.introns.stream import CollectTerms, decode_record
from genoformer.decoding.introns.weights import (
    EXON_KINDS,
    SITE_KINDS,
    IntronDecoder,
    IntronWeights,
    LengthTable,
    fit_lengths,
)
from genoformer.errors import DataError
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.metrics.calibration_fit import fit_isotonic
from genoformer.metrics.introns import COMMON_INTRON_BP, IntronCounts, count_intron_genes
from genoformer.sequence.alphabet import decode_bases, reverse_complement
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import TilePlan
from genoformer.training.finish import Finish
from genoformer.training.progress import stepped

SHORTEST_EXON_BP = 3
"""Exons of less than a codon would split a codon twice."""
EXON_TABLE_BP, INTRON_TABLE_BP = 3000, 500
STEPS = (0.5, 0.75, 1.33, 2.0)
COSTS = ("gene", "intron", "untranslated", "edge")
COST_STEPS = (-4.0, -1.5, 1.5, 4.0)
MAX_ROUNDS = 6
ROUNDS = 2
"""How often weights are fitted to what the decoder finds, and the decoder looks again with these weights."""
MIN_LENGTHS = 20
"""Fewer lengths of a kind say less about it than the genes that a decoder was made for."""


@dataclass(frozen=True)
class HeldRegion:
    """A held-out region after the model pass.

    Attributes:
        codes: uint8 base codes, [L].
        logits: Outputs, forward coordinates, [2, L, 12].
        genes: Its whole genes.
        masked: Stretches that do not count, as pseudogenes that span them.
        code: Genetic code.
        genome: What it belongs to.
        own: What the decoder has found in the regions of that genome; None before it has looked.
    """

    codes: np.ndarray
    logits: np.ndarray
    genes: list[Gene]
    masked: list[Gene]
    code: GeneticCode
    genome: str = ""
    own: GeneCounts | None = None

    @cached_property
    def terms(self) -> CollectTerms:
        """What speaks for its bases and boundaries, by block: it does not change with the weights."""
        known: dict[tuple[int, int], Terms] = {}

        def collect(codes: np.ndarray, logits: np.ndarray, offset: int, start: int, end: int, *rest: Any) -> Terms:
            if (start, end) not in known:
                known[start, end] = collect_terms(codes, logits, offset, start, end, *rest)
            return known[start, end]

        return collect


def fit_intron_decoder(
    network: nn.Module, tokenizer: KmerTokenizer, plan: TilePlan, store: Store, training: Sequence[Region],
    held_out: Sequence[Region],
) -> CalibratedDecoder:  # fmt: skip
    """A decoder whose weights are the best on regions that training held out.

    Args:
        network: Trained model, in evaluation mode.
        tokenizer: Its tokenizer.
        plan: How sequence is cut into tiles.
        store: Sequences and labels.
        training: Regions whose genes tell how long exons and introns are, and how frequent kinds of splice sites.
        held_out: Regions on which weights and confidence are fitted.

    Raises:
        DataError: If the held-out regions hold no whole gene.
    """
    regions = stepped(held_out, "reading validation regions", "region")
    held = [hold_region(network, tokenizer, plan, store, region) for region in regions]
    if not any(region.genes for region in held):
        raise DataError("DECODER-001", "no whole gene lies in the validation regions.", fix="Hold out more.")
    decoder = first_decoder(store, training)
    for _ in range(ROUNDS):
        held = follow_genomes(decoder, held)
        decoder = fit_weights(decoder, held)
    held = follow_genomes(decoder, held)
    return CalibratedDecoder(decoder, fit_confidence(decoder, held))


def follow_genomes(decoder: IntronDecoder, held: Sequence[HeldRegion]) -> list[HeldRegion]:
    """The regions of each genome with what the decoder finds in them, as a prediction does with a sample."""
    counts = {}
    for genome in dict.fromkeys(region.genome for region in held):
        seen = [SampleStretch(region.codes, region.logits, region.code) for region in held if region.genome == genome]
        counts[genome] = learn_counts(decoder, seen)
    return [replace(region, own=counts[region.genome]) for region in held]


def hold_region(network, tokenizer, plan: TilePlan, store: Store, region: Region) -> HeldRegion:
    """The model pass over a region, and its genes."""
    codes, logits = read_region(network, tokenizer, plan, store, region)
    tracks = store.tracks(region.record, region.start, region.end)
    both = np.concatenate([[False], (tracks & MASKED != 0).all(axis=0), [False]])
    edges = np.flatnonzero(np.diff(both)).reshape(-1, 2).tolist()
    masked = [Gene("", start, end, "+", pseudo=True) for start, end in edges]
    record = store.records[region.record]
    code = get_genetic_code(record.genetic_code)
    return HeldRegion(codes, logits, genes_of_tracks(tracks), masked, code, record.genome)


@dataclass(frozen=True)
class SeenGenes:
    """What genes look like.

    Attributes:
        exons: Lengths of coding parts in bp, by kind of ``EXON_KINDS``.
        introns: Lengths of introns in bp.
        sites: How often each pair of intron ends occurs.
        counts: Of their sites, codons and introns.
    """

    exons: dict[str, list[int]]
    introns: list[int]
    sites: Counter[str]
    counts: GeneCounts = field(default_factory=GeneCounts.nothing)

    def exon_table(self, kind: str) -> LengthTable:
        """How long coding parts of this kind are."""
        return fit_lengths(self.exons[kind], shortest_bp=SHORTEST_EXON_BP, n_bp=EXON_TABLE_BP)

    def intron_table(self) -> LengthTable:
        """How long introns are."""
        return fit_lengths(self.introns, shortest_bp=COMMON_INTRON_BP, n_bp=INTRON_TABLE_BP)

    def site_logs(self) -> dict[str, float]:
        """Log-frequency of each of ``SITE_KINDS``."""
        total = self.sites.total() + 1.5
        return {kind: float(np.log((self.sites[kind] + 0.5) / total)) for kind in SITE_KINDS}


def first_decoder(store: Store, regions: Sequence[Region]) -> IntronDecoder:
    """A decoder with default weights, and lengths and sites of the genes in these regions."""
    seen = see_genes(store, regions)
    exons = {kind: seen.exon_table(kind) for kind in EXON_KINDS}
    return IntronDecoder(IntronWeights(), exons, seen.intron_table(), seen.site_logs(), Motifs(None, seen.counts))


def follow_genes(decoder: IntronDecoder, store: Store, regions: Sequence[Region]) -> IntronDecoder:
    """The decoder with lengths and sites of other genes, wherever ``MIN_LENGTHS`` of a kind lie in these regions."""
    seen = see_genes(store, regions)
    known = {kind: seen.exon_table(kind) for kind in EXON_KINDS if len(seen.exons[kind]) >= MIN_LENGTHS}
    decoder = replace(decoder, exons={**decoder.exons, **known})
    if len(seen.introns) < MIN_LENGTHS:
        return decoder
    return replace(decoder, introns=seen.intron_table(), sites=seen.site_logs())


def see_genes(store: Store, regions: Sequence[Region]) -> SeenGenes:
    """Lengths and sites of the whole genes in these regions."""
    exons: dict[str, list[int]] = {kind: [] for kind in EXON_KINDS}
    introns: list[int] = []
    sites: Counter[str] = Counter()
    counts = GeneCounts.nothing()
    for region in regions:
        codes = store.bases(region.record, region.start, region.end)
        genes = genes_of_tracks(store.tracks(region.record, region.start, region.end))
        counts += count_sequence(codes) + count_genes(codes, genes)
        for gene in genes:
            parts = gene.parts if gene.strand == "+" else gene.parts[::-1]
            for i, (start, end) in enumerate(parts):
                exons[_exon_kind(i, len(parts))].append(end - start)
            for (_, low), (high, _) in pairwise(gene.parts):
                introns.append(high - low)
                sites[_site_kind(codes[low:high], gene.strand)] += 1
    return SeenGenes(exons, introns, sites, counts)


def _exon_kind(i: int, n: int) -> str:
    if n == 1:
        return "single"
    return "initial" if i == 0 else "terminal" if i == n - 1 else "internal"


def _site_kind(intron: np.ndarray, strand: str) -> str:
    text = decode_bases(intron if strand == "+" else reverse_complement(intron))
    return f"{text[:2]}-{text[-2:]}"


def fit_weights(decoder: IntronDecoder, held: Sequence[HeldRegion]) -> IntronDecoder:
    """Weights by coordinate ascent on ``objective``: each is tried larger and smaller in turn, the best value stays.

    It ends with a round that changes nothing, or after ``MAX_ROUNDS``.
    """
    best, improved = objective(decoder, held), True
    for number in range(MAX_ROUNDS):
        if not improved:
            break
        improved = False
        names = list(IntronWeights.__dataclass_fields__)
        for name in stepped(names, f"fitting the decoder, round {number + 1} of at most {MAX_ROUNDS}", "weight"):
            value = getattr(decoder.weights, name)
            tried = [value + step for step in COST_STEPS] if name in COSTS else [value * step for step in STEPS]
            for changed in (decoder.with_weights(**{name: new}) for new in tried):
                if (score := objective(changed, held)) > best:
                    best, decoder, improved = score, changed, True
    return decoder


def objective(decoder: IntronDecoder, held: Sequence[HeldRegion]) -> float:
    """What the weights are chosen by: mean of the MCC of bases and the F1 of exons and of chains, each genome alike."""
    totals: dict[str, IntronCounts] = {}
    for region in held:
        totals[region.genome] = totals.get(region.genome, IntronCounts()) + count_region_genes(decoder, region)
    scores = [counts.compute() for counts in totals.values()]
    of_each = [one["bases"]["mcc_stranded"] + one["exon"]["f1"] + one["chain"]["f1"] for one in scores]
    return sum(of_each) / (3 * max(len(of_each), 1))


def count_region_genes(decoder: IntronDecoder, region: HeldRegion) -> IntronCounts:
    """Counts of one region; genes that it cuts off are no reference genes, but their bases are there."""
    genes = predicted_genes(decoder, region)
    return count_intron_genes(genes, [*region.genes, *region.masked], len(region.codes))


def predicted_genes(decoder: IntronDecoder, region: HeldRegion) -> list[Gene]:
    """Genes on the best path, their log-odds as score."""
    pieces = [(0, len(region.codes), region.logits)]
    decoder = decoder if region.own is None else decoder.following(region.own)
    parts = decode_record(region.codes, pieces, decoder, region.code, collect=region.terms)
    found = []
    for gene, rows in genes_of_parts("", parts):
        gene.score = float(rows["score"][0])
        found.append(gene)
    return found


def fit_confidence(decoder: IntronDecoder, held: Sequence[HeldRegion]) -> IsotonicCalibrator | None:
    """From log-odds of predicted genes to how often all their coding parts are right; None with fewer than 20."""
    scores, right = [], []
    for region in held:
        known = {(gene.strand, gene.parts) for gene in region.genes}
        for gene in predicted_genes(decoder, region):
            scores.append(gene.score)
            right.append((gene.strand, gene.parts) in known)
    return fit_isotonic(np.array(scores), np.array(right)) if len(scores) >= 20 else None


def fit_introns(bundle: Bundle, data: Any, precision: str) -> dict[str, Any]:
    """The decoder of genes with introns, fitted on the validation regions; see ``training.finish.Fit``."""
    plan = TilePlan(bundle.config.tile_bp, bundle.config.context_bp, precision=precision)
    parts = (data.regions["train"], data.regions["validation"])
    return {"decoder": fit_intron_decoder(bundle.model, bundle.tokenizer, plan, data.store, *parts).to_dict()}


FINISH = Finish(fit_introns, lack="The model cannot call genes.")
