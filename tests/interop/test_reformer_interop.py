"""Hugging Face's Reformer, read and written: the same hidden states, buckets, and bits there and back."""

import dataclasses

import pytest
import torch
from hugging_face import randomise, tiny_encoder
from transformers import AutoModel, ReformerModel, ReformerModelWithLMHead
from transformers import ReformerConfig as TheirConfig

from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.bundle.header import BundleConfig
from genoformer.cli.main import main
from genoformer.errors import DataError, UsageError
from genoformer.interop import from_huggingface, to_huggingface
from genoformer.nn.attention.reformer_buckets import find_buckets
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.tasks import gene_structure

SIZES = {
    "hidden_size": 16, "num_attention_heads": 2, "attention_head_size": 12, "feed_forward_size": 24, "vocab_size": 69,
    "lsh_attn_chunk_length": 8, "local_attn_chunk_length": 4, "axial_pos_shape": [8, 16],
    "axial_pos_embds_dim": [6, 10], "max_position_embeddings": 128, "hash_seed": 3, "attn_layers": ["local", "lsh"],
    "pad_token_id": 0,
}  # fmt: skip
VARIANTS = [
    {},
    {"num_hashes": 3, "num_buckets": 6},
    {"num_buckets": [2, 4], "attn_layers": ["lsh", "lsh", "local"], "lsh_attn_chunk_length": 4},
    {"is_decoder": True, "num_hashes": 2, "hidden_act": "gelu"},
    {"lsh_num_chunks_after": 1, "local_num_chunks_before": 2, "local_attn_chunk_length": 16},
    {"axial_pos_embds": False, "attn_layers": ["lsh"], "num_hashes": 2},
]
EXPORTABLE = EncoderConfig(
    vocab_size=69, d_model=16, n_heads=2, n_layers=2, d_ff=24, positions="learned", max_tokens=128, conv_width=0,
    attention=ReformerConfig(
        chunk_tokens=(8, 4), layers=("lsh", "local"), chunks_after=1, streams="both", as_transformers=True,
        axial_shape=(8, 16), axial_widths=(6, 10), hash_seed=5,
    ),
)  # fmt: skip


def make_theirs(kind=ReformerModel, **settings):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return randomise(kind(TheirConfig(**{**SIZES, **settings})))


def make_batch(T=101, lengths=(101, 60, 3)) -> tuple[torch.Tensor, torch.Tensor]:
    valid = torch.arange(T)[None] < torch.tensor(lengths)[:, None]
    tokens = torch.randint(1, 69, valid.shape, generator=torch.Generator().manual_seed(7))
    return tokens.masked_fill(~valid, 0), valid


def their_hidden(model, tokens, valid) -> torch.Tensor:
    with torch.no_grad(), torch.random.fork_rng():
        return model(input_ids=tokens, attention_mask=valid.long()).last_hidden_state


def imported(tmp_path, **settings):
    theirs = make_theirs(**settings)
    theirs.save_pretrained(tmp_path / "hf")
    return from_huggingface(tmp_path / "hf"), theirs


@pytest.mark.parametrize("T", [3, 5, 8, 9, 32, 101, 128])
@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_float64_hidden_states_are_theirs(settings, T, tmp_path):
    encoder, theirs = imported(tmp_path, **settings)
    tokens, valid = make_batch(T, (T, (T + 1) // 2, 2))
    before = torch.get_rng_state()
    with torch.no_grad():
        found = encoder.double()(tokens, valid_mask=valid)
    assert torch.equal(torch.get_rng_state(), before) and found.shape == (3, T, 32)
    torch.testing.assert_close(found[valid], their_hidden(theirs.double(), tokens, valid)[valid], atol=1e-8, rtol=0)


def test_float32_buckets_and_hidden_states_are_theirs(tmp_path):
    T = 4096
    sizes = {
        "hidden_size": 64, "attention_head_size": 32, "feed_forward_size": 128, "attn_layers": ["local", "lsh", "lsh"],
        "lsh_attn_chunk_length": 64, "local_attn_chunk_length": 64, "axial_pos_shape": [64, 64],
        "axial_pos_embds_dim": [16, 48], "max_position_embeddings": T, "num_hashes": 2,
    }  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(5)
        theirs = ReformerModel(TheirConfig(**{**SIZES, **sizes})).eval()
    theirs.save_pretrained(tmp_path / "hf")
    encoder, their_buckets, our_buckets = from_huggingface(tmp_path / "hf"), [], []
    tokens, valid = make_batch(T, (T,))
    for layer in (1, 2):
        module = theirs.encoder.layers[layer].attention.self_attention
        module.register_forward_hook(lambda module, inputs, output: their_buckets.append(output.buckets))
        attention = encoder.layers[layer].attention

        def keep(module, inputs, output, attention=attention):
            states = output.unflatten(-1, (2, -1)).transpose(1, 2)
            factors = (theirs.config.num_buckets,)
            our_buckets.append(find_buckets(states, attention._rotations(factors, states), factors))

        attention.inputs["query_key"].register_forward_hook(keep)
    expected = their_hidden(theirs, tokens, valid)
    with torch.no_grad():
        found = encoder(tokens)
    n_buckets = theirs.config.num_buckets
    for mine, exact in zip(our_buckets, their_buckets, strict=True):
        assert (mine == exact % n_buckets).float().mean() >= 0.999
    assert ((found - expected).abs().amax(dim=-1) <= 1e-4).float().mean() >= 0.999


def test_model_with_a_head_is_read_and_the_head_is_not(tmp_path):
    theirs = make_theirs(ReformerModelWithLMHead, is_decoder=True)
    theirs.save_pretrained(tmp_path / "hf")
    tokens, valid = make_batch()
    with torch.no_grad():
        found = from_huggingface(tmp_path / "hf")(tokens, valid_mask=valid)
    torch.testing.assert_close(found[valid], their_hidden(theirs.reformer, tokens, valid)[valid], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "attention", [{}, {"causal": True, "chunks_after": 0, "activation": "relu"}, {"n_buckets": (2, 4), "n_rounds": 3}]
)
def test_there_and_back_changes_no_bit_and_transformers_gives_the_same(attention, tmp_path):
    encoder = tiny_encoder(
        dataclasses.replace(EXPORTABLE, attention=dataclasses.replace(EXPORTABLE.attention, **attention))
    )
    to_huggingface(encoder, tmp_path / "hf")
    back = from_huggingface(tmp_path / "hf")
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor), name
    theirs, report = ReformerModel.from_pretrained(tmp_path / "hf", output_loading_info=True)
    assert type(AutoModel.from_pretrained(tmp_path / "hf")) is ReformerModel
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    tokens, valid = make_batch()
    with torch.no_grad():
        found = encoder.double()(tokens, valid_mask=valid)
    torch.testing.assert_close(
        found[valid], their_hidden(theirs.double().eval(), tokens, valid)[valid], atol=1e-8, rtol=0
    )


@pytest.mark.parametrize(
    ("settings", "attention", "said"),
    [
        ({"positions": "rotary"}, {"axial_shape": None, "axial_widths": None}, "positions rotary"),
        ({"conv_width": 3}, {}, "conv_width 3"),
        ({}, {"streams": "mean"}, "streams mean"),
        ({}, {"as_transformers": False}, "as_transformers false"),
        ({}, {"layers": "lsh"}, "chunk_tokens that differ"),
    ],
)
def test_what_has_no_place_there_is_refused(settings, attention, said, tmp_path):
    attention = dataclasses.replace(EXPORTABLE.attention, **attention)
    encoder = tiny_encoder(dataclasses.replace(EXPORTABLE, attention=attention, **settings))
    with pytest.raises(UsageError, match=f"a Reformer of Hugging Face has no place for the encoder's {said}"):
        to_huggingface(encoder, tmp_path / "hf")
    assert not (tmp_path / "hf").exists()


def test_folders_that_make_no_encoder_are_refused(tmp_path):
    theirs = make_theirs()
    theirs.config.hidden_act = "swish"
    theirs.save_pretrained(tmp_path / "hf")
    with pytest.raises(DataError, match="swish"):
        from_huggingface(tmp_path / "hf")
    with pytest.raises(UsageError, match="no window_radius"):
        from_huggingface(tmp_path / "hf", window_radius=4)
    make_theirs(feed_forward_size=20).save_pretrained(tmp_path / "other")
    config = (tmp_path / "other/config.json").read_text()
    (tmp_path / "other/config.json").write_text(config.replace('"feed_forward_size": 20', '"feed_forward_size": 24'))
    with pytest.raises(DataError, match="do not fit"):
        from_huggingface(tmp_path / "other")


def test_a_bundle_goes_out_and_comes_in_by_commands(tmp_path):
    config = dataclasses.replace(EXPORTABLE, stride=3)
    channels = list(gene_structure.channels)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = build_model(config, n_channels=len(channels))
    bundle = BundleConfig(
        "gene_structure", {"name": "base"}, config.to_dict(), k=3, stride=3, tile_bp=240, labels=channels
    )
    save_bundle(tmp_path / "a", model=model, config=bundle, card="# mine\n")
    assert main(["export", str(tmp_path / "a"), "--format", "huggingface", "-o", str(tmp_path / "hf")]) == 0
    assert main(["import", str(tmp_path / "hf"), "-o", str(tmp_path / "b")]) == 0
    before, after = load_bundle(tmp_path / "a"), load_bundle(tmp_path / "b")
    assert after.config.encoder == before.config.encoder and (after.config.k, after.config.stride) == (3, 3)
    state = after.model.encoder.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in before.model.encoder.state_dict().items())
    assert "a reformer in the layout of Hugging Face" in (tmp_path / "b/model_card.md").read_text()
