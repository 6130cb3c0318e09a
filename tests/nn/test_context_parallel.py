"""Two processes with half of the tokens each give what one process gives with all of them."""

import numpy as np
import pytest
import torch
import torch.distributed as dist
from children import run_together

from genoformer.nn.attention.full import FullConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.context_parallel import ContextParallelEncoder, exchange_halo
from genoformer.nn.encoder import Encoder

VOCAB = 69
SHARED = {"vocab_size": VOCAB, "d_model": 32, "n_heads": 4, "n_layers": 3, "d_ff": 48}
CASES = {
    "windows": {"attention": LongformerConfig(window_radius=5)},
    "global tokens": {"attention": LongformerConfig(window_radius=5), "n_global_tokens": 2},
    "several radii, dilated": {
        "attention": LongformerConfig(window_radius=(3, 9, 4), dilation=(1, 2, 1)), "n_global_tokens": 1,
    },
    "learned positions, norm behind": {
        "attention": LongformerConfig(window_radius=7), "positions": "learned", "max_tokens": 200, "norm": "post",
        "conv_width": 0, "n_global_tokens": 3,
    },
    "blocks": {
        "attention": LongformerConfig(window_radius=8, backend="blocked"), "conv_width": 9, "n_global_tokens": 1,
    },
}  # fmt: skip
SHARES = ((30, 70), (61, 18), (64, 64))


def make(case):
    torch.manual_seed(3)
    config = EncoderConfig(**SHARED, **CASES[case])
    encoder = Encoder(config).eval()
    return encoder, torch.randint(5, VOCAB, (2, config.n_global_tokens + 150))


def split(ids, shares, n_global):
    """Global ids, and own ids of each process."""
    return ids[:, :n_global], ids[:, n_global : n_global + sum(shares)].split(shares, dim=1)


def work(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    results = {}
    for case in CASES:
        encoder, ids = make(case)
        for shares in SHARES:
            shared, parts = split(ids, shares, encoder.config.n_global_tokens)
            results[case, shares] = ContextParallelEncoder(encoder)(shared, parts[rank])
    own = torch.arange(6.0).view(1, 6, 1) + 10 * rank
    results["halo"] = exchange_halo(own, 2, None)
    try:
        exchange_halo(own, 7, None)
    except ValueError as error:
        results["error"] = str(error)
    torch.save(results, folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """What each of two processes found."""
    folder = tmp_path_factory.mktemp("parts")
    run_together(work, folder)
    return [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("shares", SHARES, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_two_processes_give_what_one_gives(parts, case, shares):
    encoder, ids = make(case)
    n_global = encoder.config.n_global_tokens
    ids = ids[:, : n_global + sum(shares)]
    is_global = (torch.arange(ids.shape[1]) < n_global).expand_as(ids)
    with torch.no_grad():
        whole = encoder(ids, global_mask=is_global if n_global else None)
    (first_global, first), (second_global, second) = (part[case, shares] for part in parts)
    assert torch.equal(first_global, second_global)
    found = torch.cat((first_global, first, second), dim=1)
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_halo_is_what_lies_next_to_the_share(parts):
    (none, right), (left, nothing) = (part["halo"] for part in parts)
    assert none.shape == nothing.shape == (1, 0, 1)
    np.testing.assert_array_equal(right.flatten(), [10, 11])
    np.testing.assert_array_equal(left.flatten(), [4, 5])


@pytest.mark.slow
def test_share_shorter_than_the_window_is_refused(parts):
    assert all("6 tokens" in part["error"] and "7" in part["error"] for part in parts)


@pytest.mark.parametrize(
    ("setting", "said"), [({"attention": FullConfig()}, "found full"), ({"base_embedding": True}, "base_embedding")]
)
def test_encoders_whose_tokens_need_more_are_refused(setting, said):
    with pytest.raises(ValueError, match=said):
        ContextParallelEncoder(Encoder(EncoderConfig(**SHARED, **setting)))


def test_shared_weights_are_the_same_tensors():
    encoder, _ = make("global tokens")
    parallel = ContextParallelEncoder(encoder)
    assert parallel.layers[0].widen.weight is encoder.layers[0].widen.weight
    assert encoder.layers[0].attention is parallel.layers[0].attention.attention
