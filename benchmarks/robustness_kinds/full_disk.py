"""Disks that are full, at every place in every file, in the whole run, and behind standard output."""

import ctypes
import functools
import os
import resource
import signal
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import genoformer.files
from robustness_kinds.children import MOUNT, Plan, fresh, is_hidden, prepared, run_forked, said, seeded, tree
from robustness_kinds.commands import Command, commands, some, warm_up, writers
from robustness_kinds.guard import NOT_REACHED, Case, Tally, judged, run_cases
from robustness_kinds.inputs import Inputs

ALLOWED = (73, 74)
SHARED = ("key.json", "precision.json", "run.json", "summary.json", "manifest.json", "passes-*")
"""Files that many commands write by the same functions: at one place, but with these commands at all of them."""
THOROUGH = ("predict", "simulate")
PAGE = 4_096
FEW = 3
"""Commands of each sort in the short form."""
CLONE_NEWUSER, CLONE_NEWNS = 0x10000000, 0x00020000
FULL = "/dev/full"
SPOKEN: tuple[tuple[object, ...], ...] = (
    ("--help",),
    ("models",),
    ("configs",),
    ("predict", "--help"),
    ("models", "prokaryotes"),
)


def attack(inputs: Inputs, work: Path, seed: int, n: int) -> dict[str, Tally]:
    """Fill the disk under every writer.

    Args:
        inputs: What commands read.
        work: Folder for what they write.
        seed: Another seed gives other places.
        n: Places in each file; so many sizes of a small disk for each command. With one place, a few commands.

    Returns:
        What came of it, by how the disk was full and by command.
    """
    every, alone = commands(inputs), list(writers(inputs))
    if n == 1:
        every, alone = some(every, FEW, seed), some(alone, FEW, seed)
    warm_up([*every, *alone], work / "warm")
    found = {}
    for one in [*every, *alone]:
        folder = work / "full" / one.name.replace(" ", "_").replace(",", "")
        before = prepared(one, folder / "before")
        sizes = written(one, before, folder)
        found[f"file: {one.name}"] = run_cases(list(_file_cases(one, before, folder, sizes, seed, n)))
        if one in every:
            found[f"disk: {one.name}"] = run_cases(
                list(_disk_cases(one, before, folder, pages(sizes.values()), seed, n))
            )
    found["standard output: /dev/full"] = run_cases(list(_stream_cases(work, inputs)))
    return found


def written(one: Command, before: Path, folder: Path) -> dict[str, int]:
    """Sizes in bytes of the files that a command writes in its folder, hidden ones too, by the end of the name."""
    log = folder / "written"
    code = run_forked(fresh(folder / "place", before), one.words, _noting(log))
    if code:
        raise RuntimeError(f"{one.name} ended with {code}: {said(folder / 'place')[-300:]}")
    sizes: dict[str, int] = {}
    for line in log.read_text().splitlines():
        name, size = line.rsplit("\t", 1)
        sizes[name] = max(int(size), sizes.get(name, 0))
    return sizes


def _noting(log: Path) -> Plan:
    """A plan: name and size of each file that takes its final name are written to a file."""

    def plan() -> None:
        replace = os.replace

        @functools.wraps(replace)
        def noted(source, target):
            if os.path.isfile(source):
                with open(log, "a") as file:
                    file.write(f"{os.path.basename(target)}\t{os.path.getsize(source)}\n")
            replace(source, target)

        os.replace = noted

    return plan


def pages(sizes: Iterable[int]) -> int:
    """What files of these sizes take of a disk in memory."""
    return sum(-(-size // PAGE) for size in sizes)


def _file_cases(one: Command, before: Path, folder: Path, sizes: dict[str, int], seed: int, n: int) -> Iterator[Case]:
    """A file may have no more than so many bytes, from none to all but one; of files that are alike, one is tried."""
    for name, n_places in _chosen(one, sizes, seed, n).items():
        size = sizes[name]
        places = {size * i // n_places for i in range(n_places)} | {size - 1} if n_places > 1 else {size // 2}
        for limit in sorted(places):
            what = f"{one.name}, {name}, {limit} of {size} bytes"
            yield what, partial(_try_file, one, before, folder, name, limit)


def _chosen(one: Command, sizes: dict[str, int], seed: int, n: int) -> dict[str, int]:
    """Names of files with the number of places at which each is cut."""
    alike: dict[str, list[str]] = {}
    for name in (name for name, size in sizes.items() if size):
        is_shared = any(fnmatch(name, pattern) for pattern in SHARED)
        alike.setdefault(name if is_shared else Path(name).suffix, []).append(name)
    chosen = {}
    for names in alike.values():
        name = seeded(seed, one.name, "alike").choice(names)
        is_shared = any(fnmatch(name, pattern) for pattern in SHARED)
        if not is_shared or "," not in one.name:
            chosen[name] = 1 if is_shared and one.name not in THOROUGH else n
    return chosen


def _try_file(one: Command, before: Path, folder: Path, name: str, limit: int) -> str:
    place, mark = fresh(folder / "place", before), folder / "reached"
    mark.unlink(missing_ok=True)
    code = run_forked(place, one.words, _limited(name, limit, mark))
    return _judged(one, before, place, code) if mark.exists() else NOT_REACHED


def _limited(name: str, limit: int, mark: Path) -> Plan:
    """A plan: from when a file is begun until it has its name, no file may grow beyond ``limit`` bytes."""

    def plan() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        create, replace = genoformer.files._create_temporary, os.replace
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

        def created(final: Path) -> Path:
            temporary = create(final)
            if final.name == name:
                mark.touch()
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            return temporary

        def replaced(source, target):
            replace(source, target)
            if os.path.basename(target) == name:
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

        genoformer.files._create_temporary, os.replace = created, replaced

    return plan


def _disk_cases(one: Command, before: Path, folder: Path, n_pages: int, seed: int, n: int) -> Iterator[Case]:
    """A disk of its own with less room than the command needs."""
    chance = seeded(seed, one.name, "disk")
    for number in range(n):
        free = int(n_pages * (number + chance.random()) / n)
        yield f"{one.name}, a disk with {free} of {n_pages} pages free", partial(_try_disk, one, before, folder, free)


def _try_disk(one: Command, before: Path, folder: Path, free: int) -> str:
    """In a child with a mount of its own: what is wrong; the verdict comes through a file."""
    verdict = folder / "verdict"
    verdict.write_text("")
    child = os.fork()
    if not child:
        try:
            verdict.write_text(_on_small_disk(one, before, folder, free))
        except BaseException as error:
            verdict.write_text(f"{type(error).__name__}: {error}")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return verdict.read_text()


def _on_small_disk(one: Command, before: Path, folder: Path, free: int) -> str:
    mount = folder / MOUNT
    mount.mkdir(exist_ok=True)
    held = pages(path.stat().st_size for path in before.rglob("*") if path.is_file())
    if not _mount_small(mount, PAGE * max(1, held + free)):
        return NOT_REACHED
    place = fresh(mount / "place", before)
    code = run_forked(place, one.words)
    return _judged(one, before, place, code) if code else NOT_REACHED


def _mount_small(mount: Path, n_bytes: int) -> bool:
    """A disk of a size, seen by this process and its children alone; False where this is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS):
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    return not libc.mount(b"tmpfs", os.fsencode(mount), b"tmpfs", 0, f"size={n_bytes}".encode())


def _stream_cases(work: Path, inputs: Inputs) -> Iterator[Case]:
    """Commands that speak, whose words have no room."""
    place = work / "spoken"
    place.mkdir()
    judged_words = ("evaluate", inputs.folder / "genome.gff3", inputs.folder / "genome.gff3")
    leakage = ("check-leakage", inputs.genome, inputs.genome, "--json")
    for words in (*SPOKEN, judged_words, (*judged_words, "--json"), leakage):
        for how, streams in STREAMS.items():
            yield f"{' '.join(map(str, words[:2]))}, {how}", partial(_try_stream, place, words, streams)


STREAMS: dict[str, Callable[[], None]] = {
    "full": lambda: _dup(os.open(FULL, os.O_WRONLY), 1),
    "pipe without a reader": lambda: _dup(_broken_pipe(), 1),
    "both full": lambda: (_dup(os.open(FULL, os.O_WRONLY), 1), _dup(os.open(FULL, os.O_WRONLY), 2))[0],
}


def _dup(source: int, target: int) -> None:
    os.dup2(source, target)


def _broken_pipe() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def _try_stream(place: Path, words: tuple[object, ...], streams: Callable[[], None]) -> str:
    code = run_forked(place, words, streams)
    return "" if code == 74 else f"ended with {code}: {said(place)[-200:]}"


def _judged(one: Command, before: Path, place: Path, code: int) -> str:
    """What is wrong with how a command on a full disk ended, and with what it left; "" if nothing is."""
    if code == 0:
        return _said_all_the_same(one, place)
    if wrong := judged(code, said(place), ALLOWED):
        return wrong
    old, found = tree(before), tree(place)
    if odd := sorted(name for name in found if name.endswith(".tmp") or ".tmp/" in name):
        return f"left behind: {', '.join(odd[:4])}"
    kept = {name: data for name, data in old.items() if not is_hidden(name)}
    if "--overwrite" in one.words:  # what is there is old or new; nothing is also allowed
        kept = {}
    if wrong := sorted(name for name in kept if found.get(name) != kept[name]):
        return f"an earlier result is lost or changed: {', '.join(wrong[:4])}"
    return ""


def _said_all_the_same(one: Command, place: Path) -> str:
    """A command may go on without a file that is only for show, and says so."""
    return "" if "was not written" in said(place) else "exit code 0, though a file could not be written"
