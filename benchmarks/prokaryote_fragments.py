"""Genes of pieces of genomes of groups that nothing was learned from, each by itself, beside pyrodigal's meta mode.

Networks and decoders are those of ``prokaryotes.py``, which comes first, with the same ``--run`` and ``--passes``.
Pieces are scored as in ``fragments.py``: genes that lie whole within them.

    python benchmarks/prokaryote_fragments.py tables/prokaryotes.tsv --run runs/prokaryotes --passes passes \
        -o docs/results/prokaryotes-fragments.json
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from fragments import score
from gene_finding import read_genome
from prokaryotes import NEAR_COPIES, PHAGES, decoder_file

from genoformer.applications.genes.caller import GeneFinder
from genoformer.bundle.folder import load_bundle
from genoformer.files import write_json_atomic
from genoformer.genomes.genome_table import read_genome_table
from genoformer.nn.allocator import tune_allocator
from genoformer.training.run_folder import FOLDS, RunFolder

LEAST_BP = 500_000
"""Of the longest record: plasmids and phages are no sources of contigs here."""
PROGRAMS = ("genoformer", "genoformer, no statistics", "pyrodigal")


def finder_of(run: Path, passes: Path, group: str) -> GeneFinder:
    """The network that has not seen a group, with the decoder that has not."""
    bundle = load_bundle(RunFolder(run / FOLDS / group).model)
    decoder = json.loads(decoder_file(passes, group).read_text())
    return GeneFinder.from_bundle(replace(bundle, calibration={"decoder": decoder}))


def means(rows: list[dict]) -> dict[str, dict[str, dict[str, float]]]:
    """F1 of 3' ends and of whole genes by length of the pieces and program: mean over groups of means over genomes."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    groups = dict.fromkeys(row["group"] for row in rows)
    for number, piece in enumerate(rows[0]["pieces"]):
        found[str(piece["piece_bp"])] = {
            program: {
                name: float(
                    np.mean(
                        [
                            np.mean(
                                [
                                    row["pieces"][number]["scores"][program][name]["f1"]
                                    for row in rows
                                    if row["group"] == group
                                ]
                            )
                            for group in groups
                        ]
                    )
                )
                for name in ("three_prime", "exact")
            }
            for program in PROGRAMS
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--passes", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=[PHAGES, "plastids"], help="groups that take no part")
    parser.add_argument("--pieces-bp", type=int, nargs="+", default=[1_000, 5_000])
    parser.add_argument("--bases", type=int, default=300_000, help="of each genome")
    parser.add_argument("-o", "--out", type=Path, required=True, help="JSON file")
    args = parser.parse_args()
    tune_allocator()
    finders: dict[str, GeneFinder] = {}
    rows = []
    for one in read_genome_table(args.table):
        group, name = one.group or "", one.files.name
        if group in args.without or name.startswith(NEAR_COPIES):
            continue
        genome = read_genome(
            one.files.annotation or one.files.sequence, one.files.genetic_code, sequence=one.files.sequence
        )
        if max(map(len, genome.records)) < LEAST_BP:
            continue
        print(f"{group}: {name}", file=sys.stderr, flush=True)
        if group not in finders:
            finders = {group: finder_of(args.run, args.passes, group)}
        pieces = [score(genome, finders[group], piece_bp, args.bases) for piece_bp in args.pieces_bp]
        rows.append({"group": group, "genome": name, "pieces": pieces})
    write_json_atomic(args.out, {"bases": args.bases, "means": means(rows), "genomes": rows})


if __name__ == "__main__":
    main()
