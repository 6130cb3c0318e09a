"""What the rules make of genomes with introns, flat files, odd paths, embeddings and variants."""

import json
import re
import shutil
from itertools import chain

import pytest
import yaml
from running import SNAKEFILE

from genoformer.files import verify_manifest

pytestmark = pytest.mark.slow

HEAD = ("sample", "role", "fasta", "annotation", "model", "variants", "genetic_code")
ODD = 'genomes/it\'s "second" $HOME & co'
"""A path that a shell would take apart."""


def write_samples(folder, *rows):
    lines = ["\t".join(HEAD), *("\t".join(row.get(name, "") for name in HEAD) for row in rows)]
    (folder / "config/samples.tsv").write_text("\n".join(lines) + "\n")


def configure(folder, **changes):
    path = folder / "config/config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))


def test_every_path_of_every_rule_is_quoted():
    """What ends a rule is its command; of the words in it, input, output, log and folders are paths."""
    commands = chain.from_iterable(
        re.findall(r"shell:\n((?:\s+\".*\"\n)+)", path.read_text()) for path in SNAKEFILE.parent.glob("rules/*.smk")
    )
    words = re.findall(r"\{((?:input|output|log|params\.(?:out|parts|model))\b[^}]*)\}", "".join(commands))
    assert len(words) > 20 and [word for word in words if not word.endswith(":q")] == []


def test_paths_with_blanks_and_quotes_are_read(snakemake, folder, warm):
    shutil.copytree(folder / "genomes/second", folder / ODD)
    odd = {"fasta": f"{ODD}/genome.fa", "annotation": f"{ODD}/genome.gff3", "model": "prokaryotes"}
    write_samples(folder, {"sample": "odd", "role": "test"} | odd)
    code, said = snakemake(folder)
    assert code == 0, said
    assert json.loads((folder / "results/evaluate/odd.json").read_text())["genes"]["three_prime"]["f1"] > 0.8
    assert "genes.gff3" in verify_manifest(folder / "results/predict/odd")


def test_each_sample_may_have_a_model_of_its_own(snakemake, folder):
    genome = str(folder / "genomes/first/genome.fa")
    rows = [{"sample": name, "role": "predict", "fasta": genome} for name in ("bug", "mould")]
    write_samples(folder, rows[0], rows[1] | {"model": "fungi"})
    code, said = snakemake(folder, "-n", "-p", "--config", "model=prokaryotes")
    models = dict(re.findall(r"predict \S+ --model (\S+) -o results/shards/(\w+)-", said))
    assert code == 0 and models == {"prokaryotes": "bug", "fungi": "mould"}
    code, said = snakemake(folder, "-n")
    assert code == 1 and '"model" is empty' in said


def test_training_of_genes_with_introns_asks_for_their_labels(snakemake, folder):
    code, said = snakemake(
        folder, "-n", "-p", "--config", 'training={"labels": "introns"}', "--", "results/train/data.h5"
    )
    assert code == 0 and "--labels introns" in said


@pytest.mark.parametrize("name", ["a.gbk", "a.gbff.gz", "a.embl"])
def test_flat_files_need_no_second_file(snakemake, folder, name):
    (folder / name).write_text("")
    write_samples(folder, *({"sample": role, "role": role, "fasta": name} for role in ("train", "test")))
    code, said = snakemake(folder, "-n", "-p")
    assert code == 0 and f"genoformer prepare {name} --annotation {name} " in said
    assert f"genoformer evaluate results/predict/test/genes.gff3 {name} --fasta {name} " in said


def test_embeddings_are_those_of_the_command(snakemake, folder, warm):
    write_samples(
        folder, {"sample": "a", "role": "predict", "fasta": "genomes/third/genome.fa", "model": "prokaryotes"}
    )
    configure(folder, embeddings={"model": "prokaryotes", "formats": ["h5"], "options": "--per window --window-bp 500"})
    code, said = snakemake(folder, "--", "results/embed/a/manifest.json")
    assert code == 0, said
    assert set(verify_manifest(folder / "results/embed/a")) == {"embeddings.h5", "summary.json"}


def test_variants_are_judged_by_the_model_of_their_sample(snakemake, folder, warm):
    genome = (folder / "genomes/third/genome.fa").read_text().split(">")[1]
    name, bases = genome.split()[0], "".join(genome.split("\n")[1:])
    rows = [
        f"{name}\t{i + 1}\t.\t{bases[i]}\t{'A' if bases[i] != 'A' else 'C'}\t.\t.\t." for i in range(100, 4000, 400)
    ]
    head = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    (folder / "some variants.vcf").write_text(head + "\n".join(rows) + "\n")
    sample = {"sample": "a", "role": "predict", "fasta": "genomes/third/genome.fa", "model": "prokaryotes"}
    write_samples(folder, sample | {"variants": "some variants.vcf"})
    code, said = snakemake(folder, "--", "results/variants/a/manifest.json")
    assert code == 0, said
    assert {"variants.vcf", "variants.tsv"} <= set(verify_manifest(folder / "results/variants/a"))
