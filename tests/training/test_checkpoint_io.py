"""Checkpoint files: complete or not there, every flipped bit noticed, nothing from the network."""

import os
import random
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from genoformer.errors import DataError, MissingFileError, OutputExistsError, RefusedError
from genoformer.training.checkpoint_io import AtomicCheckpointIO, pack_checkpoint, unpack_checkpoint
from genoformer.training.random_state import get_random_state, set_random_state

CHECKPOINT = {"weights": torch.arange(6.0).view(2, 3), "step": 7, "nested": {"list": [1, (2.5, "a")], "none": None}}
FILES = AtomicCheckpointIO()


def test_checkpoint_comes_back_and_torch_itself_reads_it(tmp_path):
    path = tmp_path / "new" / "last.ckpt"
    FILES.save_checkpoint(CHECKPOINT, path)
    for loaded in (FILES.load_checkpoint(path), torch.load(path, weights_only=True)):
        assert torch.equal(loaded.pop("weights"), CHECKPOINT["weights"])
        assert loaded == {name: value for name, value in CHECKPOINT.items() if name != "weights"}
    assert [file.name for file in path.parent.iterdir()] == ["last.ckpt"]


def test_every_flipped_bit_is_noticed():
    data = pack_checkpoint(CHECKPOINT)
    draw = random.Random(0)
    places = [draw.randrange(8 * len(data)) for _ in range(250)] + list(range(8 * (len(data) - 90), 8 * len(data), 15))
    for place in places:
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(DataError, match=r"damaged\.ckpt"):
            unpack_checkpoint(bytes(damaged), where="damaged.ckpt")


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_cut_file_is_noticed(kept):
    with pytest.raises(DataError, match="checksum"):
        unpack_checkpoint(pack_checkpoint(CHECKPOINT)[:kept], where="cut.ckpt")


def test_checkpoint_of_others_is_refused(tmp_path):
    torch.save(CHECKPOINT, tmp_path / "other.ckpt")
    with pytest.raises(DataError, match="no checksum"):
        FILES.load_checkpoint(tmp_path / "other.ckpt")


@pytest.mark.parametrize("address", ["http://example.org/last.ckpt", "https://example.org/last.ckpt", "s3://b/last"])
def test_checkpoint_from_the_network_is_refused(address):
    with pytest.raises(RefusedError, match="network") as caught:
        FILES.load_checkpoint(address)
    assert caught.value.exit_code == 77


def test_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"absent\.ckpt"):
        FILES.load_checkpoint(tmp_path / "absent.ckpt")


def test_folder_of_temporary_files_is_never_used(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "absent"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    FILES.save_checkpoint(CHECKPOINT, tmp_path / "last.ckpt")
    assert FILES.load_checkpoint(tmp_path / "last.ckpt")["step"] == 7


def test_place_that_cannot_hold_the_file_is_an_error(tmp_path):
    (tmp_path / "last.ckpt").mkdir()
    with pytest.raises(OutputExistsError, match=r"last\.ckpt"):
        FILES.save_checkpoint(CHECKPOINT, tmp_path / "last.ckpt")


def in_child(work) -> None:
    """Run ``work`` in a forked process, which kills itself or is killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def kill_before(owner, name):
    """Make the process kill itself when it calls ``owner.name``."""
    setattr(owner, name, lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGKILL))


@pytest.mark.parametrize(
    ("owner", "name"), [(Path, "write_bytes"), (os, "fsync"), (Path, "read_bytes"), (os, "replace")]
)
def test_kill_at_any_step_of_saving_leaves_the_old_checkpoint(tmp_path, owner, name):
    path = tmp_path / "last.ckpt"
    FILES.save_checkpoint({"step": 1}, path)

    def save():
        kill_before(owner, name)
        FILES.save_checkpoint({"step": 2}, path)

    in_child(save)
    assert FILES.load_checkpoint(path) == {"step": 1}


@pytest.mark.slow
def test_kill_at_any_moment_leaves_a_whole_checkpoint(tmp_path):
    path, draw = tmp_path / "last.ckpt", random.Random(1)
    # Made before the fork: torch's threads do not live on in a forked process.
    weights = torch.ones(50_000)
    FILES.save_checkpoint({"weights": weights * 0}, path)

    def save_until_killed():
        signal.signal(signal.SIGALRM, lambda *args: os.kill(os.getpid(), signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, draw.random() * 0.05 + 1e-4)
        while True:
            FILES.save_checkpoint({"weights": weights}, path)

    for _ in range(25):
        draw.random()
        in_child(save_until_killed)
        found = FILES.load_checkpoint(path)["weights"]
        assert found.shape == (50_000,) and len(found.unique()) == 1


def test_random_state_survives_a_checkpoint(tmp_path):
    def draw():
        return random.random(), random.gauss(0, 1), np.random.random(), np.random.normal(), torch.rand(1).item()

    draw()
    FILES.save_checkpoint(get_random_state(), tmp_path / "state.ckpt")
    expected = [draw() for _ in range(3)]
    set_random_state(FILES.load_checkpoint(tmp_path / "state.ckpt"))
    assert [draw() for _ in range(3)] == expected
