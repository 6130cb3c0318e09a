"""What a command loads: nothing heavy for an answer that needs no model, and no more than it uses for a prediction.

Every command runs in a process of its own, which tells its modules at the end.
"""

import gc
import subprocess
import sys

import pytest

from genoformer.cli.loading import loading
from genoformer.cli.main import COMMANDS

RUN = """
import sys
from genoformer.cli.main import main
code = main(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""
OF_TRAINING = {"sklearn", "networkx", "obonet", "h5py", "pandas", "Bio", "pytorch_lightning", "jsonargparse"}
HEAVY = OF_TRAINING | {"torch", "numba", "scipy", "tqdm"}
OF_COMPILER = {"torch._dynamo.convert_frame", "sympy"}
"""Of PyTorch, a second to load; what fills tensors of the device "meta" brings them along."""
OF_SCIPY = {"scipy.linalg", "scipy.optimize", "scipy.sparse", "scipy.special", "scipy.stats"}
"""``scipy.linalg`` would be loaded by numba with its first function; training needs the others."""


def modules_after(*words: object) -> set[str]:
    """Names of all modules that are loaded when a command has ended."""
    done = subprocess.run([sys.executable, "-c", RUN, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def packages(modules: set[str]) -> set[str]:
    return {name.split(".")[0] for name in modules}


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("models",), *((name, "--help") for name in COMMANDS)])
def test_answers_that_need_no_model_load_nothing_heavy(words):
    assert not packages(modules_after(*words)) & HEAVY


@pytest.fixture(scope="module")
def prediction(tmp_path_factory):
    """Arguments of a prediction, and the modules that it loaded."""
    folder = tmp_path_factory.mktemp("startup")
    (folder / "in.fa").write_text(">a\n" + "ATGGCTAAAGGTGAACTG" * 40 + "TAA\n")
    words = ("predict", folder / "in.fa", "-o", folder / "out")
    return words, modules_after(*words)


def test_prediction_of_genes_loads_nothing_that_training_needs(prediction):
    _, modules = prediction
    assert "torch" in modules and not packages(modules) & OF_TRAINING
    assert not modules & (OF_SCIPY | OF_COMPILER)


def test_prediction_that_is_there_already_loads_no_network(prediction):
    words, _ = prediction
    assert not packages(modules_after(*words)) & HEAVY


@pytest.mark.parametrize("was_enabled", [True, False])
def test_loading_sets_objects_apart_once_and_leaves_the_collector_as_it_was(monkeypatch, was_enabled):
    frozen = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(gc.isenabled()))
    monkeypatch.setattr(gc, "get_freeze_count", lambda: len(frozen))
    (gc.enable if was_enabled else gc.disable)()
    try:
        for _ in range(2):
            with pytest.raises(KeyError), loading():
                assert not gc.isenabled()
                raise KeyError
        assert gc.isenabled() == was_enabled
    finally:
        gc.enable()
    assert frozen == [False]


PRODUCT = """
import sys
from genoformer.cli.loading import loading
with loading():
    import numba
    import numpy as np
assert not any(name.startswith("scipy.linalg") for name in sys.modules)
print(numba.njit(lambda one: one @ one)(np.full((2, 2), 3.0)).tolist())
"""


def test_compiled_products_find_scipy_when_they_need_it():
    done = subprocess.run([sys.executable, "-c", PRODUCT], capture_output=True, text=True, check=False)
    assert done.stdout == "[[18.0, 18.0], [18.0, 18.0]]\n", done.stderr


FIRST = """
import signal, sys
sys.argv = [sys.argv[1]]

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("genoformer."):
            print(name, getattr(signal.getsignal(signal.SIGINT), "__module__", None))

sys.meta_path.insert(0, Watch())
import genoformer
"""


@pytest.mark.parametrize(("program", "listens"), [("/somewhere/bin/genoformer", True), ("/somewhere/notebook", False)])
def test_the_program_alone_hears_an_interrupt_before_it_loads_anything(program, listens):
    done = subprocess.run([sys.executable, "-c", FIRST, program], capture_output=True, text=True, check=True)
    loaded = [line.split() for line in done.stdout.splitlines()]
    assert loaded[0][0] == "genoformer.files"
    assert {module == "genoformer" for _, module in loaded} == {listens}
