"""Ctrl-C at many moments of real processes: 130, one line that says what was kept, and the same command continues."""

import ctypes
import importlib
import io
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from children import run_child, start
from prediction_files import contents
from tqdm import tqdm

from genoformer.cli import simulate
from genoformer.cli.main import main
from genoformer.cli.prediction import BoundedBar
from genoformer.inference import passes
from genoformer.training.interrupts import ENDING, TerminatedError, is_on_its_way

CALLBACK = ctypes.CFUNCTYPE(None)
LAST = "genoformer: interrupted: "
MOMENTS = [
    *(pytest.param("os:replace", n, marks=[pytest.mark.slow]) for n in range(1, 9)),
    *(("os:fsync", n) for n in (1, 4, 9)),
    *(("genoformer.applications.genes.caller:GeneFinder.block_candidates", n) for n in (1, 2, 4)),
    ("genoformer.applications.genes.caller:GeneFinder.genes_of_each", 1),
    ("genoformer.sequence.records:SequenceDigest.update", 2),
    ("genoformer.bundle.folder:load_bundle", 1),
    ("genoformer.bundle.header:verify_manifest", 1),
    ("genoformer.inference.run:finish", 1),
    ("genoformer.inference.run:remove_results", 1),
    ("genoformer.inference.run:claim_passes", 1),
]
FIT_MOMENTS = [
    ("os:replace", 1), ("os:replace", 4), ("os:replace", 7), ("os:replace", 12),
    ("genoformer.genomes.prepare:write_store", 1),
    ("genoformer.training.module:GenomeModule.training_step", 1),
    ("genoformer.training.module:GenomeModule.training_step", 3),
    ("genoformer.training.module:GenomeModule.validation_step", 1),
    ("genoformer.training.finish:load_bundle", 1),
    ("genoformer.training.finish:add_calibration", 1),
    ("genoformer.cli.fit:write_report", 1),
]  # fmt: skip


def _send():
    os.kill(os.getpid(), signal.SIGINT)


def interrupt_at(place, n, inside, arguments):
    """In a child: a command that gets SIGINT at the n-th call of a function, ``inside`` a callback that loses it."""
    module, _, path = place.partition(":")
    owner = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    call, calls = getattr(owner, name), []

    def counted(*args, **kwargs):
        calls.append(1)
        if len(calls) == n:
            CALLBACK(_send)() if inside else _send()
        return call(*args, **kwargs)

    setattr(owner, name, counted)
    passes.CHUNK_BP = 10_000
    code = main(arguments)
    print("calls", len(calls) >= n)
    return code


def check_line(said):
    lines = [line for line in said.splitlines() if not line.startswith("calls ")]
    assert sum(line.startswith(LAST) for line in lines) == 1 and lines[-1].startswith(LAST), said
    assert "Traceback" not in said and "calls True" in said, said


@pytest.fixture(scope="module")
def whole(genome, tiny_bundle, tmp_path_factory):
    """Files of a prediction that was left alone."""
    out = tmp_path_factory.mktemp("whole") / "o"
    assert main(["predict", str(genome), "--model", str(tiny_bundle), "-o", str(out)]) == 0
    return contents(out)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("inside", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["", "lost"])
@pytest.mark.parametrize(("place", "n"), MOMENTS)
def test_an_interrupted_prediction_ends_with_130_and_continues(place, n, inside, genome, tiny_bundle, whole, tmp_path):
    command = ["predict", str(genome), "--model", str(tiny_bundle), "-o"]
    assert run_child(tmp_path / "said", interrupt_at, place, n, inside, [*command, str(tmp_path / "o")]) == 130
    check_line((tmp_path / "said").read_text())
    assert not [path for path in tmp_path.rglob("*.tmp")]
    is_kept = (tmp_path / "o/.work").exists()
    assert f"kept in {tmp_path / 'o'}" in (tmp_path / "said").read_text() if is_kept else True
    assert is_kept or not (tmp_path / "o").exists() or (tmp_path / "o/manifest.json").exists()
    assert main([*command, str(tmp_path / "o")]) == 0
    assert contents(tmp_path / "o") == whole


@pytest.mark.parametrize(
    ("place", "n"), [("os:replace", n) for n in range(1, 6)] + [("genoformer.files:write_manifest", 1)]
)
def test_an_interrupted_simulation_leaves_nothing_in_the_way_of_the_same_command(place, n, tmp_path):
    command = ["simulate", "-o", str(tmp_path / "o"), "--length-bp", "20000"]
    assert run_child(tmp_path / "said", interrupt_at, place, n, False, command) == 130
    check_line((tmp_path / "said").read_text())
    assert not (tmp_path / "o").exists()
    assert main(command) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("place", "n"), FIT_MOMENTS)
def test_an_interrupted_training_says_what_is_kept_and_leaves_no_unfinished_model(place, n, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "-o", "g", "--length-bp", "120000", "--contigs", "2"]) == 0
    data = ["--data.fasta", "g/genome.fa", "--data.annotation", "g/genome.gff3"]
    command = ["fit", "--config", "gene_structure_tiny", "--trainer.accelerator", "cpu", *data, "--name", "one"]
    assert run_child(tmp_path / "said", interrupt_at, place, n, False, command) == 130
    said = (tmp_path / "said").read_text()
    check_line(said)
    assert not [path for path in tmp_path.rglob("*.tmp")]
    assert ("the checkpoint" in said) == Path("runs/one/checkpoints/last.ckpt").exists()
    predict = ["predict", "g/genome.fa", "--model", "runs/one/model", "-o", "o"]
    if Path("runs/one/model/manifest.json").exists():
        assert main(predict) == 0
    assert main(command) == 0
    assert main([*predict, "--overwrite"]) == 0


def test_an_exception_that_is_lost_comes_again():
    heard, before = [], signal.signal(signal.SIGINT, lambda number, frame: _raise(ENDING.insist(KeyboardInterrupt)))
    try:
        with pytest.raises(KeyboardInterrupt), ENDING.armed():
            CALLBACK(lambda: os.kill(os.getpid(), signal.SIGINT))()
            heard.append("lost")
            time.sleep(30)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == ["lost"]


def _raise(error):
    raise error


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, TerminatedError])
def test_cleaning_up_is_not_interrupted_again(kind):
    assert not is_on_its_way()
    try:
        try:
            raise kind
        finally:
            try:
                raise OSError
            except OSError:
                assert is_on_its_way()
    except kind:
        pass
    assert not is_on_its_way()


def test_a_bar_keeps_its_total_when_more_is_counted_than_there_is():
    shown = io.StringIO()
    with tqdm(file=shown) as bar:
        bounded = BoundedBar(bar)
        bounded.update(5)
        bounded.reset(100)
        for n in (60, 30, 30, 1):
            bounded.update(n)
        assert (bar.n, bar.total) == (100, 100)
    assert "100/100" in shown.getvalue()


def work_without_end(path):
    """In a child: a command whose cleaning up takes for ever."""

    def run(args):
        try:
            Path(path).touch()
            while True:
                np.zeros(10)
        finally:
            Path(path).with_name("cleaning").touch()
            while True:
                np.zeros(10)

    simulate.run = run
    sys.exit(main(["simulate", "-o", "nowhere"]))


def test_a_second_interrupt_does_not_wait_for_the_cleaning_up(tmp_path):
    child = start(work_without_end, str(tmp_path / "working"))
    try:
        for name in ("working", "cleaning"):
            while not (tmp_path / name).exists():
                assert child.is_alive()
                time.sleep(0.01)
            os.kill(child.pid, signal.SIGINT)
        child.join(60)
        assert child.exitcode == 130
    finally:
        child.kill()
