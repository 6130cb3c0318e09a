"""A model of genes with introns that follows the genome at hand: the same bytes whatever way the genome is read."""

from pathlib import Path

import pytest
from intron_genome import write_intron_genome
from tiny_intron_bundle import write_tiny_intron_bundle

from genoformer import load_model
from genoformer.annotation.read import read_annotation, read_records
from genoformer.applications.introns import caller, follow
from genoformer.cli.main import main
from genoformer.decoding.introns.motifs import GeneCounts, count_genes, count_sequence

FILES = ("genes.gff3", "genes.tsv", "proteins.faa")


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    return write_intron_genome(tmp_path_factory.mktemp("genome"), n_genes=40, seed=4)


@pytest.fixture(scope="module")
def model(genome, tmp_path_factory):
    genes = read_annotation(genome.with_suffix(".gff3")).by_contig()
    counts = GeneCounts.nothing()
    for record in read_records(genome):
        counts += count_sequence(record.codes) + count_genes(record.codes, genes[record.id])
    return write_tiny_intron_bundle(tmp_path_factory.mktemp("model") / "following", counts)


@pytest.fixture(scope="module")
def predicted(genome, model, tmp_path_factory):
    out = tmp_path_factory.mktemp("predicted") / "out"
    assert predict(genome, model, out) == 0
    return contents(out)


def predict(genome, model, out, *options):
    return main(["predict", str(genome), "--model", str(model), "-o", str(out), "--circular", "none", *options])


def contents(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in FILES}


def test_the_genome_changes_its_genes(genome, model, predicted, tmp_path):
    assert predict(genome, model, tmp_path / "out", "--no-statistics") == 0
    assert contents(tmp_path / "out") != predicted


def test_shards_and_python_give_the_bytes_of_one_run(genome, model, predicted, tmp_path):
    for number in (2, 1, 3):
        assert predict(genome, model, tmp_path / "parts", "--shard", f"{number}/3") == 0
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 0
    assert contents(tmp_path / "merged") == predicted
    load_model(str(model)).predict(str(genome)).write(*(tmp_path / name for name in FILES))
    assert contents(tmp_path) == predicted


def test_a_sample_of_it_is_enough(genome, model, predicted, tmp_path, monkeypatch):
    read, passed = [], caller.read_sample

    def kept(*arguments):
        read.extend(passed(*arguments))
        return read

    monkeypatch.setattr(caller, "read_sample", kept)
    monkeypatch.setattr(follow, "SAMPLE_BP", 8_000)
    monkeypatch.setattr(follow, "STRETCH_BP", 2_000)
    assert predict(genome, model, tmp_path / "out") == 0
    assert sum(len(one.codes) for one in read) == 8_000
    assert not caller.ReadBefore(read)  # stretches are no records


class Forgetful(follow.ReadBefore):
    """Nothing was read before."""

    def __bool__(self):
        return False

    def of(self, codes):
        return None


def test_what_was_read_to_follow_it_is_not_read_again(genome, model, tmp_path, monkeypatch):
    assert predict(genome, model, tmp_path / "once", "--precision", "bfloat16") == 0
    with monkeypatch.context() as patch:
        patch.setattr(caller, "ReadBefore", Forgetful)
        assert predict(genome, model, tmp_path / "twice", "--precision", "bfloat16") == 0
    assert contents(tmp_path / "once") == contents(tmp_path / "twice")
    for name in ("record_logits", "read_together"):
        monkeypatch.setattr(caller, name, lambda *_: pytest.fail("the model read a record again"))
    assert predict(genome, model, tmp_path / "again", "--precision", "bfloat16") == 0
