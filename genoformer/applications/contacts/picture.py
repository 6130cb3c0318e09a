"""Contacts of residues as a map."""

from genoformer.applications.contacts.report import listed
from genoformer.errors import counted
from genoformer.inference.sequence_caller import SequencePrediction
from genoformer.report.markup import Markup
from genoformer.report.svg_pairs import pair_map


def draw(result: SequencePrediction) -> Markup:
    """The pairs of the table, as many as there are codons at most; nothing for a sequence without one."""
    n_codons = result.length // 3
    best = listed(result.record, result.outputs)[:n_codons]
    return pair_map(n_codons, best, best, title=result.record_id, label="codon") if best else Markup("")


def in_words(result: SequencePrediction) -> str:
    """How much was found."""
    n_listed = len(listed(result.record, result.outputs))
    return f"the {counted(n_listed, 'likeliest pair')} of {counted(result.length // 3, 'codon')}"
