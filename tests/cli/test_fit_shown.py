"""What ``fit`` shows: before the first batch, while it goes on, at the end, and in the report that it leaves."""

import io
import os
import re
import shutil
import sys
import termios
import threading
from pathlib import Path

import pytest

from genoformer.cli import fit, fit_report
from genoformer.cli.main import main
from genoformer.errors import UsageError
from genoformer.training.module import GenomeModule

TINY = [
    "fit", "--config", "gene_structure_tiny", "--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "true",
    "--data.split.validation", "0.3",
]  # fmt: skip


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("genome")
    assert main(["simulate", "-o", str(folder), "--length-bp", "24000", "--contigs", "2"]) == 0
    return ["--data.fasta", str(folder / "genome.fa"), "--data.annotation", str(folder / "genome.gff3")]


@pytest.fixture(scope="module")
def trained(genome, tmp_path_factory):
    """Folder of a run whose standard error was a file, and what it wrote to both outputs."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        out, log = io.StringIO(), io.StringIO()
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", log)
        assert main([*TINY, *genome, "--name", "one"]) == 0
    return folder, out.getvalue(), log.getvalue()


@pytest.fixture
def work(trained, tmp_path, monkeypatch):
    """A copy of the finished run, as current folder."""
    shutil.copytree(trained[0] / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def continue_run(work):
    """Let the run begin again at its last checkpoint, before its last step."""
    (work / "runs/one/run.json").unlink()
    for name in ("report.html", "curves.png"):
        (work / "runs/one" / name).unlink()


def on_terminal(monkeypatch, arguments):
    """Exit code, and what a terminal shows of standard error."""
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (30, 100))
    shown = []

    def read():
        while True:
            try:
                shown.append(os.read(master, 65_536))
            except OSError:  # the other side is closed
                return

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(slave, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        code = main(arguments)
    reader.join()
    os.close(master)
    return code, b"".join(shown).decode()


def test_before_the_first_batch_it_says_what_will_happen(trained):
    _, _, log = trained
    begin, _, _ = log.partition("training, step 1 of 12")
    assert begin.startswith("genoformer: training\n  task    gene_structure, genes without introns")
    for words in (r"model +[\d,]+ parameters: longformer, \d+ layers?", r"device +cpu \(\d+ threads?\), precision"):
        assert re.search(words, begin)
    assert re.search(r"steps +12 of \d+ samples", begin)
    assert "runs/one: model, metrics.csv, report.html, curves.png" in begin


def test_a_log_file_gets_few_lines_without_control_characters(trained):
    _, _, log = trained
    assert len(log.splitlines()) < 20
    assert not re.search(r"[\r\x1b]|\|", log)
    assert re.search(r"training, step 1 of 12 \(8%\), loss \d", log)
    assert re.search(r"training, step 12 of 12 \(100%\), loss \d.*, val/loss \d.*, val/gene_f1 –", log)
    assert "reading the genomes of validation regions" in log and "fitting the gene decoder" in log


def test_at_the_end_there_are_scores_and_the_next_command(trained):
    _, out, _ = trained
    begin = r"validation after \d+ steps, whose weights the model has:\n  loss +0\.\d+\n"
    assert re.match(begin + r"  gene_f1 +– +genes whose stop codon is right\n", out)
    assert re.search(r"\n +f1 +mcc +auprc\n  codon_0 +0\.\d+ +-?0\.\d+ +0\.\d+\n", out)
    model, report, following = out.splitlines()[-3:]
    assert (model, report) == ("model: runs/one/model", "report: runs/one/report.html")
    assert following == "next: genoformer predict SEQUENCES.fa --model runs/one/model -o predicted"


def test_a_terminal_gets_a_bar_and_a_continued_run_counts_all_steps(work, genome, monkeypatch):
    continue_run(work)
    code, shown = on_terminal(monkeypatch, [*TINY, *genome, "--name", "one"])
    assert code == 0
    assert re.search(r"training 11/12 \|█+", shown) and re.search(r"training 12/12 \|█+ *\| 00:\d\d, 00:00 left", shown)
    assert "/?" not in shown
    assert "fitting the gene decoder" in shown
    assert (work / "runs/one/report.html").is_file() and (work / "runs/one/curves.png").is_file()


def test_a_continued_run_counts_all_steps_in_a_file(work, genome, capsys):
    continue_run(work)
    assert main([*TINY, *genome, "--name", "one"]) == 0
    assert "training, step 12 of 12 (100%), loss" in capsys.readouterr().err


def test_an_interrupted_run_leaves_a_report_that_says_so(work, genome, monkeypatch):
    continue_run(work)

    def interrupted(self, batch, batch_idx):
        raise SystemExit(143)

    with monkeypatch.context() as patch:
        patch.setattr(GenomeModule, "training_step", interrupted)
        assert main([*TINY, *genome, "--name", "one"]) == 143
    assert "The run was interrupted; the same command continues it." in Path("runs/one/report.html").read_text()
    assert main([*TINY, *genome, "--name", "one"]) == 0
    assert "interrupted" not in Path("runs/one/report.html").read_text()


def test_a_fault_in_the_report_is_a_warning(work, genome, monkeypatch, capsys):
    continue_run(work)

    def fail(*ignored):
        raise KeyError("drawn wrongly")

    monkeypatch.setattr(fit_report, "write_training_report", fail)
    assert main([*TINY, *genome, "--name", "one"]) == 0
    assert "warning[CURVES-002] report.html was not written: KeyError('drawn wrongly')" in capsys.readouterr().err
    assert Path("runs/one/curves.png").is_file()


def test_without_matplotlib_a_line_says_how_to_get_it(work, genome, monkeypatch, capsys):
    continue_run(work)

    def missing(*ignored):
        raise UsageError("PLOT-001", "pictures need matplotlib.", fix='Install it: pip install "genoformer[plot]".')

    monkeypatch.setattr("genoformer.report.curves_picture.load_pyplot", missing)
    assert main([*TINY, *genome, "--name", "one"]) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "curves.png was" in line]
    assert 'pip install "genoformer[plot]"' in line
    assert Path("runs/one/report.html").is_file() and not Path("runs/one/curves.png").exists()


def test_outcomes_that_cannot_be_had_do_not_end_a_training(tmp_path, genome, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def fail(self):
        raise ValueError("no outcomes")

    monkeypatch.setattr("genoformer.tasks.channel_scores.ChannelScores.outcomes", fail)
    assert main([*TINY, *genome, "--name", "one", "--trainer.max_steps", "1"]) == 0
    assert "warning[CURVES-001]" in capsys.readouterr().err
    assert Path("runs/one/report.html").is_file()


def test_without_progress_bar_only_progress_is_missing(tmp_path, genome, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["--trainer.max_steps", "1", "--trainer.enable_progress_bar", "false"]
    assert main([*TINY, *genome, "--name", "one", *options]) == 0
    found = capsys.readouterr()
    assert "device" in found.err and "step 1 of 1" not in found.err and "next: genoformer predict" in found.out


def test_a_model_that_cannot_call_genes_is_not_said_to_predict(tmp_path, genome, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    few = ["--trainer.max_steps", "1", "--data.split.validation", "0.1"]
    assert main([*TINY, *genome, "--name", "one", *few]) == 0
    found = capsys.readouterr()
    assert "DECODER-001" in found.err
    assert found.out.endswith("next: genoformer fit --config NAME --init_from runs/one/model\n")


def test_reports_draw_nothing_from_the_random_state(work, genome, monkeypatch):
    from genoformer.training.random_state import get_random_state

    continue_run(work)
    states = []
    original = fit.write_report

    def watched(*args, **kwargs):
        states.append(get_random_state())
        original(*args, **kwargs)
        states.append(get_random_state())

    monkeypatch.setattr(fit, "write_report", watched)
    assert main([*TINY, *genome, "--name", "one"]) == 0
    before, after = states
    assert repr(before) == repr(after)
