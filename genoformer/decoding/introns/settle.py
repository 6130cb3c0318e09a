"""Forgetting what no hypothesis of a scan needs: genes that all of them have in common are done."""

import numba
import numpy as np

from genoformer.decoding.introns.state import (
    BEFORE,
    BEHIND,
    D_NODE,
    GENE_END,
    L_BEFORE,
    L_BEHIND,
    N_BEFORE,
    N_BITS,
    N_CLASSES,
    NEVER,
    X_BEFORE,
)


@numba.njit(cache=True, nogil=True)
def settle(state, nodes, node_values, n_nodes):
    """Find what all hypotheses have in common, and forget everything that no hypothesis needs.

    Returns:
        The settled genes' nodes in order, int64 [m, 5], the last one a GENE_END; the scores of their GENE_ENDs at the
        same rows, float64 [m]; and nodes in use.
    """
    marks = np.zeros(n_nodes + 1, dtype=np.bool_)  # row 0 stands for "nothing before"
    _mark_links(state, marks)
    alive = 0
    for row in range(n_nodes + 1):
        alive += marks[row]
    common = 0
    for row in range(n_nodes, 0, -1):
        if marks[row]:
            if alive == 1:
                common = row
                break
            alive -= 1
            before = nodes[row - 1, N_BEFORE] + 1
            if not marks[before]:
                marks[before] = True
                alive += 1
    settled = common
    while settled > 0 and not nodes[settled - 1, N_BITS] & GENE_END:
        marks[settled] = True
        settled = nodes[settled - 1, N_BEFORE] + 1
    rows = np.zeros(n_nodes + 1, dtype=np.int64)
    m, row = 0, settled
    while row > 0:
        rows[m] = row - 1
        m, row = m + 1, nodes[row - 1, N_BEFORE] + 1
    rows = rows[:m][::-1].copy()
    done, done_values = nodes[rows].copy(), node_values[rows].copy()
    # New place of each node; -1 for "nothing before", which the last settled node becomes.
    place = np.full(n_nodes + 1, -1, dtype=np.int64)
    kept = 0
    for row in range(settled + 1, n_nodes + 1):
        if marks[row]:
            place[row] = kept
            nodes[kept] = nodes[row - 1]
            node_values[kept] = node_values[row - 1]
            nodes[kept, N_BEFORE] = place[nodes[kept, N_BEFORE] + 1]
            kept += 1
    _move_links(state, place)
    return done, done_values, kept


@numba.njit(cache=True, nogil=True)
def _mark_links(state, marks):
    marks[state.link[0] + 1] = True
    for strand in range(2):
        for which, column in ((BEFORE, L_BEFORE), (BEHIND, L_BEHIND)):
            if state.value[which + strand] != NEVER:
                marks[state.link[column + strand] + 1] = True
        for k in range(3):
            for j in range(state.exon_range[strand, k, 0], state.exon_range[strand, k, 1]):
                marks[state.exon_link[strand, k, j, X_BEFORE] + 1] = True
            for j in range(state.intron_range[strand, k, 0], state.intron_range[strand, k, 1]):
                marks[state.intron_link[strand, k, j, D_NODE] + 1] = True
            for kind in range(3):
                if state.far_exon_value[strand, k, kind] != NEVER:
                    marks[state.far_exon_link[strand, k, kind, X_BEFORE] + 1] = True
            for kind in range(N_CLASSES):
                for pair in range(2):
                    if state.far_intron_value[strand, k, kind, pair] != NEVER:
                        marks[state.far_intron_link[strand, k, kind, pair] + 1] = True


@numba.njit(cache=True, nogil=True)
def _move_links(state, place):
    state.link[0] = place[state.link[0] + 1]
    for strand in range(2):
        for column in (L_BEFORE, L_BEHIND):
            state.link[column + strand] = place[state.link[column + strand] + 1]
        for k in range(3):
            for j in range(state.exon_range[strand, k, 0], state.exon_range[strand, k, 1]):
                state.exon_link[strand, k, j, X_BEFORE] = place[state.exon_link[strand, k, j, X_BEFORE] + 1]
            for j in range(state.intron_range[strand, k, 0], state.intron_range[strand, k, 1]):
                state.intron_link[strand, k, j, D_NODE] = place[state.intron_link[strand, k, j, D_NODE] + 1]
            for kind in range(3):
                if state.far_exon_value[strand, k, kind] != NEVER:
                    before = state.far_exon_link[strand, k, kind, X_BEFORE]
                    state.far_exon_link[strand, k, kind, X_BEFORE] = place[before + 1]
            for kind in range(N_CLASSES):
                for pair in range(2):
                    if state.far_intron_value[strand, k, kind, pair] != NEVER:
                        node = state.far_intron_link[strand, k, kind, pair]
                        state.far_intron_link[strand, k, kind, pair] = place[node + 1]
