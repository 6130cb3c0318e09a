"""``predict --hints``: another result, the same in shards and regions; what cannot be used is refused at once."""

import json

import pytest
from intron_genome import write_intron_genome
from tiny_bundle import write_tiny_bundle
from tiny_intron_bundle import write_tiny_intron_bundle

from genoformer.annotation.read import read_annotation
from genoformer.cli.main import main


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    return write_intron_genome(tmp_path_factory.mktemp("genome"), n_genes=30, seed=6)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_intron_bundle(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def hints(genome):
    """Every true intron, as many reads as can be."""
    path = genome.with_suffix(".hints.gff")
    rows = [
        f"{gene.contig}\tb2h\tintron\t{low + 1}\t{high}\t0\t{gene.strand}\t.\tmult=900;src=E\n"
        for gene in read_annotation(genome.with_suffix(".gff3")).genes
        for (_, low), (high, _) in zip(gene.parts, gene.parts[1:], strict=False)
    ]
    path.write_text("".join(rows))
    return path


def predict(genome, model, out, *options):
    return main(
        ["predict", str(genome), "--model", str(model), "-o", str(out), "--circular", "none", *map(str, options)]
    )


def introns(path):
    genes = read_annotation(path).genes
    return {
        (gene.contig, gene.strand, low, high)
        for gene in genes
        for (_, low), (high, _) in zip(gene.parts, gene.parts[1:], strict=False)
    }


def test_true_introns_make_more_introns_true_and_shards_give_the_same(genome, model, hints, tmp_path):
    true = introns(genome.with_suffix(".gff3"))
    assert predict(genome, model, tmp_path / "without") == 0
    assert predict(genome, model, tmp_path / "with", "--hints", hints) == 0
    before, after = (introns(tmp_path / name / "genes.gff3") for name in ("without", "with"))
    assert len(after & true) > len(before & true) + 5
    for number in (1, 2):
        assert predict(genome, model, tmp_path / "parts", "--shard", f"{number}/2", "--hints", hints) == 0
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 0
    assert (tmp_path / "merged/genes.gff3").read_bytes() == (tmp_path / "with/genes.gff3").read_bytes()


def test_other_hints_are_another_result(genome, model, hints, tmp_path, capsys):
    assert predict(genome, model, tmp_path / "out", "--hints", hints) == 0
    assert predict(genome, model, tmp_path / "out", "--hints", hints) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert predict(genome, model, tmp_path / "out") == 73
    other = tmp_path / "other.gff"
    other.write_text(hints.read_text().replace("mult=900", "mult=2"))
    assert predict(genome, model, tmp_path / "out", "--hints", other) == 73


def test_hints_of_a_region_are_those_inside(genome, model, hints, tmp_path):
    contig = next(iter(read_annotation(genome.with_suffix(".gff3")).genes)).contig
    assert predict(genome, model, tmp_path / "out", "--hints", hints, "--region", f"{contig}:1001-6000") == 0
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["n_records"] == 1


def test_models_without_introns_and_broken_files_are_refused(genome, model, hints, tmp_path, capsys):
    bacterial = write_tiny_bundle(tmp_path / "bacterial")
    assert predict(genome, bacterial, tmp_path / "out", "--hints", hints) == 2
    assert "error[HINTS-005]" in capsys.readouterr().err
    assert predict(genome, model, tmp_path / "out", "--hints", tmp_path / "none.gff") == 66
    broken = tmp_path / "broken.gff"
    broken.write_text("chr\tx\tintron\t5\t2\t.\t+\t.\n")
    assert predict(genome, model, tmp_path / "out", "--hints", broken) == 65
    assert "broken.gff line 1" in capsys.readouterr().err
