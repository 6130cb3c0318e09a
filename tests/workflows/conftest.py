"""A working directory for the workflow, and Snakemake inside the test process."""

import os
from pathlib import Path

import pytest
from running import SNAKEFILE, own_environment
from tiny import make_folder
from warm_command import warm_command


@pytest.fixture
def folder(tmp_path):
    """A working directory with the configuration of the tiny run and its genomes; functions are left out."""
    make_folder(tmp_path)
    path = tmp_path / "config/config.yaml"
    path.write_text("".join(line for line in path.open() if not line.startswith("function_model")))
    return tmp_path


@pytest.fixture(scope="session")
def warm_environment():
    """An environment in which rules find a ``genoformer`` that begins at once."""
    with warm_command() as folder:
        yield own_environment(folder)


@pytest.fixture
def warm(warm_environment, monkeypatch):
    """Rules that run in the test process find a ``genoformer`` that begins at once."""
    monkeypatch.setenv("PATH", warm_environment["PATH"])


@pytest.fixture
def snakemake(capfd):
    """``snakemake(folder, options…)`` runs the workflow there: exit code and everything it said."""
    # Imported here, as it takes seconds, for which all tests would wait; it keeps the standard output that it finds.
    with capfd.disabled():
        from snakemake.cli import main as run_snakemake

    def run(folder, *options, snakefile=SNAKEFILE):
        capfd.readouterr()
        before = Path.cwd()
        try:
            run_snakemake(["-s", str(snakefile), "--directory", str(folder), "-c2", *map(str, options)])
            code = 0
        except SystemExit as ending:
            code = ending.code
        finally:
            os.chdir(before)
        said = "".join(capfd.readouterr())
        assert "Traceback" not in said
        return code, said

    return run
