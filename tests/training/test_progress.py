"""How far work is: bars on terminals, few lines in files, nothing where nobody watches."""

import contextlib
import io
import logging
import os
import termios
from types import SimpleNamespace

import pytest

from genoformer.training.displays import Bars, Lines, display_for, duration, said_on
from genoformer.training.progress import stage, stepped, watched_by
from genoformer.training.progress_bar import total_steps
from genoformer.training.shown_scores import LEARNED_F1, is_learned, said, shown_scores


class Clock:
    """Seconds that go on when told so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def file():
    return io.StringIO()


def read_to_the_end(master):
    """What was written to the other side, which is closed."""
    parts = []
    with contextlib.suppress(OSError):  # the end
        while part := os.read(master, 65_536):
            parts.append(part)
    os.close(master)
    return b"".join(parts).decode()


def lines_of(file):
    return [line.removeprefix("genoformer: ") for line in file.getvalue().splitlines()]


def test_a_file_gets_a_line_every_half_minute_with_step_score_and_time_left(file, clock):
    training = Lines(file, clock).open("training", 400, "step")
    for n in range(1, 201):
        clock.now += 1.0
        training.note(f"loss {n}")
        training.advance()
    assert lines_of(file) == [
        "training, step 30 of 400 (8%), 6:10 left, loss 30",
        "training, step 60 of 400 (15%), 5:40 left, loss 60",
        "training, step 90 of 400 (22%), 5:10 left, loss 90",
        "training, step 120 of 400 (30%), 4:40 left, loss 120",
        "training, step 150 of 400 (38%), 4:10 left, loss 150",
        "training, step 180 of 400 (45%), 3:40 left, loss 180",
    ]


def test_a_long_run_gets_a_line_for_each_hundredth_or_every_ten_minutes(file, clock):
    for seconds_per_step, n_steps, expected in ((0.1, 100_000, 100), (1.0, 100_000, 166)):
        written = Lines(file := io.StringIO(), clock)
        training = written.open("training", n_steps, "step")
        for _ in range(n_steps):
            clock.now += seconds_per_step
            training.advance()
        assert len(lines_of(file)) == pytest.approx(expected, abs=2)


def test_the_first_step_does_not_count_for_the_time_left(file, clock):
    training = Lines(file, clock).open("training", 10, "step")
    clock.now += 100.0  # what is done once
    training.advance()
    for _ in range(4):
        clock.now += 8.0
        training.advance()
    assert lines_of(file)[-1] == "training, step 5 of 10 (50%), 0:40 left"


def test_work_that_goes_on_counts_what_was_done_before(file, clock):
    training = Lines(file, clock).open("training", 30, "step", 10)
    for _ in range(10):
        clock.now += 10.0
        training.advance()
    assert lines_of(file)[0] == "training, step 13 of 30 (43%), 2:50 left"


def test_work_of_unknown_size_is_counted(file, clock):
    reading = Lines(file, clock).open("reading", None, "record")
    clock.now += 31.0
    reading.advance(3)
    assert lines_of(file) == ["reading, record 3"]


def test_without_a_watcher_nothing_is_shown_and_with_one_every_item_counts(file, clock, capsys):
    assert list(stepped("abc", "reading")) == ["a", "b", "c"]
    with watched_by(Lines(file, clock)):
        for _ in stepped([1, 2, 3], "reading", "item"):
            clock.now += 40.0
    assert lines_of(file) == [
        "reading",
        "reading, item 1 of 3 (33%)",
        "reading, item 2 of 3 (67%), 0:40 left",
        "reading, item 3 of 3 (100%)",
    ]
    with stage("more"):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_bars_and_a_file_lines(file):
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (30, 100))
    with os.fdopen(slave, "w") as terminal:
        assert isinstance(display_for(terminal), Bars)
        bar = display_for(terminal).open("training", 4, "step", 1)
        bar.wait()
        bar.note("loss 0.5")
        bar.advance(3)
        bar.close()
    shown = read_to_the_end(master)
    assert "training 1/4" in shown and "training 4/4" in shown and "loss 0.5" in shown
    assert isinstance(display_for(file), Lines)


def test_what_modules_log_is_shown_while_somebody_watches(file, clock):
    log = logging.getLogger("genoformer.anything")
    with said_on(Lines(file, clock)):
        log.info("this takes long, once")
    log.info("not seen")
    assert lines_of(file) == ["this takes long, once"]


@pytest.mark.parametrize(
    ("max_steps", "max_epochs", "n_batches", "expected"),
    [(400, -1, 100, 400), (400, 3, 100, 300), (-1, 3, 100, 300), (200, 3, 100, 200), (400, 3, float("inf"), 400)],
)
def test_the_steps_of_a_run_are_known_before_it_begins(max_steps, max_epochs, n_batches, expected):
    trainer = SimpleNamespace(
        max_steps=max_steps, max_epochs=max_epochs, num_training_batches=n_batches, accumulate_grad_batches=1
    )
    assert total_steps(trainer) == expected


def test_durations_are_read_at_a_glance():
    assert [duration(s) for s in (0, 9.6, 75, 3723)] == ["0:00", "0:10", "1:15", "1:02:03"]


def test_scores_of_called_genes_say_nothing_before_an_output_is_learned():
    metrics = {"val/gene_f1": 0.82, "val/codon_0_f1": 0.001, "val/start_f1": 0.0, "val/loss": 0.05}
    names, channels = ("gene_f1", "absent", "codon_0_f1"), ("codon_0", "start")
    assert shown_scores(metrics, names, channels) == {"gene_f1": None, "codon_0_f1": 0.001}
    metrics["val/codon_0_f1"] = LEARNED_F1
    assert shown_scores(metrics, names, channels) == {"gene_f1": 0.82, "codon_0_f1": LEARNED_F1}


def test_scores_without_outputs_per_base_always_say_something():
    assert is_learned({"val/accuracy": 0.1}, ("a", "b"))
    assert [said(value) for value in (None, float("nan"), 0.12345, 12.345)] == ["–", "–", "0.1235", "12.35"]
