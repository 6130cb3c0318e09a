"""Prediction of RNA genes by profiles in a bundle, and how they come into one."""

import json
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
from Bio import SeqIO
from made_up_rnas import genome, labelled
from tiny_bundle import write_tiny_bundle

from genoformer.annotation.read import read_annotation
from genoformer.api import load_model
from genoformer.applications.genes.learned_rna import fit_profiles, learn_from_store
from genoformer.bundle.folder import add_calibration, load_bundle
from genoformer.cli.main import main
from genoformer.decoding.rna.learn import learn_rna
from genoformer.genomes.genome_table import read_genome_table
from genoformer.genomes.prepare import prepare_store
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.inference.bundle_digests import decoder_digest
from genoformer.sequence.fasta import read_fasta, write_fasta
from genoformer.sequence.records import Record

KINDS = ("5S",)
LENGTH = 9_000


@pytest.fixture(scope="module")
def stored() -> dict:
    return learn_rna(lambda: (labelled(seed, kinds=KINDS) for seed in range(3))).to_dict()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, stored):
    folder = write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "profiles")
    add_calibration(folder, load_bundle(folder), {"rna": stored})
    return folder


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    """A linear contig, a circular one whose origin lies in its first gene, and a short one."""
    path, records = tmp_path_factory.mktemp("genome") / "g.fa", []
    for seed in (50, 51):
        codes, genes = genome(seed, kinds=KINDS, length=LENGTH)
        turned = np.roll(codes, -genes[0].start - 60) if records else codes
        records.append(Record(f"c{seed}", turned, "circular=true" if records else ""))
    records.append(Record("short", records[0].codes[:1_000], ""))
    write_fasta(path, records)
    return path


def expected() -> set[tuple]:
    """Contig, start, end, strand and kind of what stands in the file."""
    straight, genes = (genome(seed, kinds=KINDS, length=LENGTH)[1] for seed in (50, 51))
    plain = [("c50", gene.start, gene.end, gene.strand, gene.kind) for gene in straight]
    first = genes[0].start + 60
    for gene in genes:
        start = (gene.start - first) % LENGTH
        plain.append(("c51", start, start + gene.end - gene.start, gene.strand, gene.kind))
    return {*plain, ("short", *plain[0][1:])}


def places_of(genes) -> set[tuple]:
    return {(gene.contig, gene.start, gene.end, gene.strand, gene.kind) for gene in genes}


def predict(bundle, fasta, out, *more):
    return main(["predict", str(fasta), "--model", str(bundle), "-o", str(out), *more])


def test_rows_have_kind_product_and_confidence(bundle, fasta, tmp_path, need_tool):
    assert predict(bundle, fasta, tmp_path / "o", "--formats", "gff3,genbank,embl,tsv,report") == 0
    read = read_annotation(tmp_path / "o/genes.gff3")
    assert places_of(read.rna_genes) == expected()
    products = {gene.product for gene in read.rna_genes}
    assert "5S ribosomal RNA" in products
    assert all(product.startswith("tRNA-") and product[-5] == "(" for product in products - {"5S ribosomal RNA"})
    summary = json.loads((tmp_path / "o/summary.json").read_text())
    assert summary["rna_genes"] == {"rRNA": 3, "tRNA": 12}
    rows = [line.split("\t") for line in (tmp_path / "o/genes.gff3").read_text().splitlines() if "\t" in line]
    assert all(0.5 <= float(row[5]) <= 1 for row in rows if row[2] in ("rRNA", "tRNA"))
    subprocess.run([need_tool("gt"), "gff3validator", "-typecheck", "so", tmp_path / "o/genes.gff3"], check=True)
    for name, kind in (("genes.gbk", "genbank"), ("genes.embl", "embl")):
        assert places_of(read_annotation(tmp_path / "o" / name).rna_genes) == expected()
        features = [f for record in SeqIO.parse(tmp_path / "o" / name, kind) for f in record.features]
        assert {f.qualifiers["product"][0] for f in features if f.type in ("rRNA", "tRNA")} == products
    covered = {record.id: np.zeros(3 * len(record), bool) for record in read_fasta(fasta)}
    for gene in read.rna_genes:
        covered[gene.contig][gene.start : gene.end] = True
    for gene in read.genes:
        assert 2 * covered[gene.contig][gene.start : gene.end].sum() <= gene.end - gene.start


@pytest.mark.parametrize("more", [(), ("--metagenome",)])
def test_shards_and_python_give_the_same(bundle, fasta, tmp_path, more):
    formats = ["--formats", "gff3,genbank,tsv", *more]
    assert predict(bundle, fasta, tmp_path / "o", *formats) == 0
    for number in (1, 2, 3):
        assert predict(bundle, fasta, tmp_path / "parts", "--shard", f"{number}/3", *formats) == 0
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 0
    for name in ("genes.gff3", "genes.gbk", "genes.tsv"):
        assert (tmp_path / "o" / name).read_bytes() == (tmp_path / "merged" / name).read_bytes()
    found = load_model(str(bundle)).predict(str(fasta))
    assert places_of(gene for result in found for gene in result.rna_genes) == expected()
    if not more:
        (written,) = found.write(tmp_path / "p.gff3")
        assert written.read_bytes() == (tmp_path / "o/genes.gff3").read_bytes()


def test_genes_of_a_region_have_places_of_the_record(bundle, fasta, tmp_path):
    assert predict(bundle, fasta, tmp_path / "o", "--region", "c50:1001-4000", "--formats", "gff3") == 0
    inside = {place for place in expected() if place[0] == "c50" and place[1] >= 1_000 and place[2] <= 4_000}
    assert inside and places_of(read_annotation(tmp_path / "o/genes.gff3").rna_genes) == inside


def test_a_model_without_profiles_says_nothing_of_rna(tiny_bundle, fasta, tmp_path):
    assert predict(tiny_bundle, fasta, tmp_path / "o", "--formats", "gff3") == 0
    assert "rna_genes" not in json.loads((tmp_path / "o/summary.json").read_text())
    assert not read_annotation(tmp_path / "o/genes.gff3").rna_genes
    (first, *_) = load_model(str(tiny_bundle)).predict(str(fasta))
    assert first.rna_genes is None


def test_other_profiles_are_another_result(stored):
    plain, more = {"decoder": {"a": 1}}, {"decoder": {"a": 1}, "rna": stored}
    other = {**more, "rna": {**stored, "confidence": {}}}
    assert len({decoder_digest(one) for one in (plain, more, other)}) == 3


def test_content_that_makes_no_profiles_is_refused(bundle, fasta, stored, tmp_path, capsys):
    folder = write_tiny_bundle(tmp_path / "m")
    add_calibration(folder, load_bundle(folder), {"rna": {**stored, "cloverleaf": {"pairs": [1]}}})
    assert predict(folder, fasta, tmp_path / "o") == 65
    assert "MODEL-008" in capsys.readouterr().err


@pytest.fixture
def table(tmp_path):
    """Three genomes with annotation; the last one has weight 0."""
    lines = ["fasta\tannotation\tweight\tgroup"]
    for seed in range(3):
        codes, genes = genome(seed, kinds=KINDS)
        write_fasta(tmp_path / f"g{seed}.fa", [Record("c", codes)])
        rows = [f"c\t.\t{g.kind}\t{g.start + 1}\t{g.end}\t.\t{g.strand}\t.\tID=r{g.start}" for g in genes]
        (tmp_path / f"g{seed}.gff3").write_text("##gff-version 3\n" + "\n".join(rows) + "\n")
        lines.append(f"g{seed}.fa\tg{seed}.gff3\t{int(seed < 2)}\tall")
    (tmp_path / "t.tsv").write_text("\n".join(lines) + "\n")
    return read_genome_table(tmp_path / "t.tsv")


def test_a_store_with_labels_gives_profiles_and_others_give_none(table, tmp_path):
    prepare_store(tmp_path / "rna.h5", [row.files for row in table], labels="codons_rna")
    store = Store(tmp_path / "rna.h5")
    learned = fit_profiles(SimpleNamespace(store=store, table=table, parts={"test": []}))
    assert set(learned["rna"]["profiles"]) == {"5S"} and learned["rna"]["cloverleaf"] is not None
    # As from the two genomes that have weights.
    pair = learn_rna(lambda: (labelled(seed, "all", kinds=KINDS) for seed in range(2)))
    assert learned["rna"]["profiles"] == pair.to_dict()["profiles"]
    everything = [Region(record.index, 0, record.length) for record in store.records]
    assert learn_from_store(store, table, everything) is None
    prepare_store(tmp_path / "plain.h5", [row.files for row in table])
    plain = SimpleNamespace(store=Store(tmp_path / "plain.h5"), table=[], parts={"test": []})
    assert fit_profiles(plain) == {}
