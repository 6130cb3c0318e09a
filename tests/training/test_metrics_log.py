"""metrics.csv: columns, rows and continuation."""

from genoformer.training.metrics_log import MetricsLog


def test_values_of_one_step_share_a_row_and_new_names_add_columns(tmp_path):
    log = MetricsLog(tmp_path / "metrics.csv")
    log.log_metrics({"train/loss": 0.5}, step=0)
    log.log_metrics({"train/loss": 0.25}, step=1)
    log.log_metrics({"val/f1": 1.0}, step=1)
    assert (tmp_path / "metrics.csv").read_text() == "step,train/loss,val/f1\n0,0.5,\n1,0.25,1\n"


def test_continued_log_forgets_rows_after_the_checkpoint(tmp_path):
    log = MetricsLog(tmp_path / "metrics.csv")
    for step in range(4):
        log.log_metrics({"train/loss": step / 7}, step=step)
    whole = (tmp_path / "metrics.csv").read_text()
    again = MetricsLog(tmp_path / "metrics.csv")
    again.continue_from(2)
    assert sorted(again.rows) == [0, 1]
    for step in (2, 3):
        again.log_metrics({"train/loss": step / 7}, step=step)
    assert (tmp_path / "metrics.csv").read_text() == whole


def test_nothing_logged_leaves_no_file(tmp_path):
    log = MetricsLog(tmp_path / "metrics.csv")
    log.continue_from(5)
    log.save()
    assert list(tmp_path.iterdir()) == []
