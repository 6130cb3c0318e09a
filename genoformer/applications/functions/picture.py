"""What a sequence does, as bars."""

from genoformer.applications.functions.caller import FunctionPrediction
from genoformer.report.markup import Markup
from genoformer.report.svg_charts import MAX_LABELS, bars


def draw(result: FunctionPrediction) -> Markup:
    """Probabilities of the likeliest classes or terms; nothing for a number."""
    if result.is_number:
        return Markup("")
    chances = dict(zip(result.labels, result.probabilities.tolist(), strict=True))
    best = sorted(chances, key=lambda name: -chances[name])[:MAX_LABELS]
    shown = {name: value for name, value in chances.items() if name in best}
    return bars(shown, title=result.record_id, x="class", y="probability")
