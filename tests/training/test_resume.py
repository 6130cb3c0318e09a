"""A run that was killed and continued ends with the bits of one that was left alone.

``benchmarks/resume.py`` tries every place; here are those that differ in kind.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import resume


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> list[str]:
    return resume.make_genome(tmp_path_factory.mktemp("genome"))


@pytest.fixture(scope="module")
def untouched(genome, tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("untouched")
    assert resume.run_child(folder, genome) == 0
    return resume.fingerprint(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "signal_name", "n_workers", "exit_code", "resumed_at"),
    [
        ("train 3", "SIGKILL", 2, -9, 2),
        ("train 9", "SIGTERM", 0, 143, 10),
        ("validate 6", "SIGTERM", 2, 143, 5),
    ],
)
def test_interrupted_run_ends_with_the_same_bits(
    genome, untouched, tmp_path, place, signal_name, n_workers, exit_code, resumed_at
):
    arguments = [*genome, "--data.loader.num_workers", str(n_workers)]
    row = resume.interrupt_and_resume(tmp_path, arguments, place, signal_name)
    assert row["exit_codes"] == [exit_code, 0]
    assert row["resumed_at"] == resumed_at
    assert row["leftovers"] == []
    assert row["fingerprint"] == untouched


@pytest.mark.slow
def test_interrupted_run_on_a_table_of_genomes_ends_with_the_same_bits(genome, tmp_path):
    _, fasta, _, annotation = genome
    other = resume.make_genome(tmp_path / "other")
    rows = [f"{fasta}\t{annotation}\t3\ta\n", f"{other[1]}\t{other[3]}\t1\tb\n"]
    (tmp_path / "genomes.tsv").write_text("fasta\tannotation\tweight\tgroup\n" + "".join(rows))
    arguments = ["--data.genomes", str(tmp_path / "genomes.tsv")]
    assert resume.run_child(tmp_path / "whole", arguments) == 0
    row = resume.interrupt_and_resume(tmp_path / "cut", arguments, "train 9", "SIGKILL")
    assert row["exit_codes"] == [-9, 0] and row["resumed_at"] == 8
    assert row["fingerprint"] == resume.fingerprint(tmp_path / "whole")


@pytest.mark.slow
def test_fingerprint_sees_a_single_bit(genome, untouched, tmp_path):
    assert resume.run_child(tmp_path, [*genome, "--model.lr", "0.00100001"]) == 0
    changed = resume.fingerprint(tmp_path)
    assert changed["state"] != untouched["state"]
