"""A table of bacteria, archaea, phages and plastids for ``genoformer fit`` and ``prokaryotes.py``, from real genomes.

    python benchmarks/prokaryote_data.py DATA OUT

DATA is the folder of real genomes with ``more`` in it. OUT gets ``prokaryotes.tsv``, and an annotation that has to be
changed before it can be read. Groups are those that are left out together. The weight of a genome is the square root of
its length in Mb, so that long genomes do not teach alone; copies of one species, and plasmids of one cell, share the
weight of one genome. Phages have families, which are left out one by one: four parts of about as many phages, those
that share a tenth of their 16-mers together.

Left out are Clostridium cellulosi, whose annotation is Prodigal's (pyrodigal agrees with .999 of its genes, and with
the starts of .992 of these), plastids whose RNA is edited, one that names its tRNA and no rRNA, and the mitochondrion.
"""

import argparse
import gzip
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genoformer.annotation.read import read_records
from genoformer.files import write_text_atomic
from genoformer.genomes.genome_table import read_genome_table
from genoformer.genomes.relatives import related_groups

BACTERIA, ARCHAEA = "more/genomes_bacteria/", "more/genomes_archaea/"
LEFT_OUT = ("FJ755183", "MF177093", "NC_001284", "NC_004543", "NC_021438", "NC_022137")
ZERO_ROWS = f"{ARCHAEA}Thermococcus_kodakarensis_TS559.gff3.gz"
"""Has rows at 0..0 for genes that this strain lacks."""
CODES = {"mycoides": "4"}
PHAGES, N_PHAGE_PARTS = "phages", 4
RELATED_SHARE = 0.1
"""Phages that share so many of their 16-mers with another one, of either, are relatives."""


@dataclass(frozen=True)
class Genome:
    """One row of the table; paths are patterns in DATA.

    Attributes:
        group: What it is left out with.
        annotation: File with the genes.
        fasta: File with the bases; "" where the annotation holds them.
        copies: How many share the weight of one genome.
    """

    group: str
    annotation: str
    fasta: str = ""
    copies: int = 1


def pair(group: str, folder: str, stem: str, endings: tuple[str, str], copies: int = 1) -> Genome:
    """A FASTA and a GFF3 file whose names begin alike."""
    return Genome(group, f"{folder}{stem}{endings[1]}", f"{folder}{stem}{endings[0]}", copies)


ENSEMBL, NCBI, PLAIN = (".dna.toplevel.fa.gz", ".46.gff3.gz"), (".fna.gz", ".gff.gz"), (".fasta.gz", ".gff3.gz")
GENOMES = (
    Genome("bacillota", f"{BACTERIA}Bacillus_subtilis_168_NC_000964.3.gb.gz"),
    pair("bacillota", BACTERIA, "Staphylococcus_aureus.ASM59796v1", ENSEMBL),
    Genome("bacillota", f"{BACTERIA}Streptococcus_pneumoniae_Spn23F.embl.gz"),
    pair("bacillota", BACTERIA, "Lactiplantibacillus_plantarum_WCFS1", NCBI),
    Genome("bacillota", "genome_mycoplasma/mycoides_GCF_000023685.1.gbff.gz"),
    Genome("pseudomonadota", "genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.gbff.gz"),
    Genome("pseudomonadota", "genome_haemophilus_rd/NC_000907.1.gbk.gz"),
    pair("pseudomonadota", BACTERIA, "Caulobacter_crescentus_cb15.ASM690v1", ENSEMBL),
    pair("pseudomonadota", BACTERIA, "Pseudomonas_fluorescens.ASM73042v1", ENSEMBL),
    Genome("pseudomonadota", f"{BACTERIA}GCF_000020845.1_ASM2084v1_genomic.gbff.gz"),
    pair("pseudomonadota", BACTERIA, "GCF_000021245.2_ASM2124v2_genomic", NCBI),
    Genome("pseudomonadota", f"{BACTERIA}Paracoccus_sp._SCN_68-21.gb.gz"),
    Genome("pseudomonadota", f"{BACTERIA}GCF_005237295.1_ASM523729v1_genomic.gbff.gz"),
    *(Genome("pseudomonadota", f"{BACTERIA}{name}*.gbff.gz", copies=2) for name in ("GCF_000287295", "GCF_001274515")),
    *(
        Genome("pseudomonadota", f"{BACTERIA}{name}*.gbff.gz", copies=5)
        for name in ("GCF_000022285", "GCF_000306885", "GCF_001439985", "GCF_014771645", "GCF_016584425")
    ),
    pair("actinomycetota", BACTERIA, "Corynebacterium_glutamicum_NC_020519.1", PLAIN),
    pair("cyanobacteriota", BACTERIA, "Synechococcus_elongatus_PCC7942", PLAIN),
    Genome("cyanobacteriota", f"{BACTERIA}Limnothrix_sp_HT2024_PGAP.gbk.gz"),
    Genome("cyanobacteriota", f"{BACTERIA}NC_0099*.gbk.gz", copies=8),
    pair("bacteroidota", BACTERIA, "Segatella_copri_DSM18205", PLAIN),
    Genome("bacteroidota", f"{BACTERIA}Borreliella_burgdorferi_B31.gb.gz"),
    pair("archaea", ARCHAEA, "Archaeoglobus_fulgidus_GCF_000008665.1", (".fa.gz", ".gff.gz")),
    Genome("archaea", f"{ARCHAEA}GCF_000970205.1_ASM97020v1_genomic.gbff.gz", copies=2),
    pair("archaea", ARCHAEA, "Methanosarcina_acetivorans_GCF_000007345.1", (".fa.gz", ".gff.gz"), copies=2),
    Genome("archaea", f"{ARCHAEA}Methanococcus_maripaludis_S2_NC_005791.gbk.gz"),
    pair("archaea", ARCHAEA, "Thermococcus_kodakarensis_TS559", PLAIN),
    Genome("phages", "more/genomes_phages/*.gz"),
    Genome("phages", "genome_phages/*.gz"),
    Genome("plastids", "more/genomes_organelles/*.gz"),
    Genome("plastids", "genome_chloroplast/*.gz"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    lines = ["fasta\tannotation\tgenetic_code\tweight\tgroup"]
    for genome in GENOMES:
        found = sorted(args.data.resolve().glob(genome.annotation))
        if not found:
            parser.error(f"there is no {genome.annotation} in {args.data}")
        lines += [_row(genome, path, args) for path in found if not path.name.startswith(LEFT_OUT)]
    path = args.out / "prokaryotes.tsv"
    write_text_atomic(path, "\n".join(lines) + "\n")
    family = phage_families(path)
    rows = zip(lines, ["family", *(family.get(number, "") for number in range(len(lines) - 1))], strict=True)
    write_text_atomic(path, "".join(f"{line}\t{own}\n" for line, own in rows))
    print(f"{len(lines) - 1} genomes: {path}")


def phage_families(table: Path) -> dict[int, str]:
    """Families of the phages of a table by the number of their row."""
    phages = {n: genome.files for n, genome in enumerate(read_genome_table(table)) if genome.group == PHAGES}
    codes = [np.concatenate([record.codes for record in read_records(files.sequence)]) for files in phages.values()]
    parts = parts_of(codes)
    rows = list(phages)
    return {rows[i]: f"{PHAGES}{number}" for number, part in enumerate(parts, start=1) for i in part}


def parts_of(codes: Sequence[np.ndarray]) -> list[list[int]]:
    """Numbers of sequences in parts of nearly the same size, relatives in one."""
    relatives: dict[int, list[int]] = {}
    for i, number in enumerate(related_groups(codes, RELATED_SHARE).tolist()):
        relatives.setdefault(number, []).append(i)
    parts: list[list[int]] = [[] for _ in range(N_PHAGE_PARTS)]
    for own in sorted(relatives.values(), key=len, reverse=True):
        min(parts, key=len).extend(own)
    return parts


def _row(genome: Genome, annotation: Path, args: argparse.Namespace) -> str:
    fasta = args.data.resolve() / genome.fasta if genome.fasta else None
    n_bases = sum(len(record) for record in read_records(fasta or annotation))
    code = next((code for part, code in CODES.items() if part in annotation.name), "")
    if genome.annotation == ZERO_ROWS:
        annotation = without_zero_rows(annotation, args.out)
    weight = math.sqrt(n_bases / 1e6) / genome.copies
    return "\t".join((str(fasta or ""), str(annotation), code, f"{weight:.3f}", genome.group))


def without_zero_rows(annotation: Path, out: Path) -> Path:
    """A copy in ``out`` without the rows whose place is 0..0."""
    copy = out / annotation.name.removesuffix(".gz")
    rows = gzip.decompress(annotation.read_bytes()).decode().splitlines(keepends=True)
    write_text_atomic(copy, "".join(row for row in rows if row.startswith("#") or row.split("\t")[3] != "0"))
    return copy.resolve()


if __name__ == "__main__":
    main()
