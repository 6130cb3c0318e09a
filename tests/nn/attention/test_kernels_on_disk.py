"""Kernels come from disk in every process that computes with them: the one that compiles them rounds otherwise."""

import pytest

from genoformer.nn.attention.kernels import chunk_threads, own_process, relative_threads, threads

KERNELS = {threads: (False, True), relative_threads: (False, True), chunk_threads: ("forward", "backward", "order")}


@pytest.mark.slow
@pytest.mark.parametrize("is_double", [False, True])
@pytest.mark.parametrize(("module", "which"), [(module, which) for module, names in KERNELS.items() for which in names])
def test_no_process_computes_with_what_it_compiled(module, which, is_double):
    assert module._kernel(which, is_double).cache_hits == 1


def test_without_another_process_this_one_compiles(monkeypatch, tmp_path):
    def kernel(address):
        pass

    monkeypatch.setattr(own_process.sys, "executable", str(tmp_path / "nothing"))
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    found = own_process.kernel_from_disk(kernel, "digest", ("nowhere", "nothing", []))
    found.ctypes(0)
    assert found.cache_hits == 0


def test_a_kernel_is_compiled_once_and_then_found(monkeypatch, tmp_path):
    calls = []

    def kernel(address):
        pass

    monkeypatch.setattr(own_process, "FunctionCache", lambda function: type("Cache", (), {"cache_path": tmp_path}))
    monkeypatch.setattr(own_process, "_compile", lambda remake: calls.append(remake) or True)
    for digest in ("one", "one", "other"):
        own_process.kernel_from_disk(kernel, digest, ("module", "name", [True]))
    assert calls == [("module", "name", [True])] * 2
