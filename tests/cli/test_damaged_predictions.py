"""``evaluate`` of folders that were changed, cut off or are of other types: one line, and never a bug of ours."""

import json
import random
from contextlib import ExitStack

import h5py
import numpy as np
import pytest

from genoformer.applications.rna_pairs.maps import PairMapWriter, read_pairs_h5
from genoformer.cli.main import main
from genoformer.errors import DataError
from genoformer.files import write_manifest
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.records import Record

GFF3 = "##gff-version 3\n##sequence-region c 1 300\n" + "".join(
    f"c\tx\t{kind}\t{start}\t{start + 29}\t.\t+\t{phase}\tID={kind}{start};Parent=g{start}\n"
    for start in (10, 100)
    for kind, phase in (("gene", "."), ("CDS", "0"))
).replace("Parent=g10\n", "locus_tag=a\n", 1).replace("Parent=g100\n", "locus_tag=b\n", 1)
CLASSES = "record_id\tlength_bp\tprediction\tprobability\tx\ty\na\t10\tx\t0.9\t0.9\t0.1\nb\t10\ty\t0.6\t0.4\t0.6\n"
VALUES = "record_id\tlength_bp\tprediction\tlow\thigh\na\t10\t1.5\t1\t2\nb\t10\t-2\t-3\t0\n"
STATES = "record_id\tcodon\tbases\tstate\tprobability\tH\tE\na\t1\tATG\tH\t0.9\t0.9\t0.1\na\t2\tGCT\tE\t0.6\t0.4\t0.6\n"
DBN = ">a\nGGGAAACCC\n(((...)))\n>b\nGGAAACC\n((...))\n"
FOLDERS = {
    "gene_structure": ({"genes.gff3": GFF3}, {}, ("known.gff3", GFF3)),
    "function": ({"functions.tsv": CLASSES}, {"kind": "multiclass"}, ("known.tsv", "id\tlabel\na\tx\nb\ty\n")),
    "regression": ({"functions.tsv": VALUES}, {"kind": "regression"}, ("known.tsv", "id\tlabel\na\t1\nb\t-1\n")),
    "codon_structure": ({"structure.tsv": STATES}, {}, ("known.tsv", "id\tstates\na\tHE\n")),
    "rna_pairs": ({"pairs.dbn": DBN}, {}, ("known.dbn", DBN)),
}
ODD = ["", "x", "nan", "-1", "²", "9" * 400, "1e999", "\t", "null", "[]", "{}", '{"kind": []}', "\0", "é", "a", "2"]


def pairs_h5(path):
    with ExitStack() as stack:
        writer = PairMapWriter(path)
        writer.enter(stack)
        for name, bases in (("a", "GGGAAACCC"), ("b", "GGAAACC")):
            pairs = np.array([[0, len(bases) - 1], [1, len(bases) - 2]], np.int32)
            writer.add(
                Record(name, encode_bases(bases)), {"pairs": pairs, "probability": np.array([0.9, 0.4], np.float32)}
            )


def make(folder, task):
    files, more, (name, text) = FOLDERS[task]
    out = folder / "out"
    out.mkdir()
    for file, content in files.items():
        (out / file).write_text(content)
    if task == "rna_pairs":
        pairs_h5(out / "pairs.h5")
    stated = "function" if task == "regression" else task
    (out / "summary.json").write_text(json.dumps({"task": stated, **more}))
    (folder / name).write_text(text)
    return out, ["evaluate", str(out), str(folder / name), "--task", stated]


def mutants(data: bytes, n: int):
    """Copies with a byte flipped, cut off, or a word replaced."""
    chance = random.Random(len(data))
    for number in range(n):
        at = chance.randrange(len(data))
        if number % 3 == 0:
            yield data[:at]
        elif number % 3 == 1:
            yield data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        else:
            words = data.replace(b"\n", b"\n\0").replace(b"\t", b"\t\0").split(b"\0")
            place = chance.randrange(len(words))
            end = words[place][-1:] if words[place][-1:] in (b"\n", b"\t") else b""
            words[place] = chance.choice(ODD).encode() + end
            yield b"".join(words)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("task", FOLDERS)
def test_every_file_of_a_folder_may_be_damaged(task, tmp_path, capsys):
    out, command = make(tmp_path, task)
    assert main(command) == 0, capsys.readouterr().err
    for path in sorted(out.iterdir()):
        whole = path.read_bytes()
        for data in mutants(whole, 150):
            path.write_bytes(data)
            capsys.readouterr()
            code = main(command)
            lines = capsys.readouterr().err.splitlines()
            assert code in (0, 65, 66), (path.name, data, lines)
            assert code == 0 or len(lines) <= 5
        path.write_bytes(whole)


@pytest.mark.parametrize("text", ["null", "1", '"x"', "[]", '{"kind": ["x"]}', '{"functions": 1}', "[" * 9_000, "\xff"])
def test_a_summary_of_other_types_is_no_summary(text, tmp_path, capsys):
    out, command = make(tmp_path, "function")
    (out / "summary.json").write_bytes(text.encode("latin-1"))
    assert main(command) == 65
    assert "EVAL-010" in capsys.readouterr().err
    assert main(command[:-2]) == 65


@pytest.mark.parametrize("task", FOLDERS)
def test_what_differs_from_the_manifest_is_not_scored(task, tmp_path, capsys):
    out, command = make(tmp_path, task)
    names = [path.name for path in out.iterdir()]
    write_manifest(out, names)
    assert main(command) == 0
    name = next(iter(FOLDERS[task][0]))
    text = (out / name).read_text()
    (out / name).write_text(text[: text.rindex("\n", 0, -1) + 1])
    assert main(command) == 65
    assert name in capsys.readouterr().err
    (out / name).write_text(text)
    for content in (b"", b"{}", b'{"files": []}', b"[" * 9_000, b"\xff"):
        (out / "manifest.json").write_bytes(content)
        assert main(command) == 65
        assert "FILES-003" in capsys.readouterr().err


CHANGES = {
    "ends": [[1, 9], [4, 2], [-1, 4], [2, 3], [2, 4, 4]],
    "pairs": [np.zeros((4, 3), int), np.zeros((2, 2), int), np.zeros((4, 2), int), [[5, 1]] * 4, [[0.5, 1.5]] * 4],
    "probability": [[0.5] * 3, [2.0] * 4, [np.nan] * 4, [1, 1, 1, 1], [[0.5] * 4]],
    "ids": [["a"], [1, 2], [[1], [2]]],
}


@pytest.mark.parametrize(
    ("name", "number"), [(name, i) for name, values in CHANGES.items() for i in range(len(values))]
)
def test_arrays_of_pairs_that_do_not_fit_are_refused(name, number, tmp_path):
    path = tmp_path / "pairs.h5"
    pairs_h5(path)
    assert [(found, len(pairs)) for found, pairs, _ in read_pairs_h5(path)] == [("a", 2), ("b", 2)]
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = CHANGES[name][number]
    with pytest.raises(DataError, match="EVAL-019"):
        list(read_pairs_h5(path))


def test_pairs_kept_elsewhere_are_refused(tmp_path):
    path = tmp_path / "pairs.h5"
    pairs_h5(path)
    pairs_h5(tmp_path / "other.h5")
    with h5py.File(path, "r+") as file:
        del file["pairs"]
        file["pairs"] = h5py.ExternalLink("other.h5", "pairs")
    with pytest.raises(DataError, match="EVAL-019"):
        list(read_pairs_h5(path))
