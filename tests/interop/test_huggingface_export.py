"""An exported folder, as transformers reads it: the same hidden states, the same ids, or a refusal."""

import dataclasses
import json

import pytest
import torch
from hugging_face import EXPORTABLE, assert_equal_hidden, make_batch, our_hidden, their_hidden, tiny_encoder
from transformers import AutoModel, AutoTokenizer, LongformerModel

from genoformer.errors import OutputExistsError, UsageError
from genoformer.interop import from_huggingface, to_huggingface
from genoformer.interop.huggingface_export import FILES
from genoformer.nn.attention.full import FullConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.heads import BaseHead
from genoformer.nn.model import GenomeModel
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.kmers import KmerTokenizer

VARIANTS = [
    {},
    {"attention": LongformerConfig(window_radius=(2, 4))},
    {"attention": LongformerConfig(window_radius=100)},
    {"n_global_tokens": 2, "norm_eps": 1e-3},
]


def exported(tmp_path, **settings):
    """(our encoder, their model)."""
    encoder = tiny_encoder(dataclasses.replace(EXPORTABLE, **settings))
    to_huggingface(encoder, tmp_path / "hf")
    return encoder, AutoModel.from_pretrained(tmp_path / "hf", add_pooling_layer=False).eval()


@pytest.mark.parametrize("n_global", [0, 1, 3])
@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_transformers_gives_the_same_hidden_states(settings, n_global, tmp_path):
    encoder, theirs = exported(tmp_path, **settings)
    assert type(theirs) is LongformerModel
    batch = make_batch(n_global=n_global)
    assert_equal_hidden(their_hidden(theirs, *batch), our_hidden(encoder, *batch), batch[1])


def test_all_positions_can_be_used(tmp_path):
    encoder, theirs = exported(tmp_path)
    token_ids = torch.arange(5, 45)[None]
    masks = torch.ones_like(token_ids).bool(), torch.zeros_like(token_ids).bool()
    assert_equal_hidden(their_hidden(theirs, token_ids, *masks), our_hidden(encoder, token_ids, *masks), masks[0])


def test_encoder_without_global_tokens_is_written_with_copies_of_the_local_projections(tmp_path):
    encoder, theirs = exported(tmp_path, n_global_tokens=0)
    batch = make_batch()
    assert_equal_hidden(their_hidden(theirs, *batch), our_hidden(encoder, *batch), batch[1])
    for layer in theirs.encoder.layer:
        attention = layer.attention.self
        for name in ("query", "key", "value"):
            local, of_global = getattr(attention, name), getattr(attention, f"{name}_global")
            assert torch.equal(local.weight, of_global.weight) and torch.equal(local.bias, of_global.bias)


def test_transformers_finds_every_weight_and_no_other(tmp_path):
    to_huggingface(tiny_encoder(EXPORTABLE), tmp_path / "hf")
    _, report = LongformerModel.from_pretrained(tmp_path / "hf", add_pooling_layer=False, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]


@pytest.mark.parametrize(
    "settings",
    [{}, {"n_global_tokens": 0}, {"attention": LongformerConfig(window_radius=(2, 4)), "stride": 3, "dropout": 0.1}],
    ids=str,
)
def test_there_and_back_changes_no_bit(settings, tmp_path):
    encoder = tiny_encoder(dataclasses.replace(EXPORTABLE, **settings))
    to_huggingface(encoder, tmp_path / "hf")
    back = from_huggingface(tmp_path / "hf")
    assert back.config == encoder.config
    state = back.state_dict()
    assert state.keys() == encoder.state_dict().keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in encoder.state_dict().items())


def test_exporting_changes_neither_the_model_nor_the_random_state(tmp_path):
    model = GenomeModel(tiny_encoder(EXPORTABLE), BaseHead(16, 5, 1), n_global_tokens=1).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    random_state = torch.get_rng_state()
    to_huggingface(model, tmp_path / "hf")
    from_huggingface(tmp_path / "hf")
    assert torch.equal(torch.get_rng_state(), random_state)
    assert model.training and all(torch.equal(t, before[name]) for name, t in model.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"positions": "rotary"}, "positions rotary"),
        ({"positions": "none"}, "positions none"),
        ({"norm": "pre"}, "norm pre"),
        ({"attention": FullConfig()}, "attention full"),
        ({"attention": LongformerConfig(dilation=(1, 2))}, "dilation 2"),
        ({"conv_width": 3}, "conv_width 3"),
        ({"base_embedding": True}, "base_embedding true"),
        ({"amino_acid_words": 3, "vocab_size": 69, "stride": 3}, "amino_acid_words 3"),
        ({"amino_acids": True, "vocab_size": 69, "stride": 3}, "amino_acids true"),
        ({"attention": LongformerConfig(window_radius=(3, 4))}, r"window_radius \(3, 4\)"),
    ],
)
def test_feature_that_transformers_lacks_is_named(settings, named, tmp_path):
    with pytest.raises(UsageError, match=named) as caught:
        to_huggingface(tiny_encoder(dataclasses.replace(EXPORTABLE, **settings)), tmp_path / "hf")
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_something_else_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Linear"):
        to_huggingface(torch.nn.Linear(2, 2), tmp_path / "hf")


@pytest.mark.parametrize("k", [1, 3, 4])
def test_tokenizer_gives_the_ids_of_ours(k, tmp_path):
    ours = KmerTokenizer(k=k)
    config = dataclasses.replace(EXPORTABLE, vocab_size=ours.vocab_size, n_global_tokens=0, n_layers=1)
    to_huggingface(tiny_encoder(config), tmp_path / "hf")
    theirs = AutoTokenizer.from_pretrained(tmp_path / "hf")
    vocabulary = [ours.kmer(token_id) for token_id in range(ours.vocab_size)]
    unknown = ["N" * k, "ACGT"[: k - 1] + "N", "ACGT"[: k - 1] + "R"]
    words = [*vocabulary, *unknown, "acgu"[-k:], "GUCA"[:k], "n" * k]
    assert theirs(" ".join(words))["input_ids"] == [ours.token_id(word) for word in words]
    assert theirs.convert_ids_to_tokens(list(range(ours.vocab_size))) == vocabulary
    assert len(theirs) == ours.vocab_size
    special = theirs.pad_token_id, theirs.unk_token_id, theirs.cls_token_id, theirs.sep_token_id, theirs.mask_token_id
    assert special == (0, 1, 2, 3, 4)


def test_text_of_a_sequence_goes_all_the_way(tmp_path):
    encoder = tiny_encoder(EXPORTABLE)
    to_huggingface(encoder, tmp_path / "hf")
    ours, theirs = KmerTokenizer(k=3), AutoTokenizer.from_pretrained(tmp_path / "hf")
    pieces = [ours.encode(encode_bases(bases)).tolist() for bases in ("ACGTTGCANNACGGTA", "TTGAC")]
    texts = [" ".join(ours.kmer(token_id) for token_id in piece) for piece in pieces]
    batch = theirs(texts, padding=True, return_tensors="pt")
    # One [CLS] in front, as collate puts it; nothing behind.
    token_ids = torch.tensor([[2, *pieces[0]], [2, *pieces[1], *[0] * 11]])
    assert torch.equal(batch["input_ids"], token_ids)
    valid, is_global = token_ids != 0, token_ids == 2
    assert torch.equal(batch["attention_mask"], valid.long())
    assert set(batch) == {"input_ids", "attention_mask"}
    model = AutoModel.from_pretrained(tmp_path / "hf", add_pooling_layer=False).eval()
    with torch.no_grad():
        found = model(**batch, global_attention_mask=is_global.long()).last_hidden_state
    assert_equal_hidden(found, our_hidden(encoder, token_ids, valid, is_global), valid)


def test_encoder_with_ids_of_its_own_gets_no_tokenizer(tmp_path):
    odd = tiny_encoder(dataclasses.replace(EXPORTABLE, vocab_size=70))
    to_huggingface(odd, tmp_path / "odd")
    to_huggingface(tiny_encoder(EXPORTABLE), tmp_path / "unwanted", with_tokenizer=False)
    for name in ("odd", "unwanted"):
        assert {path.name for path in (tmp_path / name).iterdir()} == {"config.json", "model.safetensors", "README.md"}
    assert from_huggingface(tmp_path / "odd").config == odd.config


def test_equal_encoders_give_equal_bytes(tmp_path):
    for name in "ab":
        to_huggingface(tiny_encoder(EXPORTABLE), tmp_path / name)
    assert {path.name for path in (tmp_path / "a").iterdir()} == set(FILES)
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_existing_folder_is_kept_unless_it_may_be_replaced(tmp_path):
    out = tmp_path / "hf"
    out.mkdir()
    to_huggingface(tiny_encoder(EXPORTABLE), out)
    other = tiny_encoder(dataclasses.replace(EXPORTABLE, n_layers=1))
    with pytest.raises(OutputExistsError, match=r"config\.json.*--overwrite") as caught:
        to_huggingface(other, out)
    assert caught.value.exit_code == 73
    assert json.loads((out / "config.json").read_text())["num_hidden_layers"] == 2
    to_huggingface(other, out, overwrite=True)
    assert json.loads((out / "config.json").read_text())["num_hidden_layers"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["hf"]


def test_folder_with_files_of_others_is_never_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("ten years")
    with pytest.raises(OutputExistsError, match=r"thesis\.tex"):
        to_huggingface(tiny_encoder(EXPORTABLE), tmp_path, overwrite=True)
    with pytest.raises(OutputExistsError, match="no folder"):
        to_huggingface(tiny_encoder(EXPORTABLE), tmp_path / "thesis.tex", overwrite=True)
    with pytest.raises(OutputExistsError, match="cannot create"):
        to_huggingface(tiny_encoder(EXPORTABLE), tmp_path / "thesis.tex" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_interrupted_export_leaves_nothing(tmp_path, monkeypatch):
    def stop(*args, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("genoformer.interop.huggingface_export.write_tokenizer", stop)
    with pytest.raises(KeyboardInterrupt):
        to_huggingface(tiny_encoder(EXPORTABLE), tmp_path / "hf")
    assert list(tmp_path.iterdir()) == []
