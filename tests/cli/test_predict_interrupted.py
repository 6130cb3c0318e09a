"""``genoformer predict`` that is killed, dies or has no disk left: nothing half-done is taken for a result."""

import os
import re
import resource
import signal
import sys

import numpy as np
import pytest
from children import run_child
from prediction_files import contents, hidden

from genoformer.applications.genes.caller import GeneFinder
from genoformer.cli.main import main
from genoformer.genomes.simulate import simulate_genome
from genoformer.inference import passes
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record


def command(fasta, bundle, out):
    return ["predict", str(fasta), "--model", str(bundle), "-o", str(out)]


def predict_and_stop(number, arguments):
    """In a child: ``predict`` that sends itself a signal when the model is asked for the third record."""
    ask, calls = GeneFinder.block_candidates, []

    def stopped(self, *passed):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), number)
        return ask(self, *passed)

    GeneFinder.block_candidates = stopped
    passes.CHUNK_BP = 10_000  # one record
    return main(arguments)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_killed_run_leaves_no_result_and_the_same_command_continues(
    number, code, predict, genome, tiny_bundle, tmp_path, monkeypatch
):
    assert run_child(tmp_path / "said", predict_and_stop, number, command(genome, tiny_bundle, tmp_path / "o")) == code
    assert "Traceback" not in (tmp_path / "said").read_text()
    assert not contents(tmp_path / "o", ())
    assert len(list((tmp_path / "o/.work").glob("passes-*.npz"))) == 2
    for name in (".genes.gff3.0123456789ab.tmp", ".work/.passes-0000002-00000.npz.0123456789ab.tmp"):
        (tmp_path / "o" / name).write_text("half written")
    ask, calls = GeneFinder.block_candidates, []
    monkeypatch.setattr(GeneFinder, "block_candidates", lambda *a, **k: calls.append(1) or ask(*a, **k))
    assert predict(genome) == 0
    assert len(calls) == 2
    assert hidden(tmp_path / "o") == [".genoformer.lock"]
    assert predict(genome, out="whole") == 0 and len(calls) == 6
    assert contents(tmp_path / "o") == contents(tmp_path / "whole")


@pytest.mark.parametrize("at", ["summary.json", "run.json", "manifest.json", "genes.tsv"])
def test_run_that_dies_between_its_files_continues(predict, genome, tmp_path, monkeypatch, at):
    replace = os.replace

    def die(source, target):
        if os.path.basename(target) == at:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr("os.replace", die)
    assert predict(genome) == 130
    monkeypatch.setattr("os.replace", replace)
    assert not (tmp_path / "o/manifest.json").exists()
    monkeypatch.setattr(GeneFinder, "block_candidates", lambda *a, **k: pytest.fail("the model ran again"))
    assert predict(genome) == 0
    assert hidden(tmp_path / "o") == [".genoformer.lock"]


def test_work_of_another_genome_is_not_used(predict, genome, tmp_path, monkeypatch):
    other = tmp_path / "other.fa"
    write_fasta(other, [record for record, _ in simulate_genome(length_bp=20_000, gc=0.4, seed=8, n_contigs=4)])
    monkeypatch.setattr("genoformer.applications.genes.predict.GenePredictor.write", lambda *a: 1 / 0)
    monkeypatch.chdir(tmp_path)
    assert predict(other) == 70
    monkeypatch.undo()
    assert predict(genome) == predict(genome, out="whole") == 0
    assert contents(tmp_path / "o") == contents(tmp_path / "whole")


def predict_with_small_files(arguments):
    """In a child: ``predict`` where no file can have more than 4 KiB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    return main(arguments)


def test_full_disk_is_exit_74_and_leaves_no_result(genome, tiny_bundle, tmp_path):
    arguments = command(genome, tiny_bundle, tmp_path / "o")
    assert run_child(tmp_path / "said", predict_with_small_files, arguments) == 74
    said = (tmp_path / "said").read_text()
    assert said.count("\n") == 1, said
    assert not (tmp_path / "o").exists()


def predict_and_say_peak(arguments):
    """In a child: ``predict``, and the largest memory of the process, KiB."""
    code = main(arguments)
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1))
    return code


def peak_kib(fasta, bundle, out):
    said = out.with_suffix(".txt")
    arguments = [*command(fasta, bundle, out), "--formats", "tsv", "--batch-size", "4"]
    assert run_child(said, predict_and_say_peak, arguments) == 0
    return int(re.search(r"peak (\d+)", said.read_text())[1])


@pytest.mark.slow
def test_memory_grows_by_a_few_bytes_per_base(tiny_bundle, tmp_path):
    peaks, lengths = [], (2_000_000, 8_000_000)
    for length_bp in lengths:
        codes = np.random.default_rng(1).integers(0, 4, length_bp).astype(np.uint8)
        write_fasta(tmp_path / "r.fa", [Record("r", codes)])
        peaks.append(peak_kib(tmp_path / "r.fa", tiny_bundle, tmp_path / str(length_bp)))
    # Both strands, the buffer they grow in, copies for masks, and the candidates: 12 measured. The outputs of the
    # model would be 40, and one table of integers 8 more.
    assert (peaks[1] - peaks[0]) * 1024 < 16 * (lengths[1] - lengths[0]), peaks
