"""Pseudo-bits per base of a masked language model on its test regions, beside models that count.

The regions are those of the run's configuration, with guard gaps around them; run lengths 1 and 6, everything masked.
The Markov model sees the bases before a hidden one, hidden ones included; the two-sided model five bases on each side
of the run. Both are fitted on the training regions, both strands.

    python benchmarks/mlm.py runs/NAME --fasta genome.fa -o docs/results/mlm-NAME.json
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from genoformer.applications.pretraining.data import PretrainingData
from genoformer.baselines.count_models import MarkovModel, TwoSidedModel, bits_per_base
from genoformer.baselines.run_data import read_run_data
from genoformer.batches.collate import build_collate
from genoformer.bundle.folder import load_bundle
from genoformer.files import write_json_atomic
from genoformer.genomes.hiding import N_KNOWN
from genoformer.sequence.alphabet import reverse_complement

RUNS_BP = (1, 6)


def model_bits(model, data: PretrainingData) -> tuple[float, float, int]:
    """Mean bits, their standard error over tiles, and number of hidden bases."""
    tiles, costs = data.evaluation_samples("test"), []
    collate = build_collate(stride=data.tokenizer.stride, n_global_tokens=model.n_global_tokens)
    with torch.inference_mode():
        for i in range(len(tiles.places)):
            batch = collate([tiles[i]])
            labels = batch.pop("labels")
            chosen = labels < N_KNOWN
            costs.append(F.cross_entropy(model(**batch)[chosen], labels[chosen].long(), reduction="none").numpy())
    bits = [cost / np.log(2) for cost in costs if len(cost)]
    flat = np.concatenate(bits)
    return float(flat.mean()), float(np.std([part.mean() for part in bits]) / len(bits) ** 0.5), len(flat)


def count_bits(data: PretrainingData, run_bp: int) -> dict[str, float]:
    models = {"markov": MarkovModel(11), "two_sided": TwoSidedModel(run_bp)}
    for region in data.regions["train"]:
        codes = data.store.bases(region.record, region.start, region.end)
        for model in models.values():
            model.add(codes)
            model.add(reverse_complement(codes))
    tiles, found = data.evaluation_samples("test"), {name: [] for name in models}
    for i in range(len(tiles.places)):
        codes, runs = tiles.hidden_runs(i)
        positions = (runs[:, :1] + np.arange(run_bp)).ravel()
        found["markov"].append(models["markov"].probabilities(codes, positions))
        found["two_sided"].append(models["two_sided"].probabilities(codes, runs[:, 0]))
    return {name: bits_per_base(parts) for name, parts in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--fasta", nargs="+", required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    bundle, scores = load_bundle(args.run / "model"), {}
    for run_bp in RUNS_BP:
        data = read_run_data(args.run, PretrainingData, fasta=args.fasta, validation_run_bp=run_bp)
        bits, error, n = model_bits(bundle.model, data)
        scores[str(run_bp)] = {"model": bits, "standard_error": error, "n_bases": n, **count_bits(data, run_bp)}
        print(json.dumps(scores[str(run_bp)]))
    card = (args.run / "model" / "model_card.md").read_text().splitlines()[2]
    write_json_atomic(args.out, {"model": card, "split": {**asdict(data.split), "seed": data.seed}, "runs": scores})


if __name__ == "__main__":
    main()
