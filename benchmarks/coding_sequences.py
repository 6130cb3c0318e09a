"""Coding sequences of annotated genomes, in frame, for a masked language model of codons.

Genes that hold a chain of the validation or the test part of a structure split are left out, and so are those with
letters other than A, C, G, T or a length that is no multiple of three, and copies.

    python benchmarks/coding_sequences.py GENBANK… --without codons.tsv benchmarks/splits/codon_structure.tsv -o cds.fa
"""

import argparse
import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from genoformer.errors import WarningLog
from genoformer.files import write_text_atomic
from genoformer.labels.genes import read_labelled_genes
from genoformer.labels.split_file import read_parts
from genoformer.labels.tables import TableColumns
from genoformer.sequence.alphabet import decode_bases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("genomes", type=Path, nargs="+")
    parser.add_argument("--without", type=Path, nargs=2, metavar=("TABLE", "SPLIT"), required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    kept, n_left_out = choose(read_genes(args.genomes), read_held_out(*args.without))
    write_text_atomic(args.out, "".join(f">{name}\n{bases}\n" for bases, name in kept.items()))
    print(f"{len(kept):,} genes, {sum(map(len, kept)):,} bases; {n_left_out} with a held-out chain are left out")


def choose(genes: Iterable[tuple[str, str]], held_out: list[str]) -> tuple[dict[str, str], int]:
    """Name of each sequence that is kept, and how many held a chain that is held out."""
    kept, n_left_out = {}, 0
    for name, bases in genes:
        if any(chain in bases for chain in held_out):
            n_left_out += 1
        elif len(bases) % 3 == 0 and not set(bases) - set("ACGT"):
            kept.setdefault(bases, name)
    return kept, n_left_out


def read_held_out(table: Path, split: Path) -> list[str]:
    """Bases of the chains that do not train."""
    parts, _ = read_parts(split)
    with open(table) as file:
        return [row["dna"] for row in csv.DictReader(file, delimiter="\t") if parts[row["id"]] != "train"]


def read_genes(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Name and bases of every coding sequence."""
    columns = TableColumns(label="product")
    log = WarningLog()
    genes = read_labelled_genes(
        paths, [], columns, level=None, unlabelled="unknown", separator=",", is_one=False, log=log
    )
    for gene in genes:
        yield gene.id, decode_bases(gene.codes)


if __name__ == "__main__":
    main()
