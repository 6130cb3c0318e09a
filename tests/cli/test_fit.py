"""``fit``, ``validate`` and ``test``: configurations, run folders, one-line errors."""

import json
import re
import shutil
import signal
from pathlib import Path

import pytest
import torch
import yaml
from labelled_tables import TABLE, data_of_recipe

from genoformer.bundle.folder import load_bundle
from genoformer.cli.fit import GenoformerCLI, prepare_arguments, run_lightning
from genoformer.cli.main import main
from genoformer.errors import MissingFileError, OutputExistsError, RefusedError, UsageError
from genoformer.genomes.store import Store
from genoformer.training.config_files import config_folder, find_config, shipped_configs
from genoformer.training.signals import StopRequest

EXPERIMENTS = sorted(path.stem for path in (config_folder() / "experiment").glob("*.yaml"))
OVERLAYS = sorted(path.stem for path in (config_folder() / "trainer").glob("*.yaml"))
FSDP = "pytorch_lightning.strategies.FSDPStrategy"
TINY = ["--config", "gene_structure_tiny", "--trainer.accelerator", "cpu"]


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("genome")
    assert main(["simulate", "-o", str(folder), "--length-bp", "24000", "--contigs", "2"]) == 0
    return ["--data.fasta", str(folder / "genome.fa"), "--data.annotation", str(folder / "genome.gff3")]


@pytest.fixture(scope="module")
def trained(genome, tmp_path_factory) -> Path:
    """A folder with a finished run called "one"."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run_lightning("fit", [*TINY, *genome, "--name", "one"]) == 0
    return folder


@pytest.fixture
def work(trained, tmp_path, monkeypatch) -> Path:
    """A copy of the finished run, as current folder."""
    shutil.copytree(trained / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parse(*arguments, command="fit"):
    return GenoformerCLI(command, prepare_arguments(arguments), StopRequest())


@pytest.mark.one_in(5)
@pytest.mark.parametrize("overlay", [None, *OVERLAYS])
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_configuration_builds_model_data_and_trainer(experiment, overlay, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    extra = ["--config", overlay, "--trainer.accelerator", "cpu"] if overlay else ["--trainer.accelerator", "cpu"]
    stored = yaml.safe_load((config_folder() / "experiment" / f"{experiment}.yaml").read_text())
    there = data_of_recipe(stored, tmp_path)
    cli = parse("--config", experiment, *extra, *there)
    chosen = {key: value for choice in cli.choices for key, value in choice.settings.items()}
    assert bool(chosen) is bool(there)
    d_model = chosen["model.encoder.d_model"] if there else stored["model"]["encoder"]["d_model"]
    assert cli.model.encoder_config.d_model == d_model
    k = chosen["model.k"] if there else stored["model"]["k"]
    assert cli.datamodule.tokenizer.k == cli.model.tokenizer.k == k
    assert cli.model.max_steps == cli.trainer.max_steps
    assert [path.name for path in tmp_path.iterdir()] == ([TABLE] if there else [])


def test_later_configurations_and_options_win():
    cli = parse(*TINY, "--config=debug", "--model.encoder.d_model", "64", "--seed_everything", "7")
    assert (cli.trainer.max_steps, cli.model.encoder_config.d_model, cli.datamodule.seed) == (5, 64, 7)
    assert cli.model.encoder_config.n_layers == 2


def test_bare_names_and_files_are_found(tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text("seed_everything: 3\n")
    assert find_config("cpu") == find_config("trainer/cpu") == config_folder() / "trainer" / "cpu.yaml"
    assert prepare_arguments(["--config", str(own), "-c=cpu"]) == [
        "--name", "mine", "--config", str(own), f"-c={find_config('cpu')}",
    ]  # fmt: skip
    assert len(shipped_configs()) == 2 * (len(EXPERIMENTS) + len(OVERLAYS))


def test_finished_run_holds_what_was_promised(trained):
    run = trained / "runs" / "one"
    assert load_bundle(run / "model").config.k == 3
    assert yaml.safe_load((run / "config.yaml").read_text())["name"] == "one"
    header, *rows = (run / "metrics.csv").read_text().splitlines()
    assert {"step", "train/loss", "val/loss", "val/codon_0_mcc", "val/start_auprc"} <= set(header.split(","))
    assert [row.split(",")[0] for row in rows] == [str(step) for step in range(12)]
    assert {path.name for path in run.iterdir()} == {
        ".genoformer.lock", "checkpoints", "config.yaml", "curves.png", "data.h5", "metrics.csv", "model",
        "report.html", "run.json",
    }  # fmt: skip


def test_same_seed_gives_the_same_weights_and_another_does_not(work, genome):
    def weights(name):
        return (work / "runs" / name / "model" / "model.safetensors").read_bytes()

    assert run_lightning("fit", [*TINY, *genome, "--name", "two"]) == 0
    assert run_lightning("fit", [*TINY, *genome, "--name", "three", "--seed_everything", "1"]) == 0
    assert weights("two") == weights("one")
    assert weights("three") != weights("one")


def test_finished_run_has_nothing_to_do(work, genome, capsys):
    before = (work / "runs/one/metrics.csv").stat().st_mtime_ns
    assert run_lightning("fit", [*TINY, *genome, "--name", "one", "--data.loader.num_workers", "1"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert (work / "runs/one/metrics.csv").stat().st_mtime_ns == before


def test_other_settings_or_data_under_the_same_name_are_refused(work, genome):
    for other in (["--model.lr", "0.5"], ["--data.fasta", _changed_fasta(work, genome)]):
        with pytest.raises(OutputExistsError, match="one"):
            run_lightning("fit", [*TINY, *genome, "--name", "one", *other])
    assert load_bundle(work / "runs/one/model").config.k == 3


def _changed_fasta(work, genome) -> str:
    path = work / "genome.fa"
    path.write_text(Path(genome[1]).read_text() + ">extra\nACGT\n")
    return str(path)


def test_overwrite_replaces_the_run(work, genome):
    options = [*TINY, *genome, "--name", "one", "--trainer.max_steps", "2", "--overwrite"]
    assert run_lightning("fit", options) == 0
    assert len((work / "runs/one/metrics.csv").read_text().splitlines()) == 3


def test_training_starts_from_the_weights_of_a_bundle(work, genome):
    options = [*TINY, *genome, "--name", "tuned", "--init_from", "runs/one/model", "--model.lr", "0.0"]
    assert run_lightning("fit", [*options, "--trainer.max_steps", "1"]) == 0
    start, end = (load_bundle(work / "runs" / name / "model").model.state_dict() for name in ("one", "tuned"))
    assert all(torch.equal(start[name], end[name]) for name in start)


def test_validate_scores_the_model_of_the_run(work, genome, capsys):
    assert run_lightning("validate", [*TINY, *genome, "--name", "one"]) == 0
    printed = json.loads(capsys.readouterr().out)
    rows = (work / "runs/one/metrics.csv").read_text().splitlines()
    column = rows[0].split(",").index("val/loss")
    best = min(float(row.split(",")[column]) for row in rows[1:] if row.split(",")[column])
    assert printed["val/loss"] == pytest.approx(best, rel=1e-5)
    assert json.loads((work / "runs/one/validate.json").read_text())["val/loss"] == printed["val/loss"]


def test_test_needs_a_test_part(work, genome):
    with pytest.raises(UsageError, match="test part"):
        run_lightning("test", [*TINY, *genome, "--name", "one"])


def test_validation_regions_are_never_trained_on(work, genome):
    cli = parse(*TINY, *genome, "--name", "one")
    data = cli.datamodule
    data.setup()
    dataset = data.train_dataloader().dataset
    held_out = {(r.record, base) for r in data.regions["validation"] for base in range(r.start, r.end)}
    assert len(held_out) > 1000
    for index in range(500):
        region, start, end, _ = dataset.place(index)
        assert not any((region.record, base) in held_out for base in range(start, end))
    assert isinstance(data.store, Store)


def test_loss_that_explodes_ends_with_76_and_keeps_a_good_checkpoint(tmp_path, monkeypatch, genome):
    monkeypatch.chdir(tmp_path)
    assert main(["fit", *TINY, *genome, "--name", "bad", "--model.lr", "1e30", "--model.warmup_steps", "4"]) == 76
    kept = list((tmp_path / "runs/bad/checkpoints").glob("*.ckpt"))
    for path in kept:
        state = torch.load(path, weights_only=True)["state_dict"]
        assert all(torch.isfinite(tensor).all() for tensor in state.values())
    assert not (tmp_path / "runs/bad/model/manifest.json").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "found"),
    [
        (["--config", "gene_structure_tinny"], 66, "Did you mean gene_structure_tiny"),
        (["--config", "absent.yaml"], 66, "absent.yaml"),
        ([], 2, "nothing says what is trained"),
        ([*TINY, "--model.lr", "fast"], 2, "fast"),
        ([*TINY, "--model.poetry", "1"], 2, "poetry"),
        ([*TINY, "--model.encoder.n_heads", "5"], 2, "n_heads 5"),
        ([*TINY, "--model.k", "30"], 2, "30"),
        ([*TINY, "--data.crop_bp", "0"], 2, "crop_bp"),
        ([*TINY, "--trainer.max_steps", "0"], 2, "max_steps"),
        ([*TINY, "--trainer.strategy", "fsdp"], 2, "fsdp divides weights among devices in a way"),
        ([*TINY, "--trainer.strategy", FSDP, "--trainer.devices", "2"], 2, "FSDPStrategy divides"),
        ([*TINY, "--name", "../elsewhere"], 2, "elsewhere"),
        ([*TINY, "--ckpt_path", "https://example.org/a.ckpt"], 77, "example.org"),
        ([*TINY, "--ckpt_path", "absent.ckpt"], 66, "absent.ckpt"),
        ([*TINY, "--data.fasta", "absent.fa", "--data.annotation", "absent.gff3"], 66, "absent.fa"),
        (TINY, 2, "no genome"),
    ],
)
def test_error_is_one_line_with_its_exit_code_and_leaves_nothing(arguments, code, found, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["fit", *arguments]) == code
    message = capsys.readouterr().err.strip()
    assert found in message
    assert len(message.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_same_validation_and_test_are_refused(tmp_path, monkeypatch, genome, capsys):
    monkeypatch.chdir(tmp_path)
    split = ["--data.split.by", "contig", "--data.split.validation", "[sim1_1]", "--data.split.test", "[sim1_1]"]
    assert main(["fit", *TINY, *genome, *split]) == 2
    assert "sim1_1" in capsys.readouterr().err


def test_checkpoint_of_another_configuration_is_not_continued(work, genome):
    options = [*TINY, *genome, "--name", "four", "--model.lr", "0.5", "--ckpt_path", "runs/one/checkpoints/last.ckpt"]
    with pytest.raises(UsageError, match="init_from"):
        run_lightning("fit", options)


def test_network_checkpoint_is_refused_for_validate(work, genome):
    with pytest.raises(RefusedError, match="network"):
        run_lightning("validate", [*TINY, *genome, "--ckpt_path", "http://example.org/x.ckpt"])


def test_missing_bundle_is_named(work, genome):
    with pytest.raises(MissingFileError, match="nowhere"):
        run_lightning("fit", [*TINY, *genome, "--name", "five", "--init_from", "nowhere"])


def test_signal_handlers_are_put_back(work, genome):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    run_lightning("fit", [*TINY, *genome, "--name", "one"])
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_prepare_makes_the_store_that_fit_reads(tmp_path, monkeypatch, genome, capsys):
    monkeypatch.chdir(tmp_path)
    options = [genome[1], "--annotation", genome[3], "-o", "own.h5"]
    assert main(["prepare", *options]) == 0
    assert main(["prepare", *options]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main(["prepare", *options, "--genetic-code", "4"]) == 73
    assert run_lightning("fit", [*TINY, "--data.store", "own.h5", "--name", "s", "--trainer.max_steps", "1"]) == 0
    assert not (tmp_path / "runs/s/data.h5").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], r"nothing says what is trained\. Give --config NAME .*gene_structure_bacteria"),
        (
            ["--config", "gene_structure_demo", "--data.labels", "x"],
            r"--data\.labels x\. .* --data\.annotation, .*fasta",
        ),
    ],
)
def test_what_is_missing_or_unknown_comes_with_what_there_is(arguments, message, capsys):
    assert main(["fit", *arguments]) == 2
    assert re.search(f"CONFIG-001.*{message}", capsys.readouterr().err)


def test_input_that_cannot_be_read_leaves_no_folder_and_does_not_bind_the_name(genome, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    bad = tmp_path / "bad.gff3"
    bad.write_text("##gff-version 3\nother\tx\tCDS\t1\t90\t.\t+\t0\tID=a\n")
    assert main(["fit", *TINY, *genome[:2], "--data.annotation", str(bad), "--name", "one"]) == 65
    assert capsys.readouterr().err.splitlines()[-1].startswith("genoformer: error[")
    assert not (tmp_path / "runs").exists()
