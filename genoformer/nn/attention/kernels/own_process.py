"""Kernels are compiled by a process of their own, and read from disk by all others.

The process that compiles a kernel would run other machine code than those that read it: a function that several
compiled modules hold is taken from the first of them, there from the module in which it was compiled alone, elsewhere
from the kernel. Both are right, but they round differently, so that a first run would differ from all later ones.
"""

import fcntl
import hashlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
from llvmlite.binding import get_host_cpu_name
from numba import types
from numba.core import config
from numba.core.caching import FunctionCache

LOG = logging.getLogger(__name__)
IS_COMPILER = "GENOFORMER_COMPILES_KERNELS"
"""Set in the environment of the process that compiles."""
_COMPILE = """
import importlib, json, sys
module, name, arguments = json.loads(sys.argv[1])
getattr(importlib.import_module(module), name)(*arguments)
"""


def kernel_from_disk(kernel: Callable[[Any], None], digest: str, remake: tuple[str, str, list[bool | str]]) -> Any:
    """The compiled C function of a kernel, read from numba's cache; where it is not there, it is compiled before.

    Args:
        kernel: Takes an address.
        digest: Of all sources that the kernel is made of; numba itself looks at one of them.
        remake: Module, name and arguments of the function that asks for this kernel, called by the other process.
    """
    if IS_COMPILER not in os.environ:
        _compile_once(kernel, digest, remake)
    return numba.cfunc(types.void(types.int64), cache=True)(kernel)


def _compile_once(kernel: Callable[[Any], None], digest: str, remake: tuple[str, str, list[bool | str]]) -> None:
    """See to it that the kernel is on disk. Where no other process can be had, this one will compile."""
    try:
        folder = Path(FunctionCache(kernel).cache_path)
        folder.mkdir(parents=True, exist_ok=True)
        done = folder / f"kernel-{_name(kernel, digest, remake)}.compiled"
        with open(done.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one process compiles, the others wait for it
            if not done.exists():
                LOG.info("compiling attention for this machine, which takes a moment, once")
                if _compile(remake):
                    done.touch()
    except OSError:
        return


def _name(kernel: Callable[[Any], None], digest: str, remake: tuple[str, str, list[bool | str]]) -> str:
    """What decides whether numba finds the kernel on disk."""
    changed = os.stat(kernel.__code__.co_filename).st_mtime_ns
    # numba sets these when it is imported, where no type checker sees it
    processor = [config.CPU_NAME or get_host_cpu_name(), config.CPU_FEATURES]  # type: ignore[attr-defined]
    parts = [digest, remake, changed, version("numba"), processor]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _compile(remake: tuple[str, str, list[bool | str]]) -> bool:
    environment = {**os.environ, IS_COMPILER: "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", _COMPILE, json.dumps(remake)]
    return subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
