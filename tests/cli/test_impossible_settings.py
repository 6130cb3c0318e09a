"""Settings, configurations and options that cannot be: exit code 2 and a line that names them, never a bug of ours."""

import shutil
from pathlib import Path

import pytest

from genoformer.cli import main as main_module
from genoformer.cli.fit import run_lightning
from genoformer.cli.main import COMMANDS, main
from genoformer.cli.option_values import MOST_THREADS
from genoformer.cli.process_variables import PLACES, check_process_variables
from genoformer.errors import DataError, UsageError
from genoformer.training import yaml_text
from genoformer.training.yaml_text import check_yaml_file, check_yaml_size

TINY = ["--config", "gene_structure_tiny", "--trainer.accelerator", "cpu", "--trainer.max_steps", "2"]
LONG = "9" * 5_000
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("genome")
    assert main(["simulate", "-o", str(folder), "--length-bp", "24000", "--contigs", "2"]) == 0
    return ["--data.fasta", str(folder / "genome.fa"), "--data.annotation", str(folder / "genome.gff3")]


@pytest.fixture
def fit(genome, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        capsys.readouterr()
        code = main(["fit", *TINY, *genome, *arguments])
        return code, [line for line in capsys.readouterr().err.splitlines() if "error[" in line]

    return run


SETTINGS = {
    "trainer.accelerator": ["warp", "tpu", ""],
    "trainer.devices": ["0", "-5", "x", "1.5", "[]", "99999999", LONG],
    "trainer.num_nodes": ["0", "99999999"],
    "trainer.strategy": ["warp", "xla", "single_tpu", "deepspeed"],
    "trainer.max_time": ["x", "00:00:00:00", "{days: -1}", "{x: 1}", "2024-13-45"],
    "trainer.max_steps": ["0", "-2", "1e3", "²", LONG, "null"],
    "trainer.accumulate_grad_batches": ["0", "-1"],
    "trainer.check_val_every_n_epoch": ["0"],
    "trainer.val_check_interval": ["0", "-1", "99999999"],
    "trainer.precision": ["8"],
    "trainer.limit_train_batches": ["-1"],
    "trainer.profiler": ["x"],
    "seed_everything": ["-1", "4294967296", "x", LONG, "null"],
    "checkpoint_every_n_steps": ["0", LONG, "null"],
    "name": ['"a\\u0000b"', ".."],
    "monitor": ["null"],
    "recipe": ["null"],
    "overwrite": ["null"],
    "model.lr": ["-1", "nan", "1e400"],
    "model.weight_decay": ["-1"],
    "model.k": ["0", LONG],
    "model.stride": ["0", "-1"],
    "model.encoder.n_layers": ["99999999", LONG],
    "model.encoder.attention": ["&a [*a]", "[" * 3_000],
    "data.loader.num_workers": ["-1", "99999"],
    "data": ["&a {b: *a}"],
    "model.encoder": ["{100: 3}"],
    "data.crop_bp": ["null"],
    "data.loader.batch_size": ["0", "99999999", "null"],
    "model.tile_bp": ["null"],
    "model.freeze_layers": ["null"],
}
CASES = [(name, value) for name, values in SETTINGS.items() for value in values]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{name}={value[:12]}" for name, value in CASES])
def test_a_setting_that_cannot_be_is_a_mistake_of_the_configuration(name, value, fit):
    value = value.encode().decode("unicode_escape").strip('"') if name == "name" else value
    code, lines = fit(f"--{name}={value}")
    assert code == 2 and len(lines) == 1, lines
    assert len(lines[0]) < 1_000 and not list(Path("runs").glob("*/model")) if Path("runs").exists() else True


FILES = {
    "latin-1": b"model:\n  lr: \xe9\n",
    "utf-16": "model: {}".encode("utf-16"),
    "day": b"name: 2024-02-30\n",
    "month": b"trainer:\n  max_time: 2024-13-45\n",
    "laughs": LAUGHS.encode(),
    "inside itself": b"trainer: &a [*a]\n",
    "key inside itself": b"model: &a\n  encoder: *a\n",
    "merged into itself": b"model: &a {<<: *a}\n",
    "deep": b"[" * 9_000,
    "digits": f"trainer:\n  max_steps: {LONG}\n".encode(),
    "null byte": b"name: \0\n",
    "tag": b"name: !!python/object/apply:os.getcwd []\n",
    "list as key": b"? [1, 2]\n: 3\n",
    "no alias": b"name: *nothing\n",
    "two documents": b"name: a\n---\nname: b\n",
    "large": b"name: " + b"x" * (yaml_text.MOST_BYTES + 1),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_configuration_is_named(name, tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    path.write_bytes(FILES[name])
    for command in (["fit", "--config"], ["validate", *TINY, "--config"], ["fit", "--help", "--config"], ["configs"]):
        assert main([*command, str(path)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "error[CONFIG-031]" in line and str(path) in line and len(line) < 1_000
    if name in ("laughs", "deep", "latin-1"):
        assert main(["fit", *TINY, f"--model.encoder={path}"]) == 2


def test_repetition_that_can_be_meant_is_read(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("a: &a {x: [1, 2]}\nb: [*a, *a]\nc:\n  <<: *a\n  d: é\n")
    check_yaml_file(path)
    check_yaml_size("[" * 40 + "]" * 40, "here")
    check_yaml_file(tmp_path / "nowhere.yaml")
    check_yaml_file(tmp_path)
    with pytest.raises(UsageError, match="more than"):
        check_yaml_size(LAUGHS, "here")


def test_a_checkpoint_of_another_network_or_task_is_not_continued(fit, genome, tmp_path):
    assert run_lightning("fit", [*TINY, *genome, "--name", "one"]) == 0
    checkpoint = "runs/one/checkpoints/last.ckpt"
    for number, other in enumerate((["--model.encoder.d_model", "64"], ["--model.k", "4"])):
        code, lines = fit("--name", f"other{number}", "--ckpt_path", checkpoint, *other)
        assert code == 2 and len(lines) == 1 and "TRAIN-003" in lines[0] and "--init_from" in lines[0]
    with pytest.raises(DataError, match="CKPT-005") as caught:
        run_lightning("validate", [*TINY, *genome, "--ckpt_path", checkpoint, "--model.encoder.d_model", "64"])
    assert checkpoint in str(caught.value)
    shutil.copyfile(genome[1], "broken.ckpt")
    assert fit("--name", "five", "--ckpt_path", "broken.ckpt")[0] == 65
    code, lines = fit("--name", "six", "--data.seqid_map", "nothing.tsv")
    assert code == 66 and "nothing.tsv" in lines[0]


@pytest.mark.parametrize("name", [name for names in PLACES for name in names if name])
def test_a_variable_of_a_launcher_that_is_no_number_is_named(name, monkeypatch, capsys):
    check_process_variables({"RANK": "1", "WORLD_SIZE": "2", "SLURM_PROCID": "0", "SLURM_NTASKS": "1"})
    for text in ("²", "-1", "x", "", LONG, "1.5"):
        monkeypatch.setenv(name, text)
        for command in ("fit", "validate", "adapt"):
            assert main([command, "--config", "gene_structure_tiny"]) == 2
            (line,) = capsys.readouterr().err.splitlines()
            assert "CONFIG-032" in line and name in line and len(line) < 300
    monkeypatch.delenv(name)


@pytest.mark.parametrize(("rank", "size"), [names for names in PLACES if names[1]])
def test_a_rank_is_below_the_number_of_processes(rank, size):
    for text in ("2", "3"):
        with pytest.raises(UsageError, match=f"{size} = 2"):
            check_process_variables({rank: text, size: "2"})


def test_numbers_of_options_are_some_a_program_can_count_with(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("a.fa").write_text(">a\nACGT\n")
    Path("a.vcf").write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
    predict, variants = ["predict", "a.fa", "-o", "o"], ["variants", "a.fa", "a.vcf", "-o", "o"]
    for command, option, values in (
        (predict, "--threads", ["99999999", str(MOST_THREADS + 1), LONG, "-1", "²"]),
        (predict, "--min-gene-bp", ["1" + "0" * 30, LONG]),
        (predict, "--batch-size", ["1" + "0" * 30]),
        (variants, "--min-change", ["inf", "nan", "1e400"]),
        (["simulate", "-o", "o"], "--length-bp", ["1" + "0" * 30, str(10**13)]),
    ):
        for value in values:
            assert main([*command, f"{option}={value}"]) == 2, (option, value)
            (line,) = capsys.readouterr().err.splitlines()
            assert option.strip("-") in line or "SIM-001" in line
    assert not Path("o").exists()


def test_every_command_that_lightning_runs_in_looks_at_the_variables():
    assert set(main_module.READS_RANKS) <= set(COMMANDS)
