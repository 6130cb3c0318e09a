"""Kill a training run anywhere, continue it, and compare with a run that was left alone: every bit must agree.

The tiny configuration, two epochs of six steps; eight places × {SIGKILL, SIGTERM} × {0, 2 loading processes}. Prints
JSON: how many of the 32 runs ended with the same weights, optimiser state, random state, metrics and model.

    python benchmarks/resume.py [--folder FOLDER]
"""

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

PLACES = ("train 0", "train 3", "save 4", "train 5", "validate 6", "train 6", "train 9", "validate 12")
"""Steps (0 to 11) in which the signal comes: in "save" while a checkpoint is being written, in "validate" while tiles
are scored."""
SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM}
TINY = ["--config", "gene_structure_tiny", "--name", "run", "--trainer.accelerator", "cpu"]
GENOME_BP = 24_000


def make_genome(folder: Path) -> list[str]:
    """Write a made-up genome; gives the options of ``fit`` that name it."""
    from genoformer.cli.main import main

    with contextlib.redirect_stdout(sys.stderr):
        code = main(["simulate", "-o", str(folder), "--length-bp", str(GENOME_BP), "--contigs", "2"])
    if code:
        raise RuntimeError(f"genoformer simulate ended with {code}")
    return ["--data.fasta", str(folder / "genome.fa"), "--data.annotation", str(folder / "genome.gff3")]


def train(folder: Path, arguments: list[str], place: str = "", signal_number: int = 0) -> None:
    """Body of a child process: ``fit`` in ``folder``; it sends the signal to itself at ``place``."""
    import torch

    from genoformer.cli.main import main

    torch.set_num_threads(1)
    # As on a user's machine: this process was started in another way, which it would pass on to loading processes.
    multiprocessing.set_start_method("fork", force=True)
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if place:
        send_signal_at(place, signal_number)
    sys.exit(main(["fit", *TINY, *arguments]))


def send_signal_at(place: str, signal_number: int) -> None:
    """Make this process send itself a signal when training comes to ``place``."""
    from genoformer.training.checkpoint_io import AtomicCheckpointIO
    from genoformer.training.module import GenomeModule

    kind, step = place.split()
    owner, name = {
        "train": (GenomeModule, "training_step"),
        "validate": (GenomeModule, "validation_step"),
        "save": (AtomicCheckpointIO, "save_checkpoint"),
    }[kind]
    original, flush = getattr(owner, name), os.fsync

    def send(*ignored) -> None:
        os.kill(os.getpid(), signal_number)

    def flush_and_send(descriptor: int) -> None:
        flush(descriptor)
        send()

    def intercepted(self, *args, **kwargs):
        now = args[0]["global_step"] if kind == "save" else self.trainer.global_step
        if now == int(step):
            if kind == "save":
                os.fsync = flush_and_send
            else:
                send()
        return original(self, *args, **kwargs)

    setattr(owner, name, intercepted)


def run_child(folder: Path, arguments: list[str], place: str = "", signal_number: int = 0) -> int:
    """Exit code of one child; negative signal number when it was killed."""
    # Children of a server that has imported everything start at once, and share no thread with this process.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["genoformer.cli.fit"])
    child = context.Process(target=train, args=(folder, arguments, place, signal_number))
    child.start()
    child.join()
    return child.exitcode


def checkpoint_step(folder: Path) -> int:
    """Step from which an interrupted run will continue, 0 when it begins again."""
    import torch

    path = folder / "runs" / "run" / "checkpoints" / "last.ckpt"
    return torch.load(path, weights_only=True)["global_step"] if path.exists() else 0


def fingerprint(folder: Path) -> dict[str, str]:
    """Digests of what training left: weights, optimiser and random state; metrics; model."""
    import torch

    run = folder / "runs" / "run"
    final = torch.load(run / "checkpoints" / "final.ckpt", weights_only=True)
    state = [final["state_dict"], final["optimizer_states"], final["lr_schedulers"], final["genoformer"]]
    return {
        "state": digest_of(state),
        "metrics": hashlib.sha256((run / "metrics.csv").read_bytes()).hexdigest(),
        "model": hashlib.sha256((run / "model" / "manifest.json").read_bytes()).hexdigest(),
    }


def digest_of(value: object) -> str:
    """SHA-256 over every bit of nested dicts, lists and tensors."""
    import torch

    if isinstance(value, torch.Tensor):
        text = f"{value.dtype}{tuple(value.shape)}".encode() + value.contiguous().numpy().tobytes()
    elif isinstance(value, dict):
        text = "".join(f"{key}{digest_of(value[key])}" for key in value).encode()
    elif isinstance(value, list | tuple):
        text = "".join(map(digest_of, value)).encode()
    else:
        text = repr(value).encode()
    return hashlib.sha256(text).hexdigest()


def interrupt_and_resume(folder: Path, arguments: list[str], place: str, signal_name: str) -> dict:
    """One row of the table: exit codes of both runs, the step between them, and what the second one left."""
    number = SIGNALS[signal_name]
    begin = time.monotonic()
    first = run_child(folder, arguments, place, number)
    seconds = time.monotonic() - begin
    leftovers = [path.name for path in folder.rglob("*.tmp")] if signal_name == "SIGTERM" else []
    resumed_at = checkpoint_step(folder)
    second = run_child(folder, arguments)
    return {
        "place": place,
        "signal": signal_name,
        "exit_codes": [first, second],
        "resumed_at": resumed_at,
        "seconds": round(seconds, 1),
        "leftovers": leftovers,
        "fingerprint": fingerprint(folder) if second == 0 else {},
    }


def main() -> int:
    """Run the matrix; 1 when a run differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    folder = Path(parser.parse_args().folder or tempfile.mkdtemp()).resolve()
    begin, rows = time.time(), []
    genome = make_genome(folder / "genome")
    run_child(folder / "whole", genome)
    expected = fingerprint(folder / "whole")
    for n_workers in (0, 2):
        arguments = [*genome, "--data.loader.num_workers", str(n_workers)]
        for signal_name in SIGNALS:
            for place in PLACES:
                name = f"{place}-{signal_name}-{n_workers}".replace(" ", "")
                row = interrupt_and_resume(folder / name, arguments, place, signal_name)
                row["workers"], row["equal"] = n_workers, row.pop("fingerprint") == expected
                rows.append(row)
                print(json.dumps(row), file=sys.stderr)
    equal = sum(row["equal"] for row in rows)
    print(
        json.dumps({"runs": len(rows), "equal": equal, "seconds": round(time.time() - begin), "rows": rows}, indent=2)
    )
    return int(equal < len(rows))


if __name__ == "__main__":
    sys.exit(main())
