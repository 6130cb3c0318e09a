"""Every gene that a tiny record can hold, and the best set of them, found by trying all: what the decoder is tested by.

Nothing here is shared with the scan but the scores of bases and boundaries; genes are put together exon by exon.
"""

import numpy as np

BEGIN, FINISH, LEAVE, ENTER = range(4)
STOPS = {1: ("TAA", "TAG", "TGA"), -1: ("TTA", "CTA", "TCA")}
LETTERS = "ACGTN"


def all_genes(codes, evidence, decoder):
    """(low, high, score, strand, parts, utr ends) of every complete gene on both strands."""
    found = []
    for strand in (1, -1):
        row = 0 if strand == 1 else 1
        for start in np.flatnonzero(evidence.sites[row, BEGIN] > -np.inf).tolist():
            found += _grow(codes, evidence, decoder, strand, row, start)
    return found


def _grow(codes, evidence, decoder, strand, row, start):
    """Chains of exons that begin at ``start``, depth first."""
    L = len(codes)
    complete = []

    def extend(parts, read, score, begin):
        # an open exon from ``begin`` on, ``read`` coding bases before it
        for end in range(begin + 3, L + 1):
            length = end - begin
            bases = evidence.emit[row, :3]
            coding = sum(bases[(read + i) % 3, begin + i] for i in range(length))
            total, exons = score + coding, (*parts, (begin, end))
            text = "".join(LETTERS[codes[i]] for low, high in exons for i in range(low, high))
            codons = [text[i : i + 3] for i in range(0, len(text) - 2, 3)]
            inner = codons[1:] if strand == -1 else codons
            if evidence.sites[row, LEAVE, end] > -np.inf and not set(inner) & set(STOPS[strand]):
                kind = _kind(strand, first=not parts, last=False)
                value = total + _log(decoder, decoder.exons[kind], length) + evidence.sites[row, LEAVE, end]
                leave(exons, read + length, value + decoder.weights.intron, end)
            if evidence.sites[row, FINISH, end] > -np.inf and len(text) % 3 == 0:
                if not set(codons[1:] if strand == -1 else codons[:-1]) & set(STOPS[strand]):
                    kind = _kind(strand, first=not parts, last=True)
                    value = total + _log(decoder, decoder.exons[kind], length) + evidence.sites[row, FINISH, end]
                    complete.append((value, exons))

    def leave(parts, read, score, begin):
        for end in range(begin + 1, L):
            if evidence.sites[row, ENTER, end] == -np.inf:
                continue
            if evidence.pairs[row, 0, begin] != evidence.pairs[row, 1, end]:
                continue
            intron = sum(evidence.emit[row, 3 + read % 3, i] for i in range(begin, end))
            value = score + intron + _log(decoder, decoder.introns, end - begin) + evidence.sites[row, ENTER, end]
            if value > -np.inf:
                extend(parts, read, value, end)

    extend((), 0, decoder.weights.gene + evidence.sites[row, BEGIN, start], start)
    return [
        (low, high, value, strand, parts, (low, high))
        for score, parts in complete
        if score > -np.inf
        for low, high, value in _with_untranslated(evidence.emit[row, 6], decoder, score, parts[0][0], parts[-1][1])
    ]


def _kind(strand, first, last):
    if first and last:
        return "single"
    if first or last:
        return "initial" if first == (strand == 1) else "terminal"
    return "internal"


def _log(decoder, table, length):
    return decoder.weights.length * table.array(max(len(table.logs), length + 1))[length]


def _with_untranslated(emit, decoder, score, start, end):
    """The gene alone and with every untranslated region on either side."""
    cost = decoder.weights.untranslated
    left = [(start, 0.0)] + [(low, cost + emit[low:start].sum()) for low in range(start)]
    right = [(end, 0.0)] + [(high, cost + emit[end:high].sum()) for high in range(end + 1, len(emit))]
    return [(low, high, score + a + b) for low, a in left for high, b in right]


def best_chain(genes, length):
    """Highest total of genes that do not overlap (their untranslated regions neither), and these genes."""
    by_end = {}
    for gene in genes:
        by_end.setdefault(gene[1], []).append(gene)
    best = [(0.0, ())] * (length + 1)
    for i in range(1, length + 1):
        best[i] = best[i - 1]
        for gene in by_end.get(i, []):
            total = best[gene[0]][0] + gene[2]
            if total > best[i][0]:
                best[i] = (total, (*best[gene[0]][1], gene))
    return best[length]
