"""What a sequence does, as bars."""

from genoformer.applications.functions.caller import FunctionPrediction
from genoformer.report.markup import Markup
from genoformer.report.svg_charts import named_bars

MOST = 12


def draw(result: FunctionPrediction) -> Markup:
    """Probabilities of the likeliest classes or terms, in the order of the model; nothing for a number."""
    if result.is_number:
        return Markup("")
    chances = dict(zip(result.labels, result.probabilities.tolist(), strict=True))
    best = sorted(chances, key=lambda name: -chances[name])[:MOST]
    shown = {name: value for name, value in chances.items() if name in best}
    return named_bars(shown, title=result.record_id, x="probability")
