"""Bundles that somebody has changed, by accident or not: refused as data, at once, or used; never a fault of ours."""

import copy
import json
import os
import random
import shutil
import subprocess
import sys

import pytest
from tiny_function_bundle import write_function_bundle
from tiny_intron_bundle import write_tiny_intron_bundle

from genoformer import load_model
from genoformer.bundle.fields import MOST_JSON_BYTES
from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import CALIBRATION, CONFIG, WEIGHTS, read_header
from genoformer.errors import DataError, GenoformerError
from genoformer.files import MANIFEST_NAME, write_manifest

VALUES = (
    None, True, -1, 0, 1, 3, 1e308, 2**31, 2**70, 0.5, "", "x", "longformer", [], {}, [1], ["x"], [[]], [10**9] * 3,
    {"name": "x"}, {"x": [0, 1], "y": [1, 0]},
)  # fmt: skip
MUTANTS = 120
BASES = "ATGGCTAAAGGTGCTTAACCGT" * 20


@pytest.fixture(scope="module")
def bundles(tmp_path_factory, tiny_bundle):
    root = tmp_path_factory.mktemp("hostile")
    return {
        "genes": tiny_bundle, "functions": write_function_bundle(root / "functions"),
        "introns": write_tiny_intron_bundle(root / "introns"),
    }  # fmt: skip


def places(value, path=()):
    """Paths to every value inside of a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield (*path, key)
        yield from places(one, (*path, key))


def mutated(stored, chance: random.Random):
    """A copy with one value replaced, left out, or added."""
    changed = copy.deepcopy(stored)
    *way, last = chance.choice(list(places(changed)))
    inside = changed
    for key in way:
        inside = inside[key]
    kind = chance.choice(["replace", "replace", "replace", "drop", "add"])
    if kind == "replace":
        inside[last] = copy.deepcopy(chance.choice(VALUES))
    elif kind == "drop":
        del inside[last]
    elif isinstance(inside, dict):
        inside[chance.choice(["x", "class_path", "__init__"])] = copy.deepcopy(chance.choice(VALUES))
    return changed


@pytest.mark.one_in(3)
@pytest.mark.parametrize("kind", ["genes", "functions", "introns"])
@pytest.mark.parametrize("name", [CONFIG, CALIBRATION])
def test_changed_json_is_data_that_is_refused_or_used(bundles, tmp_path, kind, name):
    folder, chance, refused = tmp_path / "model", random.Random(f"{kind} {name}"), 0
    shutil.copytree(bundles[kind], folder)
    stored, names = json.loads((folder / name).read_text()), [path.name for path in folder.iterdir()]
    names.remove(MANIFEST_NAME)
    for _ in range(MUTANTS):
        changed = mutated(stored, chance)
        (folder / name).write_text(json.dumps(changed))
        write_manifest(folder, names)
        try:
            load_model(folder).predict_sequence("r", BASES)
        except GenoformerError as error:
            refused += 1
            assert error.exit_code in (2, 65), (error, changed)
    assert refused > MUTANTS / 8


LOAD = """
import resource, sys
from genoformer.bundle.folder import load_bundle
from genoformer.errors import DataError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try: load_bundle(sys.argv[1])
except DataError as error: print(error.code, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(
    "change",
    [
        {"d_model": 2**20},
        {"n_layers": 2**40},
        *(
            pytest.param(change, marks=pytest.mark.slow)
            for change in ({"d_ff": 2**40}, {"vocab_size": 2**34}, {"conv_width": 2**33 + 1})
        ),
    ],
)
def test_a_network_that_the_weights_do_not_fill_takes_no_memory(tiny_bundle, tmp_path, change):
    folder = tmp_path / "model"
    shutil.copytree(tiny_bundle, folder)
    config = json.loads((folder / CONFIG).read_text())
    config["encoder"] |= change
    (folder / CONFIG).write_text(json.dumps(config))
    write_manifest(folder, [WEIGHTS, CONFIG, CALIBRATION])
    command = [sys.executable, "-c", LOAD, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    code, grown_mb = done.stdout.split()
    assert code in ("MODEL-003", "MODEL-006") and int(grown_mb) < 100


@pytest.mark.parametrize("name", [MANIFEST_NAME, CONFIG, CALIBRATION, WEIGHTS])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_members_that_are_no_plain_files_are_refused(tiny_bundle, tmp_path, name, kind):
    folder = tmp_path / "model"
    shutil.copytree(tiny_bundle, folder)
    (folder / name).rename(tmp_path / "kept")
    if kind == "link":
        (folder / name).symlink_to(tmp_path / "kept")
    else:
        (os.mkfifo if kind == "pipe" else os.mkdir)(folder / name)
    with pytest.raises(GenoformerError) as caught:
        read_header(folder)
    assert caught.value.exit_code == 65


def test_names_that_leave_the_folder_are_refused(tiny_bundle, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_bundle, folder)
    manifest = json.loads((folder / MANIFEST_NAME).read_text())
    for name in ("../x", "/etc/hostname", "a/../../x", "x\0", "", "x" * 5_000, "\ud800"):
        changed = {"files": {**manifest["files"], name: {"sha256": "0", "bytes": 0}}}
        (folder / MANIFEST_NAME).write_text(json.dumps(changed))
        with pytest.raises(GenoformerError, match="FILES-003"):
            read_header(folder)


@pytest.mark.parametrize("number", [10**400, 1e301, float("nan")])
def test_numbers_of_a_calibration_that_no_float_computes_with_are_refused(tiny_bundle, tmp_path, number):
    folder = tmp_path / "model"
    shutil.copytree(tiny_bundle, folder)
    (folder / CALIBRATION).write_text(json.dumps({"decoder": {"of a task": [0.5, number]}}))
    write_manifest(folder, [WEIGHTS, CONFIG, CALIBRATION])
    with pytest.raises(DataError, match=r"decoder\.of a task\.1: expected a number below"):
        read_header(folder)


def test_endless_json_is_refused_by_its_size(tiny_bundle, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_bundle, folder)
    with open(folder / CONFIG, "ab") as file:
        file.truncate(MOST_JSON_BYTES + 1)  # a hole: no space is taken
    with pytest.raises(GenoformerError, match="bytes of JSON"):
        load_bundle(folder)
