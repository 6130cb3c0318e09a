"""Genes of rRNA and tRNA in groups of genomes that nothing was learned from, beside ARAGORN and barrnap.

Profiles and confidence are learned from the genomes of all other groups, as ``fit`` does it, and the genomes of the
group are searched. Of near copies one counts. A genome takes no part in what its annotation does not name, nor in a
kind of which more than a tenth of its genes lie over another one on the other strand: then one of each pair is none.

    python benchmarks/prokaryote_data.py DATA tables
    python benchmarks/rna_genes.py tables/prokaryotes.tsv --store rna.h5 -o docs/results/rna-genes.json

``aragorn`` and ``barrnap`` are run where they are installed (Debian has both; its barrnap has no model of 23S, so that
rRNA without 23S is scored, too). Seconds are those of the processor, of one thread.
"""

import argparse
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
from prokaryotes import NEAR_COPIES

from genoformer.annotation.models import RNA_KINDS, RRNA_KIND, TRNA_KIND, RnaGene
from genoformer.annotation.read import read_annotation
from genoformer.decoding.rna.finder import RnaFinder
from genoformer.decoding.rna.learn import Labelled, learn_rna
from genoformer.files import write_json_atomic
from genoformer.genomes.genome_table import TableGenome, read_genome_table
from genoformer.genomes.prepare import RNA_LABELS, prepare_store
from genoformer.genomes.store import Store, StoredRecord
from genoformer.metrics.rna_genes import score_rna_genes
from genoformer.sequence.alphabet import decode_bases

LONG_BP = 2_000
"""Genes of 23S rRNA have more, the others less."""
SHORT = "rRNA without 23S"
ARCHAEA, PHAGES = "archaea", "phages"
MOST_DOUBLE = 0.1
ARAGORN_ROW = re.compile(r"\d+\s+(tRNA-\S+)\s+(c?)\[(-?\d+),(\d+)\]")

Scores = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Genome:
    """A genome with its reference."""

    row: TableGenome
    records: list[StoredRecord]
    store: Store

    @property
    def lengths(self) -> dict[str, int]:
        return {record.id: record.length for record in self.records}

    def codes(self) -> Iterator[tuple[StoredRecord, np.ndarray]]:
        return ((record, self.store.bases(record.index, 0, record.length)) for record in self.records)

    def reference(self) -> list[RnaGene]:
        files = self.row.files
        return [gene for gene in read_annotation(files.annotation).rna_genes if gene.contig in self.lengths]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--store", type=Path, required=True, help="made if it is not there")
    parser.add_argument("--groups", nargs="*", help="all if not given")
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    table = read_genome_table(args.table)
    prepare_store(args.store, [row.files for row in table], labels=RNA_LABELS)
    store = Store(args.store)
    genomes = [Genome(row, [r for r in store.records if r.genome == row.files.name], store) for row in table]
    result: dict[str, Any] = {}
    for group in args.groups or dict.fromkeys(row.group for row in table):
        began = time.process_time()
        others = [genome for genome in genomes if genome.row.group != group]
        finder = learn_rna(lambda others=others: (_labelled(one, r) for one in others for r in one.records))
        seconds = time.process_time() - began
        own = [genome for genome in genomes if genome.row.group == group]
        scores = {genome.row.files.name: judged(genome, finder) for genome in own}
        result[group] = {"learned_seconds": round(seconds, 1), "genomes": scores, "mean": means(scores)}
        print(group, result[group]["mean"], flush=True)
        write_json_atomic(args.out, result)


def _labelled(genome: Genome, record: StoredRecord) -> Labelled:
    tracks = genome.store.tracks(record.index, 0, record.length)
    return Labelled(record.genome, genome.row.group, genome.store.bases(record.index, 0, record.length), tracks)


def judged(genome: Genome, finder: RnaFinder) -> dict[str, Any]:
    """Scores of every program by kind, and its seconds."""
    reference, programs = genome.reference(), {"genoformer": _ours(genome, finder), **_others(genome)}
    scores: dict[str, Any] = {"n_bases": sum(genome.lengths.values())}
    for name, (genes, seconds) in programs.items():
        found = {
            kind: _rounded(score_rna_genes(_only(genes, kind), _only(reference, kind), genome.lengths))
            for kind in (*RNA_KINDS, SHORT)
            if _only(reference, kind) and not _is_double(_only(reference, kind)) and _finds(name, kind)
        }
        scores[name] = {"seconds": round(seconds, 2), **found}
    return scores


def _finds(name: str, kind: str) -> bool:
    return {"aragorn": kind == TRNA_KIND, "barrnap": kind != TRNA_KIND}.get(name, True)


def _only(genes: list[RnaGene], kind: str) -> list[RnaGene]:
    if kind == SHORT:
        return [gene for gene in genes if gene.kind == RRNA_KIND and gene.end - gene.start < LONG_BP]
    return [gene for gene in genes if gene.kind == kind]


def _is_double(genes: list[RnaGene]) -> bool:
    """Whether many genes lie over another one on the other strand."""
    places = sorted((gene.contig, gene.start, gene.end, gene.strand) for gene in genes)
    pairs = pairwise(places)
    n_double = sum(a[0] == b[0] and b[1] < a[2] and a[3] != b[3] for a, b in pairs)
    return n_double > MOST_DOUBLE * len(genes)


def _rounded(scores: Scores) -> dict[str, float]:
    ((_, found),) = scores.items()
    return {name: round(value, 4) for name, value in found.items()}


def _ours(genome: Genome, finder: RnaFinder) -> tuple[list[RnaGene], float]:
    genes, seconds = [], 0.0
    for record, codes in genome.codes():
        began = time.process_time()
        calls = finder.calls(codes, circular=record.circular)
        seconds += time.process_time() - began
        genes += [RnaGene(record.id, c.start, c.end, "+" if c.strand > 0 else "-", c.kind) for c in calls]
    return genes, seconds


def _others(genome: Genome) -> dict[str, tuple[list[RnaGene], float]]:
    """Genes that ARAGORN and barrnap find."""
    found: dict[str, tuple[list[RnaGene], float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "genome.fa"
        fasta.write_text("".join(f">{i}\n{decode_bases(codes)}\n" for i, (_, codes) in enumerate(genome.codes())))
        is_archaeon = genome.row.group == ARCHAEA
        shape = "-c" if any(record.circular for record in genome.records) else "-l"
        more = ["-i150"] if is_archaeon else []
        if which("aragorn"):
            text, seconds = _run(["aragorn", "-t", "-w", "-gcbact", shape, *more, str(fasta)])
            found["aragorn"] = _aragorn_genes(text, genome.records), seconds
        if which("barrnap") and genome.row.group != PHAGES:
            kingdom = "arc" if is_archaeon else "bac"
            text, seconds = _run(["barrnap", "--kingdom", kingdom, "--threads", "1", "--quiet", str(fasta)])
            rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
            genes = [RnaGene(genome.records[int(r[0])].id, int(r[3]) - 1, int(r[4]), r[6], RRNA_KIND) for r in rows]
            found["barrnap"] = genes, seconds
    return found


def _run(command: list[str]) -> tuple[str, float]:
    before = os.times()
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    after = os.times()
    spent = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return text, spent


def _aragorn_genes(text: str, records: list[StoredRecord]) -> list[RnaGene]:
    genes, record = [], records[0]
    for line in text.splitlines():
        if line.startswith(">"):
            record = records[int(line[1:].split()[0])] if line[1:].split()[0].isdigit() else record
        elif match := ARAGORN_ROW.match(line):
            start, end = int(match[3]) - 1, int(match[4])
            start += record.length if start < 0 else 0
            end += record.length if end <= start else 0
            genes.append(RnaGene(record.id, start, end, "-" if match[2] else "+", TRNA_KIND))
    return genes


def means(scores: dict[str, Any]) -> dict[str, Any]:
    """Means over the genomes of a group by program and kind, near copies once."""
    counted = [one for name, one in scores.items() if not name.startswith(NEAR_COPIES)]
    found: dict[str, Any] = {}
    for program in ("genoformer", "aragorn", "barrnap"):
        for kind in (*RNA_KINDS, SHORT):
            rows = [one[program][kind] for one in counted if kind in one.get(program, {})]
            if rows:
                measures = {name: round(float(np.mean([r[name] for r in rows])), 4) for name in ("recall", "precision")}
                found.setdefault(program, {})[kind] = {**measures, "n_genomes": len(rows)}
    return found


if __name__ == "__main__":
    main()
