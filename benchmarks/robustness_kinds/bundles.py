"""Hostile bundles: changed inside with a manifest that fits, or made of what is no plain file: refused, or used."""

import copy
import json
import os
import random
import shutil
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from genoformer import load_model
from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import CALIBRATION, CARD, CONFIG, WEIGHTS
from genoformer.errors import GenoformerError
from genoformer.files import MANIFEST_NAME, write_manifest
from robustness_kinds.guard import Case, Tally, refused, run_cases
from robustness_kinds.inputs import BUNDLES, Inputs

VALUES = (
    None, True, False, -1, 0, 1, 2, 3, 12, 1e308, -1e308, 2**31, 2**63, 2**70, 10**400, 0.5, "", "x", "longformer",
    
    "full", "../x", "/etc/hostname", "a\0b", "é" * 300, [], {}, [1], ["x"], [[]], [None], [10**9] * 3, {"name": "x"},
    {"": 0}, {"x": [0, 1], "y": [1, 0]}, {"x": [1, 0], "y": [0, 1]}, {"x": ["nan"], "y": [0]}, [[0.5] * 3] * 3,
)  # fmt: skip
SENTINEL = "robustness_kinds.never_imported"
"""What would be imported if a name in a bundle were taken for code; it only writes a name into ``sys.modules``."""
KEYS = ("x", "class_path", "init_args", "__init__", "__class__", "__reduce__", "_target_", "name", "bias")
CODE_EVENTS = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "pickle.find_class", "socket.connect")
ALLOWED = (2, 65, 66)
BASES = {
    "codon_structure": "ATGGCTAAAGGTGCTTAA" * 3,
    "contacts": "ATGGCTAAAGGTGCTTAA" * 3,
    "rna_pairs": "GGGAAACCC" * 4,
}
SILENT = ("exportable", "mlm", "clm")
"""Bundles that only their networks are asked of."""
OTHER_BASES = "ATGGCTAAAGGTGCTTAACCGT" * 20
LINKED = (MANIFEST_NAME, CONFIG, CALIBRATION, WEIGHTS, CARD)
LEAVING = (
    "../x", "/etc/hostname", "a/../../x", "x\0", "", "..", "./../x", "//x", "manifest.json", "x" * 5_000, "\ud800",
    "a" + "/.." * 4,
)  # fmt: skip
DEEP = 3_000


def attack(inputs: Inputs, work: Path, seed: int, n: int) -> dict[str, Tally]:
    """Try about ``n`` bundles.

    Returns:
        What came of it, by what was changed.
    """
    place = work / "bundles"
    place.mkdir(exist_ok=True)
    each = max(1, n // (3 * len(BUNDLES)))
    kinds: dict[str, list[Case]] = {"members that are no files": [], "names that leave the folder": []}
    for kind in BUNDLES:
        model = inputs.bundle(kind)
        use(kind, model)  # what is compiled here its children have
        for name in (CONFIG, CALIBRATION):
            kinds.setdefault(name, []).extend(_json_cases(kind, model, name, place, seed, each))
        kinds.setdefault("safetensors", []).extend(_weight_cases(kind, model, place, seed, max(1, each // 2)))
        kinds.setdefault(MANIFEST_NAME, []).extend(_manifest_cases(kind, model, place, seed, max(1, each // 2)))
        kinds["members that are no files"] += _odd_members(kind, model, place)
        kinds["names that leave the folder"] += _leaving(kind, model, place)
    return {name: run_cases(cases) for name, cases in kinds.items()}


def _json_cases(kind: str, model: Path, name: str, place: Path, seed: int, n: int) -> Iterator[Case]:
    stored = json.loads((model / name).read_text())
    for number in range(n):
        what = f"{kind} {name} {seed}/{number}"
        yield what, partial(_try, kind, model, place, partial(_write_changed, name, stored, what))
    deep = partial(_write, name, b"[" * DEEP + b"]" * DEEP)
    yield f"{kind} {name} deep", partial(_try, kind, model, place, deep)


def _write_changed(name: str, stored: Any, what: str, folder: Path) -> None:
    changed, chance = stored, random.Random(what)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        changed = structurally_changed(changed, chance)
    _write(name, json.dumps(changed).encode(), folder)


def structurally_changed(stored: Any, chance: random.Random) -> Any:
    """A copy with one value of a JSON value replaced, left out, added, or put elsewhere."""
    changed = copy.deepcopy(stored)
    places = list(_places(changed))
    if not places:
        return {chance.choice(KEYS): copy.deepcopy(chance.choice(VALUES))}
    *way, last = chance.choice(places)
    inside = changed
    for key in way:
        inside = inside[key]
    kind = chance.choice(("replace", "replace", "drop", "add", "swap", "sentinel"))
    if kind == "drop":
        del inside[last]
    elif kind == "add" and isinstance(inside, dict):
        inside[chance.choice(KEYS)] = copy.deepcopy(chance.choice(VALUES))
    elif kind == "add" and isinstance(inside, list):
        inside.extend([copy.deepcopy(inside[last])] * chance.choice((1, 3, 1000)))
    elif kind == "swap":
        *way, other = chance.choice(places)
        value = changed
        for key in [*way, other]:
            value = value[key]
        inside[last] = copy.deepcopy(value)
    else:
        inside[last] = SENTINEL if kind == "sentinel" else copy.deepcopy(chance.choice(VALUES))
    return changed


def _places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Paths to every value inside of a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield (*path, key)
        yield from _places(one, (*path, key))


def _weight_cases(kind: str, model: Path, place: Path, seed: int, n: int) -> Iterator[Case]:
    data = (model / WEIGHTS).read_bytes()
    for number in range(n):
        what = f"{kind} safetensors {seed}/{number}"
        yield what, partial(_try, kind, model, place, partial(_write_weights, data, what))


def _write_weights(data: bytes, what: str, folder: Path) -> None:
    """Weights with another header (names, types, shapes, places, its length) or other numbers."""
    chance = random.Random(what)
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    kind = chance.choice(("header", "header", "length", "cut", "numbers", "type"))
    if kind == "header":
        header = structurally_changed(header, chance)
    elif kind == "type":
        tensor = chance.choice([name for name in header if name != "__metadata__"])
        header[tensor]["dtype"] = chance.choice(("F64", "I64", "BOOL", "F16", "BF16", "U8", "x"))
    elif kind == "numbers":
        i = chance.randrange(len(body) // 4) * 4
        odd = chance.choice((b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\x7f\x7f"))  # NaN, infinity, largest
        body = body[:i] + odd * chance.choice((1, 100)) + body[i:]
        body = body[: len(data) - 8 - size]
    packed = json.dumps(header).encode()
    length = chance.choice((0, 1, 2**31, 2**63, size + 1)) if kind == "length" else len(packed)
    written = struct.pack("<Q", length) + packed + body
    _write(WEIGHTS, written[: chance.randrange(len(written))] if kind == "cut" else written, folder)


def _manifest_cases(kind: str, model: Path, place: Path, seed: int, n: int) -> Iterator[Case]:
    stored = json.loads((model / MANIFEST_NAME).read_text())
    for number in range(n):
        what = f"{kind} manifest {seed}/{number}"
        change = partial(_write_changed, MANIFEST_NAME, stored, what)
        yield what, partial(_try, kind, model, place, change, fits=False)


def _odd_members(kind: str, model: Path, place: Path) -> Iterator[Case]:
    for name in LINKED:
        for how, make in ODD.items():
            change = partial(_replace, name, make)
            yield f"{kind} {name} {how}", partial(_try, kind, model, place, change, fits=False, refusal=name != CARD)


def _replace(name: str, make: Callable[[Path], None], folder: Path) -> None:
    (folder / name).rename(folder.parent / "kept")
    make(folder / name)


ODD: dict[str, Callable[[Path], None]] = {
    "link": lambda path: path.symlink_to(path.parent.parent / "kept"),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "pipe": lambda path: os.mkfifo(path),
    "folder": lambda path: path.mkdir(),
    "nothing": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "hole of 1 TB": lambda path: _make_hole(path, 1 << 40),
}  # fmt: skip


def _make_hole(path: Path, n_bytes: int) -> None:
    with open(path, "wb") as file:
        file.truncate(n_bytes)


def _leaving(kind: str, model: Path, place: Path) -> Iterator[Case]:
    for name in LEAVING:
        yield (
            f"{kind} {name[:20]!r}",
            partial(_try, kind, model, place, partial(_name_more, name), fits=False, refusal=True),
        )


def _name_more(name: str, folder: Path) -> None:
    stored = json.loads((folder / MANIFEST_NAME).read_text())
    stored["files"][name] = {"sha256": "0", "bytes": 0}
    _write(MANIFEST_NAME, json.dumps(stored).encode(), folder)


def _write(name: str, data: bytes, folder: Path) -> None:
    (folder / name).write_bytes(data)


def _try(
    kind: str, model: Path, place: Path, change: Callable[[Path], None], *, fits: bool = True, refusal: bool = False
) -> str:
    """What is wrong with how a changed bundle is loaded and used; "" if nothing is.

    Args:
        fits: The manifest is made right again, so that no digest catches the change.
        refusal: It has to be refused.
    """
    shutil.rmtree(place)
    folder = Path(shutil.copytree(model, place / "model"))
    names = [path.name for path in folder.iterdir() if path.name != MANIFEST_NAME]
    change(folder)
    if fits:
        write_manifest(folder, names)
    with watched() as seen:
        try:
            use(kind, folder)
        except GenoformerError as error:
            return seen() or refused(error, ALLOWED)
    return seen() or ("it was used" if refusal else "")


def use(kind: str, folder: Path) -> None:
    """Load a model, and ask it something where it answers."""
    load_bundle(folder)
    if kind not in SILENT:
        load_model(folder).predict_sequence("r", BASES.get(kind, OTHER_BASES))


class watched:
    """A context that notices code of others that was run; gives what says so."""

    events: Sequence[str] = ()
    is_hooked = False

    def __enter__(self) -> Callable[[], str]:
        watched.events = []
        if not watched.is_hooked:
            sys.addaudithook(_note)
            watched.is_hooked = True
        return lambda: f"ran {watched.events}" if watched.events else "imported code" if SENTINEL in sys.modules else ""

    def __exit__(self, *_: object) -> None:
        watched.events = ()


def _note(event: str, _: object) -> None:
    if event in CODE_EVENTS and isinstance(watched.events, list):
        watched.events.append(event)
