"""Threads wait asleep: said before torch is loaded, and the model pass has none that wait for each other."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from genoformer.files.waiting_threads import let_waiting_threads_sleep
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import TilePlan, strand_logits

WATCH = """
import os, sys
from importlib.abc import MetaPathFinder
class Watch(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "torch":
            print("torch is loaded with", os.environ.get("OMP_WAIT_POLICY"), file=sys.stderr)
            os._exit(9)
sys.meta_path.insert(0, Watch())
from genoformer.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("given", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_a_prediction_says_so_before_torch_is_loaded_unless_the_user_has(tmp_path, given, expected):
    (tmp_path / "in.fa").write_text(">a\n" + "ACGTTGCA" * 20 + "\n")
    environment = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY",)}
    environment |= {} if given is None else {"OMP_WAIT_POLICY": given}
    command = [sys.executable, "-c", WATCH, "predict", "in.fa", "-o", "out"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (9, f"torch is loaded with {expected}")


def test_nothing_is_said_where_the_user_counts_turns_or_torch_is_loaded(monkeypatch):
    environment: dict[str, str] = {}
    assert not let_waiting_threads_sleep(environment) and not environment  # the tests have loaded torch
    monkeypatch.delitem(sys.modules, "torch")
    environment["GOMP_SPINCOUNT"] = "100"
    assert let_waiting_threads_sleep(environment) and list(environment) == ["GOMP_SPINCOUNT"]


class Threads(nn.Module):
    """Says with how many threads it computes, of how many tiles."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.calls = []

    def forward(self, token_ids):
        self.calls.append((len(token_ids), torch.get_num_threads()))
        return torch.arange(token_ids.shape[1], dtype=torch.float32)[None, :, None].expand(len(token_ids), -1, 1)


@pytest.mark.parametrize(("threads", "expected"), [(1, [(2, 1), (2, 1)]), (2, [(1, 1)] * 4), (4, [(1, 2)] * 4)])
def test_tiles_are_read_side_by_side_each_on_threads_of_its_own(threads, expected):
    network, before = Threads(), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        pieces = list(strand_logits(network, KmerTokenizer(1), np.zeros(40, np.uint8), TilePlan(10, 0, batch_size=2)))
    finally:
        torch.set_num_threads(before)
    assert sorted(network.calls) == expected
    assert [(start, end, logits[:, 0].tolist()) for start, end, logits in pieces] == [
        (start, start + 10, list(map(float, range(10)))) for start in range(0, 40, 10)
    ]
