"""A bundle from a Hugging Face folder: its encoder, and the head that it came with, or a new one to be trained."""

import json
from dataclasses import replace
from pathlib import Path

import torch

from genoformer.bundle.folder import save_bundle
from genoformer.bundle.header import CALIBRATION, CARD, CONFIG, WEIGHTS, BundleConfig
from genoformer.errors import UsageError
from genoformer.files import MANIFEST_NAME
from genoformer.interop.huggingface_import import ImportedEncoder, ImportOptions, read_encoder, stored_task
from genoformer.interop.output_folder import output_folder
from genoformer.nn.config import EncoderConfig
from genoformer.nn.networks import Network, build_network
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.tasks.interface import Task

FILES = (WEIGHTS, CONFIG, CALIBRATION, CARD, MANIFEST_NAME)
MAX_CROP_BP, MAX_CONTEXT_BP = 6144, 780
"""As in the configuration of the shipped model."""


def import_bundle(
    folder: str | Path, out: str | Path, task: Task, options: ImportOptions | None = None, *, seed: int = 0,
    overwrite: bool = False,
) -> tuple[BundleConfig, bool]:  # fmt: skip
    """Write a bundle with the encoder of a Hugging Face folder, for ``fit --init_from``.

    Its head has random weights, unless the folder has one for this task, and it has no decoder: prediction refuses it.
    The model card holds the configuration to train it with. Without ``options.n_global_tokens`` a foreign encoder gets
    no global tokens: gene structure needs none.

    Args:
        folder: See ``from_huggingface``.
        out: Where to; it is complete or not there.
        task: What the new head is for.
        options: See ``from_huggingface``.
        seed: Of the head's weights.
        overwrite: Replace an older bundle.

    Returns:
        What was written, and whether the folder had it already.

    Raises:
        GenoformerError: As ``from_huggingface`` and ``output_folder`` do.
        UsageError: If the ids of the folder are not those of a ``KmerTokenizer``.
    """
    options = replace(options or ImportOptions(), default_n_global_tokens=0)
    with output_folder(out, names=FILES, overwrite=overwrite) as made:
        imported = read_encoder(Path(folder), options)
        config = _bundle_config(imported.encoder.config, _tokenizer(imported, Path(folder)), task)
        model = _with_new_head(imported, task, seed)
        keeps_head = imported.head is not None and stored_task(Path(folder)) == task.name
        if keeps_head:
            model.head.load_state_dict({f"projection.{part}": tensor for part, tensor in (imported.head or {}).items()})
        head = "as it was exported" if keeps_head else f"new: random weights, seed {seed}"
        card = _card(Path(folder).resolve().name, imported, config, head)
        save_bundle(made.path, model=model, config=config, card=card)
    return config, made.was_there


def _tokenizer(imported: ImportedEncoder, folder: Path) -> KmerTokenizer:
    if imported.tokenizer is None:
        raise UsageError(
            "HF-014", "a bundle needs a vocabulary of k-mers in the order of KmerTokenizer.", where=str(folder),
            fix="In Python, from_huggingface reads it with the ids it has.",
        )  # fmt: skip
    return imported.tokenizer


def _bundle_config(encoder: EncoderConfig, tokenizer: KmerTokenizer, task: Task) -> BundleConfig:
    usable = _usable_bp(encoder)
    context = min(MAX_CONTEXT_BP, usable // 8) // encoder.stride * encoder.stride
    return BundleConfig(
        task=task.name, head=task.head, encoder=encoder.to_dict(), k=tokenizer.k, stride=tokenizer.stride,
        tile_bp=usable - 2 * context, context_bp=context, labels=list(task.channels),
    )  # fmt: skip


def _usable_bp(encoder: EncoderConfig) -> int:
    """Bases of the longest input, at most those of a crop: positions that training never sees stay untrained.

    Raises:
        UsageError: If positions are too few for a single token.
    """
    n_tokens = min(encoder.max_tokens - encoder.n_global_tokens, MAX_CROP_BP // encoder.stride)
    if n_tokens < 1:
        raise UsageError("HF-015", f"{encoder.max_tokens} positions leave none for the sequence.", where="max_tokens")
    return n_tokens * encoder.stride


def _with_new_head(imported: ImportedEncoder, task: Task, seed: int) -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_network(imported.encoder.config, task.head, len(task.channels), task.initial_logits)
    model.encoder.load_state_dict(imported.encoder.state_dict())
    return model


def _card(name: str, imported: ImportedEncoder, config: BundleConfig, head: str) -> str:
    n_parameters = sum(tensor.numel() for tensor in imported.encoder.parameters())
    left_out = ", ".join(imported.left_out) or "none"
    if imported.source != "reformer" and not config.encoder["n_global_tokens"]:
        left_out += "; global projections, as the model has no global tokens"
    return f"""# {name}

The encoder of {name}, a {imported.source} in the layout of Hugging Face: {n_parameters:,} parameters, k = {config.k},
stride = {config.stride}. **Its head for {config.task} is {head}.** It has no decoder, and
predicts nothing before it is trained:

    genoformer fit --config FILE --init_from THIS_FOLDER --data.fasta genome.fa --data.annotation genome.gff3

where FILE holds

```yaml
{_training_config(config)}```

Tensors of the folder that were left out: {left_out}.
"""


def _training_config(config: BundleConfig) -> str:
    """YAML with which ``fit`` builds this model; its values are written as JSON, which YAML includes."""
    follows = ("vocab_size", "stride")
    encoder = [f"    {name}: {json.dumps(value)}" for name, value in config.encoder.items() if name not in follows]
    names = ("task", "k", "stride", "tile_bp", "context_bp", "genetic_code")
    model = [f"  {name}: {json.dumps(getattr(config, name))}" for name in names]
    crop_bp = config.tile_bp + 2 * config.context_bp
    lines = ["trainer:", "  max_steps: 4000", "model:", *model, "  lr: 1.0e-4", "  warmup_steps: 400", "  encoder:"]
    return "\n".join([*lines, *encoder, "data:", f"  crop_bp: {crop_bp}", ""])
