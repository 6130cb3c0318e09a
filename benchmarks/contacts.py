"""Contacts with every chain left out once, beside what separation alone says; and planted covariation.

    python benchmarks/contacts.py psicov_coords_10.jsonl.gz OUT [--seeds 0 1 2] [--results docs/results]

OUT gets the chains as PDB files (Cα and Cβ) with a table, and a run of ``fit`` for each chain and seed. Another chain,
the next in the list, validates. The separation prior is the share of contacts among the pairs of the other chains that
are as far apart, in bins as the head has them. One JSON per seed: means over chains, intervals of 95 % over chains.
"""

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
import torch
from Bio.SeqUtils import seq3

from genoformer.applications.contacts.caller import ContactCaller
from genoformer.applications.contacts.data import ContactData
from genoformer.applications.functions.baseline import bootstrap
from genoformer.baselines.run_data import read_run_data
from genoformer.batches.structures import collate_structures
from genoformer.bundle.folder import load_bundle
from genoformer.cli.fit import run_lightning
from genoformer.files import write_json_atomic, write_text_atomic
from genoformer.metrics.pairs import contact_precision, mean_contact_precision
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.networks import build_network
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.structures.contacts import CONTACT, UNKNOWN
from genoformer.structures.planted import plant_contacts
from genoformer.tasks.contacts import MIN_SEPARATION, build
from genoformer.training.optimizer import build_optimizer

GENETIC_CODE = 1
BINS_PER_DOUBLING = 3
PLANTED_STEPS, PLANTED_CHAINS = 300, 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chains", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--results", type=Path, default=Path("docs/results"))
    args = parser.parse_args()
    for folder in (args.out, args.results):
        folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(args.chains, "rt") as file:
        table = write_chains([json.loads(line) for line in file], args.out)
    for seed in args.seeds:
        path = args.results / f"contacts-psicov-{seed}.json"
        if not path.is_file():
            write_json_atomic(path, {**leave_one_out(table, seed), "planted": planted_recovery(seed)})
            print(path, flush=True)


def write_chains(chains: list[dict], out: Path) -> Path:
    """A PDB file for each chain, and the table of all."""
    rows = ["id\tdna\tstructure\n"]
    for chain in chains:
        lines = []
        for number, (letter, *places) in enumerate(zip(chain["protein"], chain["ca"], chain["cb"], strict=True), 1):
            for name, place in zip(("CA", "CB"), places, strict=True):
                if letter != "G" or name == "CA":
                    x, y, z = place
                    lines.append(
                        f"ATOM  {len(lines) + 1:5d}  {name}  {seq3(letter).upper()} A{number:4d}    "
                        f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C\n"
                    )
        write_text_atomic(out / f"{chain['id']}.pdb", "".join(lines) + "END\n")
        rows.append(f"{chain['id']}\t{chain['dna']}\t{chain['id']}.pdb:A\n")
    write_text_atomic(out / "chains.tsv", "".join(rows))
    return out / "chains.tsv"


def leave_one_out(table: Path, seed: int) -> dict:
    """Precision of the model and of separation alone on every chain, each left out once."""
    ids = [line.split("\t")[0] for line in table.read_text().splitlines()[1:]]
    rows: dict[str, list[dict]] = {"genoformer": [], "separation": []}
    for number, test in enumerate(ids):
        held_out = {"test": [test], "validation": [ids[(number + 1) % len(ids)]]}
        name = f"contacts-{seed}-{test}"
        words = ["--data.split.by=group", "--data.columns.group=id"]
        words += [f"--data.split.{part}={json.dumps(names)}" for part, names in held_out.items()]
        options = ["--config", "contacts", "--data.labels", str(table), *words, "--name", name]
        options += ["--seed_everything", str(seed), "--trainer.enable_progress_bar", "false"]
        if code := run_lightning("fit", options):
            raise SystemExit(code)
        data = read_run_data(Path("runs") / name, ContactData)
        caller = ContactCaller.from_bundle(load_bundle(Path("runs") / name / "model"))
        samples = data.build_samples(data.parts["test"], is_training=False)
        known = [data.contacts[chain.id] for part in ("train", "validation") for chain in data.parts[part]]
        labels = samples.labels[0]
        rows["genoformer"].append(contact_precision(caller.logits(samples.codes[0]), labels))
        rows["separation"].append(contact_precision(separation_scores(known, len(labels)), labels))
    gains = np.array([a["all L/5"] - b["all L/5"] for a, b in zip(*rows.values(), strict=True)])
    return {
        "task": "contacts",
        "seed": seed,
        "chains": ids,
        "scores": {name: {**mean_contact_precision(found), "intervals": intervals(found, seed)}
                   for name, found in rows.items()},
        "by_chain": {name: [row["all L/5"] for row in found] for name, found in rows.items()},
        "above_separation": {
            "all L/5": float(gains.mean()),
            "intervals": bootstrap(lambda chosen: {"all L/5": float(gains[chosen].mean())}, len(gains), seed),
        },
    }  # fmt: skip


def intervals(rows: list[dict], seed: int) -> dict:
    return bootstrap(lambda chosen: mean_contact_precision(rows[i] for i in chosen), len(rows), seed)


def separation_scores(known: list[np.ndarray], length: int) -> np.ndarray:
    """Share of contacts among the pairs of known chains that are as far apart, [length, length]."""
    counts = np.zeros((2, 64))
    for labels in known:
        i, j = np.nonzero(np.triu(labels != UNKNOWN, MIN_SEPARATION))
        np.add.at(counts[0], bins(j - i), labels[i, j] == CONTACT)
        np.add.at(counts[1], bins(j - i), 1)
    shares = counts[0] / np.maximum(1, counts[1])
    places = np.arange(length)
    return shares[bins(np.maximum(1, np.abs(places[:, None] - places[None, :])))]


def bins(separations: np.ndarray) -> np.ndarray:
    return (BINS_PER_DOUBLING * np.log2(separations)).astype(int)


def planted_recovery(seed: int) -> dict:
    """Share of planted contacts that are among as many best pairs of chains which training has not seen."""
    chains = plant_contacts(PLANTED_CHAINS + 50, seed=seed)
    task, tokenizer = build((), {"channels": 8, "rank": 8, "n_convolutions": 0}), KmerTokenizer(k=3, stride=3)
    torch.manual_seed(seed)
    encoder = EncoderConfig(vocab_size=tokenizer.vocab_size, d_model=64, n_heads=4, n_layers=1, d_ff=64,
                            conv_width=0, attention=LongformerConfig(window_radius=8), stride=3)  # fmt: skip
    model = build_network(encoder, task.head, n_outputs=1)
    optimizer = build_optimizer(model, lr=3e-3, weight_decay=0.0)
    items = [{"token_ids": tokenizer.encode(chain.codes), "labels": chain.labels} for chain in chains]
    rng = np.random.default_rng(seed)
    for _ in range(PLANTED_STEPS):
        chosen = rng.choice(PLANTED_CHAINS, 16, replace=False)
        batch = collate_structures([items[i] for i in chosen], ignored=UNKNOWN)
        labels = batch.pop("labels")
        optimizer.zero_grad()
        task.loss(model(**batch), labels).backward()
        optimizer.step()
    model.eval()
    hits = [recovered(model, item) for item in items[PLANTED_CHAINS:]]
    return {"recovered": float(np.mean(hits)), "n_chains": len(hits), "steps": PLANTED_STEPS}


def recovered(model, item: dict) -> float:
    with torch.inference_mode():
        scores = model(torch.from_numpy(item["token_ids"].astype(np.int64))[None])[0].numpy()
    i, j = np.nonzero(np.triu(item["labels"] != UNKNOWN, MIN_SEPARATION))
    is_contact = item["labels"][i, j] == CONTACT
    return float(is_contact[np.argsort(-scores[i, j], kind="stable")[: is_contact.sum()]].mean())


if __name__ == "__main__":
    main()
