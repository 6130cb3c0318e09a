"""The encoder: invariances, receptive field, edges, and that it learns."""

import dataclasses

import pytest
import torch

from genoformer.nn.attention.full import FullConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.attention.masks import token_roles
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder
from genoformer.nn.layers.refusals import TooManyTokensError

SMALL = EncoderConfig(
    vocab_size=69, d_model=16, n_heads=2, n_layers=2, d_ff=32, attention=LongformerConfig(window_radius=3), conv_width=3
)


def make_encoder(attention=SMALL.attention, backend="auto", **settings) -> Encoder:
    torch.manual_seed(0)
    attention = dataclasses.replace(attention, backend=backend)
    return Encoder(dataclasses.replace(SMALL, attention=attention, **settings)).double().eval()


def make_tokens(B: int, T: int) -> torch.Tensor:
    return torch.randint(1, 69, (B, T), generator=torch.Generator().manual_seed(1))


def leading(B: int, T: int, n: int) -> torch.Tensor:
    return (torch.arange(T) < n).expand(B, T)


VARIANTS = [
    {},
    {"n_global_tokens": 2},
    {"norm": "post"},
    {"positions": "learned"},
    {"positions": "none", "n_global_tokens": 2},
    {"attention": FullConfig(), "n_global_tokens": 2},
    {"attention": LongformerConfig(window_radius=(2, 5), dilation=(1, 3))},
    {"attention": LongformerConfig(window_radius=3, dilation=((1, 2), 3)), "n_global_tokens": 1},
    {"conv_width": 0, "n_global_tokens": 1},
]


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_every_backend_gives_the_same_hidden_states_and_gradients(settings):
    tokens, n = make_tokens(2, 75), settings.get("n_global_tokens", 0)
    masks = {"valid_mask": torch.arange(75)[None] < torch.tensor([[75], [50]]), "global_mask": leading(2, 75, n)}
    results = []
    for backend in ("reference", "fused", "blocked", "sdpa"):
        encoder = make_encoder(backend=backend, **settings)
        hidden = encoder(tokens, **masks)
        trained = [weight for weight in encoder.parameters() if weight.requires_grad]
        results.append((hidden, *torch.autograd.grad(hidden.square().sum(), trained)))
    for found in results[1:]:
        for mine, exact in zip(found, results[0], strict=True):
            torch.testing.assert_close(mine, exact, atol=1e-9, rtol=1e-9)  # sums over 2 000 squares


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_every_layer_reaches_as_far_as_its_settings_say_and_names_all_its_projections(settings):
    encoder = make_encoder(**settings)
    attentions, n_layers = encoder.attentions(), len(encoder.layers)
    assert tuple(one.reach_tokens for one in attentions) == encoder.config.attention.reaches(n_layers)
    for one in attentions:
        linear = [part for part in one.modules() if isinstance(part, torch.nn.Linear)]
        assert list(map(id, one.projections().values())) == list(map(id, linear))


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_a_stretch_is_read_like_a_whole_and_keeps_nothing(settings):
    encoder, tokens = make_encoder(**settings), make_tokens(2, 20)
    mask = leading(2, 20, settings.get("n_global_tokens", 0))
    hidden, kept = encoder.read_stretch(tokens, global_mask=mask)
    assert torch.equal(hidden, encoder(tokens, global_mask=mask)) and kept == ((), ())


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_batch_of_one_equals_batch_of_many(settings):
    encoder, tokens = make_encoder(backend="blocked", **settings), make_tokens(3, 40)
    mask = leading(3, 40, settings.get("n_global_tokens", 0))
    together = encoder(tokens, global_mask=mask)
    for row in range(3):
        alone = encoder(tokens[row : row + 1], global_mask=mask[row : row + 1])
        torch.testing.assert_close(together[row : row + 1], alone, atol=1e-12, rtol=0)


@pytest.mark.parametrize("backend", ["fused", "blocked", "sdpa"])
@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_more_padding_changes_nothing(settings, backend):
    encoder, tokens = make_encoder(backend=backend, **settings), make_tokens(2, 40)
    n = settings.get("n_global_tokens", 0)
    short = encoder(tokens, global_mask=leading(2, 40, n))
    padded = torch.cat((tokens, torch.zeros(2, 33, dtype=torch.int64)), dim=1)
    long = encoder(padded, valid_mask=leading(2, 73, 40), global_mask=leading(2, 73, n))
    torch.testing.assert_close(long[:, :40], short, atol=1e-12, rtol=0)
    assert (long[:, 40:] == 0).all()


def reach_of_one_output(encoder: Encoder, T: int, at: int, **masks) -> torch.Tensor:
    """Which embeddings have a gradient from the output of one token, bool [T]."""
    kept = {}

    def keep(module, inputs, output):
        kept["embedded"] = output.detach().requires_grad_()
        return kept["embedded"]

    handle = encoder.token_embedding.register_forward_hook(keep)
    encoder(make_tokens(1, T), **masks)[0, at].sin().sum().backward()
    handle.remove()
    return kept["embedded"].grad[0].abs().amax(dim=-1) > 0


@pytest.mark.parametrize("backend", ["reference", "fused", "blocked", "sdpa"])
@pytest.mark.parametrize("settings", [{}, {"attention": LongformerConfig(window_radius=(2, 5), dilation=(1, 3))}])
def test_gradient_is_zero_outside_the_receptive_field_and_only_there(settings, backend):
    encoder = make_encoder(backend=backend, **settings)
    field = encoder.config.receptive_field_tokens
    reached = reach_of_one_output(encoder, 80, 40)
    assert reached.nonzero().flatten().tolist()[0] == 40 - field
    assert reached.nonzero().flatten().tolist()[-1] == 40 + field


def test_global_token_reaches_everything():
    encoder = make_encoder(backend="blocked", n_global_tokens=1)
    assert reach_of_one_output(encoder, 80, 40, global_mask=leading(1, 80, 1)).all()


def test_convolution_neither_reads_nor_feeds_global_tokens():
    encoder = make_encoder(n_global_tokens=1)
    tokens, mask = make_tokens(1, 10), leading(1, 10, 1)
    other = tokens.clone()
    other[0, 0] = (tokens[0, 0] + 1) % 60 + 1
    from_one, from_other = (encoder.embed(ids, token_roles(None, mask), None) for ids in (tokens, other))
    assert torch.equal(from_one[:, 1:], from_other[:, 1:])
    assert torch.equal(from_one[:, 0], encoder.token_embedding(tokens[:, 0]))


def test_fully_padded_row_is_zero():
    for backend in ("blocked", "sdpa"):
        encoder = make_encoder(backend=backend)
        valid = torch.tensor([[True] * 9, [False] * 9])
        hidden = encoder(make_tokens(2, 9), valid_mask=valid)
        assert (hidden[1] == 0).all() and torch.isfinite(hidden).all()


@pytest.mark.parametrize("T", [0, 1, 2])
def test_tiny_inputs_are_legal(T):
    assert make_encoder()(make_tokens(2, T)).shape == (2, T, 16)


def test_window_longer_than_the_input_is_full_attention():
    wide, full = make_encoder(LongformerConfig(window_radius=500), "blocked"), make_encoder(FullConfig())
    tokens = make_tokens(2, 60)
    torch.testing.assert_close(wide(tokens), full(tokens), atol=1e-12, rtol=0)


def test_largest_token_id_is_legal_and_the_next_is_not():
    encoder = make_encoder()
    encoder(torch.tensor([[68]]))
    with pytest.raises(IndexError):
        encoder(torch.tensor([[69]]))


def test_padding_row_of_the_embedding_is_zero_and_stays_so():
    encoder = make_encoder()
    encoder(torch.zeros(1, 8, dtype=torch.int64)).sum().backward()
    weight = encoder.token_embedding.weight
    assert (weight[0] == 0).all() and (weight.grad[0] == 0).all()


def test_unknown_bases_share_one_row_of_their_own():
    encoder = make_encoder(base_embedding=True, stride=3)
    tokens, codes = make_tokens(1, 6), torch.zeros(1, 6, 3, dtype=torch.uint8)
    results = []
    for code in (0, 4, 9):
        codes[0, 2, 1] = code
        results.append(encoder(tokens, base_codes=codes))
    assert torch.equal(results[1], results[2])
    assert not torch.allclose(results[0], results[1])


def test_synonymous_codons_share_the_embedding_of_their_amino_acid():
    encoder = make_encoder(amino_acids=True, stride=3)
    embedding = encoder.amino_embedding
    codons = {codon: 5 + 16 * "ACGT".index(codon[0]) + 4 * "ACGT".index(codon[1]) + "ACGT".index(codon[2])
              for codon in ("CTA", "TTG", "ATG", "TAA", "TGA")}  # fmt: skip
    rows = {codon: embedding(torch.tensor([[token]]))[0, 0] for codon, token in codons.items()}
    assert torch.equal(rows["CTA"], rows["TTG"]) and torch.equal(rows["TAA"], rows["TGA"])
    assert not torch.equal(rows["CTA"], rows["ATG"])
    assert not embedding(torch.arange(5)[None]).any(), "special tokens stand for no amino acid"
    assert embedding.table.num_embeddings == 22
    with pytest.raises(ValueError, match="need codons"):
        dataclasses.replace(SMALL, amino_acids=True)


def test_words_of_amino_acids_are_those_of_the_protein_and_stop_at_what_is_no_codon():
    words = make_encoder(amino_acid_words=2, stride=3).word_embedding
    torch.nn.init.normal_(words.table.weight)
    # CTA ATG TTG ATG [UNK] ATG: the words LM, ML, LM, none, none, none.
    codons = torch.tensor([[5 + 28, 5 + 14, 5 + 62, 5 + 14, 1, 5 + 14]])
    found = words(codons)[0]
    assert torch.equal(found[0], found[2]) and not torch.equal(found[0], found[1])
    assert (found[3:] == words.table.weight[0]).all()
    with pytest.raises(ValueError, match="not 5"):
        dataclasses.replace(SMALL, amino_acid_words=5)


def test_missing_and_unwanted_base_codes_are_refused():
    with pytest.raises(ValueError, match="needs base_codes"):
        make_encoder(base_embedding=True)(make_tokens(1, 4))
    with pytest.raises(ValueError, match="does not take base_codes"):
        make_encoder()(make_tokens(1, 4), base_codes=torch.zeros(1, 4, 1))


def test_input_beyond_learned_positions_is_refused():
    with pytest.raises(TooManyTokensError, match="9 tokens, but learned positions end at max_tokens 8"):
        make_encoder(positions="learned", max_tokens=8)(make_tokens(1, 9))


def test_global_tokens_in_a_model_without_are_refused():
    with pytest.raises(ValueError, match="n_global_tokens"):
        make_encoder()(make_tokens(1, 9), global_mask=leading(1, 9, 1))


def test_model_without_global_tokens_has_no_projections_for_them():
    assert not any("global" in name for name, _ in make_encoder().named_parameters())
    assert any("query_global" in name for name, _ in make_encoder(n_global_tokens=1).named_parameters())


def test_every_trained_weight_has_a_gradient():
    encoder = make_encoder(n_global_tokens=1, base_embedding=True, positions="learned")
    codes = torch.zeros(1, 20, 1, dtype=torch.uint8)
    encoder(make_tokens(1, 20), global_mask=leading(1, 20, 1), base_codes=codes).square().sum().backward()
    assert all(weight.grad is not None for weight in encoder.parameters() if weight.requires_grad)


def test_bfloat16_autocast_is_near_float32():
    encoder = make_encoder(backend="blocked", d_model=64, n_global_tokens=1).float()
    tokens, mask = make_tokens(2, 90), leading(2, 90, 1)
    with torch.no_grad():
        exact = encoder(tokens, global_mask=mask)
        with torch.autocast("cpu", torch.bfloat16):
            found = encoder(tokens, global_mask=mask)
    # Hidden states are normalised to 1; two layers of eight roundings of 2^-8 each.
    torch.testing.assert_close(found, exact, atol=0.06, rtol=0)


def test_dropout_acts_in_training_only():
    encoder = make_encoder(dropout=0.5)
    tokens = make_tokens(1, 20)
    assert torch.equal(encoder(tokens), encoder(tokens))
    encoder.train()
    assert not torch.equal(encoder(tokens), encoder(tokens))
