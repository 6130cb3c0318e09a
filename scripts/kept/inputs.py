"""The inputs of all commands: what the script writes itself, before and after the genomes were simulated."""

import csv
import gzip
import shutil
from pathlib import Path

import numpy as np
from Bio import SeqIO

from kept.introns import make_intron_genome
from kept.labelled import write_codons, write_contacts, write_enzymes, write_functions, write_rnas
from kept.sequences import coding_sequences, draw_bases, fasta, read_fasta, table

WORM_BP = 60_000
"""Bases of chromosome I of the worm that are predicted."""


def write_inputs(folder: Path, data: Path | None) -> None:
    """Everything that needs no genoformer.

    Args:
        folder: Of the inputs; it is there.
        data: Folder of real genomes; None leaves them out.
    """
    for write in (write_functions, write_enzymes, write_rnas, write_codons, write_contacts, _write_relatives):
        write(folder)
    for name, n_genes, seed in (("introns", 30, 6), ("introns2", 12, 7)):
        bases, rows = make_intron_genome(n_genes=n_genes, seed=seed)
        (folder / f"{name}.fa").write_text(bases)
        (folder / f"{name}.gff3").write_text(rows)
    (folder / "broken.fa").write_text(">a\nACGT\n>a\nACGT\n")
    (folder / "empty.fa").write_text("")
    if data is not None:
        (folder / "real").mkdir()
        _write_real(folder / "real", data)


def derive_inputs(folder: Path) -> None:
    """What follows from the simulated genomes: a mask, coding sequences, a mixture with a run of N, parts of genes."""
    genome = read_fasta(folder / "genome.fa")
    genes = coding_sequences(genome, folder / "genome.gff3")
    (folder / "coding.fa").write_text(fasta(genes))
    rows = [line.split("\t") for line in (folder / "genome.gff3").read_text().splitlines() if "\tgene\t" in line]
    (folder / "mask.bed").write_text("".join(f"{row[0]}\t{int(row[3]) + 30}\t{int(row[4])}\n" for row in rows[::7]))
    first = next(iter(genome.values()))
    mixed = {**read_fasta(folder / "code4.fa"), "gap": first[:6_000] + "N" * 40 + first[6_000:9_000], "short": "ACGTAC"}
    with open(folder / "mixed.fa.gz", "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
        packed.write(fasta(mixed.items()).encode())


def _write_relatives(folder: Path) -> None:
    """Two sets that share one record, on opposite strands, for ``check-leakage``."""
    rng = np.random.default_rng(8)
    records = [(f"a{i}", draw_bases(rng, 200)) for i in range(5)]
    turned = records[2][1].translate(str.maketrans("ACGT", "TGCA"))[::-1]
    (folder / "relatives.fa").write_text(fasta(records[:4]))
    (folder / "relatives.tsv").write_text(table(("id", "dna"), [("b0", records[4][1]), ("b1", turned)]))


def _write_real(folder: Path, data: Path) -> None:
    """Two phages, coding sequences of E. coli with EC classes, the begin of a chromosome of the worm."""
    for name, source in (("phix", "NC_001422.gbk.gz"), ("lambda", "NC_001416_lambda.gbk.gz")):
        path = data / "genome_phages" / source
        shutil.copyfile(path, folder / f"{name}.gbk.gz")
        with gzip.open(path, "rt") as file:
            records = [(record.id, str(record.seq)) for record in SeqIO.parse(file, "genbank")]
        (folder / f"{name}.fa").write_text(fasta(records))
    with gzip.open(data / "func_bacteria_ec" / "bacteria_cds_ec.tsv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["ec_class"]][:60]
    (folder / "enzymes.fa").write_text(fasta((row["locus_tag"], row["dna"]) for row in rows))
    (folder / "enzymes.tsv").write_text(table(("id", "label"), ((row["locus_tag"], row["ec_class"]) for row in rows)))
    _write_worm(folder, data / "genome_1pct_c_elegans")


def _write_worm(folder: Path, data: Path) -> None:
    with gzip.open(data / "C.elegans.1pct.fa.gz", "rt") as file:
        record = next(SeqIO.parse(file, "fasta"))
    (folder / "worm.fa").write_text(fasta([(record.id, str(record.seq[:WORM_BP]).upper())]))
    with gzip.open(data / "C.elegans.1pct.gff.gz", "rt") as file:
        rows = [line for line in file if line.startswith(f"{record.id}\tWormBase\t")]
    inside = [row for row in rows if int(row.split("\t")[4]) <= WORM_BP]
    (folder / "worm.gff3").write_text("##gff-version 3\n" + "".join(inside))
