"""Made-up structures that small models learn in seconds, and configurations for them."""

import numpy as np

from genoformer.batches.pair_samples import mutate
from genoformer.sequence.alphabet import decode_bases, encode_bases
from genoformer.structures.dot_bracket import parse_dot_bracket

TINY_PAIRS = """
trainer: {max_steps: 40, accelerator: cpu, enable_progress_bar: false}
model:
  task: rna_pairs
  k: 1
  stride: 1
  encoder: {d_model: 16, n_heads: 2, n_layers: 1, d_ff: 16, attention: {window_radius: 8}, conv_width: 3}
  options: {channels: 8, rank: 4, n_convolutions: 2, max_bp: 60}
  lr: 1.0e-2
  warmup_steps: 5
data: {split: {validation: 0.2, test: 0.2}, loader: {batch_size: 8, samples_per_epoch: 160}}
"""
TINY_CODONS = """
trainer: {max_steps: 50, accelerator: cpu, enable_progress_bar: false}
model:
  task: codon_structure
  k: 3
  stride: 3
  encoder: {d_model: 16, n_heads: 2, n_layers: 1, d_ff: 16, attention: {window_radius: 4}, conv_width: 3}
  lr: 1.0e-2
  warmup_steps: 5
data: {split: {validation: 0.2, test: 0.2}, loader: {batch_size: 8, samples_per_epoch: 200}}
"""
TINY_CONTACTS = """
trainer: {max_steps: 10, accelerator: cpu, enable_progress_bar: false}
model:
  task: contacts
  k: 3
  stride: 3
  encoder: {d_model: 16, n_heads: 2, n_layers: 1, d_ff: 16, attention: {window_radius: 4}, conv_width: 3}
  options: {channels: 4, rank: 4, n_convolutions: 1}
  lr: 1.0e-2
  warmup_steps: 2
data: {split: {validation: 0.2, test: 0.2}, loader: {batch_size: 4, samples_per_epoch: 20}}
"""
SHAPES = ("((((((....))))))....", "....((((((....))))))", "..((((((......))))))..")


def rnas(n=60):
    """Id, bases and partners of hairpins of three shapes with random stems."""
    rng = np.random.default_rng(1)
    for i in range(n):
        partners = parse_dot_bracket(SHAPES[i % len(SHAPES)])
        codes = np.zeros(len(partners), np.uint8)
        for j, k in enumerate(partners.tolist()):
            if k > j:
                codes[j], codes[k] = encode_bases("GC")
        yield f"r{i}", decode_bases(mutate(codes, partners, 1.0, rng)), partners


CODON_OF = {"H": "GAA", "E": "GTT", "C": "GGT"}


def chains(n=60):
    """Runs of states, each state written with a codon of its own three times out of four."""
    rng = np.random.default_rng(1)
    for i in range(n):
        states = "".join(rng.choice(list("HEC")) * int(rng.integers(4, 9)) for _ in range(6))
        codons = (CODON_OF[s] if rng.random() < 0.75 else CODON_OF[rng.choice(list("HEC"))] for s in states)
        yield f"c{i}", "".join(codons), "--" + states[2:]
