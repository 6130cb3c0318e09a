"""The genetic code that is found for pieces of genomes, by their length; one JSON per run.

    python benchmarks/code_choice.py DATA [--model prokaryotes] [--pieces 300] [-o docs/results] [--table PIECES.tsv]

DATA is the folder of real genomes with ``more`` in it. From each genome pieces are cut at random places. Some genomes
are rewritten in codes 4 and 25 as well (see ``annotation.recode``): but for one Mycoplasma all real ones have code 11.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gene_finding import Genome, read_genome

from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.recode import recode_genome
from genoformer.annotation.tracks import label_tracks
from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.request import AUTO, asked_code
from genoformer.bundle.folder import load_bundle
from genoformer.decoding.code_choice import UGA, UGG, choose_code, codon_counts, uga_evidence
from genoformer.files import write_json_atomic
from genoformer.nn.allocator import tune_allocator

BACTERIA, ARCHAEA = "more/genomes_bacteria/", "more/genomes_archaea/"
GENOMES = {
    "M. mycoides": "genome_mycoplasma/mycoides_GCF_000023685.1.gbff.gz",
    "E. coli": "genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.gbff.gz",
    "H. influenzae": "genome_haemophilus_rd/NC_000907.1.gbk.gz",
    "B. subtilis": f"{BACTERIA}Bacillus_subtilis_168_NC_000964.3.gb.gz",
    "S. aureus": f"{BACTERIA}Staphylococcus_aureus.ASM59796v1.46.gff3.gz",
    "L. plantarum": f"{BACTERIA}Lactiplantibacillus_plantarum_WCFS1.gff.gz",
    "S. pneumoniae": f"{BACTERIA}Streptococcus_pneumoniae_Spn23F.embl.gz",
    "Wolbachia": f"{BACTERIA}GCF_000022285.1_ASM2228v1_genomic.gbff.gz",
    "Wolbachia 2": f"{BACTERIA}GCF_014771645.1_ASM1477164v1_genomic.gbff.gz",
    "Carsonella": f"{BACTERIA}GCF_000287295.1_ASM28729v1_genomic.gbff.gz",
    "Buchnera": f"{BACTERIA}GCF_005237295.1_ASM523729v1_genomic.gbff.gz",
    "Borreliella": f"{BACTERIA}Borreliella_burgdorferi_B31.gb.gz",
    "Segatella": f"{BACTERIA}Segatella_copri_DSM18205.gff3.gz",
    "Caulobacter": f"{BACTERIA}Caulobacter_crescentus_cb15.ASM690v1.46.gff3.gz",
    "Corynebacterium": f"{BACTERIA}Corynebacterium_glutamicum_NC_020519.1.gff3.gz",
    "Methanosarcina": f"{ARCHAEA}GCF_000970205.1_ASM97020v1_genomic.gbff.gz",
    "Methanococcus": f"{ARCHAEA}Methanococcus_maripaludis_S2_NC_005791.gbk.gz",
    "phages": "*/genome_phages/*.gz",
}
FASTA = {
    ".46.gff3.gz": ".dna.toplevel.fa.gz", "WCFS1.gff.gz": "WCFS1.fna.gz", "18205.gff3.gz": "18205.fasta.gz",
    "020519.1.gff3.gz": "020519.1.fasta.gz",
}  # fmt: skip
"""Endings of files with bases by those of files with genes."""
RECODED = ("B. subtilis", "S. aureus", "S. pneumoniae", "Buchnera", "Corynebacterium")
COPIES = ((4, -2.4), (4, -1.2), (4, 0.0), (4, 1.2), (25, -1.2), (25, 0.0), (25, 1.2))
"""Genetic code that is written, and preference for G and C over A and T, natural logarithm."""
LENGTHS_BP = (1_000, 2_000, 5_000, 20_000)
RECODED_BP = 600_000
MOST_BP = 4_000_000
"""Of pieces of one length of one genome."""


@dataclass(frozen=True)
class Source:
    """Sequence that pieces are cut from.

    Attributes:
        name: Of the genome.
        written: How it was changed: "as it is", or code and preference.
        genetic_code: NCBI number.
        sequences: uint8 base codes.
    """

    name: str
    written: str
    genetic_code: int
    sequences: list[np.ndarray]


def genome_of(path: Path) -> Genome:
    """The genome of a file, or of a pair of files."""
    for ending, fasta in FASTA.items():
        if path.name.endswith(ending):
            reads = path.with_name(path.name.removesuffix(ending) + fasta)
            return Genome(read_annotation(path), list(read_records(reads)), 11)
    return read_genome(path)


def sources(data: Path, wanted: list[str]) -> Iterator[Source]:
    """The genomes, as they are and rewritten."""
    for name, pattern in GENOMES.items():
        if wanted and name not in wanted:
            continue
        if "*" in pattern:
            paths = [*sorted(data.glob("genome_phages/*.gz")), *sorted(data.glob("more/genomes_phages/*.gz"))]
            yield Source(name, "as it is", 11, [record.codes for path in paths for record in read_records(path)])
            continue
        genome = genome_of(data / pattern)
        yield Source(name, "as it is", genome.genetic_code, [record.codes for record in genome.records])
        for code, tilt in COPIES if name in RECODED else ():
            yield Source(name, f"code {code}, tilt {tilt:+}", code, [recoded(genome, code, tilt)])


def recoded(genome: Genome, written: int, tilt: float) -> np.ndarray:
    """The beginning of the longest record in another code and composition."""
    record = max(genome.records, key=len)
    codes = record.codes[:RECODED_BP]
    genes = [gene for gene in genome.reference.by_contig()[record.id] if gene.end <= len(codes)]
    tracks, _ = label_tracks(codes, genes, genetic_code=genome.genetic_code)
    generator = np.random.default_rng([written, int(10 * tilt) + 100])
    return recode_genome(codes, tracks, genome.genetic_code, written=written, tilt=tilt, generator=generator)


def cut(source: Source, length_bp: int, n_pieces: int) -> Iterator[np.ndarray]:
    """Pieces at random places; none where no sequence is as long."""
    long = [codes for codes in source.sequences if len(codes) >= length_bp]
    sizes = np.array([len(codes) for codes in long], float)
    generator = np.random.default_rng([length_bp, len(source.name)])
    n_pieces = min(n_pieces, int(sizes.sum() / length_bp), MOST_BP // length_bp)
    for _ in range(n_pieces):
        codes = long[generator.choice(len(long), p=sizes / sizes.sum())]
        start = generator.integers(len(codes) - length_bp + 1)
        yield codes[start : start + length_bp]


@dataclass(frozen=True)
class Judged:
    """What is found for one piece.

    Attributes:
        code: NCBI number.
        evidence: That UGA is no stop, log-odds.
        counts: Codons of each kind in the genes found when it is none, [64].
    """

    code: int
    evidence: float
    counts: np.ndarray


def judged(finder: GeneFinder, codes: np.ndarray) -> Judged:
    """Read one piece."""
    options = asked_code(AUTO, finder.bundle.config.genetic_code)
    rows = finder.candidates(codes, options)
    return Judged(
        choose_code(codes, rows, finder.decoder, options),
        float(uga_evidence(codes, rows).sum()),
        codon_counts(codes, rows, finder.decoder, options),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="prokaryotes")
    parser.add_argument("--pieces", type=int, default=300, help="of each length and genome, at most")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS_BP)
    parser.add_argument("--genomes", nargs="+", default=[], help="names; all by default")
    parser.add_argument("--table", type=Path, help="a row for each piece")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"))
    args = parser.parse_args()
    tune_allocator()
    finder = GeneFinder.from_bundle(load_bundle(args.model))
    rows, table = [], ["genome\twritten\tcode\tlength\tfound\tevidence\tuga\tugg\tcodons"]
    for source in sources(args.data, args.genomes):
        for length_bp in args.lengths:
            found = [judged(finder, codes) for codes in cut(source, length_bp, args.pieces)]
            for one in found:
                counts = (one.counts[UGA], one.counts[UGG], one.counts.sum())
                about = (source.name, source.written, source.genetic_code, length_bp, one.code, f"{one.evidence:.2f}")
                table.append("\t".join(map(str, (*about, *counts))))
            codes = [one.code for one in found]
            rows.append(
                {
                    "genome": source.name, "written": source.written, "genetic_code": source.genetic_code,
                    "length_bp": length_bp, "n_pieces": len(codes),
                    "found": {str(code): codes.count(code) for code in sorted(set(codes))},
                }
            )  # fmt: skip
            print(rows[-1], flush=True)
            if args.table:
                args.table.write_text("\n".join(table) + "\n")
    args.out.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out / "code-choice.json", {"model_digest": finder.bundle.digest, "pieces": rows})


if __name__ == "__main__":
    main()
