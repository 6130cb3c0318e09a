"""The models of genes with introns that come with the package, on sequence that they were not trained on."""

from dataclasses import replace

import pytest
from Bio import SeqIO
from Bio.Seq import Seq

from genoformer.annotation.models import Annotation
from genoformer.annotation.read import read_annotation, read_records
from genoformer.applications.introns.evaluate import score_intron_genes
from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import find_bundle
from genoformer.cli.main import main
from genoformer.sequence.fasta import read_fasta, write_fasta
from genoformer.sequence.records import Record

FUNGI, YEASTS, EUKARYOTES = "fungi", "yeasts", "eukaryotes"
LENGTH_BP = 60_000
YEAST_FROM = 100_000


@pytest.fixture(scope="module")
def chr5(data_dir, tmp_path_factory):
    """The first bases of thale cress chromosome 5, a record that was held out of training, as FASTA; and its genes."""
    folder = data_dir / "genome_1pct_a_thaliana"
    record = next(record for record in read_fasta(folder / "A.thaliana.1pct.fa.gz") if record.id == "Chr5")
    fasta = tmp_path_factory.mktemp("chr5") / "chr5.fa"
    write_fasta(fasta, [Record("Chr5", record.codes[:LENGTH_BP])])
    genes = read_annotation(folder / "A.thaliana.1pct.gff.gz", sources=["TAIR10"]).by_contig()["Chr5"]
    return fasta, [gene for gene in genes if gene.transcript_span[1] <= LENGTH_BP]


@pytest.fixture(scope="module")
def predicted(chr5, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "p"
    command = ["predict", str(chr5[0]), "--model", EUKARYOTES, "-o", str(out), "--formats", "gff3,gtf,bed,protein,cds"]
    assert main(command) == 0
    return out


@pytest.fixture(scope="module")
def yeast(data_dir, tmp_path_factory):
    """The middle of yeast chromosome I, which training has not seen, as FASTA; and its genes."""
    folder = data_dir / "genome_yeast_s288c"
    (record,) = read_records(folder / "sc_chrom1.gb.gz")
    fasta = tmp_path_factory.mktemp("yeast") / "chr1.fa"
    write_fasta(fasta, [Record("chr1", record.codes[YEAST_FROM : YEAST_FROM + LENGTH_BP])])
    genes = [gene.shifted(-YEAST_FROM) for gene in read_annotation(folder / "sc_chrom1.gb.gz").genes
             if gene.start >= YEAST_FROM]  # fmt: skip
    return fasta, [replace(gene, contig="chr1") for gene in genes if gene.end <= LENGTH_BP]


@pytest.fixture(scope="module", params=[FUNGI, YEASTS, EUKARYOTES])
def predicted_fungus(request, yeast, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "p"
    command = ["predict", str(yeast[0]), "--model", request.param, "-o", str(out), "--circular", "none"]
    assert main([*command, "--formats", "gff3,protein,cds"]) == 0
    return out


def test_most_genes_of_a_chromosome_of_yeast_that_training_has_not_seen_are_found_as_a_whole(yeast, predicted_fungus):
    found = read_annotation(predicted_fungus / "genes.gff3")
    scores = score_intron_genes(found, Annotation(yeast[1]), {"chr1": LENGTH_BP})
    assert scores["bases"]["classes"]["coding"]["f1"] > 0.95
    assert scores["chain"]["f1"] > 0.7


def test_most_coding_bases_of_a_chromosome_that_training_has_not_seen_are_found(chr5, predicted):
    found = read_annotation(predicted / "genes.gff3")
    scores = score_intron_genes(found, Annotation(chr5[1]), {"Chr5": LENGTH_BP})
    assert scores["bases"]["classes"]["coding"]["f1"] > 0.9
    assert scores["exon"]["f1"] > 0.6


def test_every_cds_translates(predicted, predicted_fungus):
    for out in (predicted, predicted_fungus):
        check_that_cds_translate(out)
    assert any(len(gene.parts) > 2 for gene in read_annotation(predicted / "genes.gff3").genes)


def check_that_cds_translate(predicted):
    genes = read_annotation(predicted / "genes.gff3").genes
    proteins = [str(record.seq) for record in SeqIO.parse(predicted / "proteins.faa", "fasta")]
    cds = [str(record.seq) for record in SeqIO.parse(predicted / "cds.fna", "fasta")]
    assert len(genes) == len(proteins) == len(cds) > 5
    for gene, protein, text in zip(genes, proteins, cds, strict=True):
        codons = text[gene.phase_offset :]
        assert str(Seq(codons[: len(codons) // 3 * 3]).translate()) == protein
        assert "*" not in (protein if gene.partial_3 else protein[:-1])
        assert gene.partial_5 or protein[0] == "M"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (FUNGI, "genera that training has not seen"),
        (YEASTS, "no species was left out"),
        (EUKARYOTES, "nothing is known of clades"),
    ],
)
def test_models_are_small_and_their_cards_say_what_they_were_tested_on(name, said):
    folder = find_bundle(name)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 10_000_000
    assert said in " ".join((folder / "model_card.md").read_text().split())
    assert load_bundle(name).config.genetic_code == 1
