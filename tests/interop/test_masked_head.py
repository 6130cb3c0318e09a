"""The head of a masked language model at Hugging Face, and back."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from hugging_face import EXPORTABLE, randomise
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, LongformerForMaskedLM, pipeline

from genoformer.bundle.folder import load_bundle, network_of, save_bundle
from genoformer.bundle.header import BundleConfig
from genoformer.cli.main import main
from genoformer.interop import kmer_text, to_huggingface
from genoformer.interop.masked_head import NEVER, from_lm_head, to_lm_head
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.kmers import MASK_ID, N_SPECIAL, KmerTokenizer

BASES = "ACGTTGCAACGGTATTGACCATGCA"


def write_bundle(folder, *, k=3, stride=3, n_global_tokens=0, labels="ACGT"):
    """A masked language model with random weights, norms and biases included."""
    encoder = dataclasses.replace(
        EXPORTABLE, vocab_size=N_SPECIAL + 4**k, stride=stride, n_global_tokens=n_global_tokens, norm_eps=1e-5
    )
    task = "mlm" if labels == "ACGT" else "gene_structure"
    config = BundleConfig(task, {"name": "base"}, encoder.to_dict(), k=k, stride=stride, labels=list(labels))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = network_of(config)
    save_bundle(folder, model=randomise(model), config=config, card="# mine\n\nTrained on phages.\n")
    return folder


def export(folder, *words):
    assert main(["export", str(folder), "-o", str(folder.parent / "hf"), *words]) == 0
    return folder.parent / "hf"


def base_log_probabilities(bundle, token_ids):
    """What our model says of the bases that tokens own, float32 [T, stride, 4]."""
    front = torch.full((1, bundle.config.encoder["n_global_tokens"]), 2)
    with torch.no_grad():
        logits = bundle.model(torch.cat([front, token_ids[None]], dim=1))[0]
    return torch.log_softmax(logits.unflatten(0, (-1, bundle.config.stride)), dim=-1)


def kmer_log_probabilities(bundle, token_ids):
    """The same of k-mers: the sum over the bases that a token owns, each by the letter there, [T, 4 ** k]."""
    found, tokenizer = base_log_probabilities(bundle, token_ids), bundle.tokenizer
    words = [encode_bases(tokenizer.kmer(i))[: tokenizer.stride] for i in range(N_SPECIAL, tokenizer.vocab_size)]
    index = torch.arange(tokenizer.stride)
    return torch.stack([found[:, index, torch.tensor(word).long()].sum(dim=1) for word in words], dim=1)


@pytest.mark.parametrize("settings", [{}, {"stride": 1}, {"k": 4, "stride": 2}, {"n_global_tokens": 2}], ids=str)
def test_transformers_gives_the_same_logits(settings, tmp_path):
    folder = export(write_bundle(tmp_path / "a", **settings))
    bundle, tokenizer = load_bundle(tmp_path / "a"), AutoTokenizer.from_pretrained(folder)
    theirs, report = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert type(theirs) is LongformerForMaskedLM
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    batch = tokenizer(kmer_text(BASES[:10] + "?" + BASES[11:], bundle.tokenizer), return_tensors="pt")
    n_global = bundle.config.encoder["n_global_tokens"]
    is_global = (torch.arange(batch["input_ids"].shape[1]) < n_global).long()[None]
    with torch.no_grad():
        logits = theirs.eval()(**batch, global_attention_mask=is_global).logits[0, n_global:]
    assert logits[:, :N_SPECIAL].max() < 0.9 * NEVER
    found = torch.log_softmax(logits[:, N_SPECIAL:], dim=1)
    unowned = 4 ** (bundle.config.k - bundle.config.stride)  # k-mers that differ in no owned base share alike
    expected = kmer_log_probabilities(bundle, batch["input_ids"][0, n_global:]) - np.log(unowned)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-4)


def test_the_pipeline_fills_a_hidden_word_as_our_model_does(tmp_path):
    folder = export(write_bundle(tmp_path / "a"))
    bundle = load_bundle(tmp_path / "a")
    text = kmer_text(BASES[:9] + "???" + BASES[12:24], bundle.tokenizer)
    assert text.split()[3] == "[MASK]"
    fill = pipeline("fill-mask", model=str(folder))
    found = fill(text, top_k=64)
    token_ids = torch.tensor(fill.tokenizer(text)["input_ids"])
    assert token_ids[3] == MASK_ID and len(found) == 64
    expected = kmer_log_probabilities(bundle, token_ids)[3].exp()
    assert [answer["token"] - N_SPECIAL for answer in found[:5]] == expected.topk(5).indices.tolist()
    for answer in found:
        assert answer["score"] == pytest.approx(float(expected[answer["token"] - N_SPECIAL]), abs=1e-4)


def test_the_encoder_alone_is_still_read(tmp_path):
    folder = export(write_bundle(tmp_path / "a"))
    _, report = AutoModel.from_pretrained(folder, add_pooling_layer=False, output_loading_info=True)
    assert not report["missing_keys"]


@pytest.mark.parametrize("settings", [{}, {"stride": 1}, {"k": 4, "stride": 2, "n_global_tokens": 1}], ids=str)
def test_there_and_back_says_the_same_of_every_base(settings, tmp_path, capsys):
    folder = export(write_bundle(tmp_path / "a", **settings))
    assert main(["import", str(folder), "-o", str(tmp_path / "b")]) == 0
    assert "its head for mlm" in capsys.readouterr().out
    before, after = load_bundle(tmp_path / "a"), load_bundle(tmp_path / "b")
    assert after.config.task == "mlm" and after.config.labels == list("ACGT")
    token_ids = torch.from_numpy(before.tokenizer.encode(encode_bases(BASES)).astype(np.int64))
    found, expected = (base_log_probabilities(bundle, token_ids) for bundle in (after, before))
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)
    card = (tmp_path / "b/model_card.md").read_text()
    assert "Its head for mlm is as it was exported" in card and "lm_head" not in card


def test_a_new_head_is_made_on_request(tmp_path):
    folder = export(write_bundle(tmp_path / "a"))
    assert main(["import", str(folder), "-o", str(tmp_path / "b"), "--new-head"]) == 0
    assert load_bundle(tmp_path / "b").config.task == "gene_structure"


def test_a_head_that_was_trained_further_is_none_of_ours(tmp_path):
    folder = export(write_bundle(tmp_path / "a"))
    theirs = LongformerForMaskedLM.from_pretrained(folder)
    randomise(theirs).save_pretrained(folder)
    assert main(["import", str(folder), "-o", str(tmp_path / "b")]) == 0
    assert "is new: random weights" in (tmp_path / "b/model_card.md").read_text()


def test_other_heads_stay_in_the_bundle(tmp_path):
    folder = export(write_bundle(tmp_path / "a", labels="abcde"))
    assert json.loads((folder / "config.json").read_text())["architectures"] == ["LongformerModel"]
    assert "feature-extraction" in (folder / "README.md").read_text()


def test_by_hand():
    """Two features, k 1: logits of A, C, G and T are 1, 2, 3 and 4 times the first one."""
    head = {"weight": torch.tensor([[1.0, 0], [2, 0], [3, 0], [4, 0]]), "bias": torch.zeros(4)}
    norm = {"weight": torch.tensor([2.0, 2.0]), "bias": torch.tensor([0.5, 0.0])}
    state = to_lm_head(head, norm, KmerTokenizer(k=1))
    assert state["lm_head.decoder.weight"][5:].tolist() == [[2, 0], [4, 0], [6, 0], [8, 0]]
    assert state["lm_head.decoder.bias"].tolist() == [NEVER] * 5 + [0.5, 1.0, 1.5, 2.0]
    dense = state["lm_head.dense.weight"], state["lm_head.dense.bias"]
    lifted = torch.nn.functional.linear(torch.tensor([2.5, -2.0]), *dense)
    assert lifted.tolist() == pytest.approx([1 + 8 + 2**0.5, -1 + 8 + 2**0.5])
    back = from_lm_head(state, norm, KmerTokenizer(k=1))
    torch.testing.assert_close(back["weight"], head["weight"])
    torch.testing.assert_close(back["bias"], head["bias"])


def test_a_feature_that_the_norm_hides_leaves_the_head_out():
    head = {"weight": torch.ones(4, 2), "bias": torch.zeros(4)}
    norm = {"weight": torch.tensor([1.0, 0.0]), "bias": torch.zeros(2)}
    assert to_lm_head(head, norm, KmerTokenizer(k=1)) is None


@pytest.mark.parametrize(("k", "stride"), [(1, 1), (3, 1), (3, 3), (4, 3)])
@pytest.mark.parametrize("bases", ["ACGTTGCANNACGGTA", "AC", "acgu"])
def test_text_of_a_raw_sequence_has_the_ids_of_our_tokenizer(k, stride, bases, tmp_path):
    tokenizer = KmerTokenizer(k=k, stride=stride)
    to_huggingface(load_bundle(write_bundle(tmp_path / "a", k=k, stride=stride)), tmp_path / "hf")
    found = AutoTokenizer.from_pretrained(tmp_path / "hf")(kmer_text(bases, tokenizer))["input_ids"]
    assert found == tokenizer.encode(encode_bases(bases)).tolist()


def test_card_shows_a_helper_that_makes_the_same_text_and_says_what_was_trained(tmp_path):
    card = (export(write_bundle(tmp_path / "a", stride=2)) / "README.md").read_text()
    front, body = card.removeprefix("---\n").split("\n---\n")
    assert "library_name: transformers" in front and "pipeline_tag: fill-mask" in front
    assert "> Trained on phages." in body and str(tmp_path) not in card
    code = body.split("```python\n")[1].split("```")[0]
    scope = {}
    exec(code, scope)  # the code that the card shows
    for bases in ("ACGTTGCANNACGGTA", "ACGT?TACG"):
        assert scope["words"](bases) == kmer_text(bases, KmerTokenizer(k=3, stride=2))
