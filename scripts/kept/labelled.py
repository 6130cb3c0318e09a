"""Made-up sequences with labels, one kind for each task: functions, base pairs, states of codons, contacts."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from Bio.Data.IUPACData import protein_letters_1to3
from Bio.Seq import translate

from kept.sequences import SENSE_CODONS, draw_rich, fasta, table

STEMS = ("((((((....))))))....", "....((((((....))))))", "..((((((......))))))..")
CODON_OF = {"H": "GAA", "E": "GTT", "C": "GGT"}
ATOM = "ATOM  {:5d}  CA  {} A{:4d}    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00           C\n"

OBO = """format-version: 1.2
ontology: made-up

[Term]
id: X:root
name: everything
namespace: kinds

[Term]
id: X:any
name: rich in something
namespace: kinds
is_a: X:root

[Term]
id: X:a
name: rich in A
namespace: kinds
is_a: X:any

[Term]
id: X:c
name: rich in C
namespace: kinds
is_a: X:any
"""


def write_functions(folder: Path, *, n: int = 160) -> None:
    """Sequences rich in A or in C, of whole codons: classes, terms, terms of an ontology, a number; and FASTA."""
    rng = np.random.default_rng(1)
    rows = [(f"s{i}", "CA"[i % 2], draw_rich(rng, 3 * int(rng.integers(7, 14)), "CA"[i % 2])) for i in range(n)]
    labels = {
        "kinds.tsv": lambda i, kind, dna: f"rich_in_{kind.lower()}",
        "terms.tsv": lambda i, kind, dna: f"all;rich_in_{kind.lower()}" if i % 5 else "all",
        # Every third sequence rich in A has the general term only, and one term is unknown.
        "ontology.tsv": lambda i, kind, dna: f"X:{kind.lower()};X:zz" if i % 6 != 1 else "X:any",
        "numbers.tsv": lambda i, kind, dna: f"{dna.count('A') / len(dna):.4f}",
    }
    for name, label in labels.items():
        cells = ((seq, label(i, kind, dna), dna) for i, (seq, kind, dna) in enumerate(rows))
        (folder / name).write_text(table(("id", "label", "dna"), cells))
    (folder / "terms.obo").write_text(OBO)
    (folder / "sequences.fa").write_text(fasta((f"{seq} label=rich_in_{kind}", dna) for seq, kind, dna in rows))


def write_enzymes(folder: Path, *, n: int = 90) -> None:
    """A genome whose genes have EC numbers by their composition, as FASTA and GFF3."""
    rng, bases, rows = np.random.default_rng(2), "", ["##gff-version 3"]
    for i in range(n):
        gene = draw_rich(rng, 90, "CAG"[i % 3])
        attributes = f"ID=c{i};locus_tag=T{i};ec_number={1 + i % 3}.1.1.1"
        rows.append(f"chr\t.\tCDS\t{len(bases) + 1}\t{len(bases) + len(gene)}\t.\t+\t0\t{attributes}")
        bases += gene
    (folder / "enzymes.fa").write_text(fasta([("chr", bases)]))
    (folder / "enzymes.gff3").write_text("\n".join(rows) + "\n")


def write_rnas(folder: Path, *, n: int = 60) -> None:
    """Hairpins of three shapes with stems of their own: dot-bracket, FASTA, and a table of a few."""
    rng = np.random.default_rng(3)
    rnas = [(f"r{i}", *_hairpin(rng, STEMS[i % len(STEMS)])) for i in range(n)]
    (folder / "rnas.dbn").write_text("".join(f">{name}\n{bases}\n{stem}\n" for name, bases, stem in rnas))
    (folder / "rnas.fa").write_text(fasta((name, bases) for name, bases, _ in rnas[:20]))
    (folder / "rnas.tsv").write_text(table(("id", "sequence", "structure"), rnas[:20]))


def _hairpin(rng: np.random.Generator, stem: str) -> tuple[str, str]:
    bases, opened = list(rng.choice(list("ACGU"), len(stem))), []
    for i, bracket in enumerate(stem):
        if bracket == "(":
            opened.append(i)
        elif bracket == ")":
            bases[opened.pop()], bases[i] = rng.choice(["GC", "CG", "AU", "UA", "GU"])
    return "".join(bases), stem


def write_codons(folder: Path, *, n: int = 60) -> None:
    """Runs of states, each state written with a codon of its own three times out of four: table and FASTA."""
    rng, rows = np.random.default_rng(4), []
    for i in range(n):
        states = "".join(rng.choice(list("HEC")) * int(rng.integers(4, 9)) for _ in range(6))
        codons = (CODON_OF[state] if rng.random() < 0.75 else CODON_OF[rng.choice(list("HEC"))] for state in states)
        rows.append((f"c{i}", "".join(codons), "--" + states[2:]))
    (folder / "codons.tsv").write_text(table(("id", "dna", "states"), rows))
    (folder / "codons.fa").write_text(fasta((name, dna) for name, dna, _ in rows[:20]))


def write_contacts(folder: Path, *, n: int = 12) -> None:
    """Two straight strands of residues side by side: table, PDB files and FASTA."""
    rows = list(_chains(n))
    for name, dna, places in rows:
        letters = enumerate(zip(translate(dna), places, strict=True), 1)
        atoms = [ATOM.format(k, protein_letters_1to3[letter].upper(), k, *place) for k, (letter, place) in letters]
        (folder / f"{name}.pdb").write_text("".join(atoms) + "END\n")
    cells = ((name, dna, f"{name}.pdb:A") for name, dna, _ in rows)
    (folder / "contacts.tsv").write_text(table(("id", "dna", "structure"), cells))
    (folder / "contacts.fa").write_text(fasta((name, dna) for name, dna, _ in rows))


def _chains(n: int, length: int = 30) -> Iterator[tuple[str, str, list[list[float]]]]:
    rng, k = np.random.default_rng(5), np.arange(length)
    places = np.stack([3.8 * np.minimum(k, length - 1 - k), 5.0 * (k >= length // 2), 0 * k], axis=1)
    for i in range(n):
        yield f"p{i}", "".join(rng.choice(SENSE_CODONS, length)), places.tolist()
