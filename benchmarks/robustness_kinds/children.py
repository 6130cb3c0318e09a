"""Commands in processes of their own: forked from this one, which has imported everything, or started as programs."""

import fcntl
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from genoformer.cli.main import main
from robustness_kinds.commands import Command
from robustness_kinds.guard import processor_s

SAID = "said"
"""What the last command in a folder said, beside the folder."""
PIPE_BYTES = 1 << 20
MOUNT = "mount"
"""Folder under which a small disk is mounted."""
MOST_S = 300
START = """
import os, sys
sys.argv[0], mark = 'genoformer', int(sys.argv.pop(1))
import genoformer
os.write(mark, b'.')
from genoformer.cli.main import main
code = main()
os.write(mark, b'.')
sys.exit(code)
"""
"""What the console script does; it says on a pipe when the first lines of the package have run, and when all has."""
EVENTS = ("replace", "rename", "open", "unlink", "fsync", "mkdir", "rmdir", "pwrite", "ftruncate")
"""Calls of the module os between which a process may be killed."""
Plan = Callable[[], None]


def ignore() -> None:
    """Plan nothing."""


@dataclass
class Blow:
    """A signal that a child shall get.

    Attributes:
        after_s: When.
        number: Which.
        took_s: Seconds from then to the end of the child.
        used_s: Seconds of the processor among these.
        is_late: The command had ended before.
    """

    after_s: float
    number: int = signal.SIGKILL
    took_s: float = 0.0
    used_s: float = 0.0
    is_late: bool = True


def run_forked(place: Path, words: tuple[object, ...], plan: Plan = ignore, blow: Blow | None = None) -> int:
    """Run a command in a folder, in a forked child.

    Args:
        place: The current folder of the child.
        words: What stands behind ``genoformer``.
        plan: What the child does before: it arranges what shall go wrong.
        blow: A signal that it gets.

    Returns:
        Exit code; negative number of the signal that ended it.
    """
    reader, writer = os.pipe()  # and no file, which a full disk would cut
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    ended, mark = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writer, 1), os.dup2(writer, 2)
        _become(place, words, plan, mark)
    os.close(writer), os.close(mark)
    try:
        os.read(ended, 1)  # a signal that comes while it is forked would be lost
        code = _await(child, ended, blow)
        os.set_blocking(reader, False)
        _said_file(place).write_bytes(_all_of(reader))
    finally:
        os.close(reader), os.close(ended)
    return code


def _all_of(reader: int) -> bytes:
    """What a pipe holds."""
    parts = []
    while True:
        try:
            part = os.read(reader, PIPE_BYTES)
        except BlockingIOError:  # a grandchild has it still
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


def _become(place: Path, words: tuple[object, ...], plan: Plan, mark: int) -> None:
    code = 99
    try:
        os.chdir(place)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        plan()
        os.write(mark, b".")
        code = main([str(word) for word in words])
        os.write(mark, b".")
        sys.stderr.flush()
    finally:
        os._exit(code)


def run_program(place: Path, words: tuple[object, ...], blow: Blow | None = None) -> int:
    """As ``run_forked``, as a program of its own; times count from when its first lines have run."""
    ended, mark = os.pipe()
    command = [sys.executable, "-c", START, str(mark), *map(str, words)]
    with open(_said_file(place), "wb") as said:
        child = subprocess.Popen(command, cwd=place, stdout=said, stderr=said, pass_fds=(mark,))
    os.close(mark)
    os.read(ended, 1)
    child.returncode = _await(child.pid, ended, blow)  # it is waited for here, and not by its object
    os.close(ended)
    return child.returncode


def _await(child: int, ended: int, blow: Blow | None) -> int:
    """Exit code of a child that may get a signal, and is killed when it goes on and on.

    Args:
        child: Its number.
        ended: A pipe with something in it once the command has ended, which is before the child does.
        blow: The signal.
    """
    begin, sent_s = time.monotonic(), 0.0
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        gone_s = time.monotonic() - begin
        if done:
            if blow is not None and not blow.is_late:
                blow.took_s, blow.used_s = gone_s - sent_s, usage.ru_utime + usage.ru_stime - blow.used_s
            return os.waitstatus_to_exitcode(status)
        if gone_s > MOST_S:
            os.kill(child, signal.SIGKILL)
        elif blow is not None and not sent_s and gone_s >= blow.after_s:
            blow.used_s = processor_s(child)
            os.kill(child, blow.number)
            blow.is_late, sent_s = bool(select.select([ended], [], [], 0)[0]), gone_s
        time.sleep(0.002)


def killed_at(number: int) -> Plan:
    """A plan: the child kills itself at the ``number``-th call of ``EVENTS``, before it if even, behind it if odd."""

    def plan() -> None:
        calls = 0

        def counted(call: Callable) -> Callable:
            def wrapped(*args, **more):
                nonlocal calls
                calls += 1
                if calls == number and number % 2 == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                result = call(*args, **more)
                if calls == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

            return wrapped

        for name in EVENTS:
            setattr(os, name, counted(getattr(os, name)))

    return plan


def counting(to: Path) -> Plan:
    """A plan: how many calls of ``EVENTS`` there are is written to a file, which grows by a byte with each."""

    def plan() -> None:
        out = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

        def counted(call: Callable) -> Callable:
            def wrapped(*args, **more):
                os.write(out, b".")
                return call(*args, **more)

            return wrapped

        for name in EVENTS:
            setattr(os, name, counted(getattr(os, name)))

    return plan


def fresh(place: Path, prepared: Path) -> Path:
    """A folder with what lies there before a command runs."""
    if place.exists():
        shutil.rmtree(place)
    return Path(shutil.copytree(prepared, place, symlinks=True))


def prepared(one: Command, place: Path) -> Path:
    """Make what lies there before a command runs."""
    place.mkdir(parents=True)
    back = Path.cwd()
    os.chdir(place)
    try:
        one.prepare()
    finally:
        os.chdir(back)
    return place


def tree(place: Path) -> dict[str, bytes]:
    """Bytes of every file below a folder, by name; an empty folder has its name and "/"."""
    found = {}
    for path in place.rglob("*"):
        name = str(path.relative_to(place))
        if path.name == ".genoformer.lock":
            continue
        if path.is_file():
            found[name] = path.read_bytes()
        elif path.is_dir() and not any(path.iterdir()):
            found[f"{name}/"] = b""
    return found


def is_hidden(name: str) -> bool:
    """Whether a name is no final one."""
    return any(part.startswith(".") for part in Path(name).parts)


def said(place: Path) -> str:
    """What the last command in a folder said."""
    return _said_file(place).read_text(errors="replace")


def _said_file(place: Path) -> Path:
    """Where that is kept: not on a small disk."""
    return (place.parent.parent if place.parent.name == MOUNT else place.parent) / SAID


def seeded(*names: object) -> random.Random:
    """Chance that is the same each time."""
    return random.Random(" ".join(map(str, names)))
