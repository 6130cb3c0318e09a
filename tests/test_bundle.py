"""Bundles: what is saved is loaded, and anything damaged or foreign is refused without running it."""

import json

import pytest
import torch

from genoformer.applications import find_application
from genoformer.bundle import folder as room
from genoformer.bundle import header
from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.bundle.header import (
    CALIBRATION,
    CARD,
    CONFIG,
    FORMAT_VERSION,
    WEIGHTS,
    BundleConfig,
    find_bundle,
    read_header,
)
from genoformer.errors import DataError, MissingFileError, OutputExistsError
from genoformer.files import sha256_file, write_manifest
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.tasks.gene_structure import channels

ENCODER = EncoderConfig(
    vocab_size=69, d_model=8, n_heads=2, n_layers=1, d_ff=8, attention=LongformerConfig(window_radius=(3,)), stride=3
)
NAMES = (WEIGHTS, CONFIG, CALIBRATION, CARD)


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return build_model(ENCODER, n_channels=5)


@pytest.fixture
def config():
    return BundleConfig(
        "gene_structure", {"name": "base"}, ENCODER.to_dict(), k=3, stride=3, tile_bp=300, labels=list(channels)
    )


@pytest.fixture
def folder(tmp_path, model, config):
    save_bundle(tmp_path / "runs" / "mine", model=model, config=config, card="# Card é\n", calibration={"x": [0.1, 1]})
    return tmp_path / "runs" / "mine"


def rewrite(folder, name, text):
    (folder / name).write_text(text)
    write_manifest(folder, list(NAMES))


def change_config(folder, **changes):
    rewrite(folder, CONFIG, json.dumps({**json.loads((folder / CONFIG).read_text()), **changes}))


def refused(folder, code):
    with pytest.raises(DataError, match=code) as caught:
        load_bundle(folder)
    assert caught.value.exit_code == 65
    return str(caught.value)


def test_loaded_bundle_is_the_saved_one(folder, model, config):
    loaded = load_bundle(folder)
    assert loaded.config == config and loaded.name == "mine" and loaded.calibration == {"x": [0.1, 1]}
    assert loaded.digest == sha256_file(folder / WEIGHTS)
    assert (loaded.tokenizer.k, loaded.tokenizer.stride) == (3, 3)
    assert not loaded.model.training
    stored = loaded.model.state_dict()
    assert stored.keys() == model.state_dict().keys()
    assert all(torch.equal(tensor, stored[name]) for name, tensor in model.state_dict().items())
    tokens = torch.arange(5, 45)[None]
    with torch.no_grad():
        assert torch.equal(loaded.model(tokens), model.eval()(tokens))


def test_bundle_without_calibration_has_an_empty_one(tmp_path, model, config):
    save_bundle(tmp_path / "b", model=model, config=config, card="")
    assert load_bundle(str(tmp_path / "b")).calibration == {}


def test_equal_models_give_equal_bytes(tmp_path, model, config):
    for name in ("a", "b"):
        save_bundle(tmp_path / name, model=model, config=config, card="c")
    for name in (*NAMES, "manifest.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_saving_does_not_change_the_model(tmp_path, model, config):
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    save_bundle(tmp_path / "b", model=model, config=config, card="")
    assert model.training and all(torch.equal(t, before[name]) for name, t in model.state_dict().items())


@pytest.mark.parametrize("writer", ["write_bytes_atomic", "write_json_atomic", "write_text_atomic", "write_manifest"])
def test_interrupted_saving_leaves_no_manifest(folder, model, config, monkeypatch, writer):
    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(room, writer, stop)
    with pytest.raises(KeyboardInterrupt):
        save_bundle(folder, model=model, config=config, card="other")
    assert not (folder / "manifest.json").exists()
    assert "finished bundle" in refused(folder, "MODEL-002")


@pytest.mark.parametrize("name", NAMES)
def test_flipped_bit_is_found(folder, name):
    data = bytearray((folder / name).read_bytes())
    for position in {0, len(data) // 3, len(data) - 1}:
        data[position] ^= 4
        (folder / name).write_bytes(data)
        with pytest.raises(DataError, match=name) as caught:
            load_bundle(folder)
        assert caught.value.exit_code == 65
        data[position] ^= 4


def test_flipped_bit_in_the_manifest_is_found(folder):
    whole = (folder / "manifest.json").read_bytes()
    for position in range(0, len(whole), 3):
        data = bytearray(whole)
        data[position] ^= 1 << (position % 7)
        if bytes(data).split() == whole.split():
            continue  # another white space
        (folder / "manifest.json").write_bytes(data)
        with pytest.raises(DataError):
            load_bundle(folder)


@pytest.mark.parametrize("name", NAMES)
def test_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(DataError, match=name):
        load_bundle(folder)


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG, CALIBRATION])
def test_file_that_the_manifest_does_not_name_is_not_trusted(folder, name):
    write_manifest(folder, [other for other in NAMES if other != name])
    assert name in refused(folder, "MODEL-002")


@pytest.mark.parametrize(("task", "said"), [("exec", '"exec"'), (["gene_structure"], "gene_structure")])
def test_unknown_task_is_refused_by_who_asks_for_its_parts(folder, task, said):
    change_config(folder, task=task)
    with pytest.raises(DataError, match="MODEL-005") as caught:
        find_application(read_header(folder).config.task, where="mine")
    assert said in str(caught.value) and caught.value.exit_code == 65
    change_config(folder, task=task, format_version=1)
    assert said in refused(folder, "MODEL-005")


@pytest.mark.parametrize(
    "head", [{"name": "os.system"}, {"name": ["base"]}, {}, {"name": "base", "pooling": "mean"}, "base", None, 3, []]
)
def test_head_that_cannot_be_built_is_refused(folder, head):
    change_config(folder, head=head)
    refused(folder, "MODEL-003")


def test_other_layout_version_is_refused(folder):
    change_config(folder, format_version=FORMAT_VERSION + 1)
    assert f"version {FORMAT_VERSION + 1}" in refused(folder, "MODEL-004")


@pytest.mark.parametrize("key", ["__class__", "_target_", "class_path", "auto_map"])
def test_keys_that_other_programs_run_are_refused(folder, key):
    change_config(folder, **{key: "os.system"})
    assert key in refused(folder, "MODEL-003")


@pytest.mark.parametrize(
    "encoder",
    [{**ENCODER.to_dict(), "class_path": "x"}, {**ENCODER.to_dict(), "d_model": 7}, {"d_model": 8}, [], 3, None],
)
def test_encoder_that_cannot_be_built_is_refused(folder, encoder):
    change_config(folder, encoder=encoder)
    refused(folder, "MODEL-003")


def test_tokens_that_cannot_be_made_are_refused(folder):
    change_config(folder, k=0)
    assert "found 0" in refused(folder, "MODEL-003")


@pytest.mark.parametrize("name", [CONFIG, CALIBRATION])
@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 20_000])
def test_text_that_is_no_json_object_is_refused(folder, name, text):
    rewrite(folder, name, text)
    assert name in refused(folder, "MODEL-003")


def test_weights_of_another_shape_are_refused(folder):
    change_config(folder, encoder={**ENCODER.to_dict(), "d_ff": 16})
    assert WEIGHTS in refused(folder, "MODEL-006")


@pytest.mark.parametrize("content", [b"", b"\x80\x02cos\nsystem\n", b"PK\x03\x04" + bytes(60)])
def test_weights_that_are_no_safetensors_are_refused(folder, content):
    (folder / WEIGHTS).write_bytes(content)
    write_manifest(folder, list(NAMES))
    refused(folder, "MODEL-006")


def test_missing_model_says_what_there_is(tmp_path, monkeypatch):
    monkeypatch.setattr(header, "shipped_models", lambda: ["prokaryotes", "phages"])
    with pytest.raises(MissingFileError, match=r'"prokaryots".*prokaryotes, phages') as caught:
        find_bundle("prokaryots")
    assert caught.value.exit_code == 66
    monkeypatch.setattr(header, "shipped_models", list)
    with pytest.raises(MissingFileError, match="none"):
        find_bundle(tmp_path / "nowhere")


def test_folder_wins_over_a_shipped_name(tmp_path, monkeypatch):
    monkeypatch.setattr(header, "shipped_models", lambda: ["fungi"])
    assert find_bundle("fungi").name == "fungi" and find_bundle("fungi").parent.name == "shipped"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fungi").mkdir()
    assert find_bundle("fungi").resolve() == tmp_path / "fungi"


@pytest.mark.parametrize(("alias", "name"), list(header.ALIASES.items()))
def test_another_name_of_a_shipped_model_leads_to_it_and_says_so_once(alias, name, capsys):
    header._say_alias.cache_clear()
    assert alias not in header.shipped_models()
    assert find_bundle(alias) == find_bundle(name) == find_bundle(alias)
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and f'"{alias}"' in err and f'"{name}"' in err


def test_a_folder_wins_over_another_name_of_a_shipped_model(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "eukaryote-small").mkdir()
    assert find_bundle("eukaryote-small").resolve() == tmp_path / "eukaryote-small"
    assert capsys.readouterr().err == ""


def test_folder_that_cannot_be_made_is_an_error(tmp_path, model, config):
    (tmp_path / "file").write_text("")
    for name in ("file", "file/inside"):
        with pytest.raises(OutputExistsError, match="file") as caught:
            save_bundle(tmp_path / name, model=model, config=config, card="")
        assert caught.value.exit_code == 73
