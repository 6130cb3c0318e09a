"""Genes with introns, side by side: a model, Augustus, and a window of 51 bases, on the same contigs.

    python benchmarks/intron_genes.py FASTA REFERENCE.gff3 OUT --model MODEL [--source TAIR10]
        [--species caenorhabditis] [--floor-fasta TRAIN.fa --floor-annotation TRAIN.gff3]

OUT gets the predictions and ``scores.json``. The window is logistic regression on one-hot bases, by base, without any
decoding; it knows no genes. Augustus runs with its own parameters of the species, both strands, no hints.
"""

import argparse
import subprocess
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import SGDClassifier

from genoformer.annotation.gene_sequence import translate_gene
from genoformer.annotation.isoforms import choose_isoforms
from genoformer.annotation.models import Annotation
from genoformer.annotation.read import read_annotation
from genoformer.files import write_json_atomic
from genoformer.inference.evaluate import evaluate_genes
from genoformer.intron_metrics import matthews, paint_classes
from genoformer.sequence.fasta import read_fasta

TASK = "gene_structure_eukaryote"
WINDOW_BP = 51
POSITIONS = 160_000
BLIND = np.array([0, 1, 2, 3, 1, 2, 3])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", nargs="*", default=[])
    parser.add_argument("--source", nargs="*", default=[])
    parser.add_argument("--species")
    parser.add_argument("--floor-fasta")
    parser.add_argument("--floor-annotation")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    scores = {}
    for model in args.model:
        name = Path(model).parent.name if Path(model).name == "model" else Path(model).name
        scores[name] = score_model(model, args, args.out / name)
    if args.species:
        scores["augustus"] = score_augustus(args, args.out / "augustus.gff3")
    if args.floor_fasta:
        scores["window"] = {"bases": {"mcc": window_mcc(args)}}
    write_json_atomic(args.out / "scores.json", scores)
    for name, row in scores.items():
        print(name, " ".join(f"{level} {row[level]['f1']:.3f}" for level in ("exon", "chain") if level in row),
              f"base MCC {row['bases']['mcc']:.3f}", flush=True)  # fmt: skip


def score_model(model: str, args: argparse.Namespace, out: Path) -> dict:
    began = time.process_time()
    command = ["genoformer", "predict", str(args.fasta), "--model", model, "-o", str(out), "--overwrite"]
    command += ["--threads", "1", "--circular", "none", "--formats", "gff3,gtf,bed,tsv,protein,cds"]
    subprocess.run(command, check=True)
    scores = evaluate_genes(out, args.reference, fasta=args.fasta, task=TASK, sources=args.source)
    return {**scores, "re_translate": count_translated(read_annotation(out / "genes.gff3"), args.fasta),
            "seconds": time.process_time() - began}  # fmt: skip


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


def score_augustus(args: argparse.Namespace, path: Path) -> dict:
    with open(path, "w") as file:
        command = ["augustus", f"--species={args.species}", "--gff3=on", "--UTR=off", str(args.fasta)]
        subprocess.run(command, check=True, stdout=file)
    rows = [line for line in path.read_text().splitlines() if line.count("\t") == 8]
    path.write_text("##gff-version 3\n" + "".join(f"{line}\n" for line in rows if "\tintron\t" not in line))
    return evaluate_genes(path, args.reference, fasta=args.fasta, task=TASK, sources=args.source)


def window_mcc(args: argparse.Namespace) -> float:
    """MCC of four classes of bases, of a linear model that sees 25 bases on either side."""
    x, y = windows(args.floor_fasta, args.floor_annotation, [], POSITIONS)
    model = SGDClassifier(loss="log_loss", alpha=1e-5, random_state=0, max_iter=20).fit(x, y)
    confusion = np.zeros((4, 4), np.int64)
    x, y = windows(args.fasta, args.reference, args.source, None)
    for i in range(0, len(y), 100_000):
        found = model.predict(x[i : i + 100_000])
        confusion += np.bincount(4 * y[i : i + 100_000] + found, minlength=16).reshape(4, 4)
    return matthews(confusion)


def windows(fasta, annotation, sources, n: int | None) -> tuple[np.ndarray, np.ndarray]:
    """One-hot windows and classes; ``n`` positions evenly drawn, or all."""
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
    return np.eye(5, dtype=np.float32)[indices][:, :, :4].reshape(len(labels), -1), labels


if __name__ == "__main__":
    main()
