"""Training, validation and test data for genes with introns, from single-gene loci and slices of genomes.

    python benchmarks/intron_data.py DATA OUT --seed 0

DATA is the folder of real genomes; OUT gets FASTA and GFF3 of: ``train`` (loci of worm chromosomes I to III),
``validation`` (IV), ``test`` (X), ``raw-test`` (the loci of ``test`` as they are) and so on, the slices of worm and
thale cress, ``chimeras`` (genes with introns from all over the genome of thale cress), and the slice of thale cress
chromosome 5 and yeast chromosome I, each in two parts: ``-in`` to adapt to, ``-out`` to test on.
"""

import argparse
import csv
import gzip
import json
import tarfile
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from genoformer.annotation.intron_tracks import intron_tracks
from genoformer.annotation.isoforms import choose_isoforms
from genoformer.annotation.models import GENE_ID
from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.write_gff3 import write_gff3
from genoformer.files import write_json_atomic
from genoformer.genomes.locus_chimeras import IntronPiece, build_chimeras, find_frame, find_templates
from genoformer.genomes.locus_contigs import Locus, build_contigs, count_composition, shared_with
from genoformer.sequence.alphabet import decode_bases, encode_bases
from genoformer.sequence.fasta import read_fasta, write_fasta
from genoformer.sequence.records import Record

PARTS = {"I": "train", "II": "train", "III": "train", "IV": "validation", "X": "test"}
SLICES = {"worm": ("genome_1pct_c_elegans/C.elegans.1pct", "WormBase"),
          "arabidopsis": ("genome_1pct_a_thaliana/A.thaliana.1pct", "TAIR10")}  # fmt: skip
DIVIDED = {
    "arabidopsis": ("genome_1pct_a_thaliana/A.thaliana.1pct.fa.gz", "genome_1pct_a_thaliana/A.thaliana.1pct.gff.gz"),
    "yeast": ("genome_yeast_s288c/sc_chrom1.gb.gz", "genome_yeast_s288c/sc_chrom1.gff3.gz"),
}
"""Sequence and annotation of what is divided."""
DIVIDED_RECORDS = {"arabidopsis": "Chr5", "yeast": "NC_001133.9"}
HELD_IN = 0.6
TEMPLATES = ("Chr1", "Chr2", "Chr3")
"""Records of thale cress whose genes give chimeras their ends; the others validate and test, or are no chromosomes."""
HELD_OUT = ("Chr4", "Chr5")
N_CHIMERAS = 2_500
CHIMERA_GAP_BP = (100, 1_500)
PIECE_BP = 40
"""A piece that shares this many bases with held-out sequence gives no intron."""
MIN_READS = 5
"""Of RNA that cross an intron: fewer may be chance."""
FLANK_BP = 99
WHOLE = ("chromosome", "region")
"""Rows that stand for a record."""
GENETIC_CODE = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    slices = {name: read_slice(args.data / path, source) for name, (path, source) in SLICES.items()}
    for name, rows in slices.items():
        write_genome(args.out / name, rows)
    sliced = {record.id: len(record) for record, _ in slices["worm"]}
    loci = read_loci(args.data / "genome_smallgenes_celegans", sliced)
    parts, dropped = separate(loci, [record.codes for rows in slices.values() for record, _ in rows])
    composition = count_composition(intergenic_pieces(slices["worm"]))
    for number, (part, chosen) in enumerate(parts.items()):
        contigs = build_contigs(chosen, composition, prefix=part, seed=args.seed * len(parts) + number)
        write_genome(args.out / part, contigs)
        write_genome(args.out / f"raw-{part}", [(Record(locus.id, locus.codes), [locus.gene]) for locus in chosen])
    pieces = read_pieces(args.data / "splice_eie/eie.at.txt.gz", held_out(args.data, slices["arabidopsis"]))
    chimeras = make_chimeras(slices["arabidopsis"], pieces, args.seed)
    thale_cress = count_composition(intergenic_pieces(of_records(slices["arabidopsis"], TEMPLATES)))
    contigs = build_contigs(chimeras, thale_cress, prefix="chimera", seed=args.seed, gap_bp=CHIMERA_GAP_BP)
    write_genome(args.out / "chimeras", contigs)
    for name, (sequence, annotation) in DIVIDED.items():
        divide(args.out / name, args.data / sequence, args.data / annotation, DIVIDED_RECORDS[name])
    counts = {"loci": {part: len(chosen) for part, chosen in parts.items()}, "dropped": dropped}
    counts |= {"pieces": len(pieces), "chimeras": len(chimeras)}
    write_json_atomic(args.out / "summary.json", counts)
    print(json.dumps(counts, indent=2))


def read_loci(folder: Path, sliced: dict[str, int]) -> dict[str, list[Locus]]:
    """Loci by part that do not lie in the slices; each with one isoform of the gene that has rows of its own."""
    with open(folder / "smallgenes.tsv") as file:
        places = {row["id"]: row for row in csv.DictReader(file, delimiter="\t")}
    found: dict[str, list[Locus]] = {part: [] for part in PARTS.values()}
    with tarfile.open(folder / "smallgenes.tar.gz") as archive, tempfile.TemporaryDirectory() as scratch:
        files = {Path(member.name).name: archive.extractfile(member).read() for member in archive if member.isfile()}
        for name, place in sorted(places.items()):
            if int(place["start"]) <= sliced.get(place["chrom"], 0):
                continue
            for ending in ("fa", "gff3"):
                (Path(scratch) / f"locus.{ending}").write_bytes(files[f"{name}.{ending}"])
            (record,) = read_fasta(Path(scratch) / "locus.fa")
            genes = read_annotation(Path(scratch) / "locus.gff3", sources=["WormBase"]).genes
            (gene,) = choose_isoforms(gene for gene in genes if GENE_ID in gene.attributes)
            found[PARTS[place["chrom"]]].append(Locus(name, record.codes, gene))
    return found


def separate(loci: dict[str, list[Locus]], slices: list) -> tuple[dict[str, list[Locus]], dict[str, int]]:
    """Drop loci that share a stretch of sequence with another part: from training first, and never from test for it."""
    kept, dropped, seen = {}, {}, []
    for part in ("test", "validation", "train"):
        # What is tested must not be in the slices, which train as they are.
        others = seen + (slices if part != "train" else [])
        shared = shared_with([locus.codes for locus in loci[part]], others)
        kept[part] = [locus for locus, is_shared in zip(loci[part], shared, strict=True) if not is_shared]
        dropped[part] = sum(shared)
        seen += [locus.codes for locus in kept[part]]
    return dict(reversed(kept.items())), dropped


def read_slice(stem: Path, source: str) -> list[tuple[Record, list]]:
    genes = read_annotation(f"{stem}.gff.gz", sources=[source]).by_contig()
    return [(record, genes.get(record.id, [])) for record in read_fasta(f"{stem}.fa.gz")]


def of_records(rows: list[tuple[Record, list]], names: tuple[str, ...]) -> list[tuple[Record, list]]:
    return [(record, genes) for record, genes in rows if record.id in names]


def held_out(data: Path, thale_cress: list[tuple[Record, list]]) -> list[np.ndarray]:
    """Sequence of thale cress that validates or tests."""
    artificial = read_records(data / "genome_arabidopsis_bac/arab1.gb.gz")
    return [record.codes for record, _ in of_records(thale_cress, HELD_OUT)] + [record.codes for record in artificial]


def read_pieces(path: Path, others: list[np.ndarray]) -> list[IntronPiece]:
    """Introns between coding bases that share no stretch with ``others``."""
    with gzip.open(path, "rt") as file:
        rows = [line.split() for line in file]
    read = [tuple(map(encode_bases, row[:3])) for row in rows if int(row[3]) >= MIN_READS]
    shared = shared_with([np.concatenate(parts) for parts in read], others, window_bp=PIECE_BP)
    found = (find_frame(*parts, GENETIC_CODE) for parts, is_shared in zip(read, shared, strict=True) if not is_shared)
    return [piece for piece in found if piece is not None]


def make_chimeras(thale_cress: list[tuple[Record, list]], pieces: list[IntronPiece], seed: int) -> list[Locus]:
    """Genes with the ends, the numbers of introns and the lengths of exons that genes of ``TEMPLATES`` have."""
    rows = [(record, choose_isoforms(genes)) for record, genes in of_records(thale_cress, TEMPLATES)]
    spliced = [gene.parts for _, genes in rows for gene in genes if len(gene.parts) > 1 and not gene.pseudo]
    return build_chimeras(
        [locus for record, genes in rows for locus in find_templates(record, genes, GENETIC_CODE, FLANK_BP)],
        pieces, n=N_CHIMERAS, intron_counts=[len(parts) - 1 for parts in spliced],
        exon_bp=[end - start for parts in spliced for start, end in parts[1:-1]], seed=seed,
    )  # fmt: skip


def divide(stem: Path, sequence: Path, annotation: Path, record_id: str) -> None:
    """Cut a record behind ``HELD_IN`` of its bases, where no gene lies; rows of the annotation are kept as they are."""
    records = read_records(sequence)
    record = next(record for record in records if record.id == record_id)
    genes = read_annotation(annotation).by_contig()[record_id]
    covered = np.zeros(len(record) + 1, dtype=bool)
    for gene in genes:
        covered[slice(*gene.transcript_span)] = True
    first = int(HELD_IN * len(record))
    cut = first + int(np.argmin(covered[first:]))
    with gzip.open(annotation, "rt") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.startswith(record_id + "\t")]
    for part, low, high in (("in", 0, cut), ("out", cut, len(record))):
        write_fasta(Path(f"{stem}-{part}.fa"), [Record(record.id, record.codes[low:high])])
        text = "##gff-version 3\n" + "".join(rows_between(rows, low, high))
        Path(f"{stem}-{part}.gff3").write_text(text)


def rows_between(rows: list[list[str]], low: int, high: int) -> Iterator[str]:
    """Lines of the rows that lie in ``[low, high)``, in coordinates from ``low`` on."""
    for row in rows:
        if row[2] not in WHOLE and low < int(row[3]) and int(row[4]) <= high:
            yield "\t".join([*row[:3], str(int(row[3]) - low), str(int(row[4]) - low), *row[5:]]) + "\n"


def intergenic_pieces(rows: list[tuple[Record, list]]):
    """Stretches that are intergenic on both strands."""
    for record, genes in rows:
        tracks, _ = intron_tracks(record.codes, genes, genetic_code=GENETIC_CODE)
        edges = [0, *((tracks != 0).any(axis=0).nonzero()[0] + 1).tolist(), len(record) + 1]
        yield from (record.codes[low : high - 1] for low, high in pairwise(edges) if high - low > 50)


def write_genome(stem: Path, rows: list[tuple[Record, list]]) -> None:
    with open(f"{stem}.fa", "w") as file:
        for record, _ in rows:
            file.write(f">{record.id}\n{decode_bases(record.codes)}\n")
    write_gff3(f"{stem}.gff3", ((record, genes, False) for record, genes in rows), genetic_code=GENETIC_CODE)


if __name__ == "__main__":
    main()
