"""Training for so many seconds of the processor, and what was learned: genes of another genome, bits per base."""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from genoformer.annotation.models import Annotation
from genoformer.annotation.read import read_annotation, read_records
from genoformer.applications import APPLICATIONS
from genoformer.applications.genes.calibrate import fit_decoder
from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.data import GenomeData
from genoformer.applications.genes.evaluate import score_annotations
from genoformer.applications.genes.held import read_held
from genoformer.applications.pretraining.next_base_data import NextBaseData
from genoformer.architectures.contenders import make_config, n_parameters
from genoformer.batches.next_bases import one_token_late
from genoformer.bundle.folder import Bundle
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store, write_store
from genoformer.sequence.alphabet import N_CODE
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.sequence.records import Record
from genoformer.stream import TilePlan, strand_logits
from genoformer.tasks import clm, gene_structure
from genoformer.training.module import GenomeModule
from genoformer.training.optimizer import build_optimizer
from genoformer.training.settings import Loader, ModelReading, RegionSplit
from genoformer.training.store_data import StoreData

SIZES: dict[str, Any] = {"d_model": 64, "n_heads": 4, "n_layers": 4, "d_ff": 128}
LEARNING_RATE, WEIGHT_DECAY, CLIP_NORM, WARMUP_SHARE = 3e-3, 0.01, 1.0, 0.05
ENDLESS = 10**9
"""Samples of an epoch that never ends: the clock of the processor does."""
GENES, BASES = {"k": 6, "stride": 3, "crop_bp": 6144}, {"k": 1, "stride": 1, "crop_bp": 1024}


@dataclass(frozen=True)
class Genomes:
    """Files of genomes.

    Attributes:
        train: GenBank file that models learn from, parts of it held out.
        test: GenBank file whose genes are found.
    """

    train: str
    test: str


def train_for(module: GenomeModule, data: StoreData, seconds: float) -> dict[str, Any]:
    """Train until this process has used so many seconds of the processor.

    The learning rate rises and falls with the share of the time, so that a slow architecture sees less and ends as low.
    """
    optimizer = build_optimizer(module.model, lr=module.lr, weight_decay=module.weight_decay)
    highest = [group["lr"] for group in optimizer.param_groups]
    module.train()
    begin, n_steps, n_bases, losses = time.process_time(), 0, 0, []
    for batch in data.train_dataloader():
        share = (time.process_time() - begin) / seconds
        if n_steps and share >= 1:
            break
        for group, lr in zip(optimizer.param_groups, highest, strict=True):
            group["lr"] = lr * _factor(min(share, 1.0))
        logits = module.read_on(batch) if "continues" in batch else module(batch)
        loss = module.task.loss(logits, batch["labels"])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), CLIP_NORM)
        optimizer.step()
        n_steps, n_bases = n_steps + 1, n_bases + batch["labels"].numel()
        losses.append(float(loss.detach()))
    last = losses[-max(1, n_steps // 20) :]
    module.eval()
    return {
        "parameters": n_parameters(module.model), "steps": n_steps, "bases": n_bases,
        "processor_seconds": round(time.process_time() - begin, 1), "last_loss": round(sum(last) / len(last), 4),
    }  # fmt: skip


def _factor(share: float) -> float:
    if share < WARMUP_SHARE:
        return (share + 0.01) / (WARMUP_SHARE + 0.01)
    return 0.5 * (1 + math.cos(math.pi * (share - WARMUP_SHARE) / (1 - WARMUP_SHARE)))


def _make_module(name: str, task: str, seed: int, *, causal: bool, conv_width: int, plan: TilePlan, reading: dict):
    tokenizer = KmerTokenizer(k=reading["k"], stride=reading["stride"])
    config = make_config(
        name, vocab_size=tokenizer.vocab_size, causal=causal, conv_width=conv_width, stride=reading["stride"], **SIZES
    )
    encoder = {key: value for key, value in config.to_dict().items() if key not in ("vocab_size", "stride")}
    torch.manual_seed(seed)
    module = GenomeModule(
        encoder=encoder, task=task, k=reading["k"], stride=reading["stride"], lr=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY, tile_bp=plan.tile_bp, context_bp=plan.context_bp,
    )  # fmt: skip
    module.begin(APPLICATIONS[task].task.load())
    return module


def _bind(data: StoreData, module: GenomeModule, seed: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = module.bundle_config
    reading = ModelReading.of(task=config.task, k=config.k, stride=config.stride, encoder=config.encoder)
    data.bind(reading, seed=seed, work_dir=folder)
    data.check_model(module.encoder_config, module.tile_plan)
    data.prepare_data()
    data.setup()


def measure_genes(name: str, seed: int, seconds: float, genomes: Genomes, folder: Path) -> dict[str, Any]:
    """Learn genes of one genome, fit the decoder on its held-out part, find genes of the other one.

    Args:
        name: Of ``CONTENDERS``.
        seed: Of weights, crops and the split.
        seconds: Of the processor, for training.
        genomes: Files.
        folder: Stores lie there.

    Returns:
        How training went, and F1 of 3′ ends and of whole genes.
    """
    plan = TilePlan(GENES["crop_bp"], 768)
    with torch.random.fork_rng(devices=[]):
        module = _make_module(
            name, gene_structure.name, seed, causal=False, conv_width=5, plan=plan, reading=GENES
        )  # fmt: skip
        data = GenomeData(
            annotation=[genomes.train], crop_bp=GENES["crop_bp"], split=RegionSplit(validation=0.08),
            loader=Loader(batch_size=4, samples_per_epoch=ENDLESS),
        )  # fmt: skip
        _bind(data, module, seed, folder)
        trained = train_for(module, data, seconds)
    bundle = Bundle(name, module.bundle_config, module.model, {}, "")
    held_out = _held_out(data, folder / f"held-out-{seed}.h5")
    whole = [Region(record.index, 0, record.length) for record in held_out.records]
    decoder = fit_decoder(read_held(module.model, bundle.tokenizer, plan, held_out, whole))
    records, reference = list(read_records(genomes.test)), read_annotation(genomes.test)
    found = GeneFinder(bundle, decoder, plan).predictions(lambda: records)
    genes = [gene for prediction in found for gene in prediction.genes]
    scores = score_annotations(Annotation(genes), reference, {record.id: len(record) for record in records})["genes"]
    return {**trained, **{f"{kind}_f1": round(scores[kind]["f1"], 4) for kind in ("three_prime", "exact")}}


def _held_out(data: GenomeData, path: Path) -> Store:
    """The held-out stretches as records of their own: the decoder must not be fitted to what was trained on."""
    sources = []
    for i, region in enumerate(data.parts["validation"]):
        stored, genes = data.store.records[region.record], data.store.genes(region.record)
        inside = genes[(genes["start"] >= region.start) & (genes["end"] <= region.end)].copy()
        for field in ("start", "end"):
            inside[field] -= region.start
        codes = data.store.bases(region.record, region.start, region.end)
        tracks = data.store.tracks(region.record, region.start, region.end)
        sources.append((stored.genome, Record(f"{stored.id}-{i}", codes), tracks, inside, False, stored.genetic_code))
    write_store(path, sources, {})
    return Store(path)


def measure_bases(name: str, seed: int, seconds: float, genomes: Genomes, folder: Path) -> dict[str, Any]:
    """Learn to tell the next base, and what held-out sequence costs by the chain rule.

    Arguments as for ``measure_genes``.

    Returns:
        How training went, and ``bits_per_base``: by the chain rule, as all four look at nothing behind a base.
    """
    # What is read at once is as long as a crop: nobody reads further than in training, and everybody 256 bases back.
    plan = TilePlan(512, 256)
    with torch.random.fork_rng(devices=[]):
        module = _make_module(name, clm.name, seed, causal=True, conv_width=0, plan=plan, reading=BASES)
        data = NextBaseData(
            fasta=[genomes.train], crop_bp=BASES["crop_bp"],
            split=RegionSplit(validation=0.01, test=0.02), loader=Loader(batch_size=8, samples_per_epoch=ENDLESS),
        )  # fmt: skip
        _bind(data, module, seed, folder)
        trained = train_for(module, data, seconds)
    records = list(data.records("test"))
    costs = np.concatenate([costs_in_bits(module.model, data.tokenizer, record.codes, plan) for record in records])
    return {**trained, "bits_per_base": round(float(np.nanmean(costs)), 4)}


def costs_in_bits(network: nn.Module, tokenizer: KmerTokenizer, codes: np.ndarray, plan: TilePlan) -> np.ndarray:
    """-log2 of the chance of each base of a strand, NaN where it is unknown, float64 [L]."""
    read = one_token_late(codes, np.full(tokenizer.k, N_CODE, np.uint8))
    logits = np.concatenate([piece for *_, piece in strand_logits(network, tokenizer, read, plan)])[: len(codes)]
    return _bits(logits, codes)


def _bits(logits: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Of logits [n, 4] and bases [n]."""
    known, scores = codes < N_CODE, logits.astype(np.float64)
    chosen = scores[np.arange(len(codes)), np.where(known, codes, 0)]
    return np.where(known, (np.logaddexp.reduce(scores, axis=1) - chosen) / np.log(2), np.nan)
