"""Tables of coding sequences of prokaryotes with their EC class and GO terms, from the tables of a data folder.

    python benchmarks/function_data.py DATA OUT [--ontology go-basic.obo --slim goslim_generic.obo]

Writes ``enzymes.tsv`` (one of seven EC classes each), ``terms.tsv`` (GO ids as annotated) and, with the whole
ontology, ``slim.tsv``: the terms of the slim that the annotated ones imply by is_a and part_of. Columns: id, organism,
label, dna.
"""

import argparse
import csv
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

from genoformer.files import write_text_atomic
from genoformer.labels.ontology import read_obo

TABLES = ("more/func/bacteria_archaea_cds_ec_go.tsv.gz", "func_bacteria_ec/bacteria_cds_ec.tsv.gz")
SEPARATOR = ";"
MOST_LETTERS = 2**20


def main() -> None:
    """Read, divide, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the tables")
    parser.add_argument("out", type=Path, help="folder for what is made; created")
    parser.add_argument("--ontology", type=Path, help="OBO file of the whole Gene Ontology")
    parser.add_argument("--slim", type=Path, help="OBO file of a slim of it")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    rows = [row for name in TABLES for row in read_rows(args.data / name)]
    write_table(args.out / "enzymes.tsv", rows, lambda row: row["ec_class"])
    write_table(args.out / "terms.tsv", rows, lambda row: row["go_terms"])
    if args.ontology and args.slim:
        whole, slim = read_obo(args.ontology), read_obo(args.slim)
        kept = slim.names.keys() - slim.roots

        def in_slim(row: dict[str, str]) -> str:
            implied, _ = whole.implied(term for term in row["go_terms"].split(SEPARATOR) if term)
            return SEPARATOR.join(sorted(implied & kept))

        write_table(args.out / "slim.tsv", rows, in_slim)


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a table by name of their columns."""
    csv.field_size_limit(MOST_LETTERS)
    with gzip.open(path, "rt", newline="") as text:
        yield from csv.DictReader(text, delimiter="\t")


def write_table(path: Path, rows: list[dict[str, str]], label: Callable[[dict[str, str]], str]) -> None:
    """Write the rows that have a label."""
    lines = ["id\torganism\tlabel\tdna"]
    for row in rows:
        if found := label(row):
            organism = row["organism"].replace("(", "").replace(")", "")
            lines.append(f"{organism}|{row['locus_tag']}\t{organism}\t{found}\t{row['dna']}")
    write_text_atomic(path, "\n".join(lines) + "\n")
    print(f"{path}: {len(lines) - 1:,} sequences")


if __name__ == "__main__":
    main()
