"""Genes with introns: a model on one set of contigs, or what it has to beat there; one JSON per run.

    python benchmarks/intron_genes.py FASTA REFERENCE.gff3 --set NAME --model MODEL --seed N [--source TAIR10]
        [--adapt-fasta IN.fa [--adapt-annotation IN.gff3] --adapt-steps N --adapt-lr X]
    python benchmarks/intron_genes.py FASTA REFERENCE.gff3 --set NAME --peers --species caenorhabditis
        [--geneml geneml] [--floor-fasta TRAIN.fa --floor-annotation TRAIN.gff3 --floor-source TAIR10]

The first writes ``introns-NAME-seedN.json``: scores of the model, and of the model after ``genoformer adapt`` on other
sequence, or without annotation on any, also that of the test. The second writes ``introns-NAME-peers.json``: Augustus
with its own parameters of the species, both strands,
no hints, without and with untranslated regions; geneML, a network for fungi, where its program is given; and a floor,
logistic regression on the one-hot bases of a window, by base, without any decoding: it knows no genes.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from genoformer.annotation.gene_sequence import translate_gene
from genoformer.annotation.isoforms import choose_isoforms
from genoformer.annotation.models import Annotation
from genoformer.annotation.read import read_annotation
from genoformer.applications.introns.evaluate import evaluate_intron_genes
from genoformer.bundle.folder import load_bundle
from genoformer.files import write_json_atomic
from genoformer.metrics.introns import matthews, paint_classes
from genoformer.sequence.fasta import read_fasta

WINDOW_BP = 51
POSITIONS = 160_000
MAX_ITERATIONS = 2_000
BLIND = np.array([0, 1, 2, 3, 1, 2, 3])
"""Classes of ``paint_classes`` without their strand."""
UTR_ROWS = ("five_prime_utr", "three_prime_utr")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--set", required=True, help="name of the set in the result")
    parser.add_argument("--source", nargs="*", default=[], help="rows of the reference that count")
    parser.add_argument("--model")
    parser.add_argument("--label", default="genoformer", help="what the model is called in the result")
    parser.add_argument("--seed", type=int, default=0, help="that the model was trained with; for the name of the file")
    parser.add_argument("--adapt-fasta")
    parser.add_argument("--adapt-annotation")
    parser.add_argument("--adapt-steps", type=int, default=500)
    parser.add_argument("--adapt-lr", type=float, default=2e-4)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--species")
    parser.add_argument("--geneml", help="its program, geneML 1.3.1 from PyPI in an environment of its own")
    parser.add_argument("--floor-fasta")
    parser.add_argument("--floor-annotation")
    parser.add_argument("--floor-source", nargs="*", default=[])
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"))
    args = parser.parse_args()
    lengths = {record.id: len(record) for record in read_fasta(args.fasta)}
    result = {"set": args.set, "n_bases": sum(lengths.values())}
    with tempfile.TemporaryDirectory() as folder:
        result |= peer_scores(args, Path(folder)) if args.peers else model_scores(args, Path(folder))
    name = f"introns-{args.set}-" + ("peers" if args.peers else f"seed{args.seed}")
    args.out.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out / f"{name}.json", result)
    for program, row in result["scores"].items():
        print(program, " ".join(f"{level} {row[level]['f1']:.3f}" for level in ("exon", "chain") if level in row),
              f"base MCC {row['bases']['mcc']:.3f}", flush=True)  # fmt: skip


def model_scores(args: argparse.Namespace, folder: Path) -> dict:
    """Scores of the model, and of the adapted one where there is something to adapt to."""
    result = {"seed": args.seed, "model_digest": load_bundle(args.model).digest}
    result["scores"] = {args.label: score_model(args.model, args, folder / "given")}
    if args.adapt_fasta:
        command = ["genoformer", "adapt", args.adapt_fasta]
        command += ["--annotation", args.adapt_annotation] if args.adapt_annotation else []
        command += ["--model", args.model, "-o", folder / "adapted", "--steps", args.adapt_steps, "--lr", args.adapt_lr]
        command += ["--threads", 1, *(["--source", *args.source] if args.source else [])]
        subprocess.run([str(word) for word in command], check=True)
        result["scores"][f"{args.label}, adapted"] = score_model(str(folder / "adapted"), args, folder / "after")
        result["adaptation"] = load_bundle(folder / "adapted").calibration["adaptation"]
    return result


def score_model(model: str, args: argparse.Namespace, out: Path) -> dict:
    command = ["genoformer", "predict", str(args.fasta), "--model", model, "-o", str(out)]
    command += ["--threads", "1", "--circular", "none", "--formats", "gff3,gtf,bed,tsv,protein,cds"]
    before = os.times()
    subprocess.run(command, check=True)
    seconds = sum(os.times()[2:4]) - sum(before[2:4])
    return {**score_genes(out / "genes.gff3", args), "cpu_seconds": round(seconds, 1)}


def score_genes(path: Path, args: argparse.Namespace) -> dict:
    scores = evaluate_intron_genes(path, args.reference, fasta=args.fasta, sources=args.source)
    return {**scores, "re_translate": count_translated(read_annotation(path), args.fasta)}


def count_translated(annotation: Annotation, fasta: Path) -> dict:
    """How many predicted CDS translate without internal stop, and from a start to a stop codon where they are whole."""
    genes, n, good = annotation.by_contig(), 0, 0
    for record in read_fasta(fasta):
        for gene in genes.get(record.id, []):
            protein = translate_gene(record.codes, gene, 1)
            body = protein if gene.partial_3 else protein[:-1]
            whole = (gene.partial_5 or protein[:1] == "M") and (gene.partial_3 or protein[-1:] == "*")
            n, good = n + 1, good + (whole and "*" not in body)
    return {"cds": n, "translate": good}


def peer_scores(args: argparse.Namespace, folder: Path) -> dict:
    scores = {}
    if args.species:
        for name, utr in (("augustus", "off"), ("augustus with UTR", "on")):
            if (path := run_augustus(args, folder, utr)) is not None:
                scores[name] = score_genes(path, args)
    if args.geneml:
        scores["geneML"] = score_genes(run_geneml(args, folder), args)
    if args.floor_fasta:
        scores["window"] = window_scores(args)
    return {"species": args.species, "scores": scores}


def run_augustus(args: argparse.Namespace, folder: Path, utr: str) -> Path | None:
    """Its genes as GFF3; None where the species has no parameters for untranslated regions."""
    command = ["augustus", f"--species={args.species}", "--gff3=on", f"--UTR={utr}", f"--print_utr={utr}"]
    command += ["--stopCodonExcludedFromCDS=false", str(args.fasta)]  # some species say true
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0 and utr == "on":
        print(f"augustus with UTR: {done.stderr.strip().splitlines()[-1]}", flush=True)
        return None
    done.check_returncode()
    rows = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 8]
    path = folder / f"augustus-{utr}.gff3"
    kept = [row for row in rows if row[2] in ("gene", "transcript", "CDS")] + exon_rows(rows)
    path.write_text("##gff-version 3\n" + "".join("\t".join(row) + "\n" for row in kept))
    return path


def run_geneml(args: argparse.Namespace, folder: Path) -> Path:
    """Its genes as GFF3."""
    path = folder / "geneml.gff3"
    subprocess.run([args.geneml, str(args.fasta), "-o", str(path), "-c", "1"], check=True, capture_output=True)
    return path


def exon_rows(rows: list[list[str]]) -> list[list[str]]:
    """Exons of Augustus' transcripts: coding parts joined with the untranslated parts that touch them."""
    parts: dict[str, list[list[str]]] = {}
    for row in rows:
        if row[2] == "CDS" or row[2] in UTR_ROWS:
            parent = next(pair for pair in row[8].split(";") if pair.startswith("Parent="))
            parts.setdefault(parent, []).append(row)
    found = []
    for parent, pieces in parts.items():
        pieces.sort(key=lambda row: int(row[3]))
        exons = []
        for row in pieces:
            if exons and int(row[3]) == int(exons[-1][4]) + 1:
                exons[-1][4] = row[4]
            else:
                exons.append([*row[:2], "exon", *row[3:5], ".", row[6], ".", parent])
        found += exons
    return found


def window_scores(args: argparse.Namespace) -> dict:
    """MCC of four classes of bases, of a linear model that sees 25 bases on either side, fitted to convergence."""
    began = time.process_time()
    x, y = windows(args.floor_fasta, args.floor_annotation, args.floor_source, POSITIONS)
    model = LogisticRegression(C=1.0, max_iter=MAX_ITERATIONS).fit(x, y)
    confusion = np.zeros((4, 4), np.int64)
    x, y = windows(args.fasta, args.reference, args.source, None)
    for i in range(0, len(y), 100_000):
        found = model.predict(x[i : i + 100_000])
        confusion += np.bincount(4 * y[i : i + 100_000] + found, minlength=16).reshape(4, 4)
    iterations = int(model.n_iter_[0])
    fit = {
        "iterations": iterations,
        "converged": iterations < MAX_ITERATIONS,
        "cpu_seconds": time.process_time() - began,
    }
    return {"bases": {"mcc": matthews(confusion)}, "fit": fit}


def windows(fasta, annotation, sources, n: int | None) -> tuple[scipy.sparse.csr_matrix, np.ndarray]:
    """One-hot windows [N, 51 * 4] and classes [N]; ``n`` positions evenly drawn, or all."""
    genes = read_annotation(annotation, sources=sources).by_contig()
    indices, labels = [], []
    for record in read_fasta(fasta):
        padded = np.pad(np.minimum(record.codes, 4), WINDOW_BP // 2, constant_values=4)
        indices.append(np.lib.stride_tricks.sliding_window_view(padded, WINDOW_BP))
        labels.append(BLIND[paint_classes(choose_isoforms(genes.get(record.id, [])), len(record))])
    indices, labels = np.concatenate(indices), np.concatenate(labels)
    if n is not None:
        chosen = np.random.default_rng(0).choice(len(labels), min(n, len(labels)), replace=False)
        indices, labels = indices[chosen], labels[chosen]
    rows, columns = np.nonzero(indices < 4)
    columns = 4 * columns + indices[rows, columns]
    shape = (len(labels), 4 * WINDOW_BP)
    return scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape), labels


if __name__ == "__main__":
    main()
