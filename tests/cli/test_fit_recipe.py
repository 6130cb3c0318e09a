"""``fit`` with settings that a recipe chooses: what is said and stored, what wins, and that runs go on."""

import os
import signal

import numpy as np
import pytest
import yaml
from labelled_tables import bases, coding_bases, two_kinds, write_table

from genoformer.bundle.folder import load_bundle
from genoformer.cli.main import main
from genoformer.training.module import GenomeModule

SMALL = ["--trainer.accelerator", "cpu", "--model.encoder.d_model", "16", "--model.encoder.d_ff", "16"]
STEPS = ["--trainer.max_steps", "4", "--trainer.enable_progress_bar", "false"]
ONE = ["fit", "--config", "function", "--data.labels", "my.csv", *SMALL, *STEPS, "--name", "one"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table of windows, and the finished run "one"."""
    folder = tmp_path_factory.mktemp("recipe")
    write_table(folder / "my.csv", two_kinds(60, (40, 40)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(ONE) == 0
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def stored(name):
    with open(f"runs/{name}/config.yaml") as file:
        return yaml.safe_load(file)


def test_run_holds_what_was_chosen_and_what_was_set(here):
    config = stored("one")
    assert config["recipe"] is False and config["data"]["columns"]["sequence"] == "sequence"
    model = config["model"]
    assert (model["k"], model["stride"]) == (3, 1)
    assert (model["options"]["max_bp"], model["options"]["strands"]) == (40, "forward")
    assert model["encoder"]["positions"] == "learned" and model["encoder"]["attention"]["window_radius"] == 32
    assert model["encoder"]["d_model"] == 16 and model["encoder"]["n_layers"] == 2
    assert config["trainer"]["max_steps"] == 4 and config["data"]["loader"]["batch_size"] == 4
    assert config["data"]["split"]["validation"] == 0.2
    assert load_bundle("runs/one/model").config.encoder["d_model"] == 16


def test_the_same_command_and_the_stored_configuration_have_nothing_to_do(here, capsys):
    assert main(ONE) == 0
    assert main(["fit", "--config", "runs/one/config.yaml", "--name", "one"]) == 0
    told = capsys.readouterr()
    assert told.out.count("nothing to do") == 2 and "chosen" not in told.err
    assert main(["validate", *ONE[1:]]) == 0


def test_choices_are_said_with_their_reasons(here, capsys):
    assert main([*ONE[:-1], "said", "--trainer.max_steps", "1"]) == 0
    lines = capsys.readouterr().err.splitlines()
    first = lines.index("genoformer: chosen from the data")
    said = lines[first + 1 : lines.index("genoformer: training")]
    assert "  model.k 3, model.stride 1, model.options.max_bp 40: most have up to 40 bp" in said
    assert any("of 2 classes the largest has 30 sequences, the smallest 30" in line for line in said)
    assert not [line for line in said if "max_steps" in line or "d_model" in line] and len(said) < 12


def test_a_configuration_of_the_user_wins_wherever_it_stands(here, capsys):
    mine = {"model": {"k": 5, "encoder": {"n_layers": 1}, "lr": 1e-3}, "data": {"split": {"seed": 5}}}
    (here / "mine.yaml").write_text(yaml.safe_dump(mine))
    for name, configs in (("before", ["mine.yaml", "function"]), ("behind", ["function", "mine.yaml"])):
        words = [word for config in configs for word in ("--config", config)]
        assert main(["fit", *words, "--data.labels", "my.csv", *SMALL, *STEPS, "--name", name]) == 0
        config = stored(name)
        assert config["model"]["k"] == 5 and config["model"]["encoder"]["conv_width"] == 7
        assert config["data"]["split"] == {
            "by": "random", "validation": 0.1, "test": None, "seed": 5, "file": None, "fraction_of_sequences": False,
            "keep_copies": False, "relatives": None,
        }  # fmt: skip
    assert stored("behind")["model"]["encoder"]["n_layers"] == 1 and stored("behind")["model"]["lr"] == 1e-3
    assert "data.split" not in capsys.readouterr().err


def test_what_is_printed_is_what_is_chosen(here, capsys):
    assert main([*ONE, "--print_config"]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed["recipe"] is False and printed["model"] == stored("one")["model"]


def test_an_interrupted_run_goes_on_to_the_same_weights(here, monkeypatch):
    step, calls = GenomeModule.training_step, []

    def interrupted(self, batch, batch_idx):
        calls.append(batch_idx)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, batch, batch_idx)

    words = [*ONE[:-1], "cut"]
    with monkeypatch.context() as patch:
        patch.setattr(GenomeModule, "training_step", interrupted)
        assert main(words) == 143
    assert not (here / "runs/cut/model").exists() and len(calls) == 3
    assert main(words) == 0
    first, other = (load_bundle(f"runs/{name}/model").model.state_dict() for name in ("one", "cut"))
    assert all((first[name] == other[name]).all() for name in first)


@pytest.mark.parametrize(
    ("arguments", "code", "found"),
    [
        ([], 2, "no labels are given"),
        (["--data.labels", "absent.csv"], 66, "absent.csv"),
        (["--data.labels", "my.csv", "--data.columns.label", "sort"], 65, 'there is no column "sort"'),
        (["--data.labels", "bad.csv"], 65, "bad.csv line 3"),
        (["--data.labels", "empty.csv"], 65, "the table has no rows"),
        (["--data.labels", "unlabelled.csv"], 65, "no sequence has a label"),
        (["--data.labels", "short.csv"], 65, "short.csv line 2"),
        (["--data.labels", "no_sequence.csv"], 2, "nothing says where the sequences are"),
        (["--data.labels", "my.csv", "--model.options.kind", "poem"], 2, "poem"),
    ],
)
def test_tables_that_cannot_be_read_are_one_error_before_anything_is_made(here, arguments, code, found, capsys):
    write_table(here / "bad.csv", [("ACGT", "x"), ("AC!T", "y")])
    write_table(here / "short.csv", [("ACGT",)])
    write_table(here / "empty.csv", [])
    write_table(here / "unlabelled.csv", [("ACGT", ""), ("ACGA", "")])
    write_table(here / "no_sequence.csv", [("ACGT", "x")], ["bases", "label"])
    assert main(["fit", "--config", "function", *arguments, "--name", "bad"]) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("genoformer: error[") and found in lines[0]
    assert not (here / "runs/bad").exists()


def test_a_task_without_a_recipe_says_so(here, capsys):
    assert main(["fit", "--config", "gene_structure_tiny", "--recipe", "true"]) == 2
    assert "error[CONFIG-034]" in capsys.readouterr().err


def test_mixed_lengths_up_to_30_kb_train(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = [*two_kinds(40, (300, 5_000)), *two_kinds(6, (20_000, 30_000), seed=1)]
    table = write_table(tmp_path / "my.csv", rows)
    words = ["--config", "function", "--data.labels", table, *SMALL, *STEPS, "--trainer.max_steps", "2"]
    assert main(["fit", *words]) == 0
    config = stored("function")
    assert (config["model"]["stride"], config["model"]["options"]["strands"]) == (6, "average")
    assert config["model"]["options"]["max_bp"] == max(len(sequence) for sequence, _ in rows)
    assert "LABELS-104" not in capsys.readouterr().err


def test_coding_sequences_with_terms_train_as_codons(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    rows = [(coding_bases(rng, int(rng.integers(20, 60))), f"all;t{i % 3}", f"c{i % 8}") for i in range(64)]
    write_table(tmp_path / "my.tsv", rows, ["dna", "label", "chrom"])
    assert main(["fit", "--config", "function_multilabel", "--data.labels", "my.tsv", *SMALL, *STEPS]) == 0
    config = stored("function_multilabel")
    assert config["model"]["encoder"]["amino_acid_words"] == 3 and config["data"]["augment"]["substituted"] == 0.2
    assert config["data"]["columns"]["group"] == "chrom" and config["data"]["split"]["by"] == "group"
    bundle = load_bundle("runs/function_multilabel/model")
    assert bundle.config.labels == ["all", "t0", "t1", "t2"] and bundle.config.options["relatives"]
    assert len(bundle.calibration["function"]["relatives"]["ids"]) == sum(i % 8 not in (0, 1) for i in range(64))


def test_numbers_train(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    rows = [(text := bases(rng, 30), 1_000 + 50 * text.count("G")) for _ in range(60)]
    table = write_table(tmp_path / "my.csv", rows)
    assert main(["fit", "--config", "regression", "--data.labels", table, *SMALL, *STEPS]) == 0
    fitted = load_bundle("runs/regression/model").calibration["function"]
    assert fitted["mean"] > 1_000 and fitted["sd"] > 10


def test_uneven_classes_are_balanced_and_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(4)
    rows = [(bases(rng, 30), "rare" if i < 6 else "common") for i in range(100)]
    table = write_table(tmp_path / "my.csv", rows)
    assert main(["fit", "--config", "function", "--data.labels", table, *SMALL, *STEPS]) == 0
    assert "data.balance 0.5: of 2 classes the largest has 94 sequences, the smallest 6" in capsys.readouterr().err
    assert stored("function")["data"]["balance"] == 0.5


@pytest.mark.slow
def test_training_ends_where_validation_gets_no_better(here, capsys):
    """Labels that mean nothing."""
    rng = np.random.default_rng(5)
    write_table(here / "noise.csv", [(bases(rng, 20), "ab"[i % 2]) for i in range(60)])
    words = ["--data.labels", "noise.csv", *SMALL, "--trainer.max_steps", "600", "--name", "noise"]
    assert main(["fit", "--config", "function", *words, "--trainer.enable_progress_bar", "false"]) == 0
    last = (here / "runs/noise/metrics.csv").read_text().splitlines()[-1]
    assert int(last.partition(",")[0]) < 599
    capsys.readouterr()
    assert main(["fit", "--config", "function", *words]) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_near_copies_are_on_one_side(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(7)
    texts = [bases(rng, 60) for _ in range(120)]
    rows = [(text + bases(rng, 3), "ab"[i % 2]) for i, text in enumerate(texts) for _ in range(2)]
    table = write_table(tmp_path / "my.csv", rows)
    words = ["--config", "function", "--data.labels", table, *SMALL, *STEPS, "--trainer.max_steps", "1"]
    assert main(["fit", *words]) == 0
    assert stored("function")["data"]["split"]["relatives"] == 0.3
    told = capsys.readouterr().err
    assert "240 with near copies stay with them" in told and "LEAKAGE-002" not in told
    assert main(["fit", *words, "--data.split.by", "random", "--name", "apart"]) == 0
    assert "LEAKAGE-002" in capsys.readouterr().err


def test_numbers_that_are_taken_for_classes_are_told_what_they_are(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(8)
    table = write_table(tmp_path / "my.csv", [(bases(rng, 30), i / 7) for i in range(40)])
    assert main(["fit", "--config", "function", "--data.labels", table]) == 65
    assert "LABELS-011" in (told := capsys.readouterr().err) and "kind regression" in told
    assert not (tmp_path / "runs").exists()


def test_labels_in_headers_and_tables_beside_fasta_files_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = two_kinds(60, (40, 40))
    (tmp_path / "s.fa").write_text("".join(f">s{i} label={kind}\n{text}\n" for i, (text, kind) in enumerate(rows)))
    write_table(tmp_path / "my.csv", [(f"s{i}", kind, "x") for i, (_, kind) in enumerate(rows)], ["id", "label", "seq"])
    beside = ["--data.labels", "my.csv", "--data.fasta", "s.fa", "--data.columns.id", "id"]
    for name, words in (("headers", ["--data.fasta", "s.fa"]), ("beside", beside)):
        assert main(["fit", "--config", "function", *words, *SMALL, *STEPS, "--name", name]) == 0
        assert stored(name)["model"]["options"]["max_bp"] == 40
        assert stored(name)["data"]["columns"]["sequence"] is None
