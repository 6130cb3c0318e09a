"""The causal language model: tokens one place late, the chain rule, training with and without memory, new sequence."""

import json
import math

import numpy as np
import pytest
import torch

from genoformer.api import load_model
from genoformer.applications.pretraining.generate import CarryingReader, Drawing, WholeReader, generate
from genoformer.applications.pretraining.next_base_caller import NextBaseCaller, bits_per_base
from genoformer.applications.pretraining.next_base_data import NextBaseData
from genoformer.batches.next_bases import next_base_item, one_token_late
from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.bundle.header import BundleConfig
from genoformer.cli.main import main
from genoformer.errors import DataError, UsageError
from genoformer.genomes.splits import Region
from genoformer.inference.interface import Speed
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement
from genoformer.sequence.fasta import read_fasta
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.sequence.records import Record
from genoformer.tasks import clm
from genoformer.training.module import GenomeModule
from genoformer.training.settings import Loader, ModelReading, RegionSplit

TINY = """
trainer: {max_steps: 300, accelerator: cpu, enable_progress_bar: false}
model:
  task: clm
  k: 1
  stride: 1
  encoder: {d_model: 32, n_heads: 2, n_layers: 2, d_ff: 32, conv_width: 0, positions: none}
  lr: 1.0e-2
  warmup_steps: 10
  tile_bp: 64
  context_bp: 0
data:
  crop_bp: 128
  split: {validation: 0.1, test: 0.1, guard_bp: 50}
  loader: {batch_size: 4, samples_per_epoch: 600}
"""
XL = {"name": "transformer_xl", "segment": 16, "memory": 16}
CAUSAL = {
    "transformer_xl": {"attention": XL, "positions": "none"},
    "longformer": {"attention": {"name": "longformer", "window_radius": 4, "causal": True}, "positions": "rotary"},
    "full": {"attention": {"name": "full", "causal": True}, "positions": "rotary"},
    "reformer": {
        "attention": {"name": "reformer", "causal": True, "chunk_tokens": 2, "n_buckets": 4},
        "positions": "rotary",
    },
}


class Bases:
    """A store of one record."""

    def __init__(self, text):
        self.codes = encode_bases(text)

    def bases(self, record, start, end):
        return self.codes[start:end]


def write_bundle(folder, name, k=1, **settings):
    encoder = EncoderConfig.from_dict(
        {"vocab_size": 5 + 4**k, "d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 32, "conv_width": 0, "stride": k}
        | CAUSAL[name] | settings
    )  # fmt: skip
    torch.manual_seed(1)
    model = build_model(encoder, n_channels=4).eval()
    with torch.no_grad():
        model.head.projection.weight.mul_(10)  # far from even, so that a wrong place shows
    config = BundleConfig(
        task="clm", head={"name": "base"}, encoder=encoder.to_dict(), k=k, stride=k, tile_bp=48, context_bp=0,
        labels=["A", "C", "G", "T"],
    )  # fmt: skip
    save_bundle(folder, model=model, config=config, card="# tiny\n")
    return load_bundle(folder)


def random_codes(length, seed=0):
    return np.random.default_rng(seed).integers(0, 4, length, dtype=np.uint8)


def test_tokens_are_read_one_place_late_by_hand():
    item = next_base_item(Bases("ACGTNA"), KmerTokenizer(k=1), Region(0, 0, 6), 0, 6, "+", goes_on=False)
    assert item["token_ids"].tolist() == [1, 5, 6, 7, 8, 1]
    assert item["labels"].tolist() == [0, 1, 2, 3, 128, 0]
    item = next_base_item(Bases("ACGTTT"), KmerTokenizer(k=1), Region(0, 0, 6), 2, 4, "+", goes_on=True)
    assert item["token_ids"].tolist() == [6, 7] and item["labels"].tolist() == [2, 3]
    item = next_base_item(Bases("ACGTTT"), KmerTokenizer(k=1), Region(0, 0, 6), 1, 3, "-", goes_on=True)
    assert item["token_ids"].tolist() == [5, 6] and item["labels"].tolist() == [1, 2]  # A in front of CG


def test_longer_tokens_are_read_one_token_late():
    codes = encode_bases("ACGTTTG")
    assert decode_bases(one_token_late(codes, encode_bases("NNN"))) == "NNNACGTTT"
    item = next_base_item(
        Bases("ACGTTTG"), KmerTokenizer(k=3, stride=3), Region(0, 0, 7), 0, 7, "+", goes_on=False
    )  # fmt: skip
    assert len(item["token_ids"]) == 3 and item["token_ids"][0] == 1 and len(item["labels"]) == 7


@pytest.mark.parametrize("name", CAUSAL)
def test_probabilities_of_all_sequences_add_up_to_one(name, tmp_path):
    """The chain rule: over all 4 ** 5 sequences of five bases."""
    write_bundle(tmp_path / "model", name)
    bundle = load_bundle(tmp_path / "model")
    codes = np.stack([np.array(np.unravel_index(i, (4,) * 5), np.uint8) for i in range(4**5)])
    tokens = torch.tensor(np.pad(codes[:, :-1].astype(np.int64) + 5, ((0, 0), (1, 0)), constant_values=1))
    with torch.no_grad():
        logs = bundle.model.double()(tokens).log_softmax(-1)
    total = logs.gather(2, torch.tensor(codes.astype(np.int64))[..., None]).sum((1, 2)).exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", CAUSAL)
@pytest.mark.parametrize("k", [1, 3])
def test_expectations_come_from_what_stands_before(name, k, tmp_path):
    write_bundle(tmp_path / "model", name, k)
    model, codes = load_model(tmp_path / "model"), random_codes(40)
    changed = codes.copy()
    changed[30:] = (changed[30:] + 1) % 4
    one, other = (model.predict_sequence("r", decode_bases(strand)) for strand in (codes, changed))
    assert one.logits.shape == (2, 40, 4)
    n_same = 33 if k == 3 else 31  # the first token that is told from a changed one
    np.testing.assert_allclose(one.logits[0, :n_same], other.logits[0, :n_same], atol=1e-5)
    assert np.abs(one.logits[0, 33:] - other.logits[0, 33:]).max() > 1e-3


def test_bits_per_base_are_those_of_the_whole_record(tmp_path):
    bundle = write_bundle(tmp_path / "model", "transformer_xl")
    codes = random_codes(300)
    caller = NextBaseCaller.from_bundle(bundle, Speed(precision="float32"))
    (prediction,) = caller.predictions(lambda: [Record("r", codes)])
    tokens = torch.tensor([[1, *(codes[:-1] + 5).tolist()]])
    with torch.no_grad():
        cost = torch.nn.functional.cross_entropy(bundle.model(tokens)[0], torch.tensor(codes.astype(np.int64)))
    assert bits_per_base(prediction, codes) == pytest.approx(float(cost) / math.log(2), abs=1e-5)


@pytest.fixture(scope="module")
def two_records(tmp_path_factory):
    path = tmp_path_factory.mktemp("two") / "two.fa"
    path.write_text("".join(f">r{i}\n{decode_bases(random_codes(n, i))}\n" for i, n in enumerate((700, 300))))
    return path


def evaluated_bits(bundle, fasta, folder, *, batch_size=2, num_workers=0) -> tuple[float, float]:
    """Bits per base of the test part, as ``genoformer test`` counts them, and those of its strands read as wholes."""
    encoder = {key: value for key, value in bundle.config.encoder.items() if key not in ("vocab_size", "stride")}
    module = GenomeModule(encoder=encoder, task="clm", k=1, stride=1, tile_bp=48, context_bp=0)
    module.begin(clm.build)
    module.model.load_state_dict(bundle.model.state_dict())
    data = NextBaseData(
        fasta=str(fasta), crop_bp=32, split=RegionSplit(validation=0.1, test=0.4, guard_bp=10),
        loader=Loader(batch_size=batch_size, samples_per_epoch=8, num_workers=num_workers),
    )  # fmt: skip
    data.bind(ModelReading.of(task="clm", k=1, stride=1, encoder=bundle.config.encoder), work_dir=folder)
    data.prepare_data()
    data.setup()
    module.eval()
    module.on_test_epoch_start()
    with torch.inference_mode():
        for i, batch in enumerate(data.test_dataloader()):
            module.test_step(batch, i)
    expected = 0.0
    caller, n_bases = NextBaseCaller.from_bundle(bundle, Speed(precision="float32")), 0
    for record in data.records("test"):
        for codes in (record.codes, reverse_complement(record.codes)):
            (prediction,) = caller.predictions(lambda codes=codes: [Record("r", codes)])
            expected, n_bases = expected + bits_per_base(prediction, codes) * len(codes), n_bases + len(codes)
    assert module.losses[1] == n_bases
    return module.losses[0] / n_bases / math.log(2), expected / n_bases


def test_evaluation_carries_the_memory_along_each_strand(two_records, tmp_path):
    bundle = write_bundle(tmp_path / "model", "transformer_xl")
    found, expected = evaluated_bits(bundle, two_records, tmp_path)
    assert found == pytest.approx(expected, abs=1e-5)
    for others in ({"batch_size": 1}, {"batch_size": 3}, {"num_workers": 2}):
        again, _ = evaluated_bits(bundle, two_records, tmp_path, **others)
        assert again == pytest.approx(found, abs=1e-6)
        assert "num_workers" not in others or again == found


@pytest.mark.parametrize("name", CAUSAL)
@pytest.mark.parametrize("k", [1, 3])
def test_reading_token_by_token_equals_reading_at_once(name, k, tmp_path):
    bundle = write_bundle(tmp_path / "model", name, k)
    tokens = np.random.default_rng(1).integers(5, 5 + 4**k, 70)
    with torch.no_grad():
        expected = bundle.model(torch.tensor(tokens)[None])[0].view(70, k, 4).numpy()
        reader = CarryingReader(bundle, 16) if name == "transformer_xl" else WholeReader(bundle)
        found = [reader.read(tokens[:20]), *(reader.read(tokens[i : i + 1]) for i in range(20, 70))]
    np.testing.assert_allclose(np.stack(found), expected[19:], atol=1e-5)


@pytest.mark.parametrize("name", CAUSAL)
def test_the_same_seed_gives_the_same_sequence_whatever_the_number(name, tmp_path):
    bundle = write_bundle(tmp_path / "model", name)
    settings = {"length_bp": 40, "prompt": encode_bases("ACG")}
    three = [
        decode_bases(r.codes) for r in generate(bundle, n_sequences=3, drawing=Drawing(5, temperature=5.0), **settings)
    ]
    (first,) = generate(bundle, n_sequences=1, drawing=Drawing(5, temperature=5.0), **settings)
    (other,) = generate(bundle, n_sequences=1, drawing=Drawing(6, temperature=5.0), **settings)
    assert decode_bases(first.codes) == three[0] and len(set(three)) == 3 and decode_bases(other.codes) != three[0]
    assert all(text.startswith("ACG") and len(text) == 40 for text in three)


def test_drawing_follows_temperature_and_top_k():
    logits, generator = np.log([[0.1, 0.2, 0.3, 0.4]] * 20_000), np.random.default_rng(0)

    def shares(**settings):
        return np.bincount(Drawing(**settings).draw(logits, generator), minlength=4) / len(logits)

    np.testing.assert_allclose(shares(), [0.1, 0.2, 0.3, 0.4], atol=0.015)  # four standard errors
    np.testing.assert_allclose(shares(top_k=2), [0, 0, 3 / 7, 4 / 7], atol=0.015)
    np.testing.assert_allclose(shares(temperature=0.5), np.array([1, 4, 9, 16]) / 30, atol=0.015)
    assert shares(top_k=1).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("encoder", "named"),
    [
        ({"attention": {"name": "longformer"}}, "attention.causal"),
        ({"attention": {**XL, "causal": False}}, "attention.causal"),
        ({"conv_width": 3}, "conv_width"),
        ({"base_embedding": True}, "base_embedding"),
        ({"attention": {"name": "reformer", "causal": True, "as_transformers": True}}, "attention.as_transformers"),
    ],
    ids=str,
)
def test_encoders_that_look_ahead_are_refused_by_name(encoder, named):
    config = EncoderConfig.from_dict({"vocab_size": 9, "conv_width": 0, "positions": "none", "attention": XL} | encoder)
    with pytest.raises(UsageError, match=rf"CONFIG-024\] model\.encoder\.{named}"):
        NextBaseData().check_model(config, None)
    with pytest.raises(UsageError, match="k 3 and stride 1"):
        NextBaseData().bind(ModelReading("clm", k=3, stride=1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a sequence of repeated words."""
    folder = tmp_path_factory.mktemp("clm")
    rng = np.random.default_rng(0)
    words = ["ACGGTTCA", "TTGACCAG"]
    (folder / "g.fa").write_text(">g\n" + "".join(words[i] for i in rng.integers(0, 2, 3000)) + "\n")
    (folder / "tiny.yaml").write_text(TINY)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["transformer_xl", "longformer"])
def test_words_are_learned_and_written_again(name, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    own = ["--model.encoder.attention", json.dumps(XL if name == "transformer_xl" else CAUSAL[name]["attention"])]
    own += ["--model.encoder.positions", CAUSAL[name]["positions"], "--name", name, "--data.fasta", "g.fa"]
    if name == "longformer":
        own += ["--model.encoder.attention.window_radius", "16"]
    assert main(["fit", "--config", "tiny.yaml", *own]) == 0
    assert main(["test", "--config", "tiny.yaml", *own]) == 0
    bits = json.loads((folder / f"runs/{name}/test.json").read_text())["test/bits_per_base"]
    assert bits < 0.6  # a word costs a bit at its first base, .125 per base; crops begin inside of one
    words = ["generate", f"runs/{name}/model", "-n", "2", "--length-bp", "200", "--seed", "3", "--temperature", "0.5"]
    assert main([*words, "-o", f"{name}.fa"]) == 0
    records = list(read_fasta(f"{name}.fa"))
    assert [(r.id, len(r)) for r in records] == [("generated_1", 200), ("generated_2", 200)]
    text = decode_bases(records[0].codes)
    forms = ("ACGGTTCA", "TTGACCAG", "TGAACCGT", "CTGGTCAA")
    assert sum(text.count(form) for form in forms) > 12
    before = (folder / f"{name}.fa").read_bytes()
    assert main([*words, "-o", f"{name}.fa", "--overwrite"]) == 0
    assert (folder / f"{name}.fa").read_bytes() == before


def test_the_same_command_finds_its_file_and_another_leaves_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_bundle(tmp_path / "model", "full")
    words = ["generate", "model", "-o", "x.fa", "--length-bp", "30"]
    assert main([*words, "-n", "2"]) == 0
    before = (tmp_path / "x.fa").read_bytes()
    capsys.readouterr()
    assert main([*words, "-n", "2"]) == 0
    assert capsys.readouterr().out == "nothing to do: x.fa holds these sequences\n"
    for others in (["-n", "1"], ["-n", "3"], ["-n", "2", "--seed", "1"]):
        assert main([*words, *others]) == 73 and (tmp_path / "x.fa").read_bytes() == before
    (tmp_path / "x.fa").write_text("no FASTA")
    assert main([*words, "-n", "2"]) == 73 and (tmp_path / "x.fa").read_text() == "no FASTA"
    assert main([*words, "-n", "2", "--overwrite"]) == 0 and (tmp_path / "x.fa").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--top-k", "0"], "GENERATE-001"),
        (["--temperature", "0"], "GENERATE-001"),
        (["--seed", "-1"], "GENERATE-001"),
        (["--length-bp", "0"], "GENERATE-002"),
        (["--prompt", "ACG", "--length-bp", "2"], "GENERATE-003"),
        (["--prompt", "AXG"], "GENERATE-003"),
    ],
    ids=str,
)
def test_options_that_make_nothing_are_refused(options, code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_bundle(tmp_path / "model", "full")
    assert main(["generate", "model", "-o", "x.fa", *options]) == 2
    assert code in capsys.readouterr().err and not (tmp_path / "x.fa").exists()


def test_a_model_of_another_task_generates_nothing(tiny_bundle):
    with pytest.raises(DataError, match="MODEL-007"):
        next(generate(load_bundle(tiny_bundle), n_sequences=1, length_bp=9, drawing=Drawing()))
