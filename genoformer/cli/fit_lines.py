"""What ``fit`` says besides its progress: before the first batch what will happen, at the end what came of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer

from genoformer.applications.interface import Application
from genoformer.errors import counted
from genoformer.training.module import GenomeModule
from genoformer.training.run_folder import RunFolder
from genoformer.training.shown_scores import MEASURES, PREFIX, output_score, said, shown_scores


def start_rows(
    module: GenomeModule, trainer: Trainer, folder: RunFolder, application: Application, *, batch_size: int
) -> dict[str, str]:
    """Device, size, steps, and where things go, by name.

    Args:
        module: With its network.
        trainer: Knows the devices.
        folder: The run.
        application: Of the task.
        batch_size: Samples of one step of one process.
    """
    config, encoder = module.bundle_config, module.encoder_config
    n_parameters = sum(tensor.numel() for tensor in module.model.parameters())
    n_samples = batch_size * trainer.world_size * trainer.accumulate_grad_batches
    return {
        "task": f"{config.task}, {application.title}",
        "model": f"{n_parameters:,} parameters: {_attention_name(encoder)}, {counted(encoder.n_layers, 'layer')} "
        f"of {encoder.d_model}, tokens of {counted(config.k, 'base')}",
        "device": f"{_device(trainer)}, precision {trainer.precision}",
        "steps": f"{trainer.max_steps:,} of {n_samples:,} samples",
        "files": f"{folder.path}: model, metrics.csv, report.html, curves.png",
    }


def start_lines(rows: Mapping[str, str]) -> list[str]:
    """The same for a terminal."""
    width = max(map(len, rows))
    return ["genoformer: training", *(f"  {name:<{width}}  {text}" for name, text in rows.items())]


def _attention_name(encoder: Any) -> str:
    return str(encoder.to_dict()["attention"]["name"])


def _device(trainer: Trainer) -> str:
    device = trainer.strategy.root_device
    if device.type == "cuda":
        name = f"{device} ({torch.cuda.get_device_name(device)})"
    else:
        name = f"{device.type} ({counted(torch.get_num_threads(), 'thread')})"
    return name if trainer.world_size == 1 else f"{trainer.world_size} × {name}"


def score_lines(
    step: int, metrics: Mapping[str, float], meanings: Mapping[str, str], channels: Sequence[str]
) -> list[str]:
    """The scores of one validation: those of the whole task first, then those of each output side by side.

    Args:
        step: Step of the validation, counted from 0.
        metrics: Its scores, with prefix.
        meanings: Those that say most, without prefix, and what they are.
        channels: Outputs.
    """
    names = list(meanings)
    own = [c for c in channels if any(output_score(c, measure) in metrics for measure in MEASURES)]
    of_outputs = {output_score(c, measure) for c in own for measure in MEASURES}
    others = [name.removeprefix(PREFIX) for name in metrics if name not in of_outputs]
    ordered = sorted(others, key=lambda name: (name != "loss", names.index(name) if name in names else len(names)))
    called = shown_scores(metrics, ordered, channels)
    whole = {name: metrics[PREFIX + name] if name not in names else called[name] for name in ordered}
    width = max(map(len, [*whole, *own]), default=0)
    lines = [f"validation after {step + 1:,} steps, whose weights the model has:"]
    lines += [f"  {name:<{width}}  {said(value):<8}{meanings.get(name, '')}".rstrip() for name, value in whole.items()]
    if own:
        lines.append(f"  {'':<{width}}  " + "  ".join(f"{measure:<6}" for measure in MEASURES).rstrip())
        cells = ([said(metrics.get(output_score(c, measure))) for measure in MEASURES] for c in own)
        lines += [
            f"  {c:<{width}}  " + "  ".join(f"{cell:<6}" for cell in row).rstrip()
            for c, row in zip(own, cells, strict=True)
        ]
    return lines


def next_command(application: Application, model: Path, *, predicts: bool = True) -> str:
    """The command that uses the model.

    Args:
        application: Of its task.
        model: Its folder.
        predicts: It has all that prediction needs.
    """
    if application.predictor is None or not predicts:
        return f"genoformer fit --config NAME --init_from {model}"
    return f"genoformer predict SEQUENCES.fa --model {model} -o predicted"
