"""The model that comes with the package, as a Python program uses it."""

import gzip

import pytest
from Bio import SeqIO

from genoformer import load_model
from genoformer.annotation.models import Annotation
from genoformer.annotation.read import read_annotation, read_records
from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.evaluate import score_annotations
from genoformer.bundle.folder import load_bundle
from genoformer.decoding.options import CallOptions
from genoformer.sequence.alphabet import decode_bases


@pytest.fixture(scope="module")
def phage(data_dir, tmp_path_factory):
    """NC_049491 as FASTA, and its GenBank file."""
    genbank = data_dir / "genome_phages" / "NC_049491.gbk.gz"
    with gzip.open(genbank, "rt") as file:
        record = SeqIO.read(file, "genbank")
    fasta = tmp_path_factory.mktemp("phage") / "phage.fa"
    SeqIO.write(record, fasta, "fasta")
    return fasta, genbank


def test_most_genes_of_a_phage_that_training_has_not_seen_are_found(phage):
    fasta, genbank = phage
    (result,) = load_model("prokaryotes").predict(fasta)
    scores = score_annotations(Annotation(result.genes), read_annotation(genbank), {result.record_id: result.length})
    assert scores["genes"]["three_prime"]["f1"] > 0.93
    assert scores["genes"]["exact"]["f1"] > 0.88
    assert all(0 < gene.score < 1 and 0 < gene.start_score < 1 for gene in result.genes)


@pytest.mark.parametrize(
    ("path", "start", "end"),
    [
        ("genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.gbff.gz", 3_032_000, 3_040_000),
        ("genome_haemophilus_rd/NC_000907.1.gbk.gz", 1_276_000, 1_284_000),
    ],
)
def test_release_factor_2_has_a_note_and_its_neighbours_have_none(path, start, end, data_dir):
    (record,) = read_records(data_dir / path)
    (prfb,) = [gene for gene in read_annotation(data_dir / path).genes if gene.name == "prfB"]
    assert start < prfb.start < prfb.end < end
    (result,) = load_model("prokaryotes").predict({"part": decode_bases(record.codes[start:end])})
    assert len(result.genes) > 5
    (noted,) = [gene for gene in result.genes if "release factor 2" in gene.note]
    ends = [gene.end if gene.strand == "+" else gene.start for gene in (noted, prfb)]
    assert ends[0] + start == ends[1]


def test_tiles_per_call_change_no_gene_in_the_default_precision(phage):
    one, three = (next(iter(load_model("prokaryotes", batch_size=n).predict(phage[0]))).genes for n in (1, 3))
    assert [(g.start, g.end, g.strand) for g in one] == [(g.start, g.end, g.strand) for g in three]
    assert [g.score for g in one] == pytest.approx([g.score for g in three], abs=1e-5)


def test_a_sequence_gives_the_genes_of_the_file_that_holds_it(phage):
    model, record = load_model("prokaryotes"), SeqIO.read(phage[0], "fasta")
    from_file = next(iter(model.predict(phage[0])))
    from_bases = model.predict_sequence(record.id, str(record.seq).lower())
    assert from_bases == from_file


def test_starts_of_a_short_genome_gain_from_what_the_model_knows_of_others(data_dir):
    """Phage lambda has too few codons for statistics of its own."""
    genbank = data_dir / "genome_phages" / "NC_001416_lambda.gbk.gz"
    (record,), reference = read_records(genbank), read_annotation(genbank)
    finder, codes, options = GeneFinder.from_bundle(load_bundle("prokaryotes")), record.codes, CallOptions()
    rows = finder.candidates(codes, options)
    learned = finder.statistics(lambda: [(codes, rows, options)], options)
    assert not learned.are_own and learned.n_codons > 1000
    exact = {}
    for name, statistics in (("with", learned), ("without", None)):
        genes = finder.genes(record.id, codes, rows, options, statistics)
        exact[name] = score_annotations(Annotation(genes), reference, {record.id: len(codes)})["genes"]["exact"]["f1"]
    assert exact["with"] > exact["without"]
