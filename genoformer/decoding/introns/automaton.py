"""The best path over both strands, base by base: the compiled part of the decoder.

A hypothesis is a place in a gene: before its coding sequence, in an exon that is open, in an intron that is open, or
behind the coding sequence. Open exons and introns are kept one by one, so that any distribution of lengths can count,
as long as they are shorter than its table; longer ones lose a constant per base and only the best of each kind is kept.
That bounds the work per base, and the result is exact.

An open exon belongs to a frame: positions of its codons' first bases modulo three, scanned low to high. When a stop
codon of a frame is complete, the exons open in that frame end with it. An open intron remembers the bases of the codon
that it splits, as a class of those that make the same stop codons.
"""

import numba

from genoformer.decoding.introns.state import (
    BEFORE,
    BEGUN,
    BEHIND,
    CODING_SUM,
    CUT,
    CUT_HIGH,
    CUT_LOW,
    D_CLASS,
    D_NODE,
    D_PAIR,
    D_POS,
    ENTERED,
    FIRST,
    GENE_END,
    INTRON_SUM,
    L_BEFORE,
    L_BEFORE_START,
    L_BEHIND,
    LAST,
    N_BEFORE,
    N_BITS,
    N_CLASSES,
    N_END,
    N_LEFT,
    N_START,
    NEVER,
    PHASE_SHIFT,
    X_BEFORE,
    X_KIND,
    X_LEFT,
    X_POS,
)


@numba.njit(cache=True, nogil=True)
def scan(tables, state, codes, emit, sites, pairs, start, end, begin_at, nodes, node_values, n_nodes):
    """Go through boundaries and bases ``[start, end)``, as long as there is room for nodes.

    Args:
        tables: See ``Tables``.
        state: See ``State``; changed in place.
        codes: uint8 base codes of the record, 4 for unknown ones, [L].
        emit, sites, pairs: See ``Evidence``, for bases ``[offset, ...)`` with ``offset = start`` of the first call.
        start: Boundary to go on at.
        end: Where to stop.
        begin_at: First base of ``emit``.
        nodes: int64 [cap, 5], filled in place.
        node_values: float64 [cap]: score of the path at each GENE_END.
        n_nodes: Nodes in use.

    Returns:
        Where it stopped, and nodes in use.
    """
    value, link = state.value, state.link
    for i in range(start, end):
        if n_nodes + 16 > len(nodes):
            return i, n_nodes
        k = i - begin_at
        for strand in range(2):
            if value[BEHIND + strand] > value[0]:
                n_nodes = _end_gene(state, strand, i, nodes, node_values, n_nodes)
        for strand in range(2):
            if sites[strand, 1, k] != NEVER:
                n_nodes = _finish(tables, state, strand, i, sites[strand, 1, k], nodes, node_values, n_nodes)
            if i >= 3 and tables.stops[strand, codes[i - 3], codes[i - 2], codes[i - 1]]:
                _close_frame(state, strand, i)
            if sites[strand, 2, k] != NEVER:
                n_nodes = _leave(
                    tables,
                    state,
                    codes,
                    strand,
                    i,
                    sites[strand, 2, k],
                    pairs[strand, 0, k],
                    nodes,
                    node_values,
                    n_nodes,
                )
        for strand in range(2):
            if sites[strand, 3, k] != NEVER:
                _enter(tables, state, codes, strand, i, sites[strand, 3, k], pairs[strand, 1, k])
            if sites[strand, 0, k] != NEVER:
                _begin(tables, state, strand, i, sites[strand, 0, k])
            opened = value[0] + tables.costs[0] + tables.costs[2]
            if opened > value[BEFORE + strand]:
                value[BEFORE + strand] = opened
                link[L_BEFORE + strand], link[L_BEFORE_START + strand] = link[0], i
            value[BEFORE + strand] += emit[strand, 6, k]
            value[BEHIND + strand] += emit[strand, 6, k]
            for frame in range(3):
                value[CODING_SUM + 3 * strand + frame] += emit[strand, (i - frame) % 3, k]
                value[INTRON_SUM + 3 * strand + frame] += emit[strand, 3 + frame, k]
    return end, n_nodes


@numba.njit(inline="always")
def _best_exon(tables, state, strand, frame, i, ends):
    """Best open exon of a frame if it ended at ``i``: score, and its row (cap and above: the far ones)."""
    _age_exons(tables, state, strand, frame, i)
    logs = tables.exon_logs
    n = logs.shape[-1]
    head, tail = state.exon_range[strand, frame, 0], state.exon_range[strand, frame, 1]
    best, row = NEVER, -1
    for j in range(head, tail):
        kind, length = state.exon_link[strand, frame, j, X_KIND], i - state.exon_link[strand, frame, j, X_POS]
        score = state.exon_value[strand, frame, j] + logs[strand, kind, ends, length]
        if score > best:
            best, row = score, j
    for kind in range(3):
        beyond = logs[strand, kind, ends, n - 1] + tables.exon_slope * (i - (n - 1))
        score = state.far_exon_value[strand, frame, kind] + beyond
        if score > best:
            best, row = score, state.exon_value.shape[2] + kind
    return best + state.value[CODING_SUM + 3 * strand + frame], row


@numba.njit(inline="always")
def _age_exons(tables, state, strand, frame, i):
    """Move exons that are longer than the table to the far ones."""
    n = tables.exon_logs.shape[-1]
    head, tail = state.exon_range[strand, frame, 0], state.exon_range[strand, frame, 1]
    while head < tail and i - state.exon_link[strand, frame, head, X_POS] >= n:
        kind = state.exon_link[strand, frame, head, X_KIND]
        # What it loses per base is counted from base 0, so that hypotheses of different age compare.
        total = state.exon_value[strand, frame, head] - tables.exon_slope * state.exon_link[strand, frame, head, X_POS]
        if total > state.far_exon_value[strand, frame, kind]:
            state.far_exon_value[strand, frame, kind] = total
            for column in range(4):
                state.far_exon_link[strand, frame, kind, column] = state.exon_link[strand, frame, head, column]
        head += 1
    state.exon_range[strand, frame, 0] = head


@numba.njit(inline="always")
def _add_exon(tables, state, strand, frame, i, value, before, left, kind):
    _age_exons(tables, state, strand, frame, i)
    head, tail = state.exon_range[strand, frame, 0], state.exon_range[strand, frame, 1]
    if tail == state.exon_value.shape[2]:
        for j in range(head, tail):
            state.exon_value[strand, frame, j - head] = state.exon_value[strand, frame, j]
            for column in range(4):
                state.exon_link[strand, frame, j - head, column] = state.exon_link[strand, frame, j, column]
        head, tail = 0, tail - head
    state.exon_value[strand, frame, tail] = value - state.value[CODING_SUM + 3 * strand + frame]
    state.exon_link[strand, frame, tail, X_POS] = i
    state.exon_link[strand, frame, tail, X_BEFORE] = before
    state.exon_link[strand, frame, tail, X_LEFT] = left
    state.exon_link[strand, frame, tail, X_KIND] = kind
    state.exon_range[strand, frame, 0], state.exon_range[strand, frame, 1] = head, tail + 1


@numba.njit(inline="always")
def _add_node(state, strand, frame, row, end, bits, nodes, n_nodes):
    """A node for the exon in ``row`` that ends at ``end``; returns nodes in use."""
    far = row - state.exon_value.shape[2]
    for column, there in ((X_POS, N_START), (X_BEFORE, N_BEFORE), (X_LEFT, N_LEFT), (X_KIND, N_BITS)):
        nodes[n_nodes, there] = (
            state.far_exon_link[strand, frame, far, column] if far >= 0 else state.exon_link[strand, frame, row, column]
        )
    nodes[n_nodes, N_END] = end
    kind = nodes[n_nodes, N_BITS]
    if kind != ENTERED:
        bits |= FIRST
    if kind == CUT:
        bits |= CUT_LOW
    nodes[n_nodes, N_BITS] = strand | bits | ((nodes[n_nodes, N_START] - frame) % 3) << PHASE_SHIFT
    return n_nodes + 1


@numba.njit(inline="always")
def _finish(tables, state, strand, i, site, nodes, node_values, n_nodes):
    """Coding sequence ends at ``i``."""
    frame = i % 3
    best, row = _best_exon(tables, state, strand, frame, i, BEGUN)
    if best == NEVER:
        return n_nodes
    best += site
    alone, longer = best > state.value[0], best + tables.costs[2] > state.value[BEHIND + strand]
    if not (alone or longer):
        return n_nodes
    n_nodes = _add_node(state, strand, frame, row, i, LAST, nodes, n_nodes)
    if longer:
        state.value[BEHIND + strand] = best + tables.costs[2]
        state.link[L_BEHIND + strand] = n_nodes - 1
    if alone:
        state.value[0] = best
        n_nodes = _add_gene_end(state, n_nodes - 1, i, nodes, node_values, n_nodes)
    return n_nodes


@numba.njit(inline="always")
def _add_gene_end(state, before, i, nodes, node_values, n_nodes):
    nodes[n_nodes, N_START] = nodes[n_nodes, N_END] = i
    nodes[n_nodes, N_BEFORE], nodes[n_nodes, N_LEFT], nodes[n_nodes, N_BITS] = before, i, GENE_END
    node_values[n_nodes] = state.value[0]
    state.link[0] = n_nodes
    return n_nodes + 1


@numba.njit(cache=True, nogil=True)
def _end_gene(state, strand, i, nodes, node_values, n_nodes):
    """The untranslated region behind a coding sequence ends at ``i``."""
    state.value[0] = state.value[BEHIND + strand]
    return _add_gene_end(state, state.link[L_BEHIND + strand], i, nodes, node_values, n_nodes)


@numba.njit(inline="always")
def _close_frame(state, strand, i):
    """A stop codon ends at ``i``: exons that hold it cannot go on, unless it is the one that they begin with."""
    frame = i % 3
    head, tail = state.exon_range[strand, frame, 0], state.exon_range[strand, frame, 1]
    kept = head
    for j in range(head, tail):
        at, kind = state.exon_link[strand, frame, j, X_POS], state.exon_link[strand, frame, j, X_KIND]
        begins_with_it = strand == 1 and kind == BEGUN and at == i - 3
        if at > i - 3 or begins_with_it:
            state.exon_value[strand, frame, kept] = state.exon_value[strand, frame, j]
            for column in range(4):
                state.exon_link[strand, frame, kept, column] = state.exon_link[strand, frame, j, column]
            kept += 1
    state.exon_range[strand, frame, 1] = kept
    for kind in range(3):
        state.far_exon_value[strand, frame, kind] = NEVER


@numba.njit(inline="always")
def _leave(tables, state, codes, strand, i, site, pair, nodes, node_values, n_nodes):
    """An exon ends at ``i``, where an intron begins low to high."""
    for frame in range(3):
        best, row = _best_exon(tables, state, strand, frame, i, ENTERED)
        if best == NEVER:
            continue
        n_nodes = _add_node(state, strand, frame, row, i, 0, nodes, n_nodes)
        phase = (i - frame) % 3
        read = 0 if phase == 0 else codes[i - 1] if phase == 1 else 5 * codes[i - 2] + codes[i - 1]
        _age_introns(tables, state, strand, phase, i)
        head, tail = state.intron_range[strand, phase, 0], state.intron_range[strand, phase, 1]
        if tail == state.intron_value.shape[2]:
            for j in range(head, tail):
                state.intron_value[strand, phase, j - head] = state.intron_value[strand, phase, j]
                for column in range(4):
                    state.intron_link[strand, phase, j - head, column] = state.intron_link[strand, phase, j, column]
            head, tail = 0, tail - head
        total = best + site + tables.costs[1] - state.value[INTRON_SUM + 3 * strand + phase]
        state.intron_value[strand, phase, tail] = total
        state.intron_link[strand, phase, tail, D_POS] = i
        state.intron_link[strand, phase, tail, D_NODE] = n_nodes - 1
        state.intron_link[strand, phase, tail, D_CLASS] = tables.classes[strand, phase, read]
        state.intron_link[strand, phase, tail, D_PAIR] = pair
        state.intron_range[strand, phase, 0], state.intron_range[strand, phase, 1] = head, tail + 1
    return n_nodes


@numba.njit(inline="always")
def _age_introns(tables, state, strand, phase, i):
    """Move introns that are longer than the table to the far ones."""
    n = len(tables.intron_logs)
    head, tail = state.intron_range[strand, phase, 0], state.intron_range[strand, phase, 1]
    while head < tail and i - state.intron_link[strand, phase, head, D_POS] >= n:
        at, node = state.intron_link[strand, phase, head, D_POS], state.intron_link[strand, phase, head, D_NODE]
        kind, pair = state.intron_link[strand, phase, head, D_CLASS], state.intron_link[strand, phase, head, D_PAIR]
        # What it loses per base is counted from base 0, so that hypotheses of different age compare.
        total = state.intron_value[strand, phase, head] - tables.intron_slope * at
        if total > state.far_intron_value[strand, phase, kind, pair]:
            state.far_intron_value[strand, phase, kind, pair] = total
            state.far_intron_link[strand, phase, kind, pair] = node
        head += 1
    state.intron_range[strand, phase, 0] = head


@numba.njit(inline="always")
def _enter(tables, state, codes, strand, i, site, pair):
    """An intron ends at ``i``, where an exon begins low to high."""
    n = len(tables.intron_logs)
    following = 24
    if i + 1 < len(codes):
        following = 5 * codes[i] + codes[i + 1]
    for phase in range(3):
        _age_introns(tables, state, strand, phase, i)
        head, tail = state.intron_range[strand, phase, 0], state.intron_range[strand, phase, 1]
        best, node = NEVER, -1
        for j in range(head, tail):
            if state.intron_link[strand, phase, j, D_PAIR] == pair:
                score = (
                    state.intron_value[strand, phase, j]
                    + tables.intron_logs[i - state.intron_link[strand, phase, j, D_POS]]
                )
                kind = state.intron_link[strand, phase, j, D_CLASS]
                if score > best and not tables.blocked[strand, phase, kind, following]:
                    best, node = score, state.intron_link[strand, phase, j, D_NODE]
        tail_score = tables.intron_logs[n - 1] + tables.intron_slope * (i - (n - 1))
        for kind in range(N_CLASSES):
            score = state.far_intron_value[strand, phase, kind, pair] + tail_score
            if score > best and not tables.blocked[strand, phase, kind, following]:
                best, node = score, state.far_intron_link[strand, phase, kind, pair]
        if best != NEVER:
            total = best + site + state.value[INTRON_SUM + 3 * strand + phase]
            _add_exon(tables, state, strand, (i - phase) % 3, i, total, node, i, ENTERED)


@numba.njit(inline="always")
def _begin(tables, state, strand, i, site):
    """Coding sequence begins at ``i``, right behind intergenic sequence or an untranslated region."""
    plain, extended = state.value[0] + tables.costs[0], state.value[BEFORE + strand]
    if plain >= extended:
        _add_exon(tables, state, strand, i % 3, i, plain + site, state.link[0], i, BEGUN)
    else:
        left = state.link[L_BEFORE_START + strand]
        _add_exon(tables, state, strand, i % 3, i, extended + site, state.link[L_BEFORE + strand], left, BEGUN)


@numba.njit(cache=True, nogil=True)
def close(tables, state, end, nodes, node_values, n_nodes):
    """The record ends at ``end``: genes that it cuts off end there, too. Returns nodes in use."""
    cut = tables.costs[3]
    best, node, made = state.value[0], state.link[0], False
    for strand in range(2):
        for frame in range(3):
            score, row = _best_exon(tables, state, strand, frame, end, CUT)
            if score + cut > best:
                n_nodes = _add_node(state, strand, frame, row, end, LAST | CUT_HIGH, nodes, n_nodes)
                best, node, made = score + cut, n_nodes - 1, True
            _age_introns(tables, state, strand, frame, end + len(tables.intron_logs))
            score = tables.intron_logs[-1] + tables.intron_slope * (end - (len(tables.intron_logs) - 1))
            score += state.value[INTRON_SUM + 3 * strand + frame] + cut
            for kind in range(N_CLASSES):
                for pair in range(2):
                    total = state.far_intron_value[strand, frame, kind, pair] + score
                    if total > best and state.far_intron_link[strand, frame, kind, pair] >= 0:
                        best, node, made = total, state.far_intron_link[strand, frame, kind, pair], True
    state.value[0] = best
    if made:
        n_nodes = _add_gene_end(state, node, end, nodes, node_values, n_nodes)
    return n_nodes
