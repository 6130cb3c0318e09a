"""Folders that transformers wrote, as our encoder: the same hidden states, or an error that names what is wrong."""

import itertools
import json

import pytest
import torch
from hugging_face import assert_equal_hidden, make_batch, our_hidden, randomise, their_hidden
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    LongformerConfig,
    LongformerForMaskedLM,
    LongformerModel,
)

from genoformer.errors import GenoformerError, RefusedError, UsageError
from genoformer.interop import from_huggingface, to_huggingface
from genoformer.sequence.kmers import SPECIAL_NAMES, KmerTokenizer

SIZES = {
    "vocab_size": 69, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
}  # fmt: skip
DNABERT_WORDS = [*SPECIAL_NAMES, *map("".join, itertools.product("ATCG", repeat=3))]
"""In the order of DNABERT: A, T, C, G.

Reference: Ji, Zhou, Liu and Davuluri 2021, DNABERT; vocab.txt of its repository.
"""


def make_longformer(kind=LongformerModel, **settings):
    given = {"attention_window": 8, "max_position_embeddings": 42, "pad_token_id": 0, **SIZES, **settings}
    return randomise(kind(LongformerConfig(**given)))


def make_bert(kind=BertModel, **settings):
    return randomise(kind(BertConfig(**{"max_position_embeddings": 40, **SIZES, **settings})))


def save_dnabert(model, folder):
    """As the authors of DNABERT did: a word list without a line end, and a sparse configuration."""
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(DNABERT_WORDS))
    return folder


def change_config(folder, **changes):
    path = folder / "config.json"
    stored = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in stored.items() if value != "absent"}))


@pytest.mark.parametrize("n_global", [0, 1, 3])
@pytest.mark.parametrize("settings", [{}, {"attention_window": [4, 8], "layer_norm_eps": 1e-2}], ids=str)
def test_longformer_gives_the_same_hidden_states(settings, n_global, tmp_path):
    theirs = make_longformer(**settings)
    theirs.save_pretrained(tmp_path)
    batch = make_batch(n_global=n_global)
    ours = from_huggingface(tmp_path)
    assert_equal_hidden(our_hidden(ours, *batch), their_hidden(theirs, *batch), batch[1])
    assert not ours.training


def test_longformer_with_another_padding_id_keeps_its_ids(tmp_path):
    theirs = make_longformer(pad_token_id=1, max_position_embeddings=43)
    theirs.save_pretrained(tmp_path / "a")
    token_ids, valid, is_global = make_batch(n_global=1)
    token_ids = torch.where(valid, token_ids.clamp(min=2), 1)
    token_ids[:, 0] = 0  # a word like any other here
    ours = from_huggingface(tmp_path / "a")
    assert_equal_hidden(
        our_hidden(ours, token_ids, valid, is_global), their_hidden(theirs, token_ids, valid, is_global), valid
    )
    assert ours.token_embedding.padding_idx == 1
    to_huggingface(ours, tmp_path / "b")
    again = LongformerModel.from_pretrained(tmp_path / "b", add_pooling_layer=False).eval()
    assert_equal_hidden(
        our_hidden(ours, token_ids, valid, is_global), their_hidden(again, token_ids, valid, is_global), valid
    )
    assert not (tmp_path / "b" / "tokenizer.json").exists()


def write_sharded(model, folder):
    model.save_pretrained(folder, max_shard_size="8KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1


def write_pickled(model, folder):
    model.save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")


def write_half(model, folder):
    model.to(torch.float16).save_pretrained(folder)
    model.to(torch.float32)


@pytest.mark.parametrize("write", [write_sharded, write_pickled, write_half])
def test_checkpoint_with_a_head_is_read_from_every_kind_of_file(write, tmp_path):
    theirs = make_longformer(LongformerForMaskedLM)
    write(theirs, tmp_path)
    batch = make_batch(n_global=1)
    ours = from_huggingface(tmp_path)
    assert_equal_hidden(our_hidden(ours, *batch), their_hidden(theirs.longformer, *batch), batch[1])


def to_dnabert(token_ids):
    """Our ids as those of DNABERT, through the words."""
    tokenizer = KmerTokenizer(k=3)
    rows = torch.tensor([DNABERT_WORDS.index(tokenizer.kmer(token_id)) for token_id in range(69)])
    assert rows.tolist() != list(range(69))
    return rows[token_ids]


@pytest.mark.parametrize("n_global", [0, 1])
@pytest.mark.parametrize("kind", [BertModel, BertForMaskedLM])
def test_bert_over_kmers_gives_the_same_hidden_states(kind, n_global, tmp_path):
    theirs = make_bert(kind)
    token_ids, valid, is_global = make_batch(n_global=n_global)
    found = our_hidden(from_huggingface(save_dnabert(theirs, tmp_path)), token_ids, valid, is_global)
    base = theirs if kind is BertModel else theirs.bert
    with torch.no_grad():
        expected = base(input_ids=to_dnabert(token_ids), attention_mask=valid.long()).last_hidden_state
    assert_equal_hidden(found, expected, valid)


def test_sparse_configuration_of_dnabert_is_completed(tmp_path):
    save_dnabert(make_bert(), tmp_path)
    expected = from_huggingface(tmp_path)
    kept = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings")
    stored = json.loads((tmp_path / "config.json").read_text())
    sparse = {"architectures": ["BertForMaskedLM"], **{key: stored[key] for key in kept}}
    (tmp_path / "config.json").write_text(json.dumps(sparse))
    found = from_huggingface(tmp_path)
    assert found.config == expected.config and found.config.norm_eps == 1e-12
    assert all(torch.equal(t, expected.state_dict()[name]) for name, t in found.state_dict().items())


def test_window_and_positions_of_a_converted_bert_can_be_chosen(tmp_path):
    theirs = make_bert()
    save_dnabert(theirs, tmp_path)
    ours = from_huggingface(tmp_path, max_tokens=100, window_radius=5, n_global_tokens=0)
    config = ours.config
    assert (config.max_tokens, config.attention.radii(2), config.n_global_tokens) == (100, (5, 5), 0)
    table = ours.position_embedding.weight
    assert torch.equal(table[:40], table[40:80]) and torch.equal(table[:20], table[80:])
    # Six tokens see each other through a radius of 5; of seven, the outer ones do not.
    for n_tokens, is_covered in ((6, True), (7, False)):
        token_ids = torch.arange(10, 10 + n_tokens)[None]
        with torch.no_grad():
            expected = theirs(input_ids=to_dnabert(token_ids)).last_hidden_state
            assert torch.allclose(ours(token_ids), expected, atol=1e-4, rtol=0) == is_covered


def test_converted_bert_becomes_a_longformer_of_transformers(tmp_path):
    save_dnabert(make_bert(), tmp_path / "bert")
    ours = from_huggingface(tmp_path / "bert", max_tokens=64, window_radius=4)
    to_huggingface(ours, tmp_path / "longformer")
    theirs = LongformerModel.from_pretrained(tmp_path / "longformer", add_pooling_layer=False).eval()
    batch = make_batch(n_global=1)
    assert_equal_hidden(our_hidden(ours, *batch), their_hidden(theirs, *batch), batch[1])


def test_surplus_rows_of_the_embedding_are_dropped(tmp_path):
    save_dnabert(make_bert(vocab_size=80), tmp_path)
    assert from_huggingface(tmp_path).config.vocab_size == 69


@pytest.mark.parametrize(
    ("make", "changes", "named", "code"),
    [
        (make_bert, {"model_type": "gpt2"}, "model_type is gpt2", 65),
        (make_bert, {"model_type": "absent", "architectures": ["T5Model"]}, "T5Model", 65),
        (make_bert, {"model_type": ["bert"]}, r"model_type is \['bert'\]", 65),
        (make_bert, {"hidden_act": "relu"}, "hidden_act 'relu'", 65),
        (make_longformer, {"hidden_act": "gelu_new"}, "hidden_act 'gelu_new'", 65),
        (make_bert, {"position_embedding_type": "relative_key"}, "relative_key", 65),
        (make_bert, {"is_decoder": True}, "is_decoder True", 65),
        (make_bert, {"num_attention_heads": 3}, "n_heads 3", 65),
        (make_bert, {"num_hidden_layers": 1}, r"encoder\.layer\.1", 65),
        (make_bert, {"num_hidden_layers": 3}, r"encoder\.layer\.2", 65),
        (make_bert, {"num_hidden_layers": "2"}, "num_hidden_layers, found '2'", 65),
        (make_bert, {"intermediate_size": 25}, "widen", 65),
        (make_bert, {"hidden_size": 18}, r"not \[any, 18\]", 65),
        (make_bert, {"max_position_embeddings": 41}, r"not \[41, 16\]", 65),
        (make_longformer, {"attention_window": 7}, "attention_window, found 7", 65),
        (make_longformer, {"attention_window": [8]}, "names 1 layers", 65),
        (make_longformer, {"layer_norm_eps": 0}, "norm_eps", 65),
    ],
)
def test_configuration_that_cannot_be_represented_is_named(make, changes, named, code, tmp_path):
    save_dnabert(make(), tmp_path)
    change_config(tmp_path, **changes)
    with pytest.raises(GenoformerError, match=named) as caught:
        from_huggingface(tmp_path)
    assert caught.value.exit_code == code


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([*SPECIAL_NAMES, "the", "of"], '"the"'),
        ([*DNABERT_WORDS[:-1], "GG"], '"GG"'),
        ([*DNABERT_WORDS[:-1], "GGN"], '"GGN"'),
        ([*DNABERT_WORDS[:-1], "AAA"], '"AAA" stands there twice'),
        (DNABERT_WORDS[:-1], "lacks GGG"),
        (DNABERT_WORDS[1:], r"lacks \[PAD\]"),
        (list(SPECIAL_NAMES), "lacks A"),
        ([*SPECIAL_NAMES, *map("".join, itertools.product("ACGT", repeat=4))], "ids up to 260"),
        (None, r"no vocab\.txt"),
    ],
)
def test_vocabulary_of_something_else_is_named(words, named, tmp_path):
    save_dnabert(make_bert(num_hidden_layers=1), tmp_path)
    (tmp_path / "vocab.txt").unlink()
    if words is not None:
        (tmp_path / "vocab.txt").write_text("\n".join(words))
    with pytest.raises(GenoformerError, match=named) as caught:
        from_huggingface(tmp_path)
    assert caught.value.exit_code == 65


class Shell:
    """What a pickle can smuggle in."""

    def __reduce__(self):
        return print, ("this was run",)


def test_pickle_with_more_than_tensors_is_not_run(tmp_path, capsys):
    write_pickled(make_bert(num_hidden_layers=1), tmp_path)
    torch.save({"weight": Shell()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(RefusedError, match=r"pytorch_model\.bin.*more than tensors") as caught:
        from_huggingface(tmp_path)
    assert caught.value.exit_code == 77
    assert "this was run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("config.json", None, 66),
        ("config.json", "[]", 65),
        ("config.json", "{", 65),
        ("model.safetensors", None, 66),
        ("model.safetensors", "short", 65),
        ("model.safetensors.index.json", '{"weight_map": {"a": "../model.safetensors"}}', 65),
        ("model.safetensors.index.json", '{"weight_map": {"a": "model-1.safetensors"}}', 66),
        ("model.safetensors.index.json", "{}", 65),
        ("pytorch_model.bin", "", 65),
    ],
)
def test_missing_or_damaged_file_is_named(name, content, code, tmp_path):
    save_dnabert(make_bert(num_hidden_layers=1), tmp_path)
    if name not in ("config.json", "model.safetensors"):
        (tmp_path / "model.safetensors").unlink()
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)
    with pytest.raises(GenoformerError, match=name.partition(".")[0]) as caught:
        from_huggingface(tmp_path)
    assert caught.value.exit_code == code


@pytest.mark.parametrize(
    ("options", "named"),
    [({"max_tokens": 0}, "max_tokens"), ({"window_radius": 0}, "window_radius"), ({"n_global_tokens": -1}, "-1")],
)
def test_option_out_of_range_is_named(options, named, tmp_path):
    with pytest.raises(UsageError, match=named):
        from_huggingface(tmp_path, **options)


def test_longformer_takes_no_options_of_a_bert(tmp_path):
    make_longformer(num_hidden_layers=1).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="max_tokens and window_radius"):
        from_huggingface(tmp_path, max_tokens=10)
