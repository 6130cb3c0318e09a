"""States of codons as lines along the sequence."""

from genoformer.errors import counted
from genoformer.inference.sequence_caller import SequencePrediction
from genoformer.report.markup import Markup
from genoformer.report.svg_charts import lines


def draw(result: SequencePrediction) -> Markup:
    """Probability of each state at each codon; nothing for a sequence without one."""
    values = result.outputs["probabilities"]
    if not len(values):
        return Markup("")
    places = list(range(1, len(values) + 1))
    states = result.shown.settings["states"]["channels"]
    series = {name: (places, row) for name, row in zip(states, values.T.round(3).tolist(), strict=True)}
    return lines(series, title=result.record_id, x="codon", y="probability", y_limits=(0.0, 1.0))


def in_words(result: SequencePrediction) -> str:
    """How much was found."""
    return counted(len(result.outputs["probabilities"]), "codon")
