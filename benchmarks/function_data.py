"""Tables of coding sequences of prokaryotes with their EC class and GO terms, from the tables of a data folder.

    python benchmarks/function_data.py DATA OUT [--ontology go-basic.obo --slim goslim_generic.obo]
    mmseqs easy-cluster OUT/proteins.fa OUT/families /tmp/mmseqs --min-seq-id 0.3 -c 0.5
    python benchmarks/function_data.py DATA OUT --families OUT/families_cluster.tsv

Writes ``enzymes.tsv`` (one of seven EC classes each), ``terms.tsv`` (GO ids as annotated) and, with the whole
ontology, ``slim.tsv``: the terms of the slim that the annotated ones imply by is_a and part_of; ``proteins.fa`` has the
amino acids of all of them. Columns: id, organism, label, dna; with clusters of proteins ``family``, too, by which
``fit`` then divides.
"""

import argparse
import csv
import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from Bio.Seq import Seq

from genoformer.files import write_text_atomic
from genoformer.labels.ontology import read_obo

TABLES = ("more/func/bacteria_archaea_cds_ec_go.tsv.gz", "func_bacteria_ec/bacteria_cds_ec.tsv.gz")
SEPARATOR = ";"
MOST_LETTERS = 2**20


@dataclass(frozen=True)
class Sequence:
    """A coding sequence: its id, and the columns of its table by name."""

    id: str
    organism: str
    columns: dict[str, str]


def main() -> None:
    """Read, divide, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the tables")
    parser.add_argument("out", type=Path, help="folder for what is made; created")
    parser.add_argument("--ontology", type=Path, help="OBO file of the whole Gene Ontology")
    parser.add_argument("--slim", type=Path, help="OBO file of a slim of it")
    parser.add_argument(
        "--families", type=Path, help="clusters of proteins as mmseqs writes them: representative, member"
    )
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    sequences = [sequence for name in TABLES for sequence in read_sequences(args.data / name)]
    families = read_families(args.families) if args.families else {}
    write_table(args.out / "enzymes.tsv", sequences, families, lambda columns: columns["ec_class"])
    write_table(args.out / "terms.tsv", sequences, families, lambda columns: columns["go_terms"])
    write_text_atomic(args.out / "proteins.fa", "".join(map(as_protein, sequences)))
    if args.ontology and args.slim:
        whole, slim = read_obo(args.ontology), read_obo(args.slim)
        kept = slim.names.keys() - slim.roots

        def in_slim(columns: dict[str, str]) -> str:
            implied, _ = whole.implied(term for term in columns["go_terms"].split(SEPARATOR) if term)
            return SEPARATOR.join(sorted(implied & kept))

        write_table(args.out / "slim.tsv", sequences, families, in_slim)


def read_sequences(path: Path) -> Iterator[Sequence]:
    """Sequences of a table that have an EC number or a GO term; locus tags that come again get a number."""
    seen: Counter[str] = Counter()
    csv.field_size_limit(MOST_LETTERS)
    with gzip.open(path, "rt", newline="") as text:
        for row in csv.DictReader(text, delimiter="\t"):
            organism = row["organism"].replace("(", "").replace(")", "")
            if row["ec_class"] or row["go_terms"]:
                name = f"{organism}|{row['locus_tag']}"
                seen[name] += 1
                yield Sequence(name if seen[name] == 1 else f"{name}.{seen[name]}", organism, row)


def read_families(path: Path) -> dict[str, str]:
    """Cluster of each protein."""
    pairs = (line.split("\t") for line in path.read_text().splitlines())
    return {member: representative for representative, member in pairs}


def as_protein(sequence: Sequence) -> str:
    """A record of FASTA; codons that stop or are unknown are X."""
    dna = sequence.columns["dna"]
    letters = str(Seq(dna[: len(dna) // 3 * 3]).translate(table=int(sequence.columns["transl_table"])))
    return f">{sequence.id}\n{letters.rstrip('*').replace('*', 'X')}\n"


def write_table(
    path: Path, sequences: list[Sequence], families: dict[str, str], label: Callable[[dict[str, str]], str]
) -> None:
    """Write the sequences that have a label."""
    lines = ["\t".join(["id", "organism", *(["family"] if families else []), "label", "dna"])]
    for one in sequences:
        if found := label(one.columns):
            family = [families[one.id]] if families else []
            lines.append("\t".join([one.id, one.organism, *family, found, one.columns["dna"]]))
    write_text_atomic(path, "\n".join(lines) + "\n")
    print(f"{path}: {len(lines) - 1:,} sequences")


if __name__ == "__main__":
    main()
