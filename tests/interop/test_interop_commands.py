"""``genoformer export`` and ``import``: bundles to Hugging Face and back, and on to ``fit``."""

import dataclasses
import json
import re
import subprocess
import sys

import pytest
import torch
import yaml
from hugging_face import EXPORTABLE, make_batch, our_hidden, tiny_encoder
from transformers import BertConfig, BertModel

from genoformer.applications.genes.caller import GeneFinder
from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.bundle.header import BundleConfig
from genoformer.cli.main import main
from genoformer.errors import DataError
from genoformer.files import write_manifest
from genoformer.interop import from_huggingface, to_huggingface
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.sequence.kmers import SPECIAL_NAMES
from genoformer.tasks import gene_structure
from genoformer.training.config_files import find_config

CHANNELS = list(gene_structure.channels)
TRAINABLE = dataclasses.replace(EXPORTABLE, n_global_tokens=0, stride=3, max_tokens=160, norm_eps=1e-12)


def write_bundle(folder, encoder_config=TRAINABLE):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = build_model(encoder_config, n_channels=len(CHANNELS))
    config = BundleConfig(
        "gene_structure", {"name": "base"}, encoder_config.to_dict(), k=3, stride=3, tile_bp=240, labels=CHANNELS
    )
    save_bundle(folder, model=model, config=config, card="# mine\n")
    return folder


def run(*words) -> int:
    return main([str(word) for word in words])


@pytest.fixture
def round_trip(tmp_path):
    """Folder with a bundle "a", its export "hf" and what import makes of it, "b"."""
    write_bundle(tmp_path / "a")
    assert run("export", tmp_path / "a", "--format", "huggingface", "-o", tmp_path / "hf") == 0
    assert run("import", tmp_path / "hf", "-o", tmp_path / "b") == 0
    return tmp_path


def test_bundle_there_and_back_has_the_same_encoder_bit_by_bit(round_trip):
    before, after = load_bundle(round_trip / "a"), load_bundle(round_trip / "b")
    assert after.config.encoder == before.config.encoder
    assert (after.config.k, after.config.stride, after.config.labels) == (3, 3, CHANNELS)
    state = after.model.encoder.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in before.model.encoder.state_dict().items())
    assert not torch.equal(after.model.head.projection.weight, before.model.head.projection.weight)
    # The head begins where that of a new model does.
    found = after.model.head.projection.bias.view(3, 5)
    torch.testing.assert_close(found, torch.tensor(gene_structure.initial_logits).expand(3, 5))


def test_imported_bundle_predicts_nothing_before_it_is_trained(round_trip):
    with pytest.raises(DataError, match="decoder"):
        GeneFinder.from_bundle(load_bundle(round_trip / "b"))
    assert "random weights, seed 0" in (round_trip / "b" / "model_card.md").read_text()
    assert str(round_trip) not in (round_trip / "b" / "model_card.md").read_text()


def test_seed_decides_the_head(round_trip):
    for name, seed in (("c", 0), ("d", 1)):
        assert run("import", round_trip / "hf", "-o", round_trip / name, "--seed", seed) == 0
    weights = [(round_trip / name / "model.safetensors").read_bytes() for name in "bcd"]
    assert weights[0] == weights[1] != weights[2]


def test_tiles_of_an_imported_bundle_fit_its_positions(round_trip):
    config = load_bundle(round_trip / "b").config
    assert (config.tile_bp + 2 * config.context_bp) // config.stride <= config.encoder["max_tokens"]
    assert config.tile_bp % config.stride == config.context_bp % config.stride == 0


def test_fit_starts_from_an_imported_bundle_with_the_configuration_of_its_card(round_trip, monkeypatch):
    monkeypatch.chdir(round_trip)
    assert run("simulate", "-o", "genome", "--length-bp", 12000) == 0
    text = re.search(r"```yaml\n(.*?)```", (round_trip / "b" / "model_card.md").read_text(), re.S)[1]
    (round_trip / "fit.yaml").write_text(text)
    options = ["--init_from", "b", "--data.fasta", "genome/genome.fa", "--data.annotation", "genome/genome.gff3"]
    options += ["--data.split.guard_bp", 100, "--data.split.validation", 0.1, "--data.loader.samples_per_epoch", 4]
    options += ["--model.lr", "0.0"]
    options += ["--trainer.max_steps", 1, "--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]
    assert run("fit", "--config", "fit.yaml", *options) == 0
    start, end = (load_bundle(folder).model.state_dict() for folder in ("b", "runs/fit/model"))
    assert all(torch.equal(tensor, end[name]) for name, tensor in start.items())
    assert run("fit", "--config", "fit.yaml", *options, "--name", "other", "--model.encoder.d_ff", 25) == 2


def test_shipped_configuration_can_be_exported(tmp_path):
    stored = yaml.safe_load(find_config("gene_structure_hf").read_text())
    model, crop_bp = stored["model"], stored["data"]["crop_bp"]
    sizes = {"d_model": 16, "d_ff": 16, "n_layers": 1, "vocab_size": 5 + 4 ** model["k"]}
    config = EncoderConfig.from_dict({**model["encoder"], **sizes, "stride": model["stride"]})
    to_huggingface(tiny_encoder(config), tmp_path / "hf")
    assert from_huggingface(tmp_path / "hf").config == config
    longest_bp = config.max_tokens * model["stride"]
    assert crop_bp == model["tile_bp"] + 2 * model["context_bp"] == longest_bp


def test_bundle_older_than_a_setting_of_the_encoder_has_its_default(tmp_path):
    folder = write_bundle(tmp_path / "old", dataclasses.replace(TRAINABLE, norm_eps=1e-5))
    config = json.loads((folder / "config.json").read_text())
    del config["encoder"]["norm_eps"]
    (folder / "config.json").write_text(json.dumps(config))
    write_manifest(folder, ["config.json", "model.safetensors", "calibration.json", "model_card.md"])
    assert load_bundle(folder).config.encoder["norm_eps"] == 1e-5


def test_global_tokens_are_those_of_the_export_unless_chosen(tmp_path):
    write_bundle(tmp_path / "a", dataclasses.replace(TRAINABLE, n_global_tokens=2))
    assert run("export", tmp_path / "a", "-o", tmp_path / "hf") == 0
    for name, words, expected in (("b", [], 2), ("c", ["--global-tokens", 0], 0)):
        assert run("import", tmp_path / "hf", "-o", tmp_path / name, *words) == 0
        assert load_bundle(tmp_path / name).config.encoder["n_global_tokens"] == expected
    batch = make_batch(n_global=2)
    found, expected = (our_hidden(load_bundle(tmp_path / name).model.encoder, *batch) for name in "ba")
    assert torch.equal(found, expected)


def test_bert_over_kmers_becomes_a_bundle_without_global_tokens(tmp_path):
    config = BertConfig(vocab_size=21, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    BertModel(config).save_pretrained(tmp_path / "bert")
    words = [*SPECIAL_NAMES, *(a + b for a in "ATCG" for b in "ATCG")]
    (tmp_path / "bert" / "vocab.txt").write_text("\n".join(words))
    assert run("import", tmp_path / "bert", "-o", tmp_path / "b", "--max-tokens", 600, "--window-radius", 9) == 0
    bundle, expected = load_bundle(tmp_path / "b"), from_huggingface(tmp_path / "bert", max_tokens=600)
    encoder = bundle.config.encoder
    assert (bundle.config.k, bundle.config.stride, encoder["n_global_tokens"]) == (2, 1, 0)
    assert (encoder["max_tokens"], encoder["attention"]["window_radius"]) == (600, 9)
    assert torch.equal(bundle.model.encoder.token_embedding.weight, expected.token_embedding.weight)
    assert "pooler" in (tmp_path / "b" / "model_card.md").read_text()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["export", "prokaryotes", "-o", "hf"], 2, "positions rotary"),
        (["export", "nowhere", "-o", "hf"], 66, "nowhere"),
        (["export", "a", "--format", "onnx", "-o", "hf"], 2, "onnx"),
        (["export", "a", "-o", "taken"], 73, "--overwrite"),
        (["export", "a", "-o", "taken", "--overwrite"], 73, "notes.txt"),
        (["import", "taken", "-o", "b"], 66, "config.json"),
        (["import", "foreign", "-o", "b"], 2, "KmerTokenizer"),
        (["import", "foreign", "-o", "b", "--max-tokens", "0"], 2, "max_tokens"),
        (["import", "foreign", "-o", "taken"], 73, "notes.txt"),
    ],
)
def test_error_is_one_line_with_its_exit_code_and_leaves_nothing(words, code, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_bundle(tmp_path / "a")
    to_huggingface(tiny_encoder(EXPORTABLE), tmp_path / "foreign", with_tokenizer=False)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    assert main(words) == code
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "foreign", "taken"]
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["notes.txt"]


def test_the_same_command_again_has_nothing_to_do(round_trip, capsys):
    for words in (
        ["export", round_trip / "a", "-o", round_trip / "hf"],
        ["import", round_trip / "hf", "-o", round_trip / "b"],
    ):
        before = {path: path.stat().st_mtime_ns for path in words[-1].iterdir()}
        assert run(*words) == 0
        assert capsys.readouterr().out.startswith("nothing to do: ")
        assert before == {path: path.stat().st_mtime_ns for path in words[-1].iterdir()}
    assert sorted(path.name for path in round_trip.iterdir()) == ["a", "b", "hf"]


def test_folders_of_killed_runs_go_with_the_next_one_and_what_they_put_aside_comes_back(round_trip):
    (round_trip / ".hf.0123456789ab.tmp").mkdir()
    (round_trip / ".hf.0123456789ab.tmp/config.json").write_text("half")
    (round_trip / "b").rename(round_trip / ".b.0123456789ab.tmp.old")
    assert run("export", round_trip / "a", "-o", round_trip / "hf") == 0
    assert run("import", round_trip / "hf", "-o", round_trip / "b") == 0
    assert sorted(path.name for path in round_trip.iterdir()) == ["a", "b", "hf"]


def test_existing_output_is_replaced_only_when_asked(round_trip):
    (round_trip / "hf/README.md").write_text("changed")
    assert run("export", round_trip / "a", "-o", round_trip / "hf") == 73
    assert run("import", round_trip / "hf", "-o", round_trip / "b", "--seed", "7") == 73
    assert run("export", round_trip / "a", "-o", round_trip / "hf", "--overwrite") == 0
    assert run("import", round_trip / "hf", "-o", round_trip / "b", "--overwrite") == 0
    assert sorted(path.name for path in round_trip.iterdir()) == ["a", "b", "hf"]


def test_help_says_what_is_left_and_loads_no_heavy_library():
    script = (
        "import sys\nfrom genoformer.cli.main import main\nmain(['{}', '--help'])\nprint(*sys.modules, file=sys.stderr)"
    )
    for command, said in (("export", "gene_structure_hf"), ("import", "random weights")):
        done = subprocess.run(
            [sys.executable, "-c", script.format(command)], capture_output=True, text=True, check=True
        )
        assert said in done.stdout
        assert not {"torch", "numpy", "safetensors"} & set(done.stderr.split())
