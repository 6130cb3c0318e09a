"""The Snakemake workflow: a tiny run from genomes to scores, its report, and what users get wrong."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from running import SNAKEFILE
from tiny import GENOMES, WORKFLOWS, make_folder, make_function_model

from genoformer.cli.main import main
from genoformer.files import verify_manifest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory, warm_environment):
    """The working directory of a complete run, and what Snakemake said."""
    folder = tmp_path_factory.mktemp("workflow")
    make_folder(folder)
    make_function_model(folder)
    command = [sys.executable, "-m", "snakemake", "-s", SNAKEFILE, "-c2", "--directory", folder]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=warm_environment)
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
    for name, length_bp in list(GENOMES.items())[1:]:
        out = folder / "results/predict" / name
        assert {"genes.gff3", "genes.tsv", "proteins.faa", "cds.fna", "summary.json"} == set(verify_manifest(out))
        assert json.loads((out / "summary.json").read_text())["n_bases"] == length_bp
    assert (folder / "results/leakage/first/second.tsv").read_text().count("\n") == 1
    assert 0 <= json.loads((folder / "results/evaluate/second.json").read_text())["genes"]["three_prime"]["f1"] <= 1
    assert "genes, 3' end" in (folder / "results/evaluate/second.txt").read_text()
    assert set(verify_manifest(folder / "runs/tiny/model")) >= {"model.safetensors", "model_card.md"}
    assert not (folder / "results/evaluate/third.json").exists()


@pytest.mark.parametrize("name", ["second", "third"])
def test_every_predicted_gene_has_a_function(finished, name):
    folder, _ = finished
    ids = [line[1:].split()[0] for line in (folder / "results/predict" / name / "cds.fna").open() if line[0] == ">"]
    header, *rows = (folder / "results/function" / name / "functions.tsv").read_text().splitlines()
    assert header.split("\t")[:3] == ["record_id", "length_bp", "prediction"]
    assert [row.split("\t")[0] for row in rows] == ids != []
    assert {row.split("\t")[2] for row in rows} <= {"rich_in_a", "rich_in_c"}
    assert {"functions.tsv", "summary.json"} == set(verify_manifest(folder / "results/function" / name))


def test_sharded_prediction_of_the_workflow_is_that_of_the_command(finished, tmp_path):
    folder, _ = finished
    arguments = ["predict", folder / "genomes/second/genome.fa", "--model", folder / "runs/tiny/model", "-o", tmp_path]
    arguments += ["--formats", "gff3,tsv,protein,cds"]
    assert main(list(map(str, arguments))) == 0
    for name in ("genes.gff3", "genes.tsv", "proteins.faa", "manifest.json"):
        assert (folder / "results/predict/second" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_every_job_has_a_log_and_a_benchmark(finished):
    folder, said = finished
    names = ["prepare", "train", *(f"predict/{s}-{i}-of-2" for s in ("second", "third") for i in (1, 2))]
    names += [f"{rule}/{sample}" for rule in ("merge", "function") for sample in ("second", "third")]
    names += ["evaluate/second", "leakage/first-second"]
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
    files = ("evaluate/second.txt", "function/second/functions.tsv", "leakage/first/second.txt")
    for text in ("Genes found by genoformer", "runs/tiny/model/model_card.md", *(f"results/{name}" for name in files)):
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
        ("..\tpredict\tx.fa\t\t", 'samples.tsv line 5: the sample ".." would be another folder'),
        (".\tpredict\tx.fa\t\t", 'samples.tsv line 5: the sample "." would be another folder'),
        ("\na/b\tpredict\tx.fa\t\t", "samples.tsv line 6"),
        ("Ähre\tpredict\tx.fa\t\t", "'Ähre' does not match"),
    ],
)
def test_bad_row_of_the_samples_table_is_named(row, said, snakemake, folder):
    with (folder / "config/samples.tsv").open("a") as table:
        table.write(f"{row}\n")
    code, found = snakemake(folder, "-n")
    assert code == 1 and said in found


def test_samples_may_have_dots_numbers_and_names_that_begin_alike(snakemake, folder):
    genome = folder / "genomes/first/genome.fa"
    names = ("strain.v1.2", "strain.v1", "s1", "s10", "007", "1e3", "...", "-x")
    rows = "".join(f"{name}\tpredict\t{genome}\t\t\n" for name in names)
    (folder / "config/samples.tsv").write_text("sample\trole\tfasta\tannotation\tgenetic_code\n" + rows)
    code, said = snakemake(folder, "-n", "--config", "model=prokaryotes", "shards=1")
    assert code == 0 and re.search(rf"predict_shard +{len(names)}\n", said)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"sample,role,fasta\na,predict,x.fa\n", "'sample,role,fasta' was unexpected"),
        (b"sample\trole\tfasta\na\tpredict\tx.fa\ty\n", "'cells' was unexpected"),
        (b"sample\trole\tfasta\n", "samples.tsv has no samples"),
        (b"", "samples.tsv has no samples"),
        (b"\xff\xfes\0a\0", "samples.tsv is no text (UTF-8)"),
    ],
)
def test_bad_table_of_samples_is_named(table, said, snakemake, folder):
    (folder / "config/samples.tsv").write_bytes(table)
    code, found = snakemake(folder, "-n", "--config", "model=prokaryotes")
    assert code == 1 and said in found and "samples.tsv" in found


def test_no_model_and_nothing_to_train_on_is_an_error(snakemake, folder):
    table = folder / "config/samples.tsv"
    table.write_text(table.read_text().replace("\ttrain\t", "\tpredict\t"))
    code, said = snakemake(folder, "-n")
    assert code == 1 and '"model" is empty' in said


def test_model_of_functions_that_is_not_there_is_named_before_any_job(snakemake, folder):
    code, said = snakemake(folder, "-n", "--config", "function_model=runs/absent", "model=prokaryotes")
    assert code == 1 and "Missing input files for rule function" in said and "runs/absent/manifest.json" in said


def test_genome_without_genes_has_no_functions(finished, snakemake, tmp_path, warm):
    folder = shutil.copytree(finished[0], tmp_path / "copy")
    (folder / "results/predict/third/cds.fna").write_text("")
    code, said = snakemake(folder, "--forcerun", "function", "--", "results/function/third/functions.tsv")
    assert code == 0, said
    assert len((folder / "results/function/third/functions.tsv").read_text().splitlines()) == 1


def test_shared_sequence_ends_the_workflow_before_training(snakemake, folder, warm):
    shutil.copy(folder / "genomes/first/genome.fa", folder / "genomes/second/genome.fa")
    code, said = snakemake(folder, "--config", "leakage=fail", "--", "results/leakage/first/second.txt")
    assert code == 1 and "LEAKAGE-001" in said
    assert not list((folder / "results/leakage").rglob("*.t*"))


def test_shipped_model_needs_no_training(snakemake, folder):
    code, said = snakemake(folder, "-n", "--config", "model=prokaryotes")
    assert code == 0 and "train" not in said.split("Job stats:")[1].split("Reasons:")[0]


def test_failing_rule_leaves_nothing_that_counts_as_finished(snakemake, folder, warm):
    (folder / "genomes/third/genome.fa").write_text(">a\nACG!\n")
    target = "results/predict/third/manifest.json"
    code, said = snakemake(folder, "--config", "model=prokaryotes", "shards=1", "--retries", "0", "--", target)
    assert code == 1 and "FASTA-008" in said and "genome.fa line 2" in said
    assert not (folder / "results/shards/third-1/shard-1-of-1").exists() and not (folder / target).exists()


CONDA = """#!/bin/sh
case "$*" in
"info --json") echo '{"conda_prefix": "/c", "root_prefix": "/c", "platform": "linux-64", "conda_version": "24.9.0"}' ;;
"config --get channel_priority --json") echo '{"get": {"channel_priority": "strict"}}' ;;
*) echo conda 24.9.0 ;;
esac
"""


def test_every_rule_names_the_conda_environment(snakemake, folder, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/conda").write_text(CONDA)  # a dry run asks conda who it is, and makes nothing
    (tmp_path / "bin/conda").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    code, said = snakemake(folder, "-n", "--sdm", "conda")
    assert code == 0 and len(re.findall("Conda environment .*/genoformer.yaml will be created", said)) == 1


def test_conda_environment_has_the_bounds_of_the_project():
    project = tomllib.loads((WORKFLOWS.parent / "pyproject.toml").read_text())["project"]
    stored = yaml.safe_load((WORKFLOWS / "envs/genoformer.yaml").read_text())
    torch = next(line for line in project["dependencies"] if line.startswith("torch"))
    wanted = [f"python{project['requires-python']}", "pip", torch.replace("torch", "pytorch"), {"pip": ["genoformer"]}]
    assert stored["dependencies"] == wanted and stored["channels"] == ["conda-forge", "bioconda", "nodefaults"]
