"""The ``genoformer`` command: find the subcommand, run it, and turn every ending into one line and an exit code.

A subcommand's module is imported only when it was chosen, so that help and usage errors come at once.
"""

import argparse
import contextlib
import difflib
import importlib
import math
import os
import platform
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from genoformer.cli.file_errors import check_names, file_error
from genoformer.cli.starting import CLEARED, shown_as_starting
from genoformer.errors import GenoformerError, UsageError, escape_control, format_error
from genoformer.files.waiting_threads import let_waiting_threads_sleep
from genoformer.training.interrupts import ENDING, MAX_CAUSES, TerminatedError, receive

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

COMMANDS = {
    "fit": ("genoformer.cli.fit", "train a model on annotated genomes or labelled sequences"),
    "validate": ("genoformer.cli.fit", "score a trained model on its validation regions"),
    "test": ("genoformer.cli.fit", "score a trained model on its test regions"),
    "predict": ("genoformer.cli.predict", "find genes in FASTA files, or functions of sequences"),
    "annotate": ("genoformer.cli.annotate", "find genes in FASTA files and say what they do"),
    "embed": ("genoformer.cli.embed", "write hidden states of a model for records, windows or bases"),
    "explain": ("genoformer.cli.explain", "say what each base contributes to what a model says"),
    "variants": ("genoformer.cli.variants", "say what variants of a genome change, by a model and on its genes"),
    "merge": ("genoformer.cli.merge", "put the parts of predict --shard together"),
    "adapt": ("genoformer.cli.adapt", "train a model further on the genome at hand"),
    "evaluate": ("genoformer.cli.evaluate", "compare predicted genes or functions with a reference"),
    "check-leakage": ("genoformer.cli.check_leakage", "find sequence that two sets share"),
    "benchmark": ("genoformer.cli.benchmark", "train and compare with simple models, with several seeds"),
    "prepare": ("genoformer.cli.prepare", "make the training store from FASTA and annotation"),
    "simulate": ("genoformer.cli.simulate", "make up a genome with known genes"),
    "generate": ("genoformer.cli.generate", "make up sequence with a causal language model"),
    "export": ("genoformer.cli.export", "write a model's encoder in the layout of another program"),
    "import": ("genoformer.cli.import_", "make a bundle from an encoder of Hugging Face"),
    "models": ("genoformer.cli.models", "list the models that come with the package"),
    "configs": ("genoformer.cli.configs", "list the configurations that come with the package"),
}
"""Module and one line of help for every subcommand."""

LIGHTNING_COMMANDS = ("fit", "validate", "test")
"""Commands that LightningCLI parses: their module has ``run_lightning(subcommand, argv)``; all others have
``add_arguments(parser)`` and ``run(args)``."""

READS_RANKS = (*LIGHTNING_COMMANDS, "adapt", "benchmark")
"""Commands that train: Lightning asks the environment which of several processes it is."""

EXIT_USAGE, EXIT_BUG, EXIT_WRITE, EXIT_INTERRUPTED, EXIT_MEMORY, EXIT_TERMINATED = 2, 70, 74, 130, 137, 143

TOO_LARGE = 10**15
"""No number of bases, files or steps is as large."""
_MEMORY_MESSAGES = ("can't allocate memory", "out of memory")  # PyTorch's allocators for CPU and CUDA


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, with the nearest option for a misspelt one."""

    def error(self, message: str) -> NoReturn:
        """Raise ``UsageError`` with argparse's message."""
        command = self.prog.removeprefix("genoformer ")
        fix = f"See {self.prog} --help."
        if message.startswith("unrecognized arguments: "):
            known = [option for action in self._actions for option in action.option_strings]
            unknown = message.removeprefix("unrecognized arguments: ").split()[0].split("=")[0]
            fix = _nearest(unknown, known) or fix
        raise UsageError("CLI-002", f"{message}.", where=command, fix=fix)

    def check_numbers(self, found: argparse.Namespace) -> None:
        """``UsageError`` for a number that no program can count with; a seed may have any size."""
        for action in self._actions:
            value = getattr(found, action.dest, None)
            for one in value if isinstance(value, list) else [value]:
                is_odd = isinstance(one, float) and not math.isfinite(one)
                is_long = isinstance(one, int) and abs(one) >= TOO_LARGE and action.dest != "seed"
                if is_odd or is_long:
                    option, expected = "/".join(action.option_strings), "finite" if is_odd else "smaller"
                    self.error(f"argument {option}: expected a {expected} number, found {str(one)[:20]}")

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        """Write help; argparse itself would keep quiet about a full disk."""
        if message:
            (file or sys.stderr).write(message)


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        The exit code, see ``docs/cli.md``; the console script exits with it.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    _open_closed_streams()
    with _signals_received():
        try:
            code = _dispatch(argv)
            # A full disk or a closed pipe shows only here, when standard output is a file or a pipe.
            sys.stdout.flush()
            if ENDING.number and code in (0, 128 + ENDING.number):  # it came too late to end anything
                print(_ended(ENDING.number, ["everything was done by then"]), file=sys.stderr)
                return 128 + ENDING.number
            return code
        except BaseException as error:
            return _exit_code(error, argv)


def _open_closed_streams() -> None:
    """Standard streams that the caller closed lead nowhere: no file that is opened later may take their place."""
    for name, flags in (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY), ("stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, flags)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", errors="backslashreplace"))


def _dispatch(argv: list[str]) -> int:
    if not argv:
        raise UsageError("CLI-001", "no command given.", fix=f"Commands: {', '.join(COMMANDS)}.")
    name, rest = argv[0], argv[1:]
    check_names(argv)
    if name in ("-h", "--help"):
        print(_help())
        return 0
    if name in ("-V", "--version"):
        print(f"genoformer {version('genoformer')}")
        return 0
    if name not in COMMANDS:
        kind = "option" if name.startswith("-") else "command"
        fix = _nearest(name, list(COMMANDS)) or f"Commands: {', '.join(COMMANDS)}."
        raise UsageError("CLI-001", f'there is no {kind} "{name}".', fix=fix)
    if name in LIGHTNING_COMMANDS and not {"-h", "--help"}.isdisjoint(rest):
        print(importlib.import_module("genoformer.cli.training_arguments").help_page(name, COMMANDS[name][1], rest))
        return 0
    if name in READS_RANKS:
        importlib.import_module("genoformer.cli.process_variables").check_process_variables(os.environ)
    else:
        let_waiting_threads_sleep(os.environ)
    if name in LIGHTNING_COMMANDS:
        with shown_as_starting(name), _leaving_at_once(name):
            module = importlib.import_module(COMMANDS[name][0])
            prepare_process()
        return module.run_lightning(name, rest)
    with _leaving_at_once(name):
        module = importlib.import_module(COMMANDS[name][0])
    parser = CommandParser(prog=f"genoformer {name}", description=COMMANDS[name][1], allow_abbrev=False)
    module.add_arguments(parser)
    arguments = parser.parse_args(rest)
    parser.check_numbers(arguments)
    return module.run(arguments)


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: genoformer COMMAND [OPTIONS]",
            "",
            "Train long-context models on genomes, and find genes with them.",
            "",
            *lines,
            "",
            "genoformer COMMAND --help shows the options of a command; genoformer --version the version.",
        ]
    )


def _nearest(word: str, known: list[str]) -> str:
    matches = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean {matches[0]}?" if matches else ""


def prepare_process() -> None:
    """Settings that must be made before the first tensor: memory that is given back to the program, not the system."""
    importlib.import_module("genoformer.nn.allocator").tune_allocator()


@contextlib.contextmanager
def _signals_received() -> Iterator[None]:
    """SIGINT and SIGTERM raise in the main thread until they are heard; the handlers of before come back afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with ENDING.armed():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _leaving_at_once(name: str) -> Iterator[None]:
    """While modules are loaded nothing is there to be cleaned up, and many of them lose an exception."""

    def leave(number: int, frame: object) -> None:
        line = _ended(number, [])
        os.write(2, f"{CLEARED if sys.stderr.isatty() else ''}{line}\n".encode())
        os._exit(128 + number)

    if signal.getsignal(signal.SIGINT) is not receive:  # not in the main thread
        yield
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, receive)


def _exit_code(error: BaseException, argv: list[str]) -> int:
    """Print what the user needs to know about ``error``; the exit code that belongs to it."""
    if ENDING.number and not isinstance(error, GenoformerError | TerminatedError):
        code, line = 128 + ENDING.number, _ended(ENDING.number, _notes(error))
    elif isinstance(error, SystemExit):
        code, line = _system_exit(error)
    elif isinstance(error, BrokenPipeError):
        code, line = EXIT_WRITE, ""  # the reader of our output has gone: `| head` needs no message
    else:
        code, line = _ending(error, argv)
    with contextlib.suppress(OSError, ValueError):  # nobody can be told where standard error is full or closed
        if line:
            print(line, file=sys.stderr, flush=True)
    return code if _drop_unwritable_output() else code or EXIT_WRITE


def _drop_unwritable_output() -> bool:
    """What standard streams hold and cannot write must not fail again when the interpreter exits.

    Returns:
        Whether standard output took everything.
    """
    taken = {stream: _flushes(stream) for stream in (sys.stdout, sys.stderr)}
    return taken[sys.stdout]


def _flushes(stream: TextIO) -> bool:
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
        return False
    return True


def _ending(error: BaseException, argv: list[str]) -> tuple[int, str]:
    if isinstance(error, GenoformerError):
        return error.exit_code, format_error(error)
    if isinstance(error, KeyboardInterrupt):
        return EXIT_INTERRUPTED, _ended(signal.SIGINT, _notes(error))
    if isinstance(error, TerminatedError):
        return EXIT_TERMINATED, _ended(signal.SIGTERM, _notes(error))
    if _is_out_of_memory(error):
        advice = "Try a smaller --batch-size, or a model with smaller tiles (tile_bp)."
        return EXIT_MEMORY, f"genoformer: error[MEMORY-001] there is not enough memory. {advice}"
    if isinstance(error, OSError) and (failed := file_error(error, argv)):
        return failed.exit_code, format_error(failed)
    return EXIT_BUG, _bug_line(error, argv)


def _ended(number: int, notes: list[str]) -> str:
    """What ended the command, and what was kept of its work."""
    word = "interrupted" if number == signal.SIGINT else "terminated (SIGTERM)"
    kept = notes[0] if notes else "nothing was left half done, and the same command begins again"
    return escape_control(f"genoformer: {word}: {kept}.")


def _notes(error: BaseException) -> list[str]:
    """What was said of the work on the way up, of this exception or of those that it has taken the place of."""
    shown: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if shown is None:
            break
        if notes := getattr(shown, "__notes__", []):
            return notes
        shown = shown.__context__
    return []


def _system_exit(error: SystemExit) -> tuple[int, str]:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0, ""
    return EXIT_USAGE, escape_control(f"genoformer: {error.code}")


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _MEMORY_MESSAGES)


def _bug_line(error: BaseException, argv: list[str]) -> str:
    first_line = escape_control((str(error).splitlines() or [""])[0])
    crash_file = _write_crash_file(error, argv)
    details = f"Details: {crash_file}." if crash_file else "No crash file could be written."
    return f"genoformer: error[BUG-001] {type(error).__name__}: {first_line} This is a bug in genoformer. {details}"


def _write_crash_file(error: BaseException, argv: list[str]) -> Path | None:
    """The only place a traceback goes: the folder of temporary files, or the current one when that is not writable."""
    versions = f"genoformer {version('genoformer')}, Python {platform.python_version()}, {platform.platform()}"
    text = f"{versions}\narguments: {argv}\n\n{''.join(traceback.format_exception(error))}"
    for folder in (tempfile.gettempdir, Path.cwd):
        with contextlib.suppress(OSError):
            path = Path(folder()) / f"genoformer-crash-{os.getpid()}.txt"
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
            return path
    return None
