"""Do the scores of genes with introns mean what they say: calibration error on sequence that training has not seen.

    python benchmarks/intron_confidence.py FASTA REFERENCE.gff3 --set NAME --model MODEL [--source TAIR10]

Writes ``intronconfidence-NAME.json``. A gene is right if all its coding parts are, a part if both its ends are, a
splice site if a true one of its kind lies there. Predictions over genes that the reference masks (pseudo, partial) do
not count.
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from genoformer import load_model
from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation
from genoformer.files import write_json_atomic
from genoformer.metrics.calibration import brier, ece, reliability

KINDS = ("gene", "part", "site")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--set", required=True, help="name of the set in the result")
    parser.add_argument("--source", nargs="*", default=[], help="rows of the reference that count")
    parser.add_argument("--model", required=True)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"))
    args = parser.parse_args()
    known, began = read_annotation(args.reference, sources=args.source).by_contig(), time.process_time()
    rows: dict[str, list[tuple[float, bool]]] = {kind: [] for kind in KINDS}
    for result in load_model(args.model).predict(str(args.fasta)):
        for kind, score, is_right in judge(result.genes, known.get(result.record_id, [])):
            rows[kind].append((score, is_right))
    result = {"set": args.set, "model": args.model, "cpu_seconds": round(time.process_time() - began, 1)}
    result["scores"] = {kind: describe(judged) for kind, judged in rows.items() if judged}
    args.out.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out / f"intronconfidence-{args.set}.json", result)
    for kind, row in result["scores"].items():
        print(kind, {name: value for name, value in row.items() if name != "reliability"}, flush=True)


def judge(genes: Iterable[Gene], known: list[Gene]) -> Iterator[tuple[str, float, bool]]:
    """(kind, score, right) of everything that is scored."""
    whole = [gene for gene in known if not (gene.pseudo or gene.partial_5 or gene.partial_3 or gene.trans_spliced)]
    masked = [(gene.start, gene.end) for gene in known if gene not in whole]
    chains = {(gene.strand, gene.parts) for gene in whole}
    exons = {(gene.strand, *part) for gene in whole for part in gene.parts}
    sites = {(gene.strand, i, part[i]) for gene in whole for part in gene.parts for i in (0, 1)}
    for gene in genes:
        if any(start < gene.end and gene.start < end for start, end in masked):
            continue
        if gene.score is not None:
            yield "gene", gene.score, (gene.strand, gene.parts) in chains
        for part, score in zip(gene.parts, gene.part_scores, strict=bool(gene.part_scores)):
            yield "part", score, (gene.strand, *part) in exons
        for part, both in zip(gene.parts, gene.site_scores, strict=bool(gene.site_scores)):
            for i in (0, 1):
                if (score := both[i]) is not None:
                    yield "site", score, (gene.strand, i, part[i]) in sites


def describe(judged: list[tuple[float, bool]]) -> dict:
    """Calibration of one kind, beside what a constant would have."""
    scores, right = np.array(judged).T
    share = float(right.mean())
    return {
        "n": len(right), "right": share, "ece": ece(scores, right), "brier": brier(scores, right),
        "brier_of_share": share * (1 - share), "reliability": reliability(scores, right, 5),
    }  # fmt: skip


if __name__ == "__main__":
    main()
