"""Standard streams that are closed or full, and inputs that can be read once only."""

import os
import subprocess
import sys
import threading

import pytest

from genoformer.errors import DataError
from genoformer.files import once
from genoformer.files.once import rereadable
from genoformer.sequence.byte_chunks import read_chunks

FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
QUICK = [["models"], ["--help"], ["--version"], ["prepare", "--help"], ["fit", "--help"], ["models", "prokaryotes"]]


def run(arguments, closed=(), **streams):
    """Exit code and standard error of a command with these descriptors closed."""

    def close():
        for descriptor in closed:
            os.close(descriptor)

    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    command = [sys.executable, "-m", "genoformer", *arguments]
    child = subprocess.Popen(command, text=True, preexec_fn=close, **streams)
    _, error = child.communicate(timeout=60)
    return child.returncode, error or ""


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("arguments", QUICK, ids=" ".join)
def test_closed_streams_lead_nowhere(arguments, closed):
    assert run(arguments, closed) == (0, "")


@FULL
@pytest.mark.parametrize("arguments", QUICK, ids=" ".join)
def test_a_full_standard_output_is_an_error_of_writing(arguments):
    with open("/dev/full", "w") as full:
        code, error = run(arguments, stdout=full)
    assert code == 74 and error.count("\n") == 1 and error.startswith("genoformer: error[FILES-002]")


@FULL
@pytest.mark.parametrize(("arguments", "code"), [(["nonsense"], 2), (["predict", "nothing.fa", "-o", "x"], 66)])
def test_an_error_that_cannot_be_told_keeps_its_code(arguments, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("/dev/full", "w") as full:
        assert run(arguments, stderr=full)[0] == code
    assert run(arguments, closed=(1, 2)) == (code, "")


@pytest.fixture
def pipe(tmp_path):
    """Makes a named pipe that gives these bytes once."""
    writers = []

    def make(data: bytes):
        path = tmp_path / f"pipe{len(writers)}"
        os.mkfifo(path)
        writers.append(threading.Thread(target=path.write_bytes, args=(data,)))
        writers[-1].start()
        return path

    yield make
    for writer in writers:
        writer.join(timeout=30)
    for copy in once._COPIES.values():
        copy.unlink()
    once._COPIES.clear()


def test_a_pipe_can_be_read_any_number_of_times(pipe):
    path = pipe(b">a\nACGT\n" * 20_000)
    assert [b"".join(read_chunks(str(path))) for _ in range(3)] == [b">a\nACGT\n" * 20_000] * 3
    assert rereadable(path) != path and rereadable(path).read_bytes()[:3] == b">a\n"


def test_files_folders_and_what_is_not_there_are_left_alone(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path, tmp_path / "nothing", tmp_path / ("x" * 300), os.devnull):
        assert str(rereadable(path)) == str(path)


def test_a_device_is_refused_at_once():
    with pytest.raises(DataError, match="FILE-005"):
        rereadable("/dev/zero")


def test_a_command_reads_annotation_and_sequence_from_pipes(pipe, tmp_path, capsys):
    from genoformer.cli.main import main

    bases = "ACGT" * 2_000
    fasta, mask = pipe(f">a\n{bases}\n".encode()), pipe(b"a\t10\t20\n")
    assert main(["check-leakage", str(fasta), str(fasta)]) == 0
    arguments = ["predict", str(fasta), "--mask", str(mask), "-o", str(tmp_path / "out"), "--dry-run"]
    assert main(arguments) == 0, capsys.readouterr().err
    assert "8,000 bp" in capsys.readouterr().out
