"""What an interrupted run left in ``OUT/.work`` and in shards is damaged, replaced or led astray: it is made again."""

import json
import os
import shutil

import pytest
from prediction_files import contents

from genoformer.applications.genes.caller import GeneFinder
from genoformer.cli.main import main
from genoformer.files import LOCK_NAME, write_manifest
from genoformer.inference import passes

WAYS = ("flipped", "cut", "empty", "link", "pipe", "folder", "gone")


def harm(path, way, elsewhere):
    """Damage one file; "link" leads to a copy of it."""
    data = bytearray(path.read_bytes())
    path.unlink()
    if way == "flipped":
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
    elif way == "cut":
        path.write_bytes(data[:-7])
    elif way == "empty":
        path.touch()
    elif way == "link":
        elsewhere.write_bytes(data)
        path.symlink_to(elsewhere)
    elif way == "pipe":
        os.mkfifo(path)
    elif way == "folder":
        path.mkdir()


@pytest.fixture(scope="module")
def model(tiny_bundle):
    return str(tiny_bundle)


@pytest.fixture(scope="module")
def interrupted(genome, model, tmp_path_factory):
    """Folders "o", whose passes are there and whose files are not, "whole", and "parts" without manifest."""
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "CHUNK_BP", 10_000)
        words = ["predict", str(genome), "--model", model, "--formats", "gff3,h5", "-o"]
        assert main([*words, str(folder / "whole")]) == 0
        assert main([*words, str(folder / "parts"), "--shard", "1/1"]) == 0
        patch.setattr("genoformer.applications.genes.predict.GenePredictor.write", lambda *a: _interrupt())
        assert main([*words, str(folder / "o")]) == 130
    (folder / "parts/shard-1-of-1/manifest.json").unlink()
    return folder


def _interrupt():
    raise KeyboardInterrupt


@pytest.fixture
def work(interrupted, tmp_path):
    """A copy, for one test to harm."""
    shutil.copytree(interrupted, tmp_path / "w", symlinks=True)
    return tmp_path / "w"


@pytest.fixture
def asked(monkeypatch):
    """How often the model was asked for blocks."""
    calls, ask = [], GeneFinder.block_candidates
    monkeypatch.setattr(passes, "CHUNK_BP", 10_000)
    monkeypatch.setattr(GeneFinder, "block_candidates", lambda *a, **k: calls.append(1) or ask(*a, **k))
    return calls


def predict(genome, model, out, *more):
    return main(["predict", str(genome), "--model", model, "--formats", "gff3,h5", "-o", str(out), *more])


def test_intact_work_is_not_done_again(genome, model, work, asked):
    assert predict(genome, model, work / "o") == 0 and not asked
    assert contents(work / "o") == contents(work / "whole")


@pytest.mark.one_in(3)
@pytest.mark.parametrize("which", ["passes", "tracks"])
@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_file_of_the_model_pass_is_made_again(way, which, genome, model, work, asked):
    harm(sorted((work / "o/.work").glob(f"{which}-*"))[1], way, work / "elsewhere")
    assert predict(genome, model, work / "o") == 0
    assert len(asked) == 3  # those of the first record stay
    assert contents(work / "o") == contents(work / "whole")


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ["key.json", "precision.json"])
@pytest.mark.parametrize("way", [*WAYS, "nested"])
def test_a_damaged_description_of_work_makes_it_all_again(way, name, genome, model, work):
    path = work / "o/.work" / name
    if way == "nested":
        path.write_text("[" * 100_000)
    else:
        harm(path, way, work / "elsewhere")
    before = (work / "elsewhere").read_bytes() if way == "link" else None
    assert predict(genome, model, work / "o") == 0
    assert contents(work / "o") == contents(work / "whole")
    assert before is None or (work / "elsewhere").read_bytes() == before


@pytest.mark.one_in(4)
@pytest.mark.parametrize("which", ["passes", "tracks", "shard.json"])
@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_file_of_an_unfinished_shard_is_made_again(way, which, genome, model, work):
    harm(sorted((work / "parts/shard-1-of-1").glob(f"{which}*"))[0], way, work / "elsewhere")
    assert predict(genome, model, work / "parts", "--shard", "1/1") == 0
    assert main(["merge", str(work / "parts"), "-o", str(work / "merged")]) == 0
    assert contents(work / "merged") == contents(work / "whole")


@pytest.mark.parametrize("name", ["key", "shard", "request", "model", "inputs"])
def test_a_description_of_a_shard_that_is_none_is_refused(name, genome, model, work, capsys):
    folder = work / "parts/shard-1-of-1"
    assert predict(genome, model, work / "parts", "--shard", "1/1") == 0
    names = [path.name for path in folder.iterdir() if path.name not in ("manifest.json", LOCK_NAME)]
    stored = (folder / "shard.json").read_text()
    values = [None, 3, "text", [], {}, [None], {"a": 1}, [[]]]
    if name == "model":
        values += ["x" * 5_000, "a\0b"]
    if name == "inputs":
        values += [["x" * 5_000], ["a\0b"]]
    if name == "request":
        request = json.loads(stored)["request"]
        values += [{**request, key: value} for key in request for value in (None, -1.5, "text", [1], ["x"], {"a": 1})]
    for value in values:
        (folder / "shard.json").write_text(json.dumps({**json.loads(stored), name: value}))
        write_manifest(folder, names)
        capsys.readouterr()
        code = main(["merge", str(work / "parts"), "-o", str(work / "merged"), "--overwrite"])
        assert code in (0, 2, 65, 66), (value, capsys.readouterr().err)


def test_work_that_is_a_link_or_a_file_is_refused_before_the_work(genome, model, tmp_path, capsys):
    (tmp_path / "o").mkdir()
    (tmp_path / "else").mkdir()
    (tmp_path / "else/mine").touch()
    (tmp_path / "o/.work").symlink_to(tmp_path / "else")
    for _ in range(2):
        assert predict(genome, model, tmp_path / "o") == 73
        assert "OUT-010" in capsys.readouterr().err
        assert (tmp_path / "else/mine").exists()
        (tmp_path / "o/.work").unlink()
        (tmp_path / "o/.work").touch()
