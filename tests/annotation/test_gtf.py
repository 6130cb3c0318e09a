"""GTF in both directions, and what other programs make of it."""

import subprocess
from dataclasses import replace

import gffutils
import pytest
from Bio.Seq import Seq
from intron_genes import PROTEIN, gene, record

from genoformer.annotation.gene_sequence import translate_gene
from genoformer.annotation.isoforms import choose_isoforms
from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation
from genoformer.annotation.write_gff3 import Gff3Writer
from genoformer.annotation.write_gtf import GtfWriter
from genoformer.annotation.write_tables import BedWriter
from genoformer.errors import DataError
from genoformer.sequence.alphabet import decode_bases, encode_bases
from genoformer.sequence.fasta import read_fasta
from genoformer.sequence.records import Record


def write(writer, path, genes, strand="+"):
    with writer(path) as file:
        file.add(record(strand), genes, genetic_code=1)
    return path.read_text().splitlines()


def facts(found):
    return replace(found, id="", attributes={}, genetic_code=None)


def test_a_gene_by_hand(tmp_path):
    lines = write(GtfWriter, tmp_path / "a.gtf", [gene("+", score=0.5, name="x;y")])
    assert lines.pop(0) == "##gtf-version 2.2"
    rows = [line.split("\t")[2:5] + line.split("\t")[7:8] for line in lines]
    assert rows == [
        ["gene", "1", "53", "."],
        ["transcript", "1", "53", "."],
        ["exon", "1", "9", "."],
        ["five_prime_utr", "1", "4", "."],
        ["CDS", "5", "9", "0"],
        ["start_codon", "5", "7", "0"],
        ["exon", "26", "33", "."],
        ["CDS", "26", "32", "1"],
        ["stop_codon", "33", "33", "0"],
        ["exon", "49", "53", "."],
        ["stop_codon", "49", "50", "2"],
        ["three_prime_utr", "51", "53", "."],
    ]
    assert lines[4].split("\t")[8] == 'gene_id "gene-c-00001"; transcript_id "mrna-c-00001"; gene_name "x,y";'


@pytest.mark.parametrize("writer", [GtfWriter, Gff3Writer])
@pytest.mark.parametrize("strand", ["+", "-"])
def test_genes_come_back_with_their_stop_codon(tmp_path, writer, strand):
    write(writer, tmp_path / "genes", [gene(strand)], strand)
    (again,) = read_annotation(tmp_path / "genes").genes
    assert facts(again) == facts(gene(strand))
    assert translate_gene(record(strand).codes, again, 1) == PROTEIN


@pytest.mark.parametrize(
    "partial",
    [
        Gene("c", 0, 8, "+", partial_5=True, phase_offset=2),
        Gene("c", 0, 9, "-", partial_3=True),
        Gene("c", 3, 12, "+", partial_3=True),
    ],
)
def test_missing_ends_come_back(tmp_path, partial):
    write(GtfWriter, tmp_path / "a.gtf", [partial])
    assert facts(read_annotation(tmp_path / "a.gtf").genes[0]) == facts(partial)


ROW = 'c\tx\t{}\t{}\t{}\t.\t{}\t{}\tgene_id "g"; transcript_id "t";{}\n'


def read(tmp_path, *rows):
    (tmp_path / "a.gtf").write_text("".join(ROW.format(*row) for row in rows))
    return read_annotation(tmp_path / "a.gtf").genes


@pytest.mark.parametrize("last", [6, 9])
def test_the_stop_codon_is_added_whether_the_cds_holds_it_or_not(tmp_path, last):
    (found,) = read(tmp_path, ("CDS", 1, last, "+", 0, ""), ("stop_codon", 7, 9, "+", 0, ""))
    assert found.parts == ((0, 9),) and not found.partial_3


def test_transcripts_of_one_gene_share_its_id(tmp_path):
    text = ROW.format("CDS", 1, 6, "+", 0, "") + ROW.format("CDS", 1, 9, "+", 0, "").replace('"t"', '"u"')
    (tmp_path / "a.gtf").write_text(text)
    (chosen,) = choose_isoforms(read_annotation(tmp_path / "a.gtf").genes)
    assert chosen.id == "u" and chosen.attributes == {"gene_id": "g"}


@pytest.mark.parametrize(
    ("line", "code", "found"),
    [
        ('c\tx\tCDS\t1\t9\t.\t+\t0\tgene_id "g";', "GTF-001", "transcript_id"),
        ('c\tx\tCDS\t1\t9\t.\t+\t0\tgene_id "g"; transcript_id', "GTF-002", "transcript_id"),
        ('c\tx\tCDS\t1\t9\t.\t.\t0\tgene_id "g"; transcript_id "t";', "GTF-003", "strand"),
        ('c\tx\tCDS\t9\t1\t.\t+\t0\tgene_id "g"; transcript_id "t";', "GFF3-007", "9..1"),
    ],
)
def test_a_broken_row_is_an_error_with_its_line(tmp_path, line, code, found):
    (tmp_path / "a.gtf").write_text(f'#!x\nc\tx\tgene\t1\t9\t.\t+\t.\tgene_id "g";\n{line}\n')
    with pytest.raises(DataError, match=rf"error\[{code}\].*line 3.*{found}"):
        read_annotation(tmp_path / "a.gtf")


def test_sources_that_no_row_has_are_refused(tmp_path):
    with pytest.raises(DataError, match="Augustus"):
        write(GtfWriter, tmp_path / "a.gtf", [gene("+")])
        read_annotation(tmp_path / "a.gtf", sources=["Augustus"])


@pytest.fixture(scope="module")
def worm(data_dir, tmp_path_factory):
    """The worm slices, one isoform of each whole gene, and a folder with the files written of them."""
    folder = tmp_path_factory.mktemp("worm")
    stem = data_dir / "genome_1pct_c_elegans/C.elegans.1pct"
    genes = read_annotation(f"{stem}.gff.gz", sources=["WormBase"]).by_contig()
    records = [found for found in read_fasta(f"{stem}.fa.gz") if found.id in ("I", "II")]
    chosen = {
        found.id: [
            gene for gene in choose_isoforms(genes[found.id]) if "gene_id" in gene.attributes and not gene.pseudo
        ]
        for found in records
    }
    for name, writer in (("genes.gtf", GtfWriter), ("genes.gff3", Gff3Writer), ("genes.bed", BedWriter)):
        with writer(folder / name) as file:
            for found in records:
                file.add(found, chosen[found.id], genetic_code=1)
    with open(folder / "genome.fa", "w") as file:
        file.writelines(f">{found.id}\n{decode_bases(found.codes)}\n" for found in records)
    return folder, records, chosen


def test_worm_genes_survive_both_formats(worm):
    folder, _, chosen = worm
    expected = [facts(gene) for genes in chosen.values() for gene in genes]
    assert len(expected) > 40 and any(gene.exons for gene in expected)
    assert sum(len(gene.parts) for gene in expected) > 5 * len(expected)
    for name in ("genes.gtf", "genes.gff3"):
        assert [facts(gene) for gene in read_annotation(folder / name).genes] == expected


def test_genometools_accepts_both_formats_and_converts_one(worm, need_tool, tmp_path):
    folder, _, chosen = worm
    for command in (
        ["gff3validator", "-typecheck", "so", folder / "genes.gff3"],
        ["gtf_to_gff3", folder / "genes.gtf"],
    ):
        done = subprocess.run([need_tool("gt"), *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    (tmp_path / "converted.gff3").write_text(done.stdout)
    converted = read_annotation(tmp_path / "converted.gff3").genes
    assert sum(gene.length_bp for gene in converted) == sum(
        gene.length_bp for genes in chosen.values() for gene in genes
    )


def test_gffutils_and_biopython_read_the_proteins_out_of_both_files(worm, tmp_path):
    folder, records, chosen = worm
    bases = {found.id: decode_bases(found.codes) for found in records}
    expected = sorted(translate_gene(r.codes, gene, 1).rstrip("*") for r in records for gene in chosen[r.id])
    for name, keep in (("genes.gff3", "*"), ("genes.gtf", "")):
        options = {"disable_infer_genes": True, "disable_infer_transcripts": True} if name.endswith("gtf") else {}
        db = gffutils.create_db(str(folder / name), ":memory:", merge_strategy="create_unique", **options)
        proteins = []
        for transcript in db.features_of_type(["mRNA", "transcript"]):
            rows = list(db.children(transcript, featuretype="CDS", order_by="start"))
            text = "".join(bases[row.seqid][row.start - 1 : row.end] for row in rows)
            sequence = Seq(text) if transcript.strand == "+" else Seq(text).reverse_complement()
            assert rows[0 if transcript.strand == "+" else -1].frame == "0"
            protein = str(sequence.translate())
            assert protein.endswith("*") == bool(keep)
            proteins.append(protein.rstrip("*"))
        assert sorted(proteins) == expected


def test_bedtools_splices_the_transcripts_out_of_bed12(worm, need_tool):
    folder, records, chosen = worm
    command = ["getfasta", "-split", "-s", "-fi", folder / "genome.fa", "-bed", folder / "genes.bed", "-tab"]
    done = subprocess.run([need_tool("bedtools"), *map(str, command)], capture_output=True, text=True, check=True)
    spliced = [line.split("\t")[1] for line in done.stdout.splitlines()]
    expected = []
    for found in records:
        for one in chosen[found.id]:
            text = Seq("".join(decode_bases(found.codes[start:end]) for start, end in one.transcript_exons))
            expected.append(str(text if one.strand == "+" else text.reverse_complement()))
    assert sorted(spliced) == sorted(expected)
    rows = [line.split("\t") for line in (folder / "genes.bed").read_text().splitlines()]
    thick = sorted((row[0], int(row[6]), int(row[7])) for row in rows)
    assert thick == sorted((gene.contig, gene.start, gene.end) for genes in chosen.values() for gene in genes)
    assert all(len(row) == 12 for row in rows)


def test_a_file_without_genes_is_read_back(tmp_path):
    with GtfWriter(tmp_path / "a.gtf") as file:
        file.add(Record("c", encode_bases("ACGT")), [])
    assert read_annotation(tmp_path / "a.gtf").genes == []
