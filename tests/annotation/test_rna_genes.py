"""Genes of rRNA and tRNA: what files call them, and that they change nothing of the genes of proteins."""

from collections import Counter
from pathlib import Path

import pytest

from genoformer.annotation.models import RnaGene
from genoformer.annotation.read import read_annotation
from genoformer.annotation.rna_rows import rna_kind
from genoformer.errors import WarningLog

GENBANK = """LOCUS       c1                       120 bp    DNA     circular BCT 01-JAN-2020
DEFINITION  toy.
ACCESSION   c1
VERSION     c1
FEATURES             Location/Qualifiers
     source          1..120
     CDS             4..12
                     /locus_tag="a"
                     /transl_table=11
     gene            complement(20..30)
                     /locus_tag="b"
     tRNA            complement(20..30)
                     /locus_tag="b"
                     /product="tRNA-Lys"
     tRNA            join(40..44,50..55)
                     /locus_tag="c"
     rRNA            join(111..120,1..2)
                     /locus_tag="d"
     rRNA            complement(join(118..120,1..1))
                     /locus_tag="e"
     tRNA            60..70
                     /pseudo
     tmRNA           75..80
     ncRNA           82..90
ORIGIN
        1 cccatgaaat aaccccccca cgtacgtacg tacgtacgta cgtacgtacg tacgtacgta
       61 cgtacgtacg tacgtacgta cgtacgtacg tacgtacgta cgtacgtacg tacgtacgta
//
"""


def read(tmp_path: Path, text: str, name: str = "a.gff3", **options):
    path = tmp_path / name
    path.write_text(text)
    log = WarningLog()
    return read_annotation(path, warnings=log, **options), log


def gff3(*rows: str) -> str:
    return "##gff-version 3\n" + "".join(row.replace(" ", "\t", 8) + "\n" for row in rows)


def places(annotation) -> list[tuple]:
    return [(gene.start, gene.end, gene.strand, gene.kind) for gene in annotation.rna_genes]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("tRNA", "tRNA"), ("rRNA", "rRNA"), ("tRNA_gene", "tRNA"), ("rRNA_16S", "rRNA"), ("rRNA_5.8S", "rRNA"),
        ("large_subunit_rRNA", "rRNA"), ("cytosolic_5S_rRNA", "rRNA"), ("Mt_tRNA", "tRNA"), ("alanyl_tRNA", "tRNA"),
    ],
)  # fmt: skip
def test_words_for_rna_genes_are_known(word, kind):
    assert rna_kind(word) == (kind, False)


@pytest.mark.parametrize("word", ["pseudogenic_tRNA", "tRNA_pseudogene", "Mt_tRNA_pseudogene"])
def test_words_for_pseudogenes_say_so(word):
    assert rna_kind(word) == ("tRNA", True)


@pytest.mark.parametrize(
    "word", ["tmRNA", "mRNA", "snRNA", "ncRNA", "rRNA_primary_transcript", "gene", "CDS", "", "RNA"]
)
def test_other_words_are_no_rna_genes(word):
    assert rna_kind(word) is None


def test_gene_row_and_rna_row_are_one_gene(tmp_path):
    ncbi = gff3(
        "c r gene 11 20 . - . ID=gene-t;gene_biotype=tRNA;locus_tag=t",
        "c r tRNA 11 20 . - . ID=rna-t;Parent=gene-t;product=tRNA-Lys;locus_tag=t",
        "c r exon 11 20 . - . ID=exon-t;Parent=rna-t;gbkey=tRNA",
        "c r CDS 31 39 . + 0 ID=p",
    )
    annotation, log = read(tmp_path, ncbi)
    assert annotation.rna_genes == [RnaGene("c", 10, 20, "-", "tRNA", "rna-t", "t", "tRNA-Lys")]
    assert [gene.id for gene in annotation.genes] == ["p"] and not log.lines()


def test_biotype_alone_is_enough(tmp_path):
    ensembl = gff3(
        "c e ncRNA_gene 11 20 . + . ID=gene:t;biotype=tRNA",
        "c e transcript 11 20 . + . ID=transcript:t;Parent=gene:t;biotype=tRNA",
        "c e ncRNA_gene 31 40 . + . ID=gene:r;biotype=rRNA",
        "c e rRNA 31 40 . + . ID=transcript:r;Parent=gene:r;biotype=rRNA",
        "c e gene 51 60 . + . ID=gene:p;biotype=protein_coding",
        "c e pseudogene 71 80 . + . ID=gene:q;biotype=tRNA",
    )
    annotation, _ = read(tmp_path, ensembl)
    assert places(annotation) == [(10, 20, "+", "tRNA"), (30, 40, "+", "rRNA"), (70, 80, "+", "tRNA")]
    assert [gene.pseudo for gene in annotation.rna_genes] == [False, False, True]


def test_parts_of_one_id_are_one_gene_with_its_intron(tmp_path):
    annotation, _ = read(tmp_path, gff3("c r tRNA 11 20 . + . ID=t", "c r tRNA 51 60 . + . ID=t"))
    assert places(annotation) == [(10, 60, "+", "tRNA")]


def test_copies_of_a_trna_that_have_one_id_are_genes_of_their_own(tmp_path):
    annotation, _ = read(tmp_path, gff3("c r tRNA 11 86 . + . ID=t", "c r tRNA 101 176 . + . ID=t"))
    assert places(annotation) == [(10, 86, "+", "tRNA"), (100, 176, "+", "tRNA")]


def test_parts_too_far_apart_are_pieces_of_a_gene(tmp_path):
    annotation, _ = read(tmp_path, gff3("c r tRNA 11 20 . + . ID=t", "c r tRNA 90001 90010 . + . ID=t"))
    assert places(annotation) == [(10, 20, "+", "tRNA"), (90_000, 90_010, "+", "tRNA")]
    assert all(gene.pseudo for gene in annotation.rna_genes)


def test_rows_without_strand_and_of_other_sources_are_left_out(tmp_path):
    text = gff3("c r tRNA 11 20 . . . ID=t", "c x rRNA 31 40 . + . ID=r", "c y rRNA 51 60 . + . ID=s;Name=s",
                "c x CDS 71 79 . + 0 ID=p")  # fmt: skip
    assert places(read(tmp_path, text)[0]) == [(30, 40, "+", "rRNA"), (50, 60, "+", "rRNA")]
    assert places(read(tmp_path, text, sources=["x"])[0]) == [(30, 40, "+", "rRNA")]


def test_gtf_rows_are_read_where_it_has_them(tmp_path):
    gtf = "".join(
        row.replace(" ", "\t", 8) + "\n"
        for row in (
            'c e gene 11 20 . - . gene_id "t"; gene_biotype "tRNA";',
            'c e transcript 11 20 . - . gene_id "t"; transcript_id "t1"; gene_biotype "tRNA";',
            'c e exon 11 20 . - . gene_id "t"; transcript_id "t1"; gene_biotype "tRNA";',
            'c e rRNA 31 40 . + . gene_id "r"; product "16S";',
            "c e tRNA 51 60 . + . bare",
            "c e tRNA 5x 60 . + . bare",
            'c e CDS 71 79 . + 0 gene_id "p"; transcript_id "p1";',
        )
    )
    annotation, log = read(tmp_path, gtf, "a.gtf")
    assert places(annotation) == [(10, 20, "-", "tRNA"), (30, 40, "+", "rRNA"), (50, 60, "+", "tRNA")]
    assert [gene.id for gene in annotation.genes] == ["p1"] and not log.lines()


def test_features_of_flat_files_are_read_over_the_origin_too(tmp_path):
    annotation, log = read(tmp_path, GENBANK, "a.gb")
    assert places(annotation) == [
        (19, 30, "-", "tRNA"), (39, 55, "+", "tRNA"), (59, 70, "+", "tRNA"), (110, 122, "+", "rRNA"),
        (117, 121, "-", "rRNA"),
    ]  # fmt: skip
    assert [gene.pseudo for gene in annotation.rna_genes] == [False, False, True, False, False]
    assert annotation.rna_genes[0].product == "tRNA-Lys"
    assert [gene.locus_tag for gene in annotation.genes] == ["a"] and not log.lines()


@pytest.mark.parametrize(
    ("name", "n_rrna", "n_trna"),
    [
        ("genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.gff.gz", 22, 86),  # NCBI, GFF3
        ("genome_mycoplasma/mycoides_GCF_000023685.1.gbff.gz", 6, 30),  # PGAP, GenBank
        ("more/genomes_bacteria/Staphylococcus_aureus.ASM59796v1.46.gff3.gz", 19, 59),  # Ensembl
        ("more/genomes_bacteria/Clostridium_cellulosi_DG5.gff3.gz", 12, 59),
        ("more/genomes_archaea/Archaeoglobus_fulgidus_GCF_000008665.1.gff.gz", 3, 46),
        ("genome_haemophilus_rd/NC_000907.1.gbk.gz", 19, 57),
        ("genome_yeast_s288c/sc_chrom1.gff3.gz", 0, 4),
        ("more/genomes_bacteria/Streptococcus_pneumoniae_Spn23F.embl.gz", 0, 0),
    ],
)
def test_rna_genes_of_real_annotations_are_counted(name, n_rrna, n_trna, data_dir):
    found = read_annotation(data_dir / name).rna_genes
    assert Counter(gene.kind for gene in found) == Counter({"rRNA": n_rrna, "tRNA": n_trna})
    assert all(gene.end - gene.start < 3500 for gene in found)
