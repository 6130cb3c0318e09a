"""``genoformer predict --mask``: no gene in masked intervals, told by a program that is not ours."""

import gzip
import subprocess

import numpy as np
import pytest

from genoformer.applications.genes.caller import GeneFinder
from genoformer.bundle.folder import load_bundle
from genoformer.cli.main import main
from genoformer.decoding.masking import MASK_TOLERANCE_BP, overlaps_mask
from genoformer.decoding.options import CallOptions
from genoformer.genomes.simulate import simulate_genome
from genoformer.inference.interface import Speed
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

LENGTH_BP = 20_000


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """FASTA of three contigs of 20 kb."""
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    write_fasta(path, [record for record, _ in simulate_genome(length_bp=3 * LENGTH_BP, gc=0.5, seed=2, n_contigs=3)])
    return path


@pytest.fixture
def predict(tiny_bundle, tmp_path):
    """``predict(fasta, ..., out="o")`` runs the command and gives its exit code."""

    def run(*arguments, out="o"):
        arguments = [*map(str, arguments), "--model", str(tiny_bundle), "-o", str(tmp_path / out)]
        return main(["predict", *arguments, "--formats", "tsv,bed", "--no-statistics"])

    return run


def genes_of(folder):
    rows = (line.split("\t") for line in (folder / "genes.tsv").read_text().splitlines()[1:])
    return {(row[0], int(row[2]) - 1, int(row[3]), row[4]) for row in rows}


def write_bed(path, rows):
    path.write_text("".join(f"{name}\t{start}\t{end}\n" for name, start, end in rows))
    return path


def ids_of(fasta):
    return [line[1:].split()[0] for line in fasta.read_text().splitlines() if line.startswith(">")]


def longest(genes):
    return max(genes, key=lambda gene: gene[2] - gene[1])


def shared_with_mask(tool, genes, mask):
    """Rows (gene start, gene end, mask start, mask end, shared bases) of ``bedtools intersect``."""
    command = [tool, "intersect", "-a", genes, "-b", mask, "-wo"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    columns = [line.split("\t") for line in lines]
    return [(int(row[1]), int(row[2]), int(row[7]), int(row[8]), int(row[-1])) for row in columns]


def test_no_gene_lies_in_the_mask_and_others_stay(predict, genome, tmp_path, need_tool):
    bedtools = need_tool("bedtools")
    rng = np.random.default_rng(0)
    rows = [
        (name, int(start), int(start) + int(size))
        for name in ids_of(genome)[:2]
        for start, size in zip(range(500, LENGTH_BP, 4_000), rng.choice([5, 75, 120, 1_500], 5), strict=True)
    ]
    mask = write_bed(tmp_path / "mask.bed", rows)
    assert predict(genome, out="all") == predict(genome, "--mask", mask) == 0
    before = shared_with_mask(bedtools, tmp_path / "all/genes.bed", mask)
    assert sum(shared > MASK_TOLERANCE_BP for *_, shared in before) >= 5
    for start, end, low, high, shared in shared_with_mask(bedtools, tmp_path / "o/genes.bed", mask):
        assert shared <= MASK_TOLERANCE_BP and shared < min(end - start, high - low)
    kept, everything = genes_of(tmp_path / "o"), genes_of(tmp_path / "all")
    third = ids_of(genome)[2]
    assert {gene for gene in kept if gene[0] == third} == {gene for gene in everything if gene[0] == third}
    assert len(kept & everything) > 0.6 * len(everything)


def test_masked_candidates_are_gone_before_statistics_and_selection(tiny_bundle):
    finder = GeneFinder.from_bundle(load_bundle(tiny_bundle), Speed(precision="float32"))
    (record, _), *_ = simulate_genome(length_bp=LENGTH_BP, gc=0.5, seed=2)
    everything = finder.candidates(record.codes, CallOptions())
    masked = np.array([(3_000, 3_100), (9_000, 9_400)])
    kept = finder.candidates(record.codes, CallOptions(), lambda n: None, masked)
    is_out = overlaps_mask(everything["start"], everything["end"], masked)
    assert 0 < is_out.sum() < len(everything)
    np.testing.assert_array_equal(kept, everything[~is_out])


def test_the_mask_keeps_its_place_in_a_region_and_in_shards(predict, genome, tmp_path):
    first, second, _ = ids_of(genome)
    assert predict(genome, out="all") == 0
    whole = genes_of(tmp_path / "all")
    targets = [longest(gene for gene in whole if gene[0] == name and gene[1] > 4_000) for name in (first, second)]
    mask = write_bed(tmp_path / "mask.bed", [(g[0], g[1] + 30, g[1] + 120) for g in targets])
    low = targets[0][1] - 3_000
    region = f"{first}:{low + 1}-{targets[0][2] + 900}"
    assert predict(genome, "--region", region, out="r") == 0
    assert predict(genome, "--region", region, "--mask", mask, out="m") == 0
    assert targets[0] in genes_of(tmp_path / "r") and targets[0] not in genes_of(tmp_path / "m")
    assert len(genes_of(tmp_path / "r") - genes_of(tmp_path / "m")) <= 2
    for i in (1, 2):
        assert predict(genome, "--mask", mask, "--shard", f"{i}/2", out="parts") == 0
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 0
    assert predict(genome, "--mask", mask) == 0
    assert genes_of(tmp_path / "merged") == genes_of(tmp_path / "o")
    assert not genes_of(tmp_path / "o") & set(targets)


def test_an_interval_at_the_origin_excludes_genes_over_it(predict, tmp_path):
    (record, genes), *_ = simulate_genome(length_bp=LENGTH_BP, gc=0.5, seed=5)
    over = max(genes, key=lambda gene: gene.length_bp)
    cut = (over.start + over.end) // 2
    write_fasta(tmp_path / "p.fa", [Record("p", np.roll(record.codes, -cut))])
    assert predict(tmp_path / "p.fa", "--circular", "p", out="all") == 0
    assert any(end > LENGTH_BP for _, _, end, _ in genes_of(tmp_path / "all"))
    for n, row in enumerate((("p", LENGTH_BP - 20, LENGTH_BP), ("p", 0, 20))):
        mask = write_bed(tmp_path / "mask.bed", [row])
        assert predict(tmp_path / "p.fa", "--circular", "p", "--mask", mask, out=str(n)) == 0
        found = genes_of(tmp_path / str(n))
        assert found and all(end <= LENGTH_BP for _, _, end, _ in found)


def test_another_mask_is_another_result(predict, genome, tmp_path, capsys):
    name = ids_of(genome)[0]
    mask = write_bed(tmp_path / "mask.bed", [(name, 100, 200), (name, 900, 950)])
    assert predict(genome, "--mask", mask) == 0
    same = tmp_path / "same.bed.gz"
    same.write_bytes(gzip.compress(f"# again\n{name} 900 950\r\n{name} 100 150\r\n{name} 150 200".encode()))
    capsys.readouterr()
    assert predict(genome, "--mask", same) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert predict(genome) == 73
    assert predict(genome, "--mask", write_bed(mask, [(name, 100, 200)])) == 73
    assert predict(genome, "--mask", mask, "--overwrite") == 0


def test_a_mask_that_does_not_fit_is_one_line_and_no_result(predict, genome, tmp_path, capsys):
    name = ids_of(genome)[0]
    for text, code, said in (
        (f"{name}\t0\t{LENGTH_BP + 1}\n", 65, "mask.bed line 1"),
        ("chrX\t0\t5\n", 65, "chrX"),
        (None, 66, "mask.bed"),
    ):
        (tmp_path / "mask.bed").unlink(missing_ok=True)
        if text is not None:
            (tmp_path / "mask.bed").write_text(text)
        capsys.readouterr()
        assert predict(genome, "--mask", tmp_path / "mask.bed") == code
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and said in error
        assert not (tmp_path / "o").exists()
    write_bed(tmp_path / "mask.bed", [(name, 0, 5), ("plasmid", 0, 5)])
    assert predict(genome, "--mask", tmp_path / "mask.bed", "--dry-run", out="dry") == 0


def test_the_mask_is_never_replaced_by_a_result(predict, genome, tmp_path):
    (tmp_path / "o").mkdir()
    mask = write_bed(tmp_path / "o/genes.bed", [(ids_of(genome)[0], 0, 5)])
    assert predict(genome, "--mask", mask, "--overwrite") == 73
    assert mask.read_text().endswith("\t0\t5\n")
