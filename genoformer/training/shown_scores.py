"""Which validation scores are shown beside a bar and in a report, and when they say something."""

from collections.abc import Mapping, Sequence

LEARNED_F1 = 0.05
"""An untrained network says yes at a few bases by chance; their F1 stays far below this. Where no output is above it,
what is called from the outputs is the work of the caller's rules: open frames alone give genes with an F1 of 0.8."""
MEASURES = ("f1", "mcc", "auprc")
PREFIX = "val/"


def output_score(channel: str, measure: str) -> str:
    """Name of the score of one output per base."""
    return f"{PREFIX}{channel}_{measure}"


def is_learned(metrics: Mapping[str, float], channels: Sequence[str]) -> bool:
    """Whether some output is learned; yes, where outputs have no scores of their own.

    Args:
        metrics: By name, with the prefix.
        channels: Names of the outputs.
    """
    f1 = [metrics[name] for name in (output_score(channel, "f1") for channel in channels) if name in metrics]
    return not f1 or max(f1) >= LEARNED_F1


def shown_scores(
    metrics: Mapping[str, float], names: Sequence[str], channels: Sequence[str]
) -> dict[str, float | None]:
    """Scores by name, without the prefix, as far as they are there; None for those that say nothing yet.

    Args:
        metrics: By name, with the prefix.
        names: What is wanted, without the prefix.
        channels: Names of the outputs.
    """
    own = {output_score(channel, measure) for channel in channels for measure in MEASURES}
    learned = is_learned(metrics, channels)
    found = {name: metrics[PREFIX + name] for name in names if PREFIX + name in metrics}
    return {name: value if learned or PREFIX + name in own else None for name, value in found.items()}


def said(value: float | None) -> str:
    """A score in four digits; a dash for one that says nothing."""
    if value is None or value != value:
        return "–"
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.4g}"
