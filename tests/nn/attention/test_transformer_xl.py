"""Transformer-XL: four terms by hand, fast ways equal the reference, the memory is a value, and it learns."""

import dataclasses
import math

import pytest
import torch

from genoformer.applications import APPLICATIONS
from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.errors import UsageError
from genoformer.interop.huggingface_export import to_huggingface
from genoformer.nn.attention.masks import token_roles
from genoformer.nn.attention.relative_reference import reference_segments, sinusoids
from genoformer.nn.attention.transformer_xl import TransformerXLAttention, TransformerXLConfig, segment_attention
from genoformer.nn.config import EncoderConfig
from genoformer.nn.context_parallel import ContextParallelEncoder
from genoformer.nn.encoder import Encoder
from genoformer.nn.model import build_model
from genoformer.training.module import GenomeModule
from genoformer.training.start import freeze, start_from

D, H = 16, 2
LENGTHS = [  # tokens, segment, memory, kept
    (1, 4, 4, 0), (5, 4, 4, 0), (70, 9, 13, 0), (63, 63, 0, 5), (64, 64, 64, 5), (65, 64, 64, 0), (130, 70, 100, 37),
    (140, 130, 64, 64), (3, 8, 0, 0),
]  # fmt: skip
TOKENS = torch.randint(5, 69, (2, 40), generator=torch.Generator().manual_seed(1))


def make_config(n_layers=2, conv_width=0, **attention) -> EncoderConfig:
    settings = {"segment": 8, "memory": 8} | attention
    return EncoderConfig(
        vocab_size=69, d_model=D, n_heads=H, n_layers=n_layers, d_ff=32, conv_width=conv_width, positions="none",
        attention=TransformerXLConfig(**settings),
    )  # fmt: skip


def make_encoder(**settings) -> Encoder:
    torch.manual_seed(0)
    encoder = Encoder(make_config(**settings)).double().eval()
    for layer in encoder.attentions():
        torch.nn.init.normal_(layer.content_bias)
        torch.nn.init.normal_(layer.position_bias)
    return encoder


def in_stretches(encoder, tokens, sizes):
    """Hidden states of stretches that follow each other."""
    outputs, kept = [], None
    for part in tokens.split(sizes, dim=1):
        hidden, kept = encoder.read_stretch(part, kept=kept)
        outputs.append(hidden)
    return torch.cat(outputs, dim=1)


def test_two_tokens_by_hand():
    """One head of width 2; projections are the identity, so that every term can be written down."""
    layer = TransformerXLAttention(2, 1, TransformerXLConfig(segment=2, memory=1)).double()
    with torch.no_grad():
        layer.query_key_value.weight.copy_(torch.eye(2).repeat(3, 1))
        layer.query_key_value.bias.zero_()
        layer.position.weight.copy_(torch.eye(2))
        layer.output.weight.copy_(torch.eye(2))
        layer.output.bias.zero_()
        layer.content_bias.copy_(torch.tensor([0.5, 0.0]))
        layer.position_bias.copy_(torch.tensor([0.0, 2.0]))
    a, b = torch.tensor([1.0, 0.0], dtype=torch.float64), torch.tensor([0.0, 3.0], dtype=torch.float64)
    found = layer(torch.stack((a, b))[None])[0]
    # b with b: content 9, (b + v) . r_0 = 5 cos 0. b with a: (b + u) . a = .5, (b + v) . r_1 = 5 cos 1.
    near, far = (9 + 5) / math.sqrt(2), (0.5 + 5 * math.cos(1)) / math.sqrt(2)
    share = math.exp(far) / (math.exp(near) + math.exp(far))
    expected = torch.stack((a, share * a + (1 - share) * b))
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("is_fused", [True, False])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)], ids=str)
def test_fast_ways_equal_the_reference(lengths, causal, is_fused, dtype, tolerance):
    T, segment, memory, m = lengths
    config = TransformerXLConfig(segment=segment, memory=memory, causal=causal)
    torch.manual_seed(T)
    layer = TransformerXLAttention(D, H, config).to(dtype)
    torch.nn.init.normal_(layer.content_bias)
    torch.nn.init.normal_(layer.position_bias)
    hidden, before = torch.randn(3, T, D, dtype=dtype, requires_grad=True), torch.randn(3, m, D, dtype=dtype)
    key_mask = torch.rand(3, m + T) < 0.8
    key_mask[0], key_mask[:, m:] = True, torch.arange(T) < torch.tensor([[T], [max(1, T - 7)], [T]])
    wanted = key_mask[:, m:, None]
    linear = layer.query_key_value
    segments = layer.segments()
    positions = layer.position(layer.sinusoids(*segments.n_distances(T, m), hidden))
    found = segment_attention(
        hidden, before, linear.weight, linear.bias, positions, layer.content_bias, layer.position_bias,
        None if bool(key_mask.all()) else key_mask, segments, is_fused=is_fused,
    )  # fmt: skip
    biases = (layer.content_bias.view(H, -1), layer.position_bias.view(H, -1))
    exact = reference_segments(
        hidden, before, linear.weight, linear.bias, layer.position.weight, *biases, key_mask=key_mask, segment=segment,
        memory=memory, is_causal=causal,
    )  # fmt: skip
    weights = [hidden, linear.weight, linear.bias, layer.position.weight, layer.content_bias, layer.position_bias]
    results = []
    for output in (found, exact):
        rows = output * wanted  # rows of padding say nothing
        results.append((rows, *torch.autograd.grad((rows / T).sin().sum(), weights)))
    for mine, reference in zip(*results, strict=True):
        torch.testing.assert_close(mine, reference, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("causal", [True, False])
def test_an_input_is_walked_as_its_segments_are(causal):
    encoder = make_encoder(causal=causal, memory=12)
    found = in_stretches(encoder, TOKENS, [8, 16, 8, 8])
    torch.testing.assert_close(found, encoder(TOKENS), atol=1e-12, rtol=0)


def test_with_a_memory_as_long_as_the_input_segments_equal_the_whole():
    segments, whole = make_encoder(segment=7, memory=40), make_encoder(segment=40, memory=0)
    expected = whole(TOKENS)
    torch.testing.assert_close(segments(TOKENS), expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(in_stretches(segments, TOKENS, [7, 14, 19]), expected, atol=1e-12, rtol=0)
    assert not torch.allclose(make_encoder(segment=7, memory=7)(TOKENS), expected)


def test_the_memory_reaches_one_memory_further_with_each_layer():
    encoder = make_encoder(n_layers=2, segment=4, memory=4)
    embedded = encoder.token_embedding(TOKENS).detach()
    changed = embedded.clone()
    changed[:, 3] = torch.randn(D)

    def outputs(states):
        for layer in encoder.layers:
            states, _ = layer(states, roles=token_roles(None, None), rotary=None)
        return states

    differs = (outputs(changed) - outputs(embedded)).abs().amax((0, 2)) > 0
    assert differs.nonzero().flatten().tolist() == list(range(3, 12))


def test_no_gradient_crosses_a_segment():
    encoder = make_encoder(n_layers=3)
    embedded = encoder.token_embedding(TOKENS).detach().requires_grad_()
    states = embedded
    for layer in encoder.layers:
        states, _ = layer(states, roles=token_roles(None, None), rotary=None)
    (gradient,) = torch.autograd.grad(states[:, 16:24].square().sum(), embedded)
    assert gradient.abs().amax((0, 2)).nonzero().flatten().tolist() == list(range(16, 24))


def test_what_is_kept_is_a_value_without_gradient_and_the_module_has_none():
    encoder = make_encoder(memory=6)
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    hidden, kept = encoder.read_stretch(TOKENS[:, :10])
    assert [[tuple(part.shape) for part in of_layer] for of_layer in kept] == [[(2, 6, D), (2, 6)]] * 2
    assert not any(part.requires_grad for of_layer in kept for part in of_layer)
    assert all(part.untyped_storage().nbytes() == part.nbytes for of_layer in kept for part in of_layer)
    again, _ = encoder.read_stretch(TOKENS[:, :10])
    assert torch.equal(hidden, again)
    first, _ = encoder.read_stretch(TOKENS[:, 10:20], kept=kept)
    second, _ = encoder.read_stretch(TOKENS[:, 10:20], kept=kept)
    assert torch.equal(first, second)
    assert all(torch.equal(tensor, before[name]) for name, tensor in encoder.state_dict().items())
    assert not list(encoder.buffers())


def test_a_row_whose_memory_is_marked_as_unreal_begins_anew():
    encoder = make_encoder()
    _, kept = encoder.read_stretch(TOKENS[:, :16])
    emptied = tuple((states, is_real & torch.tensor([[True], [False]])) for states, is_real in kept)
    found, _ = encoder.read_stretch(TOKENS[:, 16:32], kept=emptied)
    continued, _ = encoder.read_stretch(TOKENS[:, 16:32], kept=kept)
    torch.testing.assert_close(found[0], continued[0], atol=1e-12, rtol=0)
    torch.testing.assert_close(found[1], encoder(TOKENS[1:, 16:32])[0], atol=1e-12, rtol=0)


def test_a_batch_of_one_equals_a_batch_of_many_and_padding_changes_nothing():
    encoder = make_encoder(causal=False)
    tokens = torch.cat((TOKENS, TOKENS.new_zeros(2, 9)), dim=1)
    valid = torch.arange(49) < torch.tensor([[40], [21]])
    found = encoder(tokens.masked_fill(~valid, 0), valid_mask=valid)
    torch.testing.assert_close(found[0, :40], encoder(TOKENS[:1])[0], atol=1e-12, rtol=0)
    torch.testing.assert_close(found[1, :21], encoder(TOKENS[1:, :21])[0], atol=1e-12, rtol=0)
    assert not found[~valid].any()


def test_a_causal_token_sees_nothing_behind_itself():
    encoder = make_encoder()
    changed = TOKENS.clone()
    changed[:, 20:] = 7
    assert torch.equal(encoder(TOKENS)[:, :20], encoder(changed)[:, :20])
    both = make_encoder(causal=False)
    assert not torch.equal(both(TOKENS)[:, :20], both(changed)[:, :20])
    assert torch.equal(both(TOKENS)[:, :16], both(changed)[:, :16])


@pytest.mark.parametrize("checkpoint_tokens", [1, 10**6])
def test_gradients_reach_every_weight_and_do_not_depend_on_checkpoints(checkpoint_tokens):
    torch.manual_seed(0)
    encoder = Encoder(dataclasses.replace(make_config(), checkpoint_tokens=checkpoint_tokens)).double()
    encoder(TOKENS).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in encoder.layers.parameters())
    torch.manual_seed(0)
    plain = Encoder(make_config()).double()
    plain(TOKENS).square().sum().backward()
    for mine, other in zip(encoder.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-10, rtol=0)


def test_evaluation_may_remember_more_than_training():
    encoder = make_encoder(memory=4, evaluation_memory=40)
    expected = make_encoder(memory=40)(TOKENS)
    assert torch.equal(encoder(TOKENS), expected)
    assert not torch.allclose(encoder.train()(TOKENS), expected)
    assert encoder.config.carried.memory == 40


def test_margins_let_embeddings_see_the_neighbouring_stretches():
    encoder = make_encoder(conv_width=5)
    assert encoder.config.embedded_neighbours == (2, 2)
    first, kept = encoder.read_stretch(TOKENS[:, :18], margins=(0, 2))
    second, _ = encoder.read_stretch(TOKENS[:, 14:], margins=(2, 0), kept=kept)
    torch.testing.assert_close(torch.cat((first, second), dim=1), encoder(TOKENS), atol=1e-12, rtol=0)


def test_bfloat16_is_near_float32():
    encoder = make_encoder().float()
    with torch.autocast("cpu", torch.bfloat16):
        found = encoder(TOKENS).float()
    torch.testing.assert_close(found, encoder(TOKENS), atol=0.06, rtol=0.06)  # eight bits of mantissa in three layers


def test_it_learns():
    """A token is told what stood eight tokens before it: in the memory of every second segment only."""
    torch.manual_seed(0)
    model = build_model(make_config(segment=4, memory=8), n_channels=64)
    tokens = torch.randint(5, 69, (8, 24))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(150):
        loss = torch.nn.functional.cross_entropy(model(tokens)[:, 8:].flatten(0, 1), (tokens[:, :-8] - 5).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_global_tokens": 1}, "n_global_tokens must be 0: attention transformer_xl has no global tokens, found 1"),
        ({"positions": "rotary"}, "positions must be none: attention transformer_xl .* found rotary"),
        ({"positions": "learned"}, "positions must be none: .* found learned"),
        ({"attention": {"name": "transformer_xl", "dilation": 2}}, "transformer_xl has no setting dilation"),
        ({"attention": {"name": "transformer_xl", "backend": "flex"}}, "transformer_xl has no setting backend"),
        ({"attention": {"name": "transformer_xl", "segment": 0}}, "segment must be a whole number of at least 1"),
        ({"attention": {"name": "transformer_xl", "memory": -1}}, "memory must be a whole number of at least 0"),
        ({"attention": {"name": "transformer_xl", "causal": 1}}, "causal must be true or false, not 1"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused_by_its_name(settings, message):
    with pytest.raises(ValueError, match=message):
        EncoderConfig.from_dict({**make_config().to_dict(), **settings})


def test_processes_do_not_share_a_sequence_and_no_longformer_is_written(tmp_path):
    with pytest.raises(ValueError, match="attention of a known reach, with output, found transformer_xl"):
        ContextParallelEncoder(make_encoder())
    with pytest.raises(UsageError, match="transformer_xl"):
        to_huggingface(make_encoder().float(), tmp_path / "out", with_tokenizer=False)


def make_module(task="mlm", encoder=None, **options) -> GenomeModule:
    torch.manual_seed(0)
    attention = {"name": "transformer_xl", "segment": 8, "memory": 8, **(encoder or {})}
    settings = {"d_model": D, "n_heads": H, "n_layers": 2, "d_ff": 32, "positions": "none", "attention": attention}
    made = GenomeModule(encoder=settings, task=task, **({"k": 3, "stride": 3, "tile_bp": 48} | options))
    made.begin(APPLICATIONS[task].task.load())
    if not made.is_built:
        made.build(["a", "b"])
    return made


@pytest.mark.parametrize("task", APPLICATIONS)
def test_every_task_builds_and_runs_forward(task):
    made = make_module(task).eval()
    batch = {"token_ids": TOKENS, "valid_mask": torch.arange(40) < torch.tensor([[40], [30]])}
    if task == "rna_pairs":
        batch["pair_features"] = torch.zeros(2, 3, 40, 40)
    found = made(batch)
    assert torch.isfinite(found).all() and len(found) == 2


def test_heads_of_whole_sequences_pool_over_tokens():
    made = make_module("function").eval()
    hidden = made.model.encoder(TOKENS)
    torch.testing.assert_close(made.model(TOKENS), made.model.head.projection(hidden.mean(1)), atol=1e-5, rtol=0)
    with pytest.raises(UsageError, match="pooling cls needs n_global_tokens"):
        make_module("function", options={"pooling": "cls"})


def test_a_bundle_is_read_as_it_was_written_and_trained_on_with_other_free_settings(tmp_path):
    made = make_module()
    save_bundle(tmp_path / "xl", model=made.model, config=made.bundle_config, card="#\n")
    bundle = load_bundle(tmp_path / "xl")
    assert torch.equal(bundle.model(TOKENS), made.model.eval()(TOKENS))
    start_from(make_module("gene_structure", {"memory": 16, "segment": 4}), str(tmp_path / "xl"))
    start_from(make_module("gene_structure", {"causal": False}), str(tmp_path / "xl"))
    other = make_module("gene_structure")
    other.bundle_config.encoder["attention"] = {"name": "full"}
    with pytest.raises(UsageError, match=r"attention\.name"):
        start_from(other, str(tmp_path / "xl"))


def test_adapters_change_all_projections():
    made = make_module(adapter_rank=2)
    freeze(made)
    trained = {name for name, weight in made.model.encoder.named_parameters() if weight.requires_grad}
    assert len(trained) == 2 * 3 * 2


def test_sinusoids_are_those_of_the_reference():
    layer = TransformerXLAttention(D, H, TransformerXLConfig()).double()
    expected = sinusoids(torch.arange(5, -4, -1, dtype=torch.float64), D)
    torch.testing.assert_close(layer.sinusoids(5, -3, torch.zeros(1, 1, D)), expected, atol=1e-12, rtol=0)
