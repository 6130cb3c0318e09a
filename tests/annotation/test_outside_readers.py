"""What readers that we did not write make of every file of genes: docs/formats.md has the table."""

import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import gffutils
import numpy as np
import polars
import pysam
import pytest
from Bio.Data import CodonTable
from Bio.Seq import Seq
from written_genes import CONTIGS, GENETIC_CODE, make_contigs, write_all

from genoformer.annotation.gene_sequence import coding_positions, coding_sequence, translate_gene
from genoformer.annotation.models import Gene
from genoformer.annotation.write_gff3 import write_gff3
from genoformer.sequence.alphabet import decode_bases, encode_bases
from genoformer.sequence.records import Record

CODONS = CodonTable.unambiguous_dna_by_id[GENETIC_CODE].forward_table


@pytest.fixture(scope="module")
def contigs():
    return make_contigs()


@pytest.fixture(scope="module")
def folder(contigs, tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("written"), contigs)


@pytest.fixture(scope="module")
def proteins(contigs):
    """Of all genes, without the letter of the stop codon, by mRNA."""
    return {name: translate_gene(record.codes, gene, GENETIC_CODE).rstrip("*") for name, record, gene in named(contigs)}


@pytest.fixture(scope="session")
def call(need_tool):
    """``call("gt", …)`` runs a program, which must end well, and gives what it printed."""

    def run(program, *arguments):
        done = subprocess.run([need_tool(program), *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def named(contigs):
    """Name of the mRNA, record and gene, for all genes."""
    return [
        (f"mrna-{record.id}-{number:05d}", record, gene)
        for record, genes in contigs
        for number, gene in enumerate(genes, start=1)
    ]


def read_entries(text):
    """Sequences by the first word of their headers."""
    entries = [entry.partition("\n") for entry in text.split(">")[1:]]
    return {header.split()[0]: "".join(bases.split()) for header, _, bases in entries}


def test_the_genes_are_of_all_kinds(contigs):
    genes = [gene for _, genes in contigs for gene in genes]
    assert {gene.strand for gene in genes} == {"+", "-"} and {len(gene.parts) for gene in genes} >= {1, 2, 3, 4}


def test_genometools_validates_and_compares_the_gff3_with_itself(folder, call, contigs):
    assert "input is valid GFF3" in call("gt", "gff3validator", "-typecheck", "so", folder / "genes.gff3")
    shares = re.findall(r"([\d.]+)% \((?:TP=)?(\d+)", call("gt", "eval", folder / "genes.gff3", folder / "genes.gff3"))
    assert {share for share, _ in shares} == {"100.00"}
    assert int(shares[0][1]) == sum(len(genes) for _, genes in contigs)


def test_genometools_takes_the_proteins_out_of_the_gff3(folder, call, proteins):
    options = ["-type", "CDS", "-join", "-translate", "-gcode", GENETIC_CODE, "-retainids", "-matchdescstart"]
    found = read_entries(call("gt", "extractfeat", *options, "-seqfile", folder / "genome.fa", folder / "genes.gff3"))
    assert {name: protein.rstrip("*") for name, protein in found.items()} == proteins


def test_records_are_sorted_by_the_bytes_of_their_names(folder):
    lines = (folder / "genes.gff3").read_text().splitlines()
    names = [line.split()[1] for line in lines if line.startswith("##sequence-region")]
    assert names == sorted(CONTIGS) != list(CONTIGS) and lines[0] == "##gff-version 3"
    rows = list(dict.fromkeys(line.split("\t")[0] for line in lines if not line.startswith("#")))
    assert rows == names and all(line.startswith("##sequence-region") for line in lines[1 : 1 + len(names)])


def test_genometools_compares_a_circular_record_and_genes_that_begin_at_one_base(tmp_path, call):
    first = Record("z", encode_bases("ATGAAATAA" * 4))
    genes = [Gene("z", 0, 36, "+"), Gene("z", 0, 9, "+"), Gene("z", 0, 18, "+"), Gene("z", 18, 27, "+")]
    second = Record("=", encode_bases("ATGAAATAA"))  # an escaped name, whose bytes are sorted as they are written
    rest = [(Record(name, second.codes), [Gene(name, 0, 9, "+")], True) for name in ("=", "5", "é")]
    path = tmp_path / "a.gff3"
    write_gff3(path, [(first, genes, True), *rest, (Record("empty", second.codes), [], False)])
    assert "gene sensitivity (mRNA level): 100.00% (7/7)" in call("gt", "eval", path, path)
    assert "input is valid GFF3" in call("gt", "gff3validator", "-typecheck", "so", path)


def test_readers_hold_a_gene_over_the_origin_as_far_as_they_know_circles(tmp_path, call):
    """``gt eval`` stops in an assertion, ``gt extractfeat`` and the sequences of gffread end with the record."""
    record = Record("c", encode_bases("AATAGCCCATGA"))
    (folder := tmp_path / "all").mkdir()
    write_all(folder, [(record, [Gene("c", 8, 17, "+")])], circular=True)
    assert "input is valid GFF3" in call("gt", "gff3validator", "-typecheck", "so", folder / "genes.gff3")
    (cds,) = gffutils.create_db(str(folder / "genes.gff3"), ":memory:").features_of_type("CDS")
    assert (cds.start, cds.end) == (9, 17)
    assert [line.split("\t")[3:5] for line in call("gffread", folder / "genes.gff3").splitlines()[-1:]] == [["9", "17"]]
    options = ["-tab", "-nameOnly", "-fi", folder / "genome.fa", "-bed", folder / "genes.bed"]
    halves = [line.split("\t")[1] for line in call("bedtools", "getfasta", *options).splitlines()]
    assert halves == ["AATAG", "ATGA"] and "".join(halves[::-1]) in (folder / "cds.fna").read_text()


@pytest.mark.parametrize("name", ["genes.gff3", "genes.gtf"])
def test_gffutils_reads_the_proteins(folder, contigs, proteins, name):
    options = {"disable_infer_genes": True, "disable_infer_transcripts": True} if name.endswith("gtf") else {}
    database = gffutils.create_db(str(folder / name), ":memory:", merge_strategy="create_unique", **options)
    bases = {record.id: decode_bases(record.codes) for record, _ in contigs}
    found = {}
    for transcript in database.features_of_type(["mRNA", "transcript"]):
        rows = database.children(transcript, featuretype="CDS", order_by="start")
        text = Seq("".join(bases[row.seqid][row.start - 1 : row.end] for row in rows))
        text = text if transcript.strand == "+" else text.reverse_complement()
        key = transcript.attributes["ID" if name.endswith("gff3") else "transcript_id"][0]
        found[key] = str(text.translate(table=GENETIC_CODE)).rstrip("*")
    assert found == proteins


@pytest.mark.parametrize("name", ["genes.gff3", "genes.gtf"])
def test_gffread_reads_coding_sequences_transcripts_and_proteins(folder, contigs, proteins, call, tmp_path, name):
    options = ["-g", folder / "genome.fa", "-y", tmp_path / "y", "-x", tmp_path / "x", "-w", tmp_path / "w"]
    call("gffread", *options, folder / name)
    assert read_entries((tmp_path / "y").read_text()) == proteins
    coding = {key: decode_bases(coding_sequence(record.codes, gene)) for key, record, gene in named(contigs)}
    assert read_entries((tmp_path / "x").read_text()) == coding  # of the GTF with its stop_codon rows
    transcripts = {key: spliced(record, gene) for key, record, gene in named(contigs)}
    assert read_entries((tmp_path / "w").read_text()) == transcripts


def spliced(record, gene):
    text = Seq("".join(decode_bases(record.codes[start:end]) for start, end in gene.transcript_exons))
    return str(text if gene.strand == "+" else text.reverse_complement())


def test_genometools_converts_the_gtf_to_the_same_coding_bases(folder, contigs, call, tmp_path):
    (tmp_path / "a.gff3").write_text(call("gt", "gtf_to_gff3", folder / "genes.gtf"))
    rows = [line.split("\t") for line in (tmp_path / "a.gff3").read_text().splitlines() if "\tCDS\t" in line]
    found = sum(int(row[4]) - int(row[3]) + 1 for row in rows)
    assert found == sum(gene.length_bp for _, genes in contigs for gene in genes)


def test_bedtools_splices_transcripts_and_knows_the_order(folder, contigs, call):
    options = ["-split", "-s", "-tab", "-nameOnly", "-fi", folder / "genome.fa", "-bed", folder / "genes.bed"]
    rows = [line.split("\t") for line in call("bedtools", "getfasta", *options).splitlines()]
    assert [bases for _, bases in rows] == [spliced(record, gene) for _, record, gene in named(contigs)]
    (folder / "order").write_text("".join(f"{record.id}\t{len(record)}\n" for record, _ in contigs))
    for name, order in (("genes.bed", ["-g", folder / "order"]), ("genes.gff3", [])):
        options = ["-sorted", *order, "-nonamecheck", "-a", folder / name, "-b", folder / name]
        assert len(call("bedtools", "intersect", "-u", *options).splitlines()) >= len(rows)
    overlaps = call("bedtools", "intersect", "-s", "-u", "-a", folder / "genes.bed", "-b", folder / "genes.gff3")
    assert len(overlaps.splitlines()) == len(rows)


def test_polars_reads_the_tables(folder, contigs):
    table = polars.read_csv(folder / "genes.tsv", separator="\t", null_values=".", schema_overrides={"partial": str})
    assert table["start"].dtype == table["end"].dtype == polars.Int64 and table["score"].dtype == polars.Float64
    expected = [(record.id, gene.start + 1, gene.end, gene.strand) for _, record, gene in named(contigs)]
    assert table.select("record_id", "start", "end", "strand").rows() == expected
    assert set(table["partial"]) == {"00"} and set(table["start_codon"]) == {"ATG"}
    bed = polars.read_csv(folder / "genes.bed", separator="\t", has_header=False)
    assert bed.width == 12 and bed[:, 3].to_list() == table["gene_id"].to_list()
    for name in ("genes.gff3", "genes.gtf"):
        rows = polars.read_csv(
            folder / name, separator="\t", has_header=False, comment_prefix="#", null_values=".", quote_char=None
        )
        assert rows.width == 9 and rows[:, 3].dtype == polars.Int64
        assert (rows[:, 2] == "gene").sum() == table.height


def test_htslib_finds_the_entries_of_the_sequence_files(folder, contigs, proteins, tmp_path):
    for name, expected in (("proteins.faa", proteins.values()), ("cds.fna", None)):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
        with pysam.FastaFile(str(tmp_path / name)) as file:
            keys = [f"{record.id}_{i + 1}" for record, genes in contigs for i in range(len(genes))]
            assert list(file.references) == keys
            if expected is not None:
                assert [file.fetch(key).rstrip("*") for key in keys] == list(expected)


# bcftools csq

CSQ = "import sys, pysam.bcftools as bcftools; sys.stdout.write(bcftools.csq(*sys.argv[1:]))"


def call_csq(folder: Path, vcf: Path, *options: str) -> list[list[str]]:
    """Rows of ``bcftools csq``: in a process of its own, since pysam's copy keeps state from one call to the next."""
    files = ["-f", folder / "genome.fa", "-g", folder / "genes.gff3", vcf]
    command = [sys.executable, "-c", CSQ, *options, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "rror" not in done.stderr and "arning" not in done.stderr, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines() if line and line[0] != "#"]


def substitution(record, gene, wanted):
    """A change of one base that has this consequence, and its amino acid: in a codon that an intron cuts, if any."""
    bases = coding_positions(gene, len(record))
    coding = decode_bases(coding_sequence(record.codes, gene))
    for codon in sorted(range(1, len(coding) // 3 - 1), key=lambda i: -np.ptp(bases[3 * i : 3 * i + 3])):
        old = coding[3 * codon : 3 * codon + 3]
        for place, letter in product(range(3), "ACGT"):
            new = old[:place] + letter + old[place + 1 :]
            if new != old and consequence(old, new) == wanted:
                position = int(bases[3 * codon + place])
                written = letter if gene.strand == "+" else str(Seq(letter).complement())
                variant = record.id, position + 1, decode_bases(record.codes[position : position + 1]), written
                return variant, f"{codon + 1}{CODONS[old]}"
    raise AssertionError(f"no codon of {gene} fits")


def consequence(old, new):
    if new not in CODONS:
        return "stop_gained"
    return "synonymous" if CODONS[new] == CODONS[old] else "missense"


def deletion(record, gene):
    """One base in the middle of the longest part is lost."""
    start, end = max(gene.parts, key=lambda part: part[1] - part[0])
    middle = (start + end) // 2
    while record.codes[middle] == record.codes[middle + 1]:  # which of several equal bases is lost nobody knows
        middle += 1
    pair = decode_bases(record.codes[middle : middle + 2])
    return (record.id, middle + 1, pair, pair[0]), ""


def write_vcf(path, records, variants):
    contigs = "".join(f"##contig=<ID={record.id},length={len(record)}>\n" for record in records)
    rows = "".join(f"{contig}\t{place}\t.\t{old}\t{new}\t.\t.\t.\n" for contig, place, old, new in variants)
    path.write_text(f"##fileformat=VCFv4.2\n{contigs}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{rows}")


@pytest.mark.parametrize("wanted", ["synonymous", "missense", "stop_gained", "frameshift"])
def test_bcftools_finds_the_consequence_of_a_variant_in_every_gene(folder, contigs, tmp_path, wanted):
    variants, expected = [], []
    for name, record, gene in named(contigs):
        variant, change = deletion(record, gene) if wanted == "frameshift" else substitution(record, gene, wanted)
        variants.append(variant)
        expected.append((*variant[:2], wanted, "gene-" + name.removeprefix("mrna-"), name, gene.strand, change))
    write_vcf(tmp_path / "a.vcf", [record for record, _ in contigs], variants)
    found = consequences(call_csq(folder, tmp_path / "a.vcf"))
    if wanted == "frameshift":
        found = [(*row[:-1], "") for row in found]
    assert found == expected


def consequences(rows):
    """Contig, place, consequence, gene, transcript, strand, amino acid; without those of splice sites beside them."""
    found = []
    for row in rows:
        for words in (text.split("|") for text in row[7].removeprefix("BCSQ=").split(",")):
            if words[0] != "splice_region":
                kind, gene, transcript, _, strand, change = words[:6]
                found.append((row[0], int(row[1]), kind, gene, transcript, strand, change.split(">")[0]))
    return found
