"""Loggers beside metrics.csv."""

import csv
import importlib.util
from pathlib import Path

import pytest
from pytorch_lightning.loggers import CSVLogger

from genoformer.cli.main import main
from genoformer.errors import UsageError
from genoformer.training.loggers import missing_package, missing_package_named, run_loggers
from genoformer.training.metrics_log import MetricsLog

TINY = ["fit", "--config", "gene_structure_tiny", "--trainer.accelerator", "cpu", "--trainer.max_steps", "2"]


def test_our_own_log_comes_first_whatever_is_asked_for(tmp_path):
    own, other = MetricsLog(tmp_path / "metrics.csv"), CSVLogger(tmp_path)
    assert run_loggers(own, other) == run_loggers(own, [other]) == [own, other]
    assert [run_loggers(own, wanted) for wanted in (None, True, False)] == [[own]] * 3


def test_another_logger_gets_what_metrics_csv_gets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "-o", "g", "--length-bp", "24000", "--contigs", "2"]) == 0
    genome = ["--data.fasta", "g/genome.fa", "--data.annotation", "g/genome.gff3"]
    logger = ["--trainer.logger", "CSVLogger", "--trainer.logger.save_dir", "logs"]
    assert main([*TINY, *genome, *logger, "--name", "one"]) == 0
    (path,) = Path("logs").rglob("metrics.csv")
    own, other = (list(csv.DictReader(open(p))) for p in ("runs/one/metrics.csv", path))
    assert {row["step"] for row in own} == {row["step"] for row in other} == {"0", "1"}
    assert [float(row["train/loss"]) for row in own] == pytest.approx(
        [float(row["train/loss"]) for row in other if row["train/loss"]], rel=1e-6
    )


@pytest.mark.parametrize(("logger", "package"), [("TensorBoardLogger", "tensorboard"), ("WandbLogger", "wandb")])
def test_a_missing_package_is_named(logger, package, tmp_path, monkeypatch, capsys):
    if importlib.util.find_spec(package):
        pytest.skip("is installed")
    monkeypatch.chdir(tmp_path)
    assert main([*TINY, "--trainer.logger", logger, "--trainer.logger.save_dir", "logs"]) == 2
    message = capsys.readouterr().err
    assert f"CURVES-003] trainer.logger: this logger needs the package {package}" in message
    assert f"pip install {package}" in message


def test_other_errors_are_left_as_they_are():
    assert missing_package(ValueError("wandb")) is None
    with pytest.raises(ValueError, match="another"), missing_package_named():
        raise ValueError("another")
    with pytest.raises(UsageError, match="mlflow"), missing_package_named():
        raise ModuleNotFoundError("No module named 'mlflow'")
