"""Runs steps one by one, each in a folder of its own, and keeps what it writes and says."""

import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kept.steps import Step

INPUTS, OUTPUTS, LINES, ABOUT = "inputs", "outputs", "lines", "about.json"
"""What a kept folder holds: files that commands read, files that they wrote, what they said, and who ran them."""
LIBRARIES = ("torch", "numpy", "numba", "pytorch-lightning", "scikit-learn", "h5py")


def run_step(step: Step, folder: Path) -> dict:
    """Run one command; its files come to ``outputs/STEP``, its words to ``lines/STEP.*``.

    Args:
        step: The command.
        folder: The kept folder.

    Returns:
        Command line, exit code and seconds, for ``about.json``.
    """
    place = folder / OUTPUTS / step.name
    place.mkdir(parents=True, exist_ok=True)
    before, used = time.perf_counter(), _processor_s()
    with open(folder / INPUTS / step.stdin if step.stdin else os.devnull, "rb") as stdin:
        done = subprocess.run(
            [sys.executable, "-m", "genoformer", *step.words], cwd=place, env=environment(), stdin=stdin,
            capture_output=True, check=False,
        )  # fmt: skip
    for name, text in (("stdout", done.stdout), ("stderr", done.stderr), ("code", f"{done.returncode}\n".encode())):
        (folder / LINES / f"{step.name}.{name}").write_bytes(text)
    return {
        "command": " ".join(["genoformer", *step.words]), "code": done.returncode,
        "seconds": round(time.perf_counter() - before, 1), "processor_seconds": round(_processor_s() - used, 1),
    }  # fmt: skip


def environment() -> dict[str, str]:
    """That of the caller, with one thread, a fixed width of help, and import paths that hold in any folder."""
    paths = [str(Path(path).resolve()) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    return {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120", "PYTHONPATH": os.pathsep.join(paths)}


def keep_for_later(step: Step, folder: Path) -> None:
    """Copy what later steps start from to the inputs.

    Raises:
        SystemExit: If the step did not write it.
    """
    for written, name in step.kept_as.items():
        source, target = folder / OUTPUTS / step.name / written, folder / INPUTS / name
        if not source.exists():
            said = (folder / LINES / f"{step.name}.stderr").read_text(errors="replace")
            raise SystemExit(f"{step.name} wrote no {written}, which later steps need:\n{said}")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(".*"))
        else:
            shutil.copyfile(source, target)


def describe_build() -> dict:
    """Which genoformer runs, with which libraries, where."""
    script = "import genoformer, pathlib; print(pathlib.Path(genoformer.__file__).resolve().parents[1])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd="/", env=environment(), capture_output=True, text=True, check=True
    )
    return {
        "package": done.stdout.strip(), "python": platform.python_version(), "prefix": sys.prefix,
        "machine": f"{platform.machine()}, {platform.processor() or platform.system()}",
        "libraries": {name: _version(name) for name in LIBRARIES},
    }  # fmt: skip


def write_about(folder: Path, about: dict, steps: dict[str, dict]) -> None:
    """What ``compare`` needs to know of a folder, and what a reader wants to."""
    totals = {
        name: round(sum(step[name] for step in steps.values()), 1) for name in ("seconds", "processor_seconds")
    }  # fmt: skip
    text = json.dumps({**about, **totals, "folder": str(folder.resolve()), "steps": steps}, indent=2)
    (folder / ABOUT).write_text(text + "\n")


def unexpected(steps: Iterable[Step], done: dict[str, dict]) -> list[str]:
    """Steps that ended with another exit code than they should."""
    return [
        f"{step.name}: exit code {done[step.name]['code']}, expected {step.code}"
        for step in steps
        if done[step.name]["code"] != step.code
    ]


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
