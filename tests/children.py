"""Processes of the tests: forked from a server that has imported what takes seconds to import.

An interpreter of its own would import torch and Lightning again. On Linux it would also have the memory of a large
process that starts it as its own peak: ``ru_maxrss`` outlives ``exec``. Tests of the command as a program start one all
the same.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 600
"""How long to wait for a child: one that hangs ends the test, a busy machine does not."""


def run_child(output: Path, work: Callable[..., int], *arguments: object) -> int:
    """Run ``work(*arguments)`` in a process; what it prints goes to a file.

    Args:
        output: The file, for standard output and standard error.
        work: A function of a module; its value is the exit code of the process.
        arguments: Its arguments.

    Returns:
        The exit code; negative signal number when the process was killed.
    """
    child = start(_work, output, work, arguments)
    child.join()
    return child.exitcode


def start(work: Callable[..., object], *arguments: object) -> multiprocessing.process.BaseProcess:
    """Start a process that runs ``work(*arguments)``."""
    child = _context().Process(target=work, args=arguments)
    child.start()
    return child


def run_together(work: Callable[..., None], *arguments: object) -> None:
    """Run ``work(rank, *arguments)`` in two processes at once; raises what one of them raised."""
    from torch.multiprocessing import start_processes  # needs torch, which most tests do without

    _context()
    start_processes(work, arguments, nprocs=2, start_method="forkserver")


def _context() -> multiprocessing.context.BaseContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "genoformer.cli.fit", "genoformer.cli.predict"])
    return context


def _work(output: Path, work: Callable[..., int], arguments: tuple) -> None:
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.exit(work(*arguments))
