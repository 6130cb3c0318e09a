"""Curves and the best validation from metrics.csv."""

import pytest

from genoformer.training.run_history import RunHistory, is_better

TEXT = """step,train/loss,val/loss,val/f1
9,0.5,0.4,0.1
19,0.3,,
29,0.2,0.3,0.3
39,nan,0.35,0.2
"""


@pytest.fixture
def history(tmp_path):
    (tmp_path / "metrics.csv").write_text(TEXT)
    return RunHistory.read(tmp_path / "metrics.csv")


def test_columns_leave_out_what_was_not_logged_or_is_no_number(history):
    assert history.column("train/loss") == ([9, 19, 29], [0.5, 0.3, 0.2])
    assert history.column("val/loss") == ([9, 29, 39], [0.4, 0.3, 0.35])
    assert history.names == ["train/loss", "val/loss", "val/f1"]


def test_the_best_validation_is_lowest_in_a_loss_and_highest_otherwise(history):
    assert history.best("val/loss") == (29, {"val/loss": 0.3, "val/f1": 0.3})
    assert history.best("val/f1")[0] == 29
    assert history.best("val/absent") is None


def test_no_file_is_an_empty_history(tmp_path):
    empty = RunHistory.read(tmp_path / "absent.csv")
    assert (empty.rows, empty.validations(), empty.best("val/loss")) == ([], [], None)


def test_nan_is_never_better_and_equal_is_not():
    nan = float("nan")
    assert [is_better(v, b, "val/loss") for v, b in ((nan, None), (1.0, None), (1.0, 1.0), (nan, 1.0), (0.5, 1.0))] == [
        False, True, False, False, True,
    ]  # fmt: skip
    assert is_better(2.0, 1.0, "val/f1") and not is_better(0.5, 1.0, "val/f1")
