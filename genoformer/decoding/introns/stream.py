"""Genes with introns of a record, found while the model's outputs stream in.

The scan keeps every hypothesis that is alive. Genes that all of them have in common are given out after each block and
forgotten, so that memory does not grow with the record, and blocks of any size give the same genes as the whole.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from genoformer.annotation.genetic_code import GeneticCode
from genoformer.decoding.introns.alternatives import MARGIN, Alternatives
from genoformer.decoding.introns.automaton import close, scan
from genoformer.decoding.introns.evidence import LOOKAHEAD_BP, Terms, collect_terms, stop_tables, weigh_terms
from genoformer.decoding.introns.hints import add_hints
from genoformer.decoding.introns.kept_scores import KeptScores
from genoformer.decoding.introns.margins import Margins
from genoformer.decoding.introns.settle import settle
from genoformer.decoding.introns.state import (
    CUT_HIGH,
    CUT_LOW,
    FIRST,
    GENE_END,
    LAST,
    MINUS,
    N_BITS,
    N_CLASSES,
    N_END,
    N_LEFT,
    N_START,
    NEVER,
    PHASE_SHIFT,
    State,
    Tables,
    new_state,
)
from genoformer.decoding.introns.weights import EXON_KINDS, IntronDecoder
from genoformer.sequence.alphabet import N_CODE

Piece = tuple[int, int, np.ndarray]
BLOCK_BP = 65_536
CollectTerms = Callable[..., Terms]
"""``evidence.collect_terms``, or what gives the same."""

PART_DTYPE = np.dtype(
    [
        ("gene", "i4"), ("start", "i8"), ("end", "i8"), ("strand", "i1"), ("low", "i8"), ("high", "i8"),
        ("phase_offset", "u1"), ("cut_low", "?"), ("cut_high", "?"), ("score", "f4"), ("codon_evidence", "f4"),
        ("low_margin", "f4"), ("high_margin", "f4"), ("transcript", "i4"),
    ]
)  # fmt: skip
"""A coding part: number of its gene in the record, place, strand (1 or -1); and of the whole transcript its ends,
bases before the first whole codon, which ends the record cuts off, log-odds against there being no gene,
mean log-odds of its coding bases; how much worse the best path without an end of the part is. These three are −inf
where nobody asked for them or nobody knows. The number of the transcript is 0 on the best path; others are its
alternatives, see ``alternatives``, and follow it."""
_UNKNOWN = (NEVER, NEVER, NEVER, 0)


def decode_record(
    codes: np.ndarray, pieces: Iterable[Piece], decoder: IntronDecoder, code: GeneticCode, *, max_gap_bp: int = 9,
    block_bp: int = BLOCK_BP, collect: CollectTerms = collect_terms, hints: np.ndarray | None = None,
    margins: bool = False, transcripts: int = 1, margin: float = MARGIN,
) -> np.ndarray:  # fmt: skip
    """The best genes of a record.

    Args:
        codes: uint8 base codes, forward strand, [L].
        pieces: (start, end, logits [2, end - start, 12]) that cover the record in order, see ``stream.record_logits``.
        decoder: Weights.
        code: Genetic code.
        max_gap_bp: No gene runs across a longer run of unknown bases; it is cut off there as at the record's end.
        block_bp: Most bases that are looked at in one go: speed and memory only.
        collect: Gives the terms of each block: who decodes a record again and again with other weights keeps them.
        hints: What is known of genes of the record, see ``hints``; None without.
        margins: Say of genes how sure their codons are, and of ends of parts what the path loses without them.
        transcripts: Of each gene, at most: the best one and its alternatives.
        margin: How much worse these may be.

    Returns:
        Coding parts, genes by place, rows of ``PART_DTYPE``.
    """
    tables = build_tables(decoder, code)
    known = np.minimum(codes, N_CODE).astype(np.uint8)
    buffer = _Buffer(pieces)
    genes: list[np.ndarray] = []
    for start, end in stretches(codes, max_gap_bp):
        kept = KeptScores()
        fillers: list[Margins | Alternatives] = []
        if margins:
            fillers.append(Margins(tables, kept, known[:end], start))
        if transcripts > 1:
            fillers.append(Alternatives(tables, kept, known[:end], start, transcripts - 1, margin))
        found = _decode_stretch(
            known, start, end, buffer, tables, decoder, code, block_bp, collect, hints, kept if fillers else None
        )
        for stretch_genes, reached in found:
            for filler in fillers:
                stretch_genes = filler.fill(stretch_genes, reached)
            genes += stretch_genes
    for number, parts in enumerate(genes):
        parts["gene"] = number
    return np.concatenate([np.empty(0, PART_DTYPE), *genes])


def stretches(codes: np.ndarray, max_gap_bp: int) -> list[tuple[int, int]]:
    """What lies between runs of more than ``max_gap_bp`` unknown bases, as (start, end)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], codes >= N_CODE, [False]])))
    gaps = [(low, high) for low, high in edges.reshape(-1, 2).tolist() if high - low > max_gap_bp]
    ends = [0, *(edge for gap in gaps for edge in gap), len(codes)]
    return [(low, high) for low, high in zip(ends[::2], ends[1::2], strict=True) if low < high]


class _Buffer:
    """Outputs that are still needed, read from the stream when they are."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = iter(pieces)
        self.offset, self.logits = 0, np.empty((2, 0, 12), np.float32)

    def read(self, first: int, end: int) -> None:
        """Hold ``[first, end)``, and forget what lies before."""
        parts = [(self.offset, self.logits)]
        reached = self.offset + self.logits.shape[1]
        while reached < end:
            start, reached, logits = next(self._pieces)
            if reached > first:
                parts.append((start, logits))
        parts = [part for part in parts if part[0] + part[1].shape[1] > first]
        self.offset = max(first, parts[0][0])
        held = [logits[:, max(0, first - at) :] for at, logits in parts]
        self.logits = held[0] if len(held) == 1 else np.concatenate(held, axis=1)


def _decode_stretch(
    codes: np.ndarray, start: int, end: int, buffer: _Buffer, tables: Tables, decoder: IntronDecoder,
    code: GeneticCode, block_bp: int, collect: CollectTerms, hints: np.ndarray | None, kept: KeptScores | None,
) -> Iterator[tuple[Iterable[np.ndarray], int]]:  # fmt: skip
    """Coding parts of the genes of a stretch without gaps that each block makes certain, and where that ends.

    What blocks are scored with goes into ``kept``, if there is one.
    """
    state = new_state(tables, start)
    nodes, values, n = np.empty((8192, 5), np.int64), np.empty(8192), 0
    before = 0.0
    for low in range(start, end, block_bp):
        high = min(low + block_bp, end)
        buffer.read(max(start, low - LOOKAHEAD_BP), min(high + LOOKAHEAD_BP, end))
        last = high + (high == end)  # there is a boundary behind the last base, too
        terms = collect(codes[:end], buffer.logits, buffer.offset, low, last, decoder.motifs, code)
        scores = weigh_terms(terms, decoder)
        if hints is not None:
            add_hints(scores, hints, low, decoder.weights)
        if kept is not None:
            kept.keep(low, terms.states, scores)
        arrays = (scores.emit, scores.sites, scores.pairs)
        position = low
        while position < last:
            position, n = scan(tables, state, codes[:end], *arrays, position, last, low, nodes, values, n)
            if position < last:
                nodes, values = _grown(nodes), _grown(values)
        if high == end:
            nodes, values = (nodes, values) if n + 16 < len(nodes) else (_grown(nodes), _grown(values))
            n = close(tables, state, end, nodes, values, n)
            _forget_all_but_the_best(state)
        done, done_values, n = settle(state, nodes, values, n)
        genes = []
        for parts, value in _genes(done, done_values):
            genes.append(np.array([(0, *part, value - before, *_UNKNOWN) for part in parts], PART_DTYPE))
            before = value
        yield genes, high


def _grown(array: np.ndarray) -> np.ndarray:
    return np.concatenate([array, np.empty_like(array)])


def _forget_all_but_the_best(state: State) -> None:
    """At the end of a stretch only the best path is left."""
    state.exon_range[:] = 0
    state.intron_range[:] = 0
    for values in (state.far_exon_value, state.far_intron_value, state.value[1:5]):
        values[:] = NEVER


def _genes(nodes: np.ndarray, values: np.ndarray) -> Iterator[tuple[list[tuple], float]]:
    """Parts of each gene, without number and score, and the score of the path behind it."""
    exons: list[np.ndarray] = []
    for node, value in zip(nodes, values, strict=True):
        if not node[N_BITS] & GENE_END:
            exons.append(node)
            continue
        first, last = exons[0], exons[-1]
        strand = -1 if first[N_BITS] & MINUS else 1
        cut_low = bool(first[N_BITS] & CUT_LOW) or not first[N_BITS] & FIRST
        cut_high = bool(last[N_BITS] & CUT_HIGH) or not last[N_BITS] & LAST
        offset = _phase_offset(first, last, strand)
        low, high = (first[N_START] if cut_low else first[N_LEFT]), (last[N_END] if cut_high else node[N_START])
        gene = (strand, low, high, offset, cut_low, cut_high)
        yield [(exon[N_START], exon[N_END], *gene) for exon in exons], float(value)
        exons = []


def _phase_offset(first: np.ndarray, last: np.ndarray, strand: int) -> int:
    """Bases before the first whole codon, in reading direction; 0 where the gene has its 5' end."""
    if strand == 1:
        return int(-(first[N_BITS] >> PHASE_SHIFT) % 3)
    return int(((last[N_BITS] >> PHASE_SHIFT) + last[N_END] - last[N_START]) % 3)


def build_tables(decoder: IntronDecoder, code: GeneticCode) -> Tables:
    """Weights as the arrays that the scan reads."""
    weight = decoder.weights.length
    n_exon = max(len(table.logs) for table in decoder.exons.values())
    initial, internal, terminal, single = (weight * decoder.exons[kind].array(n_exon) for kind in EXON_KINDS)
    free = np.where(np.arange(n_exon) < 3, -np.inf, 0.0)  # a part that the record cuts off may have any length
    plus = np.array([[internal, terminal, free], [initial, single, free], [free, free, free]])
    minus = plus.transpose(1, 0, 2).copy()  # low to high, what begins is what ends in reading direction
    classes, blocked = _split_codons(stop_tables(code))
    w = decoder.weights
    intron = w.intron + (0.0 if decoder.motifs is None else w.rate * decoder.motifs.log_rate)
    return Tables(
        exon_logs=np.stack([plus, minus]),
        exon_slope=weight * min(table.slope for table in decoder.exons.values()),
        intron_logs=weight * decoder.introns.array(len(decoder.introns.logs)),
        intron_slope=weight * decoder.introns.slope,
        stops=stop_tables(code),
        classes=classes,
        blocked=blocked,
        costs=np.array([w.gene, intron, w.untranslated, w.edge]),
    )


def _split_codons(stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classes of the bases before an intron that splits a codon, and which bases behind it complete a stop codon.

    Returns:
        int64 [2, 3, 25] and bool [2, 3, 8, 25], see ``Tables``. Class 0 completes none.
    """
    classes = np.zeros((2, 3, 25), dtype=np.int64)
    blocked = np.zeros((2, 3, N_CLASSES, 25), dtype=np.bool_)
    for strand in (0, 1):
        for phase, n_read in ((1, 5), (2, 25)):
            kinds = {np.zeros(25, bool).tobytes(): 0}
            for read in range(n_read):
                if phase == 1:
                    completes = stops[strand, read].reshape(25)
                else:
                    completes = np.repeat(stops[strand, read // 5, read % 5], 5)
                kind = kinds.setdefault(completes.tobytes(), len(kinds))
                classes[strand, phase, read], blocked[strand, phase, kind] = kind, completes
    return classes, blocked
