"""The attacks of ``benchmarks/robustness.py`` see what goes wrong: each is shown something that does."""

import gzip
import json
import mmap
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from robustness_kinds import children, guard, interrupts, mutate
from robustness_kinds.bundles import structurally_changed
from robustness_kinds.formats import canonical
from robustness_kinds.kills import is_equal

TEXT = b">a one\nACGT\n>b\nAC,GT\t12\n"


def fill(n_bytes):
    """Take fresh memory: what the process has freed before would hide it."""
    memory = mmap.mmap(-1, n_bytes)
    memory[::4096] = b"1" * (n_bytes // 4096)
    return ""


@pytest.mark.slow
def test_each_ending_of_a_case_has_a_verdict(monkeypatch):
    monkeypatch.setattr(guard, "MOST_CPU_S", 1.5)
    monkeypatch.setattr(guard, "MOST_WAIT_S", 3)
    monkeypatch.setattr(guard, "PATIENCE", 2)
    cases = [
        ("right", lambda: ""), ("raises", lambda: 1 / 0), ("dies", lambda: os._exit(3)),
        ("hangs", lambda: time.sleep(60)), ("wrong", lambda: "other bytes"), ("unreached", lambda: guard.NOT_REACHED),
        ("busy", lambda: busy(2)), ("large", lambda: fill(600 << 20)), ("right again", lambda: ""),
    ]  # fmt: skip
    tally = guard.run_cases(cases)
    assert (tally.tried, tally.not_reached) == (8, 1)
    said = dict(failure.split(": ", 1) for failure in tally.failures)
    assert sorted(said) == ["busy", "dies", "hangs", "large", "raises", "wrong"]
    assert said["dies"] == "the process ended, 3" and said["hangs"] == "no end within 3 s"
    assert said["raises"].startswith("ZeroDivisionError") and said["large"].endswith("MB of memory")


def busy(seconds: float) -> str:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return ""


@pytest.mark.parametrize(
    ("code", "said", "is_right"),
    [
        (0, "", True), (65, "genoformer: error[FASTA-005] a.fa: bad.\n", True), (65, "", False), (70, "bug", False),
        (65, "genoformer: error[FASTA-005] " + "x\n" * 9, False), (65, "genoformer: error[A-1] " + "x" * 20_000, False),
    ],
)  # fmt: skip
def test_an_ending_is_judged_by_code_and_message(code, said, is_right):
    assert (guard.judged(code, said, (0, 65)) == "") == is_right


def test_mutants_follow_from_their_seed_and_differ():
    made = [mutate.mutated(TEXT, random.Random(seed)) for seed in range(200)]
    assert made == [mutate.mutated(TEXT, random.Random(seed)) for seed in range(200)]
    assert len(set(made)) > 120 and mutate.mutated(b"", random.Random(1)) is not None


@pytest.mark.parametrize("pack", mutate.PACKED)
def test_what_is_packed_is_unpacked_as_it_was(pack):
    assert gzip.decompress(pack(TEXT * 1_000)) == TEXT * 1_000


def test_a_structural_change_leaves_the_original():
    stored = {"a": [1, {"b": 2}], "c": "d"}
    changed = [structurally_changed(stored, random.Random(seed)) for seed in range(50)]
    assert stored == {"a": [1, {"b": 2}], "c": "d"} and sum(one != stored for one in changed) > 40
    assert all(json.dumps(one) for one in changed)


def write_twice(words):
    """Stands for a command: two files, the second one by its final name at once."""
    os.close(os.open("whole", os.O_CREAT))
    with open("half", "w") as file:
        file.write("a")
        file.flush()
        os.fsync(file.fileno())
        file.write("b")
    print(words, flush=True)
    return 0


def test_a_process_is_killed_at_the_call_that_was_chosen(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "main", write_twice)
    place, empty = tmp_path / "place", tmp_path / "empty"
    place.mkdir(), empty.mkdir()
    assert children.run_forked(place, ("x",), children.counting(tmp_path / "events")) == 0
    assert (tmp_path / "events").stat().st_size == 2 and children.said(place) == "['x']\n"
    assert children.tree(place) == {"whole": b"", "half": b"ab"}
    for number, expected in ((1, {"whole": b""}), (2, {"whole": b"", "half": b"a"})):
        place = children.fresh(place, empty)
        assert children.run_forked(place, ("x",), children.killed_at(number)) == -9
        assert children.tree(place) == expected


INTERRUPTED = "genoformer: interrupted: "
BEGINS_AGAIN = f"{INTERRUPTED}nothing was left half done, and the same command begins again.\n"
KEPT = f"{INTERRUPTED}what was done so far is kept in o, and the same command continues.\n"


@pytest.mark.parametrize(
    ("code", "took_s", "words", "is_right"),
    [
        (130, 0.1, BEGINS_AGAIN, True), (130, 0.1, f"wrote a\n  1/2\r{KEPT}", True), (0, 0.1, BEGINS_AGAIN, False),
        (70, 0.1, "genoformer: error[BUG-001] x\n", False), (130, 3.1, BEGINS_AGAIN, False), (130, 0.1, "", False),
        (130, 0.1, KEPT.replace(" o,", " p,"), False), (130, 0.1, BEGINS_AGAIN * 2, False),
        (130, 0.1, f"Traceback (most recent call last):\n{BEGINS_AGAIN}", False),
        (130, 0.1, f"Exception ignored in: <function f>\n{BEGINS_AGAIN}", False),
    ],
)  # fmt: skip
def test_an_interrupted_command_is_judged_by_code_time_and_words(code, took_s, words, is_right, tmp_path):
    (tmp_path / "o").mkdir()
    blow = children.Blow(1, signal.SIGINT, took_s, took_s)
    assert (interrupts.judged_words(code, blow, words, tmp_path) == "") == is_right


def sleep_or_end(words):
    """Stands for a command that takes some time."""
    time.sleep(float(words[0]))
    return 0


def test_a_signal_comes_when_it_was_planned_and_the_end_is_timed(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "main", sleep_or_end)
    place = tmp_path / "place"
    place.mkdir()
    begin = time.monotonic()
    blow = children.Blow(0.3, signal.SIGTERM)
    assert children.run_forked(place, (60,), blow=blow) == -signal.SIGTERM
    assert not blow.is_late and blow.used_s < 0.3 <= time.monotonic() - begin and blow.took_s > 0
    late = children.Blow(50)
    assert children.run_forked(place, (0,), blow=late) == 0 and late.is_late


def test_a_signal_behind_the_end_of_a_command_is_late(tmp_path, monkeypatch):
    place, leave = tmp_path / "place", os._exit
    place.mkdir()
    monkeypatch.setattr(children, "main", lambda words: 0)
    monkeypatch.setattr(children.os, "_exit", lambda code: (time.sleep(0.5), leave(code)))  # a process dies slowly
    blow = children.Blow(0.2, signal.SIGCONT)
    assert children.run_forked(place, (), blow=blow) == 0 and blow.is_late


@pytest.mark.slow
def test_a_program_is_the_command_and_gets_its_signal(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    assert children.run_program(place, ("--version",)) == 0 and children.said(place).startswith("genoformer ")
    words = ("simulate", "-o", "o", "--length-bp", "9000000", "--contigs", "900")
    assert children.run_program(place, words, children.Blow(0.0, signal.SIGINT)) == 130
    assert children.said(place).count(INTERRUPTED) == 1 and not list(place.iterdir())


def test_values_are_equal_wherever_they_stood():
    assert canonical({"a": (1, 2)}) == canonical({"a": [1, 2]}) and canonical([1]) != canonical([2])
    assert is_equal("a.txt", b"x", b"x") and not is_equal("a.txt", b"x", b"y")
