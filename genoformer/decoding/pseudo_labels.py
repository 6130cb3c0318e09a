"""Labels from a model's own calls, to train it on a genome that nobody has annotated.

Sure genes are positive examples. What is doubtful is masked: open frames that could be genes, and the stretch in which
a sure gene begins when it has several likely starts. All else is negative: the other frames and the other strand of
sure genes, and sequence without a plausible frame. A missed gene that counts as negative teaches the model to miss it
again, so that a long open frame is doubtful whatever the model thinks of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.annotation.tracks import MASKED, gene_table, label_tracks, masked_rows
from genoformer.decoding.caller import record_stop_rate, unwrap_genes
from genoformer.decoding.candidates import is_partial_5
from genoformer.decoding.decoder import GeneDecoder
from genoformer.decoding.frames import best_starts
from genoformer.decoding.options import CallOptions
from genoformer.decoding.statistics import GenomeStatistics


@dataclass(frozen=True)
class PseudoLabelRules:
    """What counts as sure, and what as doubtful.

    Attributes:
        sure_gene: Least calibrated confidence in the 3′ end of a sure gene.
        sure_start: Least calibrated confidence in its start; below it the likely starts are masked.
        likely_start: Least share of a start among those of its frame that makes it likely.
        plausible_odds: Frames with log-odds above this are doubtful, unless they are sure genes.
        long_frame: So are frames that chance leaves open with a log-probability below minus this.
        sure_chain: Least calibrated confidence in all coding parts of a sure gene with introns.
    """

    sure_gene: float = 0.95
    sure_start: float = 0.9
    likely_start: float = 0.02
    plausible_odds: float = -5.0
    long_frame: float = 7.0
    sure_chain: float = 0.7


@dataclass(frozen=True)
class Judgement:
    """Candidates of one record, sorted into sure and doubtful.

    Attributes:
        sure: Rows of the sure genes as called, int64 [S].
        inner: For each of them the row of its likely start nearest to the 3′ end, int64 [S]; the same row where the
            start is sure.
        doubtful: True at bases of doubtful frames outside sure genes, bool [L].
        starts: True at bases between the likely starts of a sure gene, their codons included, bool [L].
    """

    sure: np.ndarray
    inner: np.ndarray
    doubtful: np.ndarray
    starts: np.ndarray


def pseudo_labels(
    codes: np.ndarray,
    candidates: np.ndarray,
    decoder: GeneDecoder,
    options: CallOptions,
    *,
    opened: np.ndarray,
    statistics: GenomeStatistics | None,
    rules: PseudoLabelRules,
) -> tuple[np.ndarray, np.ndarray]:
    """Labels of one record from what a model says of it.

    Args:
        codes: uint8 base codes, forward strand, shape [L].
        candidates: In coordinates of ``opened``; as from ``collect_candidates``.
        decoder: Weights and confidence maps.
        options: Genetic code; circular or not.
        opened: ``codes``, or a circular record with as many bases repeated on either side.
        statistics: Of the genome, or None.
        rules: What is sure, what doubtful.

    Returns:
        Bits of ``annotation.tracks``, uint8 [2, L], and rows of ``GENE_TABLE`` sorted by start: the sure genes as they
        are called, and the doubtful stretches as masked rows.
    """
    judged = _judge_record(opened, candidates, decoder, options, statistics, rules)
    margin = (len(opened) - len(codes)) // 2
    core = slice(margin, margin + len(codes))
    called, labelled = (_genes(candidates[rows], options, len(codes), margin) for rows in (judged.sure, judged.inner))
    code, circular = options.genetic_code, options.circular
    tracks, _ = label_tracks(codes, labelled, genetic_code=code, circular=circular)
    tracks[:, (judged.doubtful | judged.starts)[core]] |= MASKED
    sure = gene_table(codes, called, genetic_code=code, circular=circular)
    table = np.concatenate((sure, masked_rows(judged.doubtful[core])))
    return tracks, np.sort(table, order=("start", "end"))


def judge_candidates(
    candidates: np.ndarray,
    chosen: np.ndarray,
    confidence: np.ndarray,
    start_confidence: np.ndarray,
    *,
    frame_odds: np.ndarray,
    start_share: np.ndarray,
    stop_rate: float,
    length: int,
    rules: PseudoLabelRules,
) -> Judgement:
    """Sort the candidates of a record into sure genes, doubtful frames and the rest.

    A doubtful frame never masks bases of a sure gene, and a frame of which more than half lies in sure genes, of
    either strand, is not doubtful: they cannot both be genes.

    Args:
        candidates: Rows of ``CANDIDATE_DTYPE``, N of them.
        chosen: Rows that the decoder selected, int64 [G].
        confidence: Calibrated confidence in the 3′ end of each chosen row, [G].
        start_confidence: And in its start, [G].
        frame_odds: Log-odds of each row's open frame, [N].
        start_share: Share of each row's start among those of its frame, [N].
        stop_rate: Chance that a codon of sequence without genes is a stop.
        length: Length of the record in bp, L.
        rules: What is sure, what doubtful.
    """
    is_sure = confidence >= rules.sure_gene
    sure, has_start = chosen[is_sure], start_confidence[is_sure] >= rules.sure_start
    inner, starts = _likely_starts(candidates, sure, has_start, start_share >= rules.likely_start, length)
    covered = _painted(candidates["start"][sure], candidates["end"][sure], length)
    longest = best_starts(candidates, candidates["n_codons"])
    longest = longest[~np.isin(candidates["orf"][longest], candidates["orf"][sure])]
    open_frame = -candidates["n_codons"][longest] * np.log1p(-stop_rate)
    plausible = (frame_odds[longest] > rules.plausible_odds) | (open_frame >= rules.long_frame)
    start, end = (candidates[name][longest[plausible]] for name in ("start", "end"))
    before = np.concatenate(([0], np.cumsum(covered, dtype=np.int32)))
    is_free = 2 * (before[end] - before[start]) <= end - start
    doubtful = _painted(start[is_free], end[is_free], length) & ~covered
    return Judgement(sure, inner, doubtful, starts)


def _judge_record(opened, candidates, decoder: GeneDecoder, options: CallOptions, statistics, rules) -> Judgement:
    if len(candidates) == 0:
        none = np.empty(0, np.int64)
        return Judgement(none, none, np.zeros(len(opened), bool), np.zeros(len(opened), bool))
    stop_rate = record_stop_rate(opened, options)
    scored, chosen = decoder.choose(opened, candidates, stop_rate, statistics)
    scorer = decoder.scorer(statistics)
    return judge_candidates(
        candidates,
        chosen,
        scorer.gene_confidence.apply(scored.frame_odds[chosen]),
        scorer.start_confidence.apply(scored.start_share[chosen]),
        frame_odds=scored.frame_odds,
        start_share=scored.start_share,
        stop_rate=stop_rate,
        length=len(opened),
        rules=rules,
    )


def _likely_starts(
    candidates: np.ndarray, sure: np.ndarray, has_start: np.ndarray, is_likely: np.ndarray, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """The innermost likely start of each sure gene, and the bases from its first likely start to that codon's end."""
    inner, starts = sure.copy(), np.zeros(length, bool)
    rows_of = _rows_by_frame(candidates)
    for i in np.flatnonzero(~has_start):
        rows = rows_of(candidates["orf"][sure[i]])
        rows = rows[is_likely[rows] | (rows == sure[i])]
        inner[i] = rows[np.argmin(candidates["n_codons"][rows])]
        last = candidates[inner[i]]
        if last["strand"] > 0:
            starts[candidates["start"][rows].min() : last["start"] + 3] = True
        else:
            starts[last["end"] - 3 : candidates["end"][rows].max()] = True
    return inner, starts


def _rows_by_frame(candidates: np.ndarray) -> Callable[[int], np.ndarray]:
    """A function from an open-frame number to the rows of that frame."""
    order = np.argsort(candidates["orf"], kind="stable")
    frames = candidates["orf"][order]
    return lambda orf: order[np.searchsorted(frames, orf) : np.searchsorted(frames, orf, side="right")]


def _painted(start: np.ndarray, end: np.ndarray, length: int) -> np.ndarray:
    """True inside any of the stretches, bool [length]."""
    change = np.zeros(length + 1, np.int32)
    np.add.at(change, start, 1)
    np.add.at(change, end, -1)
    return np.cumsum(change[:-1], dtype=np.int32) > 0


def _genes(rows: np.ndarray, options: CallOptions, length: int, margin: int) -> list[Gene]:
    """Candidates as genes in coordinates of the record; those of a circular one are those that begin in it."""
    columns = (rows["start"].tolist(), rows["end"].tolist(), rows["strand"].tolist(), is_partial_5(rows).tolist())
    genes = [
        Gene("", start, end, "+" if strand > 0 else "-", partial_5=cut, partial_3=not closed)
        for start, end, strand, cut, closed in zip(*columns, rows["closed"].tolist(), strict=True)
    ]
    genes.sort(key=lambda gene: (gene.start, gene.end))
    return unwrap_genes(genes, length=length, margin=margin) if options.circular else genes
