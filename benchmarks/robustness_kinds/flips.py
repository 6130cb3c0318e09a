"""Single bits that have changed in what is kept: found, computed again, or without any effect on results."""

import hashlib
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from genoformer import load_model
from genoformer.bundle.folder import load_bundle
from genoformer.errors import GenoformerError
from genoformer.genomes.store import Store
from genoformer.training.checkpoint_io import AtomicCheckpointIO
from robustness_kinds.bundles import BASES, OTHER_BASES, SILENT
from robustness_kinds.commands import FIT
from robustness_kinds.formats import canonical
from robustness_kinds.guard import Case, Tally, command, judged, run_cases
from robustness_kinds.inputs import BUNDLES, Inputs

FOUND = (65, 73)
"""73: a finished result that was changed is not replaced without being told so."""
NO_RESULT = ("run.json",)
"""Says where the input lay and when; the one file that may differ between equal predictions."""


@dataclass(frozen=True)
class Kept:
    """Something that is kept and read again.

    Attributes:
        name: Of the row in the table.
        folder: A folder that holds it; "place" is the copy in which a bit is changed.
        files: The files whose bits are changed, relative to the folder.
        read: Gives from the copy what follows from it: a value to compare, or an exit code with what was said.
        weight: Share of the flips, relative to others.
    """

    name: str
    folder: Path
    files: tuple[str, ...]
    read: Callable[[Path], object]
    weight: float = 1.0


def attack(inputs: Inputs, work: Path, seed: int, n: int) -> dict[str, Tally]:
    """Flip about ``n`` bits; what came of it, by what holds them."""
    every = kept(inputs, work / "kept")
    for kind in BUNDLES:
        answer(kind, inputs.bundle(kind))  # what is compiled here its children have
    total, found = sum(one.weight for one in every), {}
    for one in every:
        count = max(1, round(n * one.weight / total))
        found[one.name] = run_cases(list(_cases(one, work / "flipped", seed, count)))
    return found


def kept(inputs: Inputs, folder: Path) -> list[Kept]:
    """Everything that is kept between two commands."""
    folder.mkdir()
    genes, genome = inputs.bundle("genes"), inputs.genome
    again = ("predict", genome, "--model", genes)
    _must(*again, "-o", folder / "result", "--formats", "gff3,tsv,protein,h5,parquet")
    for number in (1, 2):
        _must(*again, "-o", folder / "parts", "--shard", f"{number}/2")
    _must("merge", folder / "parts", "-o", folder / "merged")
    _must("prepare", genome, "--annotation", inputs.folder / "genome.gff3", "-o", folder / "store" / "s.h5")
    _fit(inputs, folder / "fit")
    words = ("--formats", "gff3,tsv,protein,h5,parquet")
    return [
        *(Kept(f"bundle, {kind}", inputs.bundle(kind), _names(inputs.bundle(kind)), partial(answer, kind), 0.5)
          for kind in BUNDLES),
        Kept("store", folder / "store", ("s.h5",), read_store, 3),
        Kept("shards", folder / "parts", _names(folder / "parts"), merge, 3),
        Kept("checkpoint", folder / "fit/runs/r/checkpoints", ("final.ckpt",), read_checkpoint, 1),
        Kept("finished result", folder / "result", _names(folder / "result"),
             partial(predict_again, (*again, *words), folder / "result"), 3),
    ]  # fmt: skip


def _fit(inputs: Inputs, folder: Path) -> None:
    folder.mkdir()
    back = Path.cwd()
    os.chdir(folder)
    try:
        _must(*FIT, "--data.fasta", inputs.long_genome, "--data.annotation", inputs.folder / "long.gff3")
    finally:
        os.chdir(back)


def _must(*words: object) -> None:
    for word, path in pairwise(words):
        if word == "-o":
            Path(str(path)).parent.mkdir(exist_ok=True)
    code, said = command(words)
    if code:
        raise RuntimeError(f"{' '.join(map(str, words))} ended with {code}: {said}")


def _names(folder: Path) -> tuple[str, ...]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    return tuple(sorted(str(path.relative_to(folder)) for path in files))


def _cases(one: Kept, place: Path, seed: int, n: int) -> Iterator[Case]:
    expected: list[object] = []
    for number in range(n):
        chance = random.Random(f"{seed} {one.name} {number}")
        file = one.files[number % len(one.files)]
        bit = chance.randrange(8 * (one.folder / file).stat().st_size)
        yield f"{one.name}, {file}, bit {bit}", partial(_try, one, place, file, bit, expected)


def _try(one: Kept, place: Path, file: str, bit: int, expected: list[object]) -> str:
    if not expected:
        expected.append(one.read(_copied(one.folder, place)))
    path = _copied(one.folder, place) / file
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)
    try:
        found = one.read(place)
    except GenoformerError as error:
        return "" if error.exit_code == 65 else f"exit code {error.exit_code}: {error}"
    if isinstance(found, Refusal):
        return judged(found.code, found.said, FOUND)
    return "" if found == expected[0] else "another result, and nobody noticed"


def _copied(folder: Path, place: Path) -> Path:
    if place.exists():
        shutil.rmtree(place)
    return Path(shutil.copytree(folder, place))


@dataclass(frozen=True)
class Refusal:
    """A command that did not end with 0."""

    code: int
    said: str


def answer(kind: str, place: Path) -> object:
    """What a model says."""
    if kind in SILENT:
        return [canonical(tensor.numpy()) for tensor in load_bundle(place).model.state_dict().values()]
    return repr(load_model(place).predict_sequence("r", BASES.get(kind, OTHER_BASES)))


def read_store(place: Path) -> object:
    """Everything that training reads of a store."""
    store = Store(place / "s.h5")
    read = [
        canonical([store.bases(i, 0, one.length), store.tracks(i, 0, one.length), store.genes(i), one])
        for i, one in enumerate(store.records)
    ]
    return [read, store.parameters, store.sequence_digest]


def read_checkpoint(place: Path) -> object:
    """What training continues from."""
    return canonical(AtomicCheckpointIO().load_checkpoint(place / "final.ckpt", map_location="cpu"))


def merge(place: Path) -> object:
    """What shards become together."""
    out = place.with_name("merged")
    shutil.rmtree(out, ignore_errors=True)
    code, said = command(("merge", place, "-o", out))
    return Refusal(code, said) if code else results(out)


def predict_again(words: tuple[object, ...], result: Path, place: Path) -> object:
    """What the same command finds, or makes, where the result lies."""
    code, said = command((*words, "-o", place))
    return Refusal(code, said) if code else results(place)


def results(folder: Path) -> dict[str, str]:
    """Digests of the files of a result."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in NO_RESULT)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
