"""Open frames by walking over text: the definition that the compiled scan is held to."""

import re

import numpy as np
from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import reverse_complement

CODONS = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]


def evidence(logits, i):
    """Mean of the three codon-position logits of the codon at ``i``, clipped."""
    return float(np.clip((logits[i, 0] + logits[i + 1, 1] + logits[i + 2, 2]) / 3, -6, 6))


def strand_frames(text, logits, *, table=11, min_gene_bp=90, edge_5=True, edge_3=True, max_gap_bp=9):
    """Frames of one strand: a list of lists of starts, each a dict; coordinates of the strand as read."""
    code = unambiguous_dna_by_id[table]
    gaps = [match.span() for match in re.finditer(f"N{{{max_gap_bp + 1},}}", text)]
    frames = []
    for frame in range(3):
        codons, run, from_edge, whole = range(frame, len(text) - 2, 3), [], True, edge_5
        for i in codons:
            word = text[i : i + 3]
            in_gap = any(i < high and i + 3 > low for low, high in gaps)
            if not in_gap and word not in code.stop_codons:
                run.append(i)
                continue
            if whole:
                frames.append(_starts(text, logits, code, run, None if in_gap else i, from_edge, min_gene_bp))
            run, from_edge, whole = [], in_gap, True
        if whole and edge_3:
            frames.append(_starts(text, logits, code, run, None, from_edge, min_gene_bp))
    return [starts for starts in frames if starts]


def _starts(text, logits, code, run, stop, from_edge, min_gene_bp):
    found = []
    end = stop + 3 if stop is not None else (run[-1] + 3 if run else 0)
    for n, i in enumerate(run):
        is_edge = from_edge and n == 0
        if (is_edge or text[i : i + 3] in code.start_codons) and end - i >= min_gene_bp:
            before = [evidence(logits, j) for j in range(i - 3, max(i - 31, -1), -3)]
            found.append(
                {
                    "start": i, "end": end, "closed": int(stop is not None),
                    "kind": 64 if is_edge else CODONS.index(text[i : i + 3]), "n_codons": len(run) - n,
                    "codon_sum": sum(evidence(logits, j) for j in run[n:]),
                    "start_logit": 0.0 if is_edge else float(logits[i, 3]),
                    "stop_logit": 0.0 if stop is None else float(logits[stop, 4]),
                    "upstream": float(np.mean(before)) if before else -6.0,
                }
            )  # fmt: skip
    return found


def both_strands(text, logits, **options):
    """Frames of both strands in forward coordinates; ``logits`` [2, L, 5]."""
    frames = [[{**row, "strand": 1} for row in starts] for starts in strand_frames(text, logits[0], **options)]
    backwards = strand_frames(reverse_complement(text), logits[1, ::-1], **options)
    L = len(text)
    for starts in backwards:
        frames.append([{**row, "strand": -1, "start": L - row["end"], "end": L - row["start"]} for row in starts])
    return frames
