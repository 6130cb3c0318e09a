"""Base pairs as arcs over the sequence."""

from genoformer.applications.rna_pairs.writers import letters, listed_pairs
from genoformer.errors import counted
from genoformer.inference.sequence_caller import SequencePrediction
from genoformer.report.markup import Markup
from genoformer.report.svg_pairs import draw_arcs
from genoformer.structures.dot_bracket import pairs_of


def draw(result: SequencePrediction) -> Markup:
    """The structure above the bases, other probable pairs below them; nothing for a sequence without bases."""
    if not result.length:
        return Markup("")
    rows = list(listed_pairs(result.outputs))
    chosen, others = ([(i, j, sure) for i, j, sure, is_in in rows if is_in == wanted] for wanted in (True, False))
    return draw_arcs(letters(result.record), chosen, others, title=result.record_id)


def in_words(result: SequencePrediction) -> str:
    """How much was found."""
    return counted(len(pairs_of(result.outputs["partners"])), "base pair")
