"""Configuration, samples, and what rules need of both. A mistake is named with its key, or its line of the table."""

import csv
import re
from pathlib import Path
from shlex import quote

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

validate(config, "../schemas/config.schema.yaml")


def read_samples(path):
    """Rows of the samples table by sample; the empty cells of a row are left out."""
    if not Path(path).is_file():
        raise WorkflowError(f'config key "samples": there is no file {path}.')
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise WorkflowError(f'config key "samples": {path} is no text (UTF-8).')
    rows = {}
    table = csv.DictReader(text.splitlines(), delimiter="\t", restkey="cells")
    for row in table:
        where = f"{path} line {table.line_num}"
        row = {name: value for name, value in row.items() if value}
        try:
            validate(row, "../schemas/samples.schema.yaml")
        except WorkflowError as error:
            reason = str(error).rpartition("ValidationError: ")[2].partition("\n\n")[0]
            raise WorkflowError(f"{where}: {reason}")
        if row["sample"] in (".", ".."):
            raise WorkflowError(
                f'{where}: the sample "{row["sample"]}" would be another folder, not one of its own.'
            )
        if row["sample"] in rows:
            raise WorkflowError(
                f'{where}: the sample "{row["sample"]}" is there twice.'
            )
        rows[row["sample"]] = row
    if not rows:
        raise WorkflowError(f'config key "samples": {path} has no samples.')
    return rows


SAMPLES = read_samples(config["samples"])


def names(*roles):
    """Samples of these roles, in the order of the table."""
    return [name for name, row in SAMPLES.items() if row["role"] in roles]


def model_of(sample):
    """Folder of a model, or name of a shipped one, that is given for a sample; "" for the one that is trained."""
    return SAMPLES[sample].get("model") or config["model"]


if not names("train") and not all(map(model_of, names("predict", "test"))):
    raise WorkflowError(
        f'config key "model" is empty, and {config["samples"]} has no sample with role "train".'
    )

SHARDS = config["shards"]
RUN = f"runs/{config['training']['name']}"
BUNDLE = ["model.safetensors", "config.json", "calibration.json", "manifest.json"]
FILES = {
    "gff3": "genes.gff3",
    "gtf": "genes.gtf",
    "tsv": "genes.tsv",
    "bed": "genes.bed",
    "protein": "proteins.faa",
    "cds": "cds.fna",
    "genbank": "genes.gbk",
    "embl": "genes.embl",
    "parquet": "genes.parquet",
    "report": "report.html",
    "h5": "probabilities.h5",
    "bigwig": "tracks/bigwig.tsv",
    "bedgraph": "tracks/bedgraph.tsv",
}
# Functions are predicted from coding sequences. The first file lies in the output folder itself.
WANTED = config["formats"] + (["cds"] if config["function_model"] else [])
FORMATS = [word for word in FILES if word in WANTED]
PREDICTED = [FILES[word] for word in FORMATS]
EMBEDDINGS = {
    "npz": "embeddings.npz",
    "h5": "embeddings.h5",
    "parquet": "embeddings.parquet",
}
EMBEDDED = [EMBEDDINGS[word] for word in config["embeddings"]["formats"]]


wildcard_constraints:
    sample="|".join(map(re.escape, SAMPLES)) or "$",
    train="|".join(map(re.escape, names("train"))) or "$",
    i=r"\d+",


def fasta(wildcards):
    """The sequence of a sample."""
    return SAMPLES[wildcards.sample]["fasta"]


def reference(sample):
    """File with the known genes of a sample: a GenBank or EMBL file may hold them beside the sequence."""
    return SAMPLES[sample].get("annotation") or SAMPLES[sample]["fasta"]


def annotation(wildcards):
    """The reference annotation of a sample."""
    return reference(wildcards.sample)


def genetic_code(wildcards):
    """The option for a sample whose genetic code is given."""
    code = SAMPLES[wildcards.sample].get("genetic_code")
    return f"--genetic-code {code}" if code else ""


def functions(wildcards):
    """Functions of all predicted samples, where there is a model for them."""
    samples = names("predict", "test") if config["function_model"] else []
    return expand("results/function/{sample}/manifest.json", sample=samples)


def embeddings(wildcards):
    """Embeddings of all predicted samples, where there is a model for them."""
    samples = names("predict", "test") if config["embeddings"]["model"] else []
    return expand("results/embed/{sample}/manifest.json", sample=samples)


def variants(wildcards):
    """What variants change, for the samples that have some."""
    samples = [n for n in names("predict", "test") if SAMPLES[n].get("variants")]
    return expand("results/variants/{sample}/manifest.json", sample=samples)


def bundle_files(folder):
    """Files of a model; none where it is the name of a shipped one."""
    is_folder = "/" in folder or Path(folder).is_dir()
    return [f"{folder}/{name}" for name in BUNDLE] if is_folder else []


def model_files(wildcards):
    """What a prediction of genes waits for: the trained model, or the folder of a given one."""
    return bundle_files(model_of(wildcards.sample) or f"{RUN}/model")


def function_model_files(wildcards):
    """What a prediction of functions waits for."""
    return [f"{config['function_model']}/{name}" for name in BUNDLE]


def model(wildcards, input):
    """The model of a prediction: a folder, or the name of a shipped one."""
    return Path(input.model[0]).parent if input.model else model_of(wildcards.sample)


def input_mb(input):
    """Size of the input files; five times as much where some are compressed."""
    return input.size_mb * (5 if any(str(file).endswith("gz") for file in input) else 1)


def minutes(per_mb, least=10):
    """Run time from the input size, doubled with each attempt."""
    return lambda wildcards, input, attempt: int(
        (least + per_mb * input_mb(input)) * 2 ** (attempt - 1)
    )


def memory_mb(per_mb, least=2000):
    """Memory from the input size, half as much again with each attempt."""
    return lambda wildcards, input, attempt: int(
        (least + per_mb * input_mb(input)) * (1 + attempt) / 2
    )
