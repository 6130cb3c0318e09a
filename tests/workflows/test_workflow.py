"""The Snakemake workflow: a tiny run from genomes to scores, its report, and what users get wrong."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.cli import main as run_snakemake

from genoformer.cli.main import main
from genoformer.files import verify_manifest

WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows"
SNAKEFILE = WORKFLOWS / "Snakefile"
GENOMES = (("first", 24_000), ("second", 12_000), ("third", 12_000))


def make_genomes(folder):
    """The genomes of the samples table."""
    for seed, (name, length_bp) in enumerate(GENOMES):
        out = folder / "genomes" / name
        arguments = ["simulate", "-o", out, "--length-bp", length_bp, "--seed", seed, "--contigs", 2]
        assert main(list(map(str, arguments))) == 0


def use_own_command(patch):
    """Rules call the ``genoformer`` of the environment that runs the tests."""
    patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def folder(tmp_path):
    """A working directory with the configuration of the tiny run and its genomes."""
    shutil.copytree(WORKFLOWS / ".test" / "config", tmp_path / "config")
    make_genomes(tmp_path)
    return tmp_path


@pytest.fixture
def snakemake(capfd):
    """``snakemake(folder, options…)`` runs the workflow there: exit code and everything it said."""

    def run(folder, *options, snakefile=SNAKEFILE):
        capfd.readouterr()
        before = Path.cwd()
        try:
            run_snakemake(["-s", str(snakefile), "--directory", str(folder), "-c2", *map(str, options)])
            code = 0
        except SystemExit as ending:
            code = ending.code
        finally:
            os.chdir(before)
        said = "".join(capfd.readouterr())
        assert "Traceback" not in said
        return code, said

    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The working directory of a complete run, and what Snakemake said."""
    folder = tmp_path_factory.mktemp("workflow")
    shutil.copytree(WORKFLOWS / ".test" / "config", folder / "config")
    make_genomes(folder)
    with pytest.MonkeyPatch.context() as patch:
        use_own_command(patch)
        command = [sys.executable, "-m", "snakemake", "-s", SNAKEFILE, "-c2", "--directory", folder]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    logs = "\n".join(path.read_text() for path in (folder / "logs").rglob("*.log"))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    return folder, done.stdout + done.stderr


def test_workflow_is_clean_for_lint(snakemake, folder):
    code, said = snakemake(folder, "--lint")
    assert code == 0 and "Congratulations" in said


def test_workflow_is_formatted():
    checked = subprocess.run([sys.executable, "-m", "snakefmt", "--check", WORKFLOWS], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_complete_run_has_genes_and_scores(finished):
    folder, _ = finished
    for name, length_bp in GENOMES[1:]:
        out = folder / "results/predict" / name
        assert {"genes.gff3", "genes.tsv", "proteins.faa", "summary.json"} == set(verify_manifest(out))
        assert json.loads((out / "summary.json").read_text())["n_bases"] == length_bp
    assert (folder / "results/leakage/first/second.tsv").read_text().count("\n") == 1
    assert 0 <= json.loads((folder / "results/evaluate/second.json").read_text())["genes"]["three_prime"]["f1"] <= 1
    assert "genes, 3' end" in (folder / "results/evaluate/second.txt").read_text()
    assert set(verify_manifest(folder / "runs/tiny/model")) >= {"model.safetensors", "model_card.md"}
    assert not (folder / "results/evaluate/third.json").exists()


def test_sharded_prediction_of_the_workflow_is_that_of_the_command(finished, tmp_path):
    folder, _ = finished
    arguments = ["predict", folder / "genomes/second/genome.fa", "--model", folder / "runs/tiny/model", "-o", tmp_path]
    assert main(list(map(str, arguments))) == 0
    for name in ("genes.gff3", "genes.tsv", "proteins.faa", "manifest.json"):
        assert (folder / "results/predict/second" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_every_job_has_a_log_and_a_benchmark(finished):
    folder, said = finished
    names = ["prepare", "train", *(f"predict/{s}-{i}-of-2" for s in ("second", "third") for i in (1, 2))]
    names += ["merge/second", "merge/third", "evaluate/second", "leakage/first-second"]
    for name in names:
        assert (folder / "logs" / f"{name}.log").is_file()
        assert len((folder / "benchmarks" / f"{name}.tsv").read_text().splitlines()) == 2
    commands = re.findall(r"Shell command: (.*)", said.replace("Shell command: None", ""))
    assert len(commands) == len(names)
    assert all(re.match(r"(OMP_NUM_THREADS=1 )?genoformer [a-z-]+ ", command) for command in commands)


def test_nothing_is_left_to_do_and_the_report_holds_the_scores(finished, snakemake):
    folder, _ = finished
    code, said = snakemake(folder, "-n")
    assert code == 0 and "Nothing to be done" in said
    code, said = snakemake(folder, "--report", folder / "report.html")
    assert code == 0, said
    page = (folder / "report.html").read_text()
    for text in ("Genes found by genoformer", "results/evaluate/second.txt", "runs/tiny/model/model_card.md"):
        assert text in page


def test_resources_follow_from_the_input(snakemake, folder):
    genome = folder / "genomes/first/genome.fa"
    genome.write_text(genome.read_text() * 200)
    code, said = snakemake(folder, "-n", "results/train/data.h5")
    assert code == 0 and "threads: 1" not in said
    assert int(re.search(r"mem_mb=(\d+)", said)[1]) > 2_040 and "runtime=10" in said and "gpu=0" not in said


def test_profiles_of_clusters_run_dry(snakemake, folder):
    shutil.copytree(folder / "genomes", folder / "bucket/genomes")  # a folder stands for the bucket
    storage = ["--default-storage-provider", "fs", "--default-storage-prefix", folder / "bucket"]
    for profile, options in (("slurm", []), ("kubernetes", storage)):
        code, said = snakemake(folder, "-n", "--profile", WORKFLOWS / "profiles" / profile, *options)
        assert code == 0 and re.search(r"predict_shard +4", said)


def test_another_workflow_can_import_it(snakemake, folder):
    (folder / "Snakefile").write_text(
        "configfile: 'config/config.yaml'\n"
        f"module genes:\n    snakefile: '{SNAKEFILE}'\n    config: config\n"
        "use rule * from genes as genes_*\n"
        "rule mine:\n    default_target: True\n    input: rules.genes_all.input\n"
    )
    code, said = snakemake(folder, "-n", snakefile=folder / "Snakefile")
    assert code == 0 and re.search(r"genes_predict_shard +4", said) and re.search(r"mine +1", said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shardz": 3}, "'shardz' was unexpected"),
        ({"shards": 0}, "0 is less than the minimum of 1"),
        ({"training": {"configs": ["gene_structure_tiny"], "step": 3}}, "'step' was unexpected"),
        ({"formats": ["gff3", "xls"]}, "'xls' is not one of"),
        ({"samples": "absent.tsv"}, "there is no file absent.tsv"),
    ],
)
def test_mistake_in_the_configuration_is_named(change, said, snakemake, folder):
    path = folder / "config/config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))
    code, found = snakemake(folder, "-n")
    assert code == 1 and said in found


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("fourth\tdream\tx.fa\t\t", "samples.tsv line 5"),
        ("fourth\ttest\tx.fa\t\t", "'annotation' is a required property"),
        ("first\tpredict\tx.fa\t\t", '"first" is there twice'),
        ("a b\tpredict\tx.fa\t\t", "'a b' does not match"),
        ("fourth\tpredict\tabsent.fa\t\t", "absent.fa"),
    ],
)
def test_bad_row_of_the_samples_table_is_named(row, said, snakemake, folder):
    with (folder / "config/samples.tsv").open("a") as table:
        table.write(f"{row}\n")
    code, found = snakemake(folder, "-n")
    assert code == 1 and said in found


def test_no_model_and_nothing_to_train_on_is_an_error(snakemake, folder):
    table = folder / "config/samples.tsv"
    table.write_text(table.read_text().replace("\ttrain\t", "\tpredict\t"))
    code, said = snakemake(folder, "-n")
    assert code == 1 and '"model" is empty' in said


def test_functions_follow_from_the_coding_sequences(snakemake, folder):
    code, said = snakemake(folder, "-n", "--config", "function_model=enzymes", "model=bacteria")
    assert code == 0 and re.search(r"function +2", said)
    assert "genoformer predict results/predict/third/cds.fna --model enzymes -o results/function/third" in said
    assert "--formats gff3,tsv,protein,cds" in said


def test_shared_sequence_ends_the_workflow_before_training(snakemake, folder, monkeypatch):
    use_own_command(monkeypatch)
    shutil.copy(folder / "genomes/first/genome.fa", folder / "genomes/second/genome.fa")
    code, said = snakemake(folder, "--config", "leakage=fail", "--", "results/leakage/first/second.txt")
    assert code == 1 and "LEAKAGE-001" in said
    assert not list((folder / "results/leakage").rglob("*.t*"))


def test_shipped_model_needs_no_training(snakemake, folder):
    code, said = snakemake(folder, "-n", "--config", "model=bacteria")
    assert code == 0 and "train" not in said.split("Job stats:")[1].split("Reasons:")[0]


def test_failing_rule_leaves_nothing_that_counts_as_finished(snakemake, folder, monkeypatch):
    use_own_command(monkeypatch)
    (folder / "genomes/third/genome.fa").write_text(">a\nACG!\n")
    target = "results/predict/third/manifest.json"
    code, said = snakemake(folder, "--config", "model=bacteria", "shards=1", "--retries", "0", "--", target)
    assert code == 1 and "FASTA-008" in said and "genome.fa line 2" in said
    assert not (folder / "results/shards/third-1/shard-1-of-1").exists() and not (folder / target).exists()
