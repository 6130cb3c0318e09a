"""Fitting a trained model's gene decoder on the regions that training held out.

Every record is read by the model once, because the statistics of a genome need all of it; weights and confidence maps
are fitted on the held-out regions only. Contig ends, which a complete genome does not have, are made by cutting the
held-out regions into fragments.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import nn

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.bundle.folder import Bundle
from genoformer.decoding.caller import call_genes, collect_candidates, genome_statistics, record_stop_rate
from genoformer.decoding.candidates import find_candidates
from genoformer.decoding.decoder import SECOND_LOOKS, GeneDecoder, Scorer
from genoformer.decoding.familiarity import long_gene_evidence
from genoformer.decoding.fit import FitRows, fit_rows, fit_scorer, fit_second_look, truth_of
from genoformer.decoding.genome_counts import count_genes
from genoformer.decoding.neighbours import neighbour_features, start_neighbours
from genoformer.decoding.options import CallOptions
from genoformer.decoding.orfs import EDGE_START
from genoformer.decoding.prior import StatisticsPrior, learn_prior
from genoformer.decoding.statistics import GenomeStatistics, evidence_of
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store, StoredRecord
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import TilePlan, record_logits
from genoformer.training.finish import Finish
from genoformer.training.progress import stage

N_GENE_CHANNELS = 5
"""Outputs that genes are found by; those of RNA genes stand behind them."""
FRAGMENT_BP = 3_000
MIN_GENE_BP = 90
ROUNDS = 2


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
    """

    genome: str
    codes: np.ndarray
    options: CallOptions
    candidates: np.ndarray
    inside: list["Stretch"]
    natural: bool = True


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


def fit_gene_decoder(
    network: nn.Module, tokenizer: KmerTokenizer, plan: TilePlan, store: Store, regions: list[Region]
) -> GeneDecoder:
    """A decoder with and without genome statistics, fitted on the regions that training held out.

    Arguments as for ``read_held``.

    Raises:
        DataError: If the regions hold no genes.
    """
    return fit_decoder(read_held(network, tokenizer, plan, store, regions))


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
            _hold(
                network, tokenizer, plan, store, record, [r for r in regions if r.record == record.index], shown.advance
            )
            for record in records
        ]


def fit_decoder(held: list[Held]) -> GeneDecoder:
    """Weights and confidence maps for model passes over sequence with known genes.

    The passes may come from several networks, each over genomes that it has not seen: then the decoder learns how far
    such networks can be trusted on a strange genome.

    Raises:
        DataError: If there are no genes.
    """
    with stage("fitting the gene decoder", 1 + ROUNDS, "round") as shown:
        decoder = GeneDecoder(plain=_fit_looks(held, {}))
        genomes = {h.genome for h in held}
        for _ in range(ROUNDS):
            shown.advance()
            statistics = {name: _statistics([h for h in held if h.genome == name], decoder) for name in genomes}
            known = [h for h in held if statistics[h.genome] is not None]
            if not known:
                return decoder
            decoder = GeneDecoder(plain=decoder.plain, adapted=_fit_looks(known, statistics))
        shown.advance()
    return replace(decoder, prior=_prior(held))


def _prior(held: list[Held]) -> StatisticsPrior | None:
    """What the genes of these genomes look like, for the genomes to come."""
    counts = []
    for h in held:
        if h.inside:
            _, start_right, judged = truth_of(h.candidates, h.inside[0].genes)
            counts.append((count_genes(h.codes, h.candidates, np.flatnonzero(start_right & judged)), h.natural))
    return learn_prior(counts)


def _fit_looks(held: list[Held], statistics: dict[str, GenomeStatistics]) -> Scorer:
    """A scorer with a second look: fitted to what the looks before it choose in each record."""
    rows = [_rows(h, statistics.get(h.genome)) for h in held]
    first = scorer = fit_scorer(FitRows.concatenate([part for parts in rows for part in parts]))
    for _ in range(SECOND_LOOKS):
        decoder = GeneDecoder(plain=scorer, adapted=scorer)
        around = []
        for h, parts in zip(held, rows, strict=True):
            rate = record_stop_rate(h.codes, h.options)
            _, chosen = decoder.choose(h.codes, h.candidates, rate, statistics.get(h.genome))
            around += _with_neighbours(h, parts, h.candidates[chosen])
        scorer = fit_second_look(FitRows.concatenate(around), first)
    return scorer


def evidence_at_home(held: list[Held], decoder: GeneDecoder) -> float | None:
    """How sure the network is of codons in sequence like that of its training, see ``decoding.familiarity``.

    Args:
        held: Passes over the genomes of the training, with the regions that it held out.
        decoder: Fitted to them.
    """
    evidence = []
    for name in {h.genome for h in held}:
        own = [h for h in held if h.genome == name]
        statistics = _statistics(own, decoder)
        for h in own:
            whole = [part.candidates["orf"] for part in h.inside if part.bounds == (0, len(h.codes))]
            rows = h.candidates[np.isin(h.candidates["orf"], np.concatenate(whole) if whole else [])]
            evidence += long_gene_evidence(call_genes("", h.codes, rows, decoder, h.options, statistics))
    return float(np.median(evidence)) if evidence else None


def _hold(
    network, tokenizer, plan, store: Store, record: StoredRecord, regions: list[Region], on_bases: Callable[[int], None]
) -> Held:
    codes = store.bases(record.index, 0, record.length)
    options = CallOptions(genetic_code=record.genetic_code, min_gene_bp=MIN_GENE_BP)
    kept = {region: np.zeros((2, region.end - region.start, N_GENE_CHANNELS), np.float32) for region in regions}

    def pieces():
        for start, end, logits in record_logits(network, tokenizer, codes, plan):
            for region, array in kept.items():
                low, high = max(start, region.start), min(end, region.end)
                if low < high:
                    said = logits[:, low - start : high - start, :N_GENE_CHANNELS]
                    array[:, low - region.start : high - region.start] = said
            on_bases(end - start)
            yield start, end, logits

    candidates = collect_candidates(codes, pieces(), options)
    genes = store.genes(record.index)
    inside = []
    for region, logits in kept.items():
        within = (candidates["start"] >= region.start) & (candidates["end"] <= region.end)
        inside.append(Stretch(candidates[within], genes, (0, record.length)))
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


def _statistics(held: list[Held], decoder: GeneDecoder):
    """Statistics of one genome; the decoder's own kind of scores chooses the genes they are learned from."""
    return genome_statistics(lambda: ((h.codes, h.candidates) for h in held), decoder, held[0].options)


def _rows(h: Held, own: GenomeStatistics | None) -> list[FitRows]:
    """The judged candidates of each stretch."""
    rate = record_stop_rate(h.codes, h.options)
    rows = []
    for stretch in h.inside:
        evidence = None if own is None else evidence_of(h.codes, stretch.candidates, own)
        part = fit_rows(stretch.candidates, stretch.genes, rate, evidence)
        rows.append(replace(part, natural=np.full(len(part.candidates), h.natural)))
    return rows


def _with_neighbours(h: Held, rows: list[FitRows], chosen: np.ndarray) -> list[FitRows]:
    """The same rows with the genes around them."""
    return [
        replace(
            part,
            neighbours=neighbour_features(part.candidates, chosen, stretch.bounds),
            around=start_neighbours(part.candidates, chosen, stretch.bounds),
        )
        for part, stretch in zip(rows, h.inside, strict=True)
    ]


def fit_genes(bundle: Bundle, data: Any, precision: str) -> dict[str, Any]:
    """The gene decoder, fitted on the validation regions; see ``training.finish.Fit``."""
    plan = TilePlan(bundle.config.tile_bp, bundle.config.context_bp, precision=precision)
    held = read_held(bundle.model, bundle.tokenizer, plan, data.store, data.regions["validation"])
    decoder = fit_decoder(held)
    return {"decoder": decoder.to_dict(), "codon_evidence": evidence_at_home(held, decoder)}


FINISH = Finish(fit_genes, lack="The model cannot call genes.")
