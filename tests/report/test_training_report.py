"""The report of a training run: what it holds, and that a browser opens it."""

import pytest
from chromium import DESKTOP, PHONE

from genoformer.report.run_curves import MAX_PLACES, run_curves, thinned
from genoformer.report.training_report import RunFacts, fitted_rows, training_page, write_training_report
from genoformer.training.run_history import RunHistory

HARMLESS = "<b>bold</b> & \"quoted\" </script><img src=x onerror='document.title=1'>"
CHANNELS = ("codon_0", "start")


@pytest.fixture
def history():
    rows = [(step, {"train/loss": 1 / (step + 1), "lr": 0.001}) for step in range(0, 400, 2)]
    for step, learned in ((99, 0.0), (199, 0.4), (399, 0.8)):
        found = {"val/loss": 0.5 - learned / 2, "val/gene_f1": 0.8 + learned / 10, "val/codon_0_f1": learned}
        rows.append((step, {**found, "val/codon_0_mcc": learned, "val/start_f1": 0.0, "val/start_mcc": 0.0}))
    return RunHistory(sorted(rows))


@pytest.fixture
def outcomes():
    points = [{"probability": p / 10, "outcome": p / 10, "n": 50.0} for p in range(1, 10)]
    columns = {"f1": [0.8, 0.0], "auprc": [0.9, None], "n_positive": [1200.0, 3.0]}
    return {
        "table": {"names": [HARMLESS, "start"], "columns": columns},
        "reliability": {HARMLESS: points, "start": points},
        "of": "an output at a base",
        "confusion": {"names": [HARMLESS, "b"], "counts": [[8, 2], [0, 0]]},
        "numbers": {"right": [1.0, 2.0], "said": [1.1, 2.1]},
    }


def run_of(**changed):
    values = {
        "name": "demo", "task": "gene_structure", "title": HARMLESS, "channels": CHANNELS,
        "scores": {"gene_f1": HARMLESS},
        "monitor": "val/loss", "max_steps": 400, "facts": {"device": HARMLESS}, "ending": "", "card": HARMLESS,
        "config": HARMLESS, "fitted": {"function": {"temperature": 1.5}}, "commands": HARMLESS,
    }  # fmt: skip
    return RunFacts(**{**values, **changed})


def test_everything_that_comes_from_outside_is_escaped(history, outcomes):
    page = training_page(run_of(), history, outcomes)
    assert "<b>bold" not in page and "<img" not in page
    assert page.count("&lt;b&gt;bold") >= 5


def test_a_page_has_scores_curves_calibration_and_what_to_do(history, outcomes):
    page = training_page(run_of(commands="genoformer predict x.fa"), history, outcomes)
    for words in ("Summary", "Curves", "Scores", "Calibration", "Which is taken for which", "Model and data"):
        assert f"<h2>{words}</h2>" in page
    assert "genoformer predict x.fa" in page and "0.8800" in page and "logits are divided by it" in page
    assert "<dd>400 of 400</dd>" in page


def test_a_run_that_was_cut_short_or_has_logged_nothing_has_a_page(history):
    page = training_page(run_of(ending="The run was interrupted."), RunHistory([]), {})
    assert "The run was interrupted." in page and "0 of 400" in page and "<h2>Curves</h2>" not in page


def test_scores_of_called_genes_are_no_curve_before_an_output_is_learned(history):
    curves = run_curves(history, ("gene_f1",), CHANNELS)
    assert curves.scores["gene_f1"][0] == [199, 399]
    assert curves.outputs["codon_0"] == ([99, 199, 399], [0.0, 0.4, 0.8])
    assert set(curves.loss) == {"training", "validation"}


def test_long_curves_are_means_of_neighbours():
    steps, values = thinned(range(10_000), [float(i % 2) for i in range(10_000)])
    assert len(steps) == MAX_PLACES and set(values) == {0.5}
    assert thinned([1, 2], [3.0, 4.0]) == ([1.0, 2.0], [3.0, 4.0])
    assert thinned([], []) == ([], [])


def test_what_was_fitted_is_named_and_large_tables_are_left_out():
    fitted = {"function": {"isotonic": {"x": [0.0, 1.0], "y": [0.1, 0.9]}, "threshold": 0.25, "information": [1.0]}}
    assert fitted_rows({**fitted, "decoder": {"plain": {"weights": [1]}}}) == [
        ["function: isotonic", "map of 2 corners", "from outputs to probabilities"],
        ["function: threshold", "0.25", "a term is called from this output on"],
    ]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_browser_opens_it_without_an_error_and_without_the_network(chromium, history, outcomes, tmp_path, size):
    many = {"names": [f"class {i}" for i in range(40)], "columns": {"f1": [0.5] * 40, "n": [3.0] * 40}}
    page = tmp_path / "report.html"
    write_training_report(page, run_of(), history, {**outcomes, "table": many})
    chromium.open(page, size)
    assert chromium.complaints() == []
    assert chromium.requests() == [page.as_uri()]
    assert chromium.driver.title == "Training demo"
    assert chromium.run("return document.querySelectorAll('svg.chart').length") == 6
    assert chromium.run("return document.querySelectorAll('#classes tbody tr').length") > 5
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert chromium.run(wide) <= 0
