"""Compiled functions find a folder on machines where neither the installation nor the home can be written to."""

import ctypes
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import genoformer
from genoformer.files import kernel_cache
from genoformer.files.kernel_cache import VARIABLE, provide_kernel_cache

CODE = """
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.sequence.alphabet import encode_bases
print(len(KmerTokenizer(k=3, stride=1).encode(encode_bases("ACGTACGT"))))
"""


@pytest.fixture(scope="module")
def read_only():
    """An installation, a home, and a folder for temporary files, of which only the last can be written to."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        sources = Path(genoformer.__file__).parent
        left_out = shutil.ignore_patterns("__pycache__", "shipped")
        shutil.copytree(sources, root / "site" / "genoformer", ignore=left_out)
        (root / "home").mkdir()
        (root / "tmp").mkdir()
        for path in (root, *root.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        (root / "tmp").chmod(0o777)
        yield root
        for path in (root, *root.rglob("*")):
            if path.is_dir() and path.stat().st_uid == os.getuid():
                path.chmod(0o755)


def obey_permissions() -> None:
    """Take from root, in the process that comes next, what lets it write where nobody may."""
    drop_from_bounding_set, ignore_permissions = 24, 1  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE of Linux
    if os.geteuid() == 0 and sys.platform == "linux":
        ctypes.CDLL(None).prctl(drop_from_bounding_set, ignore_permissions)


def run(root: Path, **changed: str) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if name not in (VARIABLE, "XDG_CACHE_HOME", "PYTHONPATH")}
    settings = {"PYTHONPATH": str(root / "site"), "HOME": str(root / "home"), "TMPDIR": str(root / "tmp")}
    environment = {**kept, **settings, **changed}
    command = [sys.executable, "-c", CODE]
    return subprocess.run(
        command, env=environment, cwd=root, capture_output=True, text=True, preexec_fn=obey_permissions
    )


def test_a_read_only_installation_works_says_so_once_and_keeps_what_it_compiled(read_only):
    first = run(read_only)
    assert (first.returncode, first.stdout) == (0, "8\n"), first.stderr
    assert first.stderr.count("genoformer: note: installation and home are read-only") == 1
    (folder,) = (read_only / "tmp").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    compiled = {path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")}
    assert compiled
    assert run(read_only).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")} == compiled


def test_what_was_compiled_for_another_processor_is_not_used(read_only):
    run(read_only)
    (folder,) = (read_only / "tmp").iterdir()
    before = set(folder.rglob("*.nbc"))
    assert run(read_only, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="").stdout == "8\n"
    assert set(folder.rglob("*.nbc")) > before


def test_nothing_is_said_or_changed_where_the_usual_folders_can_be_written_to(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv(VARIABLE, raising=False)
    provide_kernel_cache(tmp_path)
    assert VARIABLE not in os.environ and capsys.readouterr().err == ""


@pytest.mark.parametrize("lacking", [os.W_OK, os.X_OK])
def test_a_folder_must_let_us_write_and_enter(lacking, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "given"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & lacking)
    provide_kernel_cache(tmp_path)
    assert "cannot be written to" in capsys.readouterr().err


def test_a_folder_of_the_users_that_cannot_be_used_is_named(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    provide_kernel_cache(tmp_path)
    assert capsys.readouterr().err.startswith(f"genoformer: note: {VARIABLE} cannot be written to: ")
    assert Path(os.environ[VARIABLE]).parent == tmp_path


def test_a_folder_that_others_can_write_to_is_not_trusted(monkeypatch, tmp_path):
    taken = tmp_path / f"genoformer-kernels-{os.getuid()}"
    taken.mkdir()
    taken.chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    other = kernel_cache._private_folder()
    assert other != taken and stat.S_IMODE(other.stat().st_mode) == 0o700
    taken.rmdir()
    taken.symlink_to(other)
    assert kernel_cache._private_folder() not in (taken, other)
