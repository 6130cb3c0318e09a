"""One table of RNAs with structures, short and long, and a split of it in which no two parts share a family.

    python benchmarks/rna_families.py ArchiveII.csv.gz r2dt_curated_structures.tsv.gz weinberg_motifs.tsv.gz \
        rnas.tsv split.tsv

All three have the columns id, sequence and base_pairs; the second and the third say the family. Kinds that they name
differently are one family (``SAME``), motifs that share the first part of their name ("SAM-IV", "SAM-SAH") are one as
well. The member of a motif is cut to the motif, from its first pair to its last with ``MARGIN`` bases beside: what lies
around it is not known to be unpaired. 5S and 16S rRNA and group II introns test, tRNA and group I introns validate, and
of the motifs ``SHARES``. Each family has ``MOST`` RNAs at most that train, ``MOST_JUDGED`` in the other parts, those of
up to ``LONG_BP`` bases and longer ones counted by themselves, spread over its list.
"""

import argparse
import csv
import gzip
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from genoformer.files import write_text_atomic
from genoformer.structures.dot_bracket import partners_of, write_dot_bracket

SAME = {
    "16s": "SSU", "16S/18S rRNA": "SSU", "SSU rRNA (3D based)": "SSU", "5s": "5S", "5S rRNA": "5S",
    "23s": "LSU", "23S/28S rRNA 3p part": "LSU", "LSU rRNA (3D based)": "LSU",
    "grp1": "group I", "group I intron": "group I", "group II intron": "group II", "motif group-II-DV-DVI": "group II",
    "RNase P": "RNaseP", "motif tRNA": "tRNA",
}  # fmt: skip
PARTS = {"5S": "test", "SSU": "test", "group II": "test", "tRNA": "validation", "group I": "validation"}
SHARES = {"validation": 0.1, "test": 0.2}
"""Of the families of motifs."""
MARGIN = 3
LONG_BP = 512
MOST, MOST_JUDGED = 200, 40
SEED = 0

Rna = tuple[str, str, str, str]
"""Id, family, bases, structure in dot-bracket."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("archive", "curated", "motifs", "table", "split"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    rnas = list(unique([*read(args.archive, ","), *read(args.curated, "\t"), *read(args.motifs, "\t")]))
    parts = parts_of({family for _, family, _, _ in rnas})
    rnas = thinned(rnas, parts)
    header = "id\tfamily\tsequence\tstructure\n"
    write_text_atomic(args.table, header + "".join("\t".join(rna) + "\n" for rna in rnas))
    write_text_atomic(args.split, "".join(f"{name}\t{parts[family]}\t{family}\n" for name, family, _, _ in rnas))
    for part in ("train", "validation", "test"):
        families = Counter(family for _, family, _, _ in rnas if parts[family] == part)
        n_long = sum(len(bases) > LONG_BP for _, family, bases, _ in rnas if parts[family] == part)
        print(f"{part}: {sum(families.values())} RNAs of {len(families)} families, {n_long} longer than {LONG_BP} nt")


def read(path: Path, separator: str) -> list[Rna]:
    """The RNAs of a table; made-up ones, and those whose pairs are not mutual, are left out."""
    csv.field_size_limit(sys.maxsize)
    found = []
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file, delimiter=separator):
            name = row.get("family") or row["id"].split("_")[0]
            if name.startswith("motif demo"):
                continue
            bases = row["sequence"].upper().replace("T", "U")
            pairs = np.array(re.findall(r"\d+", row["base_pairs"]), np.int64).reshape(-1, 2) - 1
            if len(np.unique(pairs)) != pairs.size or not len(pairs):
                continue
            start, end = 0, len(bases)
            if name.startswith("motif "):
                start, end = max(0, int(pairs.min()) - MARGIN), min(end, int(pairs.max()) + 1 + MARGIN)
            structure = write_dot_bracket(partners_of(pairs - start, end - start))
            found.append((row["id"].replace("\t", " "), family_of(name), bases[start:end], structure))
    return found


def family_of(name: str) -> str:
    """The family under one name for all tables."""
    if name in SAME:
        return SAME[name]
    return name.split("-")[0] if name.startswith("motif ") else name


def unique(rnas: list[Rna]):
    """RNAs without copies, the first of each sequence; ids that come again with other bases get a number."""
    seen, ids = set(), Counter()
    for name, family, bases, structure in rnas:
        if bases in seen:
            continue
        seen.add(bases)
        ids[name] += 1
        yield (name if ids[name] == 1 else f"{name}#{ids[name]}"), family, bases, structure


def parts_of(families: set[str]) -> dict[str, str]:
    """Part of each family: ``PARTS``, motifs by chance, the others train."""
    motifs = sorted(family for family in families if family.startswith("motif "))
    order = [motifs[i] for i in np.random.default_rng(SEED).permutation(len(motifs))]
    n_test, n_validation = (round(SHARES[part] * len(motifs)) for part in ("test", "validation"))
    dealt = dict.fromkeys(order[:n_test], "test") | dict.fromkeys(order[n_test : n_test + n_validation], "validation")
    return {family: PARTS.get(family, dealt.get(family, "train")) for family in families}


def thinned(rnas: list[Rna], parts: dict[str, str]) -> list[Rna]:
    """Of each family at most so many as its part takes, short and long ones by themselves, evenly from its list."""
    members = defaultdict(list)
    for rna in rnas:
        members[rna[1], len(rna[2]) > LONG_BP].append(rna)
    found = []
    for (family, _), group in sorted(members.items()):
        most = MOST if parts[family] == "train" else MOST_JUDGED
        chosen = np.unique(np.linspace(0, len(group) - 1, min(most, len(group))).astype(int))
        found += [group[i] for i in chosen.tolist()]
    return found


if __name__ == "__main__":
    main()
