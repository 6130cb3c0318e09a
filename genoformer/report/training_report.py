"""``report.html`` of a training run: curves, scores, whether probabilities mean what they say, and what was trained."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genoformer.metrics.outcomes import Outcomes
from genoformer.report.markup import Markup, element, join
from genoformer.report.page import (
    Column,
    Section,
    code_block,
    data_table,
    facts,
    figures,
    folded,
    note,
    page_html,
    plain_table,
    write_page,
)
from genoformer.report.run_curves import Curve, RunCurves, run_curves
from genoformer.report.svg_charts import lines
from genoformer.report.svg_reliability import confusion_chart, numbers_chart, reliability_chart
from genoformer.training.run_history import RunHistory
from genoformer.training.shown_scores import MEASURES, PREFIX, output_score, said, shown_scores

COLUMNS = {
    "n": "number",
    "n_positive": "positives",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "mcc": "MCC",
    "auprc": "AUPRC",
    "aupr": "AUPR",
}
"""Scores of a class in the order in which they are read, and their headings."""
FITTED = {
    "temperature": "logits are divided by it",
    "threshold": "a term is called from this output on",
    "half_width": "to both sides of a number, for 90 % of them",
    "mean": "of the numbers in training",
    "sd": "of the numbers in training",
    "gamma": "weight of pairs in structures",
    "weight": "of the network beside ViennaRNA",
    "isotonic": "from outputs to probabilities",
    "codon_evidence": "how sure the network is of codons in sequence like that of its training",
    "confidence": "from scores of genes to how often they are right",
}
LONG_TABLE = 12
"""Rows from which on a table is one to search in."""


@dataclass(frozen=True)
class RunFacts:
    """What a report says of a run besides its numbers.

    Attributes:
        name: Of the run.
        task: Name of the task.
        title: What the task is for.
        channels: Outputs.
        scores: Validation scores that say most, best first, and what they are.
        monitor: Metric that chose the model.
        max_steps: Steps that were asked for.
        facts: By name, in a few words: device, parameters and the like.
        ending: How the run ended; "" where it was as planned.
        card: Text of the model card.
        config: Configuration as YAML.
        fitted: Content of ``calibration.json``.
        commands: What to do with the model.
    """

    name: str
    task: str
    title: str
    channels: Sequence[str]
    scores: Mapping[str, str]
    monitor: str
    max_steps: int
    facts: Mapping[str, str]
    ending: str
    card: str
    config: str
    fitted: Mapping[str, Any]
    commands: str


def write_training_report(path: str | Path, run: RunFacts, history: RunHistory, outcomes: Outcomes) -> None:
    """Write the page; it appears complete or not at all.

    Raises:
        OutputExistsError: If there can be no such file.
        OutputWriteError: If it cannot be written.
    """
    write_page(path, training_page(run, history, outcomes))


def training_page(run: RunFacts, history: RunHistory, outcomes: Outcomes) -> str:
    """The page as text.

    Args:
        run: What was trained.
        history: What was logged.
        outcomes: Of the validation that chose the model.
    """
    curves = run_curves(history, list(run.scores), run.channels)
    sections = [
        _summary(run, history),
        _curves(curves, run.monitor, history),
        _scores(run, history, outcomes),
        _probabilities(run, outcomes),
        _errors(outcomes),
        _made_of(run),
    ]
    lead = f"{run.task}: {run.title}."
    return page_html(f"Training {run.name}", [s for s in sections if s is not None], lead=lead, footer=_versions())


def _summary(run: RunFacts, history: RunHistory) -> Section:
    best = history.best(run.monitor)
    last = history.rows[-1][0] + 1 if history.rows else 0
    tiles: dict[str, Any] = {}
    if best is not None:
        shown = shown_scores(best[1], list(run.scores), run.channels)
        tiles |= {f"{name}, validation": said(value) for name, value in list(shown.items())[:3]}
        tiles["loss, validation"] = said(best[1].get(f"{PREFIX}loss"))
        tiles["step whose weights the model has"] = f"{best[0] + 1:,}"
    tiles["steps"] = f"{last:,} of {run.max_steps:,}"
    warning = note(run.ending, is_warning=True) if run.ending else None
    known = plain_table(["", ""], [[name, value] for name, value in run.facts.items()])
    commands = join(element("h3", "What to do with it"), code_block(run.commands))
    return Section("Summary", join(warning, facts(tiles), known, commands))


def _curves(curves: RunCurves, monitor: str, history: RunHistory) -> Section | None:
    pictures = [
        (lines(series, title=title, x="step", y=y), caption)
        for series, title, y, caption in (
            (curves.loss, "Loss", "loss", "Loss of training and validation. Where validation rises again while "
             "training falls, the model learns by heart."),
            (curves.scores, "Validation scores", "score", "Scores of the whole task in each validation."),
            (curves.outputs, "MCC of each output", "MCC", "How well each output is told, base by base; 0 is a guess."),
            (_thousandfold(curves.rate), "Learning rate", "learning rate × 1000", "Size of each step: it rises, then "
             "falls as a cosine."),
        )
        if series
    ]  # fmt: skip
    if not pictures:
        return None
    about = f"The model is that of the validation with the best {monitor}."
    if len(history.validations()) < 2:
        about += " There was one validation: fewer samples_per_epoch give more places."
    drawn = (element("figure", picture, element("figcaption", caption)) for picture, caption in pictures)
    return Section("Curves", element("div", *drawn, class_="figures pairs"), about)


def _thousandfold(curves: Mapping[str, Curve]) -> dict[str, Curve]:
    return {name: (steps, [1000 * value for value in values]) for name, (steps, values) in curves.items()}


def _scores(run: RunFacts, history: RunHistory, outcomes: Outcomes) -> Section | None:
    best, validations = history.best(run.monitor), history.validations()
    if best is None:
        return None
    own = {output_score(channel, measure) for channel in run.channels for measure in MEASURES}
    names = [name for name in best[1] if name not in own]
    last = validations[-1]
    headings = ["", f"step {best[0] + 1:,}", *([f"step {last[0] + 1:,}"] if last[0] != best[0] else []), ""]
    columns = [_shown(best[1], run), *([_shown(last[1], run)] if last[0] != best[0] else [])]
    ordered = sorted(names, key=lambda name: (_rank(name, list(run.scores)), name))
    meanings = {PREFIX + name: text for name, text in run.scores.items()}
    rows = [[n.removeprefix(PREFIX), *(column[n] for column in columns), meanings.get(n, "")] for n in ordered]
    table = outcomes.get("table")
    per_class = join(element("h3", "Each class" if "confusion" in outcomes else "Each output"), _class_table(table))
    about = "On the validation part, which training has not seen."
    if own & set(best[1]):
        about += (
            " F1 and MCC are of a yes at probability 0.5, AUPRC of the order of probabilities, whatever their size. A "
            "dash stands for scores of called genes before any output is learned."
        )
    return Section("Scores", join(plain_table(headings, rows), per_class if table else None), about)


def _rank(name: str, first: Sequence[str]) -> int:
    """The loss, then the scores that say most, then all others."""
    name = name.removeprefix(PREFIX)
    return -1 if name == "loss" else first.index(name) if name in first else len(first)


def _shown(scores: Mapping[str, float], run: RunFacts) -> dict[str, str]:
    called = shown_scores(scores, list(run.scores), run.channels)
    return {name: said(called.get(name.removeprefix(PREFIX), value)) for name, value in scores.items()}


def _class_table(table: Mapping[str, Any] | None) -> Markup:
    if not table:
        return Markup("")
    names, columns = table["names"], {c: table["columns"][c] for c in COLUMNS if c in table["columns"]}
    if len(names) > LONG_TABLE:
        counted = [Column(COLUMNS[c], values, 0 if c.startswith("n") else 3) for c, values in columns.items()]
        return data_table("classes", [Column("class", names), *counted], hint="Search a class")
    cells = zip(*([_cell(c, v) for v in values] for c, values in columns.items()), strict=True)
    headings = ["", *(COLUMNS[c] for c in columns)]
    return plain_table(headings, [[name, *row] for name, row in zip(names, cells, strict=True)])


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if column.startswith("n") else f"{value:.3f}"


def _probabilities(run: RunFacts, outcomes: Outcomes) -> Section | None:
    curves = outcomes.get("reliability")
    rows = fitted_rows(run.fitted)
    heading = element("h3", "Fitted on the validation part when training had ended")
    fitted = join(heading, plain_table(["", "", ""], rows)) if rows else None
    if not curves and fitted is None:
        return None
    drawn = None
    if curves:
        chart = reliability_chart(curves, title="Reliability")
        drawn = figures((chart, f"Probabilities of {outcomes.get('of', 'an output')}, in tenths."))
    if not curves:
        return Section("Calibration", join(fitted))
    about = "Do probabilities mean what they say? On the diagonal, of what is said with 80 % four in five are right."
    return Section("Calibration", join(drawn, fitted), about)


def fitted_rows(fitted: Mapping[str, Any], prefix: str = "") -> list[list[str]]:
    """What was fitted, as far as it is a number by itself; maps and tables are only named."""
    rows = []
    for name, value in fitted.items():
        if isinstance(value, Mapping) and not prefix and not {"x", "y"} <= set(value):
            rows += fitted_rows(value, f"{name}: ")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            rows.append([f"{prefix}{name}", f"{value:.4g}", FITTED.get(name, "")])
        elif isinstance(value, Mapping) and {"x", "y"} <= set(value):
            rows.append([f"{prefix}{name}", f"map of {len(value['x'])} corners", FITTED.get(name, "")])
    return rows


def _errors(outcomes: Outcomes) -> Section | None:
    if confusion := outcomes.get("confusion"):
        chart = confusion_chart(confusion["names"], confusion["counts"], title="Confusion matrix")
        caption = "Rows: the class that is right. Columns: what was said. Shares are of the row."
        return Section("Which is taken for which", figures((chart, caption)))
    if numbers := outcomes.get("numbers"):
        chart = numbers_chart(numbers["right"], numbers["said"], title="Said and right")
        caption = "Each point is a sequence of the validation part; numbers in standard deviations around their mean."
        return Section("Said and right", figures((chart, caption)))
    return None


def _made_of(run: RunFacts) -> Section:
    body = join(
        code_block(run.card.split("\n| ")[0].strip(), wraps=True) if run.card else None,
        folded("Configuration", code_block(run.config)),
    )
    return Section("Model and data", body, "What the model is, what it was trained on, and how.")


def _versions() -> str:
    return f"genoformer {version('genoformer')}, torch {version('torch')}, Python {platform.python_version()}"
