"""Files that say how to train, what a folder holds, or what was asked for: configurations, JSON, command lines."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

from genoformer.files import MANIFEST_NAME, write_manifest
from genoformer.training.config_files import shipped_configs
from robustness_kinds.formats import Ended, Format, run
from robustness_kinds.guard import command
from robustness_kinds.inputs import Inputs
from robustness_kinds.mutate import BINARY, comments

CONFIG = "gene_structure_tiny"
FORMATS = {
    "rna_pairs": ("rnas.fa", "rnas.dbn", "h5,dbn,tsv"), "codon_structure": ("codons.fa", "codons.tsv", "tsv"),
    "contacts": ("contacts.fa", "contacts.tsv", "tsv,h5"), "multiclass": ("sequences.fa", "abc.tsv", "tsv"),
}  # fmt: skip
"""Input, reference and formats of predictions whose files are read again."""


def formats(inputs: Inputs, scratch: Path) -> list[Format]:
    """All of them; ``scratch`` is where commands write."""
    made = inputs.folder / "made"
    made.mkdir(exist_ok=True)
    return [
        *_configurations(inputs, scratch), *_predictions(inputs, scratch, made), *_shards(inputs, scratch, made),
        *_foreign(inputs, scratch, made), *_words(inputs, scratch),
    ]  # fmt: skip


def _configurations(inputs: Inputs, scratch: Path) -> list[Format]:
    """Training whose data is not there: the configuration is read as a whole, and nothing is trained."""
    data = shipped_configs()[CONFIG].read_bytes()
    absent = ("--data.fasta", scratch / "nowhere.fa", "--data.annotation", scratch / "nowhere.gff3")

    def fitted(path: Path) -> Any:
        found = run(scratch, "fit", "--config", path, "--name", "mutant", *absent)
        found = Ended(0, found.said, found.digest) if found.code == 66 else found
        return Ended(found.code, found.said, "")

    return [Format("YAML configuration", "c.yaml", data, fitted, 0.6, neutral=(comments(b"#"),))]


def _predictions(inputs: Inputs, scratch: Path, made: Path) -> list[Format]:
    (inputs.folder / "abc.tsv").write_text("id\tlabel\n" + "".join(f"s{i}\t{'abc'[i % 3]}\n" for i in range(24)))
    found = []
    for kind, (fasta, reference, words) in FORMATS.items():
        out = made / kind
        _must("predict", inputs.folder / fasta, "--model", inputs.bundle(kind), "-o", out, "--formats", words)
        judge = ("evaluate", "{}", inputs.folder / reference, "-o", scratch / "scores.json")
        for path in sorted(out.iterdir()):
            if (path.is_file() and path.suffix in (".tsv", ".dbn")) or path.name == "summary.json":
                found.append(_in_folder(f"{kind}/{path.name}, evaluate", path, scratch, judge, 0.4))
            elif path.suffix == ".h5":
                found.append(_in_folder(f"{kind}/{path.name}, evaluate", path, scratch, judge, 0.4, binary=True))
    out = made / "genes"
    again = ("predict", inputs.genome, "--model", inputs.bundle("genes"), "-o")
    _must(*again, out)
    for name in ("summary.json", "run.json", MANIFEST_NAME):
        found.append(_in_folder(f"{name}, predict again", out / name, scratch, (*again, "{}"), 0.3))
    return found


def _shards(inputs: Inputs, scratch: Path, made: Path) -> list[Format]:
    parts = made / "parts"
    shard = parts / "shard-1-of-1"
    _must("predict", inputs.genome, "--model", inputs.bundle("genes"), "-o", parts, "--shard", "1/1")

    def merged(path: Path) -> Any:
        copy = _copied(parts, scratch / "parts") / shard.name
        (copy / "shard.json").write_bytes(path.read_bytes())
        write_manifest(copy, [one.name for one in copy.iterdir() if one.name[0] != "." and one.name != MANIFEST_NAME])
        return _ended("merge", scratch / "parts", "-o", scratch / "o")

    return [Format("shard.json, merge", "shard.json", (shard / "shard.json").read_bytes(), merged, 0.5)]


def _foreign(inputs: Inputs, scratch: Path, made: Path) -> list[Format]:
    """The layout of Hugging Face."""
    folder = made / "hf"
    _must("export", inputs.bundle("exportable"), "-o", folder)
    words = ("import", "{}", "-o", scratch / "model")
    names = ("config.json", "tokenizer.json", "tokenizer_config.json")
    return [
        *(_in_folder(f"Hugging Face, {name}", folder / name, scratch, words, 0.4) for name in names),
        _in_folder("Hugging Face, safetensors", folder / "model.safetensors", scratch, words, 0.3, binary=True),
    ]


def _words(inputs: Inputs, scratch: Path) -> list[Format]:
    """Values of options, as text that is mutated."""
    model, o = inputs.bundle("genes"), scratch / "o"
    predict = ("predict", inputs.genome, "--model", model, "-o", o, "--dry-run")
    options = {
        "--region": b"sim5_1:1-900", "--shard": b"1/2", "--formats": b"gff3,tsv", "--circular": b"auto",
        "--locus-tag": b"ABC", "--model": str(model).encode(),
    }  # fmt: skip

    def with_option(option: str, path: Path) -> Any:
        value = path.read_bytes().decode("utf-8", "surrogateescape").replace("\0", "")
        return run(scratch, *predict, f"{option}={value}")

    def simulated(path: Path) -> Any:
        value = path.read_bytes().decode("utf-8", "surrogateescape").replace("\0", "")
        return run(scratch, "simulate", "-o", o, f"--seed={value}", "--length-bp=6000")

    return [
        *(Format(f"{option}", "word", value, partial(with_option, option), 0.2) for option, value in options.items()),
        Format("--seed", "word", b"17", simulated, 0.2),
    ]


def _in_folder(
    name: str, file: Path, scratch: Path, words: tuple[object, ...], weight: float, *, binary: bool = False
) -> Format:
    """A file of a folder: the folder is copied with the mutant in its place, and the command is told of it as "{}"."""
    folder, copy = file.parent, scratch / "folder"

    def read(path: Path) -> Any:
        _copied(folder, copy)
        (copy / file.name).write_bytes(path.read_bytes())
        return _ended(*(copy if word == "{}" else word for word in words))

    return Format(name, file.name, file.read_bytes(), read, weight, **({"changes": BINARY} if binary else {}))


def _copied(folder: Path, to: Path) -> Path:
    for old in to.parent.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    return Path(shutil.copytree(folder, to))


def _ended(*words: object) -> Ended:
    code, said = command(words)
    return Ended(code, said, "")


def _must(*words: object) -> None:
    code, said = command(words)
    if code:
        raise RuntimeError(f"{' '.join(map(str, words))} ended with {code}: {said}")
