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
from genoformer.applications.introns.parts import genes_of_parts, part_margins, site_margins
from genoformer.bundle.folder import Bundle
from genoformer.decoding.familiarity import long_gene_evidence
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
from genoformer.inference.bundle_parts import tile_plan
from genoformer.inference.interface import Speed
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
JUDGED = ("gene", "chain", "part", "site")
"""A gene by its log-odds, and by the smallest margin of its ends; a part, a splice site by theirs."""
MIN_JUDGED = 20
"""Fewer genes, parts or sites say nothing of how often they are right."""
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
    return fit_and_judge(network, tokenizer, plan, store, training, held_out)[0]


def fit_and_judge(
    network: nn.Module, tokenizer: KmerTokenizer, plan: TilePlan, store: Store, training: Sequence[Region],
    held_out: Sequence[Region],
) -> tuple[CalibratedDecoder, float | None]:  # fmt: skip
    """The decoder, and ``evidence_at_home``; arguments and errors as for ``fit_intron_decoder``."""
    regions = stepped(held_out, "reading validation regions", "region")
    held = [hold_region(network, tokenizer, plan, store, region) for region in regions]
    if not any(region.genes for region in held):
        raise DataError("DECODER-001", "no whole gene lies in the validation regions.", fix="Hold out more.")
    decoder = first_decoder(store, training)
    for _ in range(ROUNDS):
        held = follow_genomes(decoder, held)
        decoder = fit_weights(decoder, held)
    held = follow_genomes(decoder, held)
    return with_confidence(decoder, held), evidence_at_home(decoder, held)


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


def region_parts(decoder: IntronDecoder, region: HeldRegion, *, margins: bool = False) -> np.ndarray:
    """Coding parts on the best path through a region, rows of ``PART_DTYPE``."""
    pieces = [(0, len(region.codes), region.logits)]
    decoder = decoder if region.own is None else decoder.following(region.own)
    return decode_record(region.codes, pieces, decoder, region.code, collect=region.terms, margins=margins)


def predicted_genes(decoder: IntronDecoder, region: HeldRegion) -> list[Gene]:
    """Genes on the best path, their log-odds as score."""
    found = []
    for gene, rows in genes_of_parts("", region_parts(decoder, region)):
        gene.score = float(rows["score"][0])
        found.append(gene)
    return found


def with_confidence(decoder: IntronDecoder, held: Sequence[HeldRegion]) -> CalibratedDecoder:
    """The decoder with maps from what it says of genes, coding parts and splice sites to how often these are right.

    Args:
        decoder: Fitted.
        held: Held-out regions, with what the decoder has found in them.
    """
    judged = Judged()
    for region in held:
        judged.add(region_parts(decoder, region, margins=True), region.genes, region.masked)
    return CalibratedDecoder(decoder, *(judged.fit(kind) for kind in JUDGED))


class Judged:
    """Gathers what the decoder says of genes, their parts and splice sites, and whether it is right."""

    def __init__(self) -> None:
        self.scores: dict[str, list[float]] = {kind: [] for kind in JUDGED}
        self.right: dict[str, list[bool]] = {kind: [] for kind in self.scores}

    def add(self, parts: np.ndarray, known: Sequence[Gene], masked: Sequence[Gene] = ()) -> None:
        """Count the genes of a region.

        Args:
            parts: Found, rows of ``PART_DTYPE`` with margins.
            known: Its true genes.
            masked: Stretches where nobody knows what is true: genes that touch one do not count.
        """
        chains = {(gene.strand, gene.parts) for gene in known}
        exons = {(gene.strand, *part) for gene in known for part in gene.parts}
        sites = {(gene.strand, i, part[i]) for gene in known for part in gene.parts for i in (0, 1)}
        for gene, rows in genes_of_parts("", parts):
            if any(one.start < gene.end and gene.start < one.end for one in masked):
                continue
            margins, at_sites = part_margins(rows), site_margins(rows)
            for kind, score in (("gene", rows["score"][0]), ("chain", margins.min())):
                self._judge(kind, float(score), (gene.strand, gene.parts) in chains)
            for part, margin, both in zip(gene.parts, margins, at_sites, strict=True):
                self._judge("part", float(margin), (gene.strand, *part) in exons)
                for i in (0, 1):
                    self._judge("site", float(both[i]), (gene.strand, i, part[i]) in sites)

    def _judge(self, kind: str, score: float, is_right: bool) -> None:
        if np.isfinite(score):
            self.scores[kind].append(score)
            self.right[kind].append(is_right)

    def fit(self, kind: str) -> IsotonicCalibrator | None:
        """The map of a kind; None with fewer than ``MIN_JUDGED``."""
        scores, right = np.array(self.scores[kind]), np.array(self.right[kind])
        return fit_isotonic(scores, right) if len(scores) >= MIN_JUDGED else None


def evidence_at_home(decoder: IntronDecoder, held: Sequence[HeldRegion]) -> float | None:
    """How sure the network is of codons in sequence like that of its training, see ``decoding.familiarity``.

    The median over long genes is taken genome by genome, and the lowest counts: all of them are home.

    Args:
        decoder: Fitted.
        held: Held-out regions, with what the decoder has found in them.
    """
    found: dict[str, list[float]] = {}
    for region in held:
        for gene, rows in genes_of_parts("", region_parts(decoder, region, margins=True)):
            gene.codon_evidence = float(rows["codon_evidence"][0])
            found.setdefault(region.genome, []).extend(long_gene_evidence([gene]))
    medians = [float(np.median(evidence)) for evidence in found.values() if evidence]
    return min(medians, default=None)


def fit_introns(bundle: Bundle, data: Any, precision: str) -> dict[str, Any]:
    """The decoder of genes with introns, fitted on the validation regions; see ``training.finish.Fit``."""
    plan = tile_plan(bundle, Speed(precision=precision))
    parts = (data.regions["train"], data.regions["validation"])
    decoder, evidence = fit_and_judge(bundle.model, bundle.tokenizer, plan, data.store, *parts)
    return {"decoder": decoder.to_dict(), "codon_evidence": evidence}


FINISH = Finish(fit_introns, lack="The model cannot call genes.")
