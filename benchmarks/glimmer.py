"""Glimmer 3 on the genomes of a table, trained on each by itself, beside pyrodigal; no network takes part.

The same stretches, references and ignored regions as in ``prokaryotes.py``, whose ``--passes`` hold them. Glimmer runs
as its authors' scripts do: long open frames train an interpolated context model, which scores all frames (overlaps up
to 50 bp, genes from 110 bp, a threshold of 30); then again with the start codons of what was found. Their "iterated"
script learns binding sites, too, with a program that Debian does not have (ELPH): starts could be better.

    apt-get install tigr-glimmer
    python benchmarks/glimmer.py tables/prokaryotes.tsv --passes passes -o docs/results/glimmer-groups.json
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import numpy as np
from prokaryote_passes import Passes
from prokaryotes import NEAR_COPIES, PHAGES, Tally, means, pyrodigal_genes, tally

from genoformer.applications.genes.held import Held
from genoformer.files import write_json_atomic
from genoformer.genomes.genome_table import TableGenome, read_genome_table
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

GENE = np.dtype([("start", "i8"), ("end", "i8"), ("strand", "i8")])
CALLED = ["-o50", "-g110", "-t30", "-l"]


def glimmer(*arguments: str | Path, **streams) -> None:
    subprocess.run(["tigr-glimmer", *map(str, arguments)], check=True, stderr=subprocess.DEVNULL, **streams)


def glimmer_genes(held: list[Held], folder: Path) -> Tally:
    """Genes of one genome by Glimmer, trained on its longest record."""
    code = str(held[0].options.genetic_code)
    longest = max(held, key=lambda h: len(h.codes))
    fasta, model = folder / "in.fa", folder / "icm"
    write_fasta(fasta, [Record("record", longest.codes)])
    glimmer("long-orfs", "-n", "-l", "-t", "1.15", "-z", code, fasta, folder / "frames")
    with (folder / "train").open("w") as train:
        glimmer("extract", "-t", fasta, folder / "frames", stdout=train)
    with (folder / "train").open() as train:
        glimmer("build-icm", "-r", model, stdin=train)
    glimmer("glimmer3", *CALLED, "-z", code, fasta, model, folder / "first")
    coordinates = folder / "first.coords"
    coordinates.write_text("".join((folder / "first.predict").read_text().splitlines(keepends=True)[1:]))
    starts = subprocess.run(
        ["tigr-glimmer", "start-codon-distrib", "-3", fasta, coordinates], check=True, capture_output=True, text=True
    ).stdout.strip()
    total = Tally()
    for h in held:
        write_fasta(fasta, [Record("record", h.codes)])
        glimmer("glimmer3", *CALLED, "-z", code, "-P", starts, fasta, model, folder / "found")
        total += tally(read_genes(folder / "found.predict"), h.inside[0].genes)
    return total


def read_genes(path: Path) -> np.ndarray:
    """Genes of a ``.predict`` file: name, first base, last base with the stop codon, frame with the strand, score."""
    rows = []
    for line in path.read_text().splitlines():
        if not line.startswith(">"):
            _, first, last, frame, _ = line.split()
            low, high = sorted((int(first), int(last)))
            rows.append((low - 1, high, 1 if frame.startswith("+") else -1))
    return np.array(rows, GENE)


def no_model(genome: TableGenome) -> NoReturn:
    raise SystemExit(f"--passes lacks {genome.files.name}: run prokaryotes.py before")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--passes", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=["plastids", PHAGES], help="groups that take no part")
    parser.add_argument("--bases", type=int, default=1_500_000, help="read of each genome, as for prokaryotes.py")
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    table = read_genome_table(args.table)
    passes, scores = Passes(no_model, table, args.passes, args.bases), {}
    for genome in table:
        name = genome.files.name
        if genome.group in args.without or name.startswith(NEAR_COPIES):
            continue
        held = passes.of(name)
        with tempfile.TemporaryDirectory() as folder:
            found = {"glimmer": glimmer_genes(held, Path(folder)), "pyrodigal": pyrodigal_genes(held, meta=False)}
        scores[name] = {"group": genome.group, **{program: one.scores() for program, one in found.items()}}
        for program in found:
            scores[name][program].pop("short_curve")
        print(name, *(f"{p} {scores[name][p]['f1']:.3f} {scores[name][p]['exact_f1']:.3f}" for p in found), sep="\t",
              file=sys.stderr, flush=True)  # fmt: skip
    said = {"version": "3.02", "bases": args.bases, "means": means(scores, ("glimmer", "pyrodigal"))}
    write_json_atomic(args.out, {**said, "genomes": scores})


if __name__ == "__main__":
    main()
