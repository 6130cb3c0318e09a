import csv
from collections import Counter

import pyrodigal
import pytest
from Bio import SeqIO

from genoformer.annotation.models import Gene
from genoformer.annotation.write_tables import TSV_COLUMNS, BedWriter, CdsWriter, ProteinWriter, TsvWriter
from genoformer.sequence.alphabet import decode_bases, encode_bases
from genoformer.sequence.records import Record

WRITERS = {"genes.tsv": TsvWriter, "genes.bed": BedWriter, "proteins.faa": ProteinWriter, "cds.fna": CdsWriter}
#       0         9         18     25
TEXT = "TTGAAATAACTATTTCATCCCATGAAA"
GENES = [
    Gene("c", 0, 9, "+", score=0.9, start_score=0.25),
    Gene("c", 9, 18, "-"),
    Gene("c", 21, 27, "+", partial_3=True),
]


def write(folder, name, records, **options):
    with WRITERS[name](folder / name) as writer:
        for record, genes in records:
            writer.add(record, genes, **options)
    return (folder / name).read_text()


def write_small(folder, name):
    return write(folder, name, [(Record("c", encode_bases(TEXT)), GENES)])


def test_the_table_by_hand(tmp_path):
    rows = [line.split("\t") for line in write_small(tmp_path, "genes.tsv").splitlines()]
    assert rows == [
        list(TSV_COLUMNS),
        ["c", "gene-c-00001", "1", "9", "+", "9", "00", "TTG", "0.9000", "0.2500"],
        ["c", "gene-c-00002", "10", "18", "-", "9", "00", "ATG", ".", "."],
        ["c", "gene-c-00003", "22", "27", "+", "6", "01", "ATG", ".", "."],
    ]


def test_bed_is_zero_based(tmp_path):
    assert write_small(tmp_path, "genes.bed").splitlines() == [
        "c\t0\t9\tgene-c-00001\t900\t+\t0\t9\t0\t1\t9\t0",
        "c\t9\t18\tgene-c-00002\t0\t-\t9\t18\t0\t1\t9\t0",
        "c\t21\t27\tgene-c-00003\t0\t+\t21\t27\t0\t1\t6\t0",
    ]


def test_a_gene_over_the_origin_has_two_bed_rows_inside_the_contig(tmp_path):
    record = Record("c", encode_bases("AATAGCCCATGA"))
    text = write(tmp_path, "genes.bed", [(record, [Gene("c", 8, 17, "+")])], circular=True)
    assert [line.split("\t")[1:3] for line in text.splitlines()] == [["0", "5"], ["8", "12"]]


def test_proteins_by_hand(tmp_path):
    assert write_small(tmp_path, "proteins.faa").splitlines() == [
        ">c_1 # 1 # 9 # 1 # ID=gene-c-00001;partial=00;start_type=TTG;score=0.9000",
        "MK*",
        ">c_2 # 10 # 18 # -1 # ID=gene-c-00002;partial=00;start_type=ATG",
        "MK*",
        ">c_3 # 22 # 27 # 1 # ID=gene-c-00003;partial=01;start_type=ATG",
        "MK",
    ]


def test_coding_sequences_by_hand(tmp_path):
    lines = write_small(tmp_path, "cds.fna").splitlines()
    assert lines[1::2] == ["TTGAAATAA", "ATGAAATAG", "ATGAAA"]


def test_a_gene_without_five_prime_end_is_read_from_its_first_whole_codon(tmp_path):
    gene = Gene("c", 0, 10, "-", partial_5=True, phase_offset=1)
    text = write(tmp_path, "proteins.faa", [(Record("c", encode_bases("CTATTTCAAG")), [gene])])
    assert text.splitlines() == [">c_1 # 1 # 10 # -1 # ID=gene-c-00001;partial=01;start_type=Edge", "LK*"]


def test_a_selenocysteine_is_written_as_u(tmp_path):
    gene = Gene("c", 0, 9, "+", transl_except=((3, 6, "Sec"),))
    assert write(tmp_path, "proteins.faa", [(Record("c", encode_bases("ATGTGATAA")), [gene])]).endswith("\nMU*\n")


def test_pseudogenes_count_in_the_numbering_but_have_no_sequence(tmp_path):
    genes = [Gene("c", 0, 9, "+", pseudo=True), GENES[1]]
    record = Record("c", encode_bases(TEXT))
    assert write(tmp_path, "proteins.faa", [(record, genes)]).startswith(">c_2 ")
    assert write(tmp_path, "genes.tsv", [(record, genes)]).splitlines()[1].split("\t")[7] == "."


@pytest.mark.parametrize("name", WRITERS)
def test_zero_genes_is_a_complete_file(tmp_path, name):
    text = write(tmp_path, name, [(Record("c", encode_bases("ACGT")), [])])
    assert text == ("\t".join(TSV_COLUMNS) + "\n" if name == "genes.tsv" else "")


def test_headers_have_the_fields_and_bases_of_prodigal(tmp_path, genome):
    real = genome("NC_019724")
    finder = pyrodigal.GeneFinder(meta=True, closed=False)
    predicted = finder.find_genes(decode_bases(real.record.codes).encode())
    with open(tmp_path / "prodigal.faa", "w") as handle:
        predicted.write_translations(handle, sequence_id=real.record.id, width=60)
    genes = [
        Gene(
            real.record.id,
            gene.begin - 1,
            gene.end,
            "+" if gene.strand == 1 else "-",
            partial_5=gene.partial_begin if gene.strand == 1 else gene.partial_end,
            partial_3=gene.partial_end if gene.strand == 1 else gene.partial_begin,
        )
        for gene in predicted
    ]
    write(tmp_path, "proteins.faa", [(real.record, genes)], genetic_code=predicted[0].translation_table)
    ours, theirs = (
        [
            (entry.id, str(entry.seq), entry.description.split(" # ")[1:4], _notes(entry.description))
            for entry in SeqIO.parse(tmp_path / name, "fasta")
        ]
        for name in ("proteins.faa", "prodigal.faa")
    )
    assert ours == theirs and len(ours) > 50


def _notes(description):
    notes = dict(pair.split("=") for pair in description.split(" # ")[4].split(";") if pair)
    return notes["partial"], notes["start_type"]


@pytest.mark.data
@pytest.mark.parametrize("name", ["ecoli", "mycoplasma", "phix174"])
def test_real_proteins_equal_genbanks_own(genome, tmp_path, name):
    real = genome(name)
    write(tmp_path, "proteins.faa", [(real.record, real.annotation.genes)], genetic_code=real.genetic_code)
    write(tmp_path, "cds.fna", [(real.record, real.annotation.genes)], genetic_code=real.genetic_code)
    write(tmp_path, "genes.tsv", [(real.record, real.annotation.genes)], genetic_code=real.genetic_code)
    proteins = list(SeqIO.parse(tmp_path / "proteins.faa", "fasta"))
    truth = [f.qualifiers["translation"][0] + "*" for f in real.truth.features if "translation" in f.qualifiers]
    assert Counter(str(entry.seq) for entry in proteins) == Counter(truth)
    assert [e.id for e in proteins] == [e.id for e in SeqIO.parse(tmp_path / "cds.fna", "fasta")]
    with open(tmp_path / "genes.tsv") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    assert len(rows) == len(real.annotation.genes) and sum(row["start_codon"] == "." for row in rows) == sum(
        gene.pseudo for gene in real.annotation.genes
    )
