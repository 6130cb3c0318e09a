"""Genes of one record from its stream of per-base outputs.

``plan_blocks`` divides a record into blocks, whatever the outputs are; ``block_candidates`` reads the stream once,
block by block, holding only as much of it as the longest open frame needs.
``genome_statistics`` learns from the confident genes of all records. ``call_genes`` scores the candidates, selects the
best compatible set and gives gene models with calibrated confidence.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import tee

import numpy as np

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.models import Gene
from genoformer.decoding.candidates import BUFFER_MARGIN_BP, find_candidates, is_partial_5
from genoformer.decoding.decoder import GeneDecoder, Scored
from genoformer.decoding.frameshift import frameshift_genes
from genoformer.decoding.genome_counts import GenomeCounts, add_up, count_genes
from genoformer.decoding.options import CallOptions
from genoformer.decoding.orfs import before_gap, earliest_open_base
from genoformer.decoding.read_through import read_through_genes
from genoformer.decoding.readings import candidate_dtype, join_readings, readings, shared_stops
from genoformer.decoding.scoring import random_stop_rate
from genoformer.decoding.statistics import GenomeStatistics, estimate_statistics
from genoformer.sequence.alphabet import encode_bases

HOPELESS_ODDS = -9.0
"""Frames below these log-odds are dropped after the model pass: no statistics make genes of them."""

CONFIDENT_ODDS = 2.0
CONFIDENT_CODONS = 60
"""What statistics are learned from: chosen genes of at least this length above these log-odds."""

STATISTICS_ROUNDS = 2

READ_THROUGH = "The UGA at its end may be selenocysteine: the gene behind it goes on in the same frame"
FRAMESHIFT = (
    "Looks like release factor 2: it may begin further upstream, with a programmed frameshift at the UGA of CTTTGAC"
)

CodesAndCandidates = Iterable[tuple[np.ndarray, np.ndarray] | tuple[np.ndarray, np.ndarray, CallOptions]]


@dataclass(frozen=True)
class Block:
    """A stretch of a record in which frames are looked for together; 0-based, half-open.

    Attributes:
        begin: First base whose outputs are needed.
        end: One past the last.
        emitted_to: Frames whose higher end is at or below this position belong to the block before.
        emit_to: Frames whose higher end is above this position belong to the next block.
    """

    begin: int
    end: int
    emitted_to: int
    emit_to: int


def plan_blocks(codes: np.ndarray, ends: Iterable[int], options: CallOptions) -> Iterator[Block]:
    """Blocks that give each frame of a record once; they follow from the bases alone, not from outputs.

    Args:
        codes: uint8 base codes of the record, forward strand, shape [L].
        ends: Where pieces of outputs end, ascending up to L.
        options: Genetic codes, gaps and ``buffer_bp``.
    """
    stop_mask = shared_stops(options)
    begin = emitted_to = 0
    for end in ends:
        if end - emitted_to < options.buffer_bp and end < len(codes):
            continue
        emit_to = max(_decided_to(codes, end, options), emitted_to)
        yield Block(begin, end, emitted_to, emit_to)
        if end == len(codes):
            return
        keep_from = earliest_open_base(codes[begin:emit_to], stop_mask=stop_mask, max_gap_bp=options.max_gap_bp)
        begin, emitted_to = begin + max(keep_from - BUFFER_MARGIN_BP, 0), emit_to


def block_candidates(
    codes: np.ndarray,
    pieces: Iterable[tuple[int, int, np.ndarray]],
    blocks: Iterable[Block],
    options: CallOptions,
    keep: Callable[[np.ndarray], np.ndarray] = lambda candidates: candidates,
) -> Iterator[np.ndarray]:
    """Candidates of neighbouring blocks.

    Args:
        codes: uint8 base codes of the record, forward strand, shape [L].
        pieces: Gapless (start, end, logits [2, end - start, 5]) in ascending order, from the begin of the first block
            to the end of the last.
        blocks: Of ``plan_blocks``, in order and without a gap.
        options: Genetic codes, shortest gene and gaps.
        keep: Called with the candidates of each block; what it returns is kept. Frames are whole in it.

    Yields:
        Rows of ``candidate_dtype(options)`` for each block.
    """
    pieces, buffer, held_from = iter(pieces), None, 0
    for block in blocks:
        held = [] if buffer is None else [buffer[:, block.begin - held_from :].copy()]
        buffer = None
        for _, end, logits in pieces:
            held.append(logits)
            if end == block.end:
                break
        buffer, held_from = np.concatenate(held, axis=1), block.begin
        yield keep(candidates_of(codes, buffer, block, options))


def collect_candidates(
    codes: np.ndarray,
    pieces: Iterable[tuple[int, int, np.ndarray]],
    options: CallOptions,
    keep: Callable[[np.ndarray], np.ndarray] = lambda candidates: candidates,
) -> np.ndarray:
    """All candidates of a record, as rows of ``candidate_dtype(options)``; arguments as for ``block_candidates``."""
    ahead, pieces = tee(pieces)
    blocks = plan_blocks(codes, (end for _, end, _ in ahead), options)
    found = block_candidates(codes, pieces, blocks, options, keep)
    return np.concatenate([np.empty(0, candidate_dtype(options)), *found])


def _decided_to(codes: np.ndarray, end: int, options: CallOptions) -> int:
    """Where frames must end to be known when bases up to ``end`` are.

    A "-" frame that ends near the end lacks the codons upstream of its starts, and N at the end may become a gap.
    """
    return end if end == len(codes) else before_gap(codes, end, options.max_gap_bp) - BUFFER_MARGIN_BP


def candidates_of(codes: np.ndarray, buffer: np.ndarray, block: Block, options: CallOptions) -> np.ndarray:
    """All candidates of a block of a record, from the outputs of its bases; rows of ``candidate_dtype(options)``."""
    found = [_candidates_under(codes, buffer, block, own) for _, own in readings(options)]
    return found[0] if len(found) == 1 else join_readings(*found)


def _candidates_under(codes: np.ndarray, buffer: np.ndarray, block: Block, options: CallOptions) -> np.ndarray:
    return find_candidates(
        codes[block.begin : block.end],
        buffer,
        code=get_genetic_code(options.genetic_code),
        min_gene_bp=options.min_gene_bp,
        offset=block.begin,
        emitted_to=block.emitted_to,
        emit_to=block.emit_to,
        edge_left=block.begin == 0,
        edge_right=block.end == len(codes),
        max_gap_bp=options.max_gap_bp,
    )


def record_stop_rate(codes: np.ndarray, options: CallOptions) -> float:
    """Chance of a stop codon in sequence of the record's composition."""
    # Not np.bincount, which takes eight bytes per base.
    counts = np.array([np.count_nonzero(codes == base) for base in range(4)])
    return random_stop_rate(counts, get_genetic_code(options.genetic_code))


def hopeful(decoder: GeneDecoder, codes: np.ndarray, options: CallOptions) -> Callable[[np.ndarray], np.ndarray]:
    """For ``collect_candidates``: keep the frames that could become genes."""
    rates = [(bit, record_stop_rate(codes, own)) for bit, own in readings(options)]

    def keep(candidates: np.ndarray) -> np.ndarray:
        if len(candidates) == 0:
            return candidates
        if options.other_code is None:
            return candidates[decoder.score(codes, candidates, rates[0][1]).frame_odds > HOPELESS_ODDS]
        return _hopeful_readings(candidates)

    def _hopeful_readings(candidates: np.ndarray) -> np.ndarray:
        said = np.zeros(len(candidates), np.int8)
        for bit, rate in rates:
            rows = np.flatnonzero(candidates["readings"] & bit)
            odds = decoder.score(codes, candidates[rows], rate).frame_odds
            said[rows[odds > HOPELESS_ODDS]] |= bit
        kept = candidates[said > 0]
        kept["readings"] = said[said > 0]
        return kept

    return keep


def genome_statistics(
    records: Callable[[], CodesAndCandidates], decoder: GeneDecoder, options: CallOptions
) -> GenomeStatistics | None:
    """Statistics of a genome from its own confident genes, learned again from the genes they give.

    Args:
        records: Gives base codes and candidates of every record, each time it is called; and its options, where
            records differ in them.
        decoder: The bundle's.
        options: Genetic code of records that have no options of their own.

    Returns:
        With what the decoder knows of other genomes; None where it knows nothing and the genome is too small. A decoder
        without weights for statistics gives those of a first round.
    """
    statistics = None
    for _ in range(STATISTICS_ROUNDS if decoder.adapted is not None else 1):
        total = add_up(
            confident_counts(codes, rows, decoder, own[0] if own else options, statistics)
            for codes, rows, *own in records()
        )
        statistics = estimate_statistics(total, None if decoder.prior is None else decoder.prior.at(total.gc))
        if statistics is None:
            return None
    return statistics


def confident_counts(codes, candidates, decoder: GeneDecoder, options: CallOptions, statistics=None) -> GenomeCounts:
    """Counts from the confident genes of one record; see ``genome_statistics``."""
    if len(candidates) == 0:
        return count_genes(codes, candidates, np.empty(0, np.int64))
    chosen = decoder.choose(codes, candidates, record_stop_rate(codes, options), statistics)
    return count_genes(codes, candidates, sure_genes(candidates, *chosen))


def sure_genes(candidates: np.ndarray, scored: Scored, chosen: np.ndarray) -> np.ndarray:
    """Those of the chosen rows that are confident genes."""
    is_sure = (scored.frame_odds[chosen] > CONFIDENT_ODDS) & (candidates["n_codons"][chosen] >= CONFIDENT_CODONS)
    return chosen[is_sure]


def call_genes(
    record_id: str,
    codes: np.ndarray,
    candidates: np.ndarray,
    decoder: GeneDecoder,
    options: CallOptions,
    statistics: GenomeStatistics | None = None,
    stop_rate: float | None = None,
) -> list[Gene]:
    """The best compatible set of candidates as gene models, sorted by start.

    Args:
        record_id: Contig of the genes.
        codes: uint8 base codes of the record, shape [L]; its composition tells how much an open frame means.
        candidates: From ``collect_candidates``.
        decoder: The bundle's weights and confidence maps.
        options: As for ``collect_candidates``.
        statistics: Of the genome, or None.
        stop_rate: Of the record, where ``codes`` are a part of it; that of ``codes`` if None.
    """
    if len(candidates) == 0:
        return []
    rate = record_stop_rate(codes, options) if stop_rate is None else stop_rate
    return chosen_genes(
        record_id, codes, candidates, decoder.choose(codes, candidates, rate, statistics), decoder, options, statistics
    )


def chosen_genes(
    record_id: str, codes: np.ndarray, candidates: np.ndarray, choice: tuple[Scored, np.ndarray], decoder: GeneDecoder,
    options: CallOptions, statistics: GenomeStatistics | None = None,
) -> list[Gene]:  # fmt: skip
    """Gene models of what ``decoder.choose`` gave; arguments as for ``call_genes``."""
    if len(candidates) == 0:
        return []
    (scored, chosen), scorer = choice, decoder.scorer(statistics)
    gene_confidence = scorer.gene_confidence.apply(scored.frame_odds[chosen])
    start_confidence = scorer.start_confidence.apply(scored.start_share[chosen])
    rows = candidates[chosen]
    partial_5 = is_partial_5(rows) & ~_begins_with_the_contig(codes, rows)
    shifted = frameshift_genes(codes, rows, get_genetic_code(options.genetic_code))
    notes = np.where(read_through_genes(codes, rows, statistics), READ_THROUGH, np.where(shifted, FRAMESHIFT, ""))
    columns = zip(rows, gene_confidence, start_confidence, partial_5, notes, strict=True)
    return [_gene(record_id, options.genetic_code, *row) for row in columns]


def _begins_with_the_contig(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """True where the first codon of the contig, in reading direction, is the row's first and is ATG, bool [N].

    A gene cut by the end of a contig begins so by chance only once in a hundred times, every gene of a file of coding
    sequences does.
    """
    at_end = np.where(rows["strand"] > 0, rows["start"] == 0, rows["end"] == len(codes))
    is_atg = {1: (codes[:3] == encode_bases("ATG")).all(), -1: (codes[-3:] == encode_bases("CAT")).all()}
    return at_end & np.where(rows["strand"] > 0, is_atg[1], is_atg[-1])


def _gene(record_id: str, genetic_code: int, row: np.void, score, start_score, partial_5, note) -> Gene:
    return Gene(
        contig=record_id,
        start=int(row["start"]),
        end=int(row["end"]),
        strand="+" if row["strand"] > 0 else "-",
        partial_5=bool(partial_5),
        partial_3=not row["closed"],
        genetic_code=genetic_code,
        score=float(score),
        start_score=float(start_score),
        codon_evidence=float(row["codon_sum"] / max(row["n_codons"], 1)),
        note=str(note),
    )


def unwrap_genes(genes: list[Gene], *, length: int, margin: int) -> list[Gene]:
    """Genes of a circular record from those of its opened form with ``margin`` bases repeated on both sides.

    A gene over the origin keeps its start inside the record and ends beyond its length. What the repeated margins
    found a second time, or cut off, is dropped.

    Args:
        genes: In coordinates of the opened record, sorted.
        length: Length of the record in bp.
        margin: Bases repeated on each side.
    """
    inside = []
    for gene in genes:
        start, end = gene.start - margin, gene.end - margin
        is_cut = (gene.partial_5 or gene.partial_3) and end > length + margin - 3
        if 0 <= start < length and end - start <= length and not is_cut:
            inside.append(replace(gene, start=start, end=end, parts=((start, end),)))
    over = max((gene.end - length for gene in inside if gene.end > length), default=0)
    return [gene for gene in inside if gene.end > length or gene.end > over]
