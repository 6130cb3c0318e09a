"""Fitting a trained model's gene decoder: on the regions that training held out, or across genomes.

On held-out regions of its own genomes a network is surer than on a strange one. So with groups of genomes each is read
by a network that has not seen its group, and the decoder is fitted to these passes.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from genoformer.applications.genes.held import Held, read_held
from genoformer.applications.genes.learned_rna import fit_profiles
from genoformer.applications.genes.left_out import read_left_out
from genoformer.applications.genes.short_records import LEAST_GROUPS, pieces_of
from genoformer.bundle.folder import Bundle
from genoformer.decoding.caller import call_genes, collect_candidates, genome_statistics, record_stop_rate
from genoformer.decoding.caller_of_many import CodesAndRows, choose_each, statistics_each
from genoformer.decoding.decoder import SECOND_LOOKS, GeneDecoder, Scorer
from genoformer.decoding.familiarity import long_gene_evidence
from genoformer.decoding.fit import FitRows, fit_rows, fit_scorer, fit_second_look, truth_of
from genoformer.decoding.genome_counts import GenomeCounts, add_up, count_genes
from genoformer.decoding.neighbours import neighbour_features, start_neighbours
from genoformer.decoding.options import CallOptions
from genoformer.decoding.prior import learn_prior
from genoformer.decoding.statistics import GenomeStatistics, evidence_of
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.inference.bundle_parts import tile_plan
from genoformer.inference.interface import Speed
from genoformer.inference.packing import in_groups
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import TilePlan, record_logits
from genoformer.training.finish import Finish, Fold
from genoformer.training.progress import stage

ROUNDS = 2


def fit_gene_decoder(
    network: nn.Module, tokenizer: KmerTokenizer, plan: TilePlan, store: Store, regions: list[Region]
) -> GeneDecoder:
    """A decoder with and without genome statistics, fitted on the regions that training held out.

    Arguments as for ``read_held``.

    Raises:
        DataError: If the regions hold no genes.
    """
    return fit_decoder(read_held(network, tokenizer, plan, store, regions))


def fit_decoder(held: list[Held]) -> GeneDecoder:
    """Weights and confidence maps for model passes over sequence with known genes.

    The passes may come from several networks, each over genomes that it has not seen: then the decoder learns how far
    such networks can be trusted on a strange genome.

    Raises:
        DataError: If there are no genes.
    """
    with stage("fitting the gene decoder", 2 + ROUNDS, "round") as shown:
        decoder = GeneDecoder(plain=_fit_looks([(h, None) for h in held]))
        genomes = {h.genome for h in held}
        for _ in range(ROUNDS):
            shown.advance()
            statistics = {name: _statistics([h for h in held if h.genome == name], decoder) for name in genomes}
            known = [(h, own) for h in held if (own := statistics[h.genome]) is not None]
            if not known:
                return decoder
            decoder = GeneDecoder(plain=decoder.plain, adapted=_fit_looks(known))
        shown.advance()
        counted = _counts(held)
        decoder = replace(decoder, prior=learn_prior([of_genome for _, of_genome in counted]))
        decoder = replace(decoder, short=_fit_short(held, decoder, counted))
        shown.advance()
    return decoder


_Counted = list[tuple[str | None, tuple[GenomeCounts, bool]]]
"""For each genome its family, and what ``learn_prior`` takes."""


def _counts(held: list[Held]) -> _Counted:
    """What the genes of these genomes look like, for the genomes to come."""
    counts: dict[tuple[str | None, str, bool], list[GenomeCounts]] = {}
    for h in held:
        if h.inside:
            _, start_right, judged = truth_of(h.candidates, h.inside[0].genes)
            own = count_genes(h.codes, h.candidates, np.flatnonzero(start_right & judged))
            counts.setdefault((h.family, h.genome, h.natural), []).append(own)
    return [(family, (add_up(parts), is_natural)) for (family, _, is_natural), parts in counts.items()]


def _fit_short(held: list[Held], decoder: GeneDecoder, counted: _Counted) -> Scorer | None:
    """The scorer of short sequence; None where there are too few families for priors that know no relatives."""
    families = dict.fromkeys(family for family, _ in counted)
    if len(families) < LEAST_GROUPS:
        return None
    known = []
    for family in families:
        prior = learn_prior([of_genome for other, of_genome in counted if other != family])
        own = replace(decoder, prior=prior)
        for name in dict.fromkeys(h.genome for h in held if h.family == family and h.natural):
            pieces = pieces_of([h for h in held if h.genome == name and h.natural])
            learned = statistics_each([_record(piece) for piece in pieces], own)
            known += [(piece, each) for piece, each in zip(pieces, learned, strict=True) if each is not None]
    return _fit_looks(known) if known else None


def _fit_looks(held: Sequence[tuple[Held, GenomeStatistics | None]]) -> Scorer:
    """A scorer with a second look: fitted to what the looks before it choose in each record.

    Args:
        held: Records with the statistics of their genomes, all with or all without.
    """
    rows = [_rows(h, statistics) for h, statistics in held]
    first = scorer = fit_scorer(FitRows.concatenate([part for parts in rows for part in parts]))
    for _ in range(SECOND_LOOKS):
        decoder = GeneDecoder(plain=scorer, adapted=scorer)
        around = []
        for group in in_groups((each, len(each[0][0].codes)) for each in zip(held, rows, strict=True)):
            records, learned = [_record(h) for (h, _), _ in group], [statistics for (_, statistics), _ in group]
            choices = choose_each(records, decoder, learned)
            for ((h, _), parts), (_, chosen) in zip(group, choices, strict=True):
                around += _with_neighbours(h, parts, h.candidates[chosen])
        scorer = fit_second_look(FitRows.concatenate(around), first)
    return scorer


def _record(h: Held) -> CodesAndRows:
    return h.codes, h.candidates, h.options


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
        n = len(part.candidates)
        weight = None if h.weight is None else np.full(n, h.weight)
        rows.append(replace(part, natural=np.full(n, h.natural), weight=weight))
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
    plan = tile_plan(bundle, Speed(precision=precision))
    held = read_held(bundle.model, bundle.tokenizer, plan, data.store, data.regions["validation"])
    decoder = fit_decoder(held)
    return {"decoder": decoder.to_dict(), "codon_evidence": evidence_at_home(held, decoder), **fit_profiles(data)}


def fit_genes_across(bundle: Bundle, data: Any, precision: str, folds: Sequence[Fold]) -> dict[str, Any]:
    """The same, fitted on genomes that networks were not trained on; see ``training.finish.FitAcross``."""
    decoder = fit_decoder(read_left_out(folds, data, precision))
    evidence = evidence_of_regions(bundle, data, precision, decoder)
    return {"decoder": decoder.to_dict(), "codon_evidence": evidence, **fit_profiles(data)}


def evidence_of_regions(bundle: Bundle, data: Any, precision: str, decoder: GeneDecoder) -> float | None:
    """As ``evidence_at_home``, from the validation regions alone: not all of their genomes are read for it."""
    plan, evidence = tile_plan(bundle, Speed(precision=precision)), []
    regions: Sequence[Region] = data.regions["validation"]
    n_bases = sum(region.end - region.start for region in regions)
    with stage("reading validation regions", n_bases, "bp") as shown:
        for region in regions:
            codes = data.store.bases(region.record, region.start, region.end)
            options = CallOptions(genetic_code=data.store.records[region.record].genetic_code)
            rows = collect_candidates(codes, record_logits(bundle.model, bundle.tokenizer, codes, plan), options)
            evidence += long_gene_evidence(call_genes("", codes, rows, decoder, options))
            shown.advance(len(codes))
    return float(np.median(evidence)) if evidence else None


FINISH = Finish(fit_genes, lack="The model cannot call genes.", across=fit_genes_across)
