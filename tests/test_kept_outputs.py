"""``scripts/kept_outputs.py compare``: what it finds in two kept folders, and what it lets pass."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from Bio.Seq import Seq
from safetensors.numpy import save_file

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
sys.path.insert(0, str(SCRIPTS))

from kept import differences, expected, fits  # noqa: E402
from kept.differences import compare_folders  # noqa: E402
from kept.introns import make_intron_genome  # noqa: E402
from kept.names import renamed  # noqa: E402

ABOUT = {
    "package": "/there/old",
    "prefix": "/usr",
    "libraries": {},
    "python": "3",
    "machine": "x",
    "steps": {"one": {}},
}


def write_json(path, obj):
    path.write_text(json.dumps(obj))


def write_about(folder):
    write_json(folder / "about.json", {**ABOUT, "folder": str(folder)})


@pytest.fixture
def folders(tmp_path):
    """Two equal kept folders with one step, "one"."""
    old, new = tmp_path / "old", tmp_path / "new"
    out = old / "outputs" / "one"
    for folder in (old / "inputs", old / "lines", out / "model"):
        folder.mkdir(parents=True)
    (out / "genes.gff3").write_bytes(b"##gff-version 3\nc\t.\tgene\t1\t9\n")
    save_file({"head.bias": np.zeros(3, np.float32)}, out / "model" / "model.safetensors")
    write_json(out / "model" / "config.json", {"k": 3, "encoder": {"window_radius": [4, 8], "attention": "full"}})
    write_json(out / "model" / "manifest.json", {"files": {"config.json": {"sha256": "aa", "bytes": 1}}})
    with h5py.File(out / "pairs.h5", "w") as file:
        file["pairs"] = np.arange(4)
        file.attrs["complete"] = True
    shutil.copytree(old, new)
    for folder in (old, new):
        (folder / "lines" / "one.stderr").write_text(f"genoformer: wrote {folder.resolve()}/outputs/one\n")
        write_about(folder)
    return old, new


def lines(folders):
    return [difference.line for difference in compare_folders(*folders)]


def test_equal_folders_have_no_difference_though_paths_and_digests_differ(folders):
    write_json(folders[1] / "outputs/one/model/manifest.json", {"files": {"config.json": {"sha256": "bb", "bytes": 2}}})
    assert lines(folders) == []


def test_one_changed_byte_of_text_is_found_with_its_line(folders):
    (folders[1] / "outputs/one/genes.gff3").write_bytes(b"##gff-version 3\nc\t.\tgene\t1\t8\n")
    (found,) = lines(folders)
    assert found.startswith("outputs/one/genes.gff3: line 2: ") and "t8" in found


def test_a_line_end_is_a_difference(folders):
    (folders[1] / "outputs/one/genes.gff3").write_bytes(b"##gff-version 3\r\nc\t.\tgene\t1\t9\n")
    assert len(lines(folders)) == 1


def test_one_changed_number_of_a_tensor_is_found_and_minus_zero_too(folders):
    path = folders[1] / "outputs/one/model/model.safetensors"
    save_file({"head.bias": np.array([0, 0, 2e-8], np.float32)}, path)
    assert lines(folders) == [
        "outputs/one/model/model.safetensors: head.bias: 1 of 3 values differ, by up to 2e-08"
    ]  # fmt: skip
    save_file({"head.bias": np.array([0, 0, -0.0], np.float32)}, path)
    assert lines(folders) == ["outputs/one/model/model.safetensors: head.bias: 1 of 3 values differ, by up to 0"]


@pytest.mark.parametrize("value", [np.zeros(4, np.float32), np.zeros((1, 3), np.float32), np.zeros(3, np.float16)])
def test_another_shape_or_type_of_a_tensor_is_found(folders, value):
    save_file({"head.bias": value}, folders[1] / "outputs/one/model/model.safetensors")
    assert lines(folders)


def test_a_missing_and_an_additional_file_are_found(folders):
    (folders[1] / "outputs/one/genes.gff3").unlink()
    (folders[1] / "outputs/one/genes.bed").write_text("")
    assert lines(folders) == ["outputs/one/genes.bed: only in NEW", "outputs/one/genes.gff3: missing in NEW"]


def test_values_and_attributes_of_hdf5_are_found_by_place(folders):
    with h5py.File(folders[1] / "outputs/one/pairs.h5", "r+") as file:
        file["pairs"][2] = 7
        file.attrs["complete"] = False
    assert lines(folders) == [
        'outputs/one/pairs.h5: @complete: "bool True" → "bool False"',
        "outputs/one/pairs.h5: pairs: 1 of 4 values differ, by up to 5",
    ]


def test_json_is_compared_by_place_and_type(folders):
    write_json(folders[1] / "outputs/one/model/config.json", {
        "encoder": {"attention": "full", "window_radius": [4, 9]}, "k": 3.0,
    })  # fmt: skip
    name = "outputs/one/model/config.json"
    assert lines(folders) == [f"{name}: k: 3 → 3.0", f"{name}: encoder.window_radius.1: 8 → 9"]


def test_a_manifest_is_compared_by_its_names(folders):
    write_json(folders[1] / "outputs/one/model/manifest.json", {"files": {"card.md": {"sha256": "aa", "bytes": 1}}})
    assert len(lines(folders)) == 2


def test_other_inputs_are_found(folders):
    (folders[0] / "inputs" / "a.fa").write_text(">a\nA\n")
    (folders[1] / "inputs" / "a.fa").write_text(">a\nC\n")
    assert lines(folders) == ["inputs/a.fa: other input: NEW was not made with --inputs OLD"]


def test_the_format_table_gives_other_names_to_values_that_must_be_the_same(folders, monkeypatch):
    names = {"encoder.attention": "encoder.attention.name", "encoder.window_radius": "encoder.attention.radius"}
    monkeypatch.setitem(expected.FORMAT_TABLE, "*/model/config.json", names)
    layout = {"k": 3, "encoder": {"attention": {"name": "full", "radius": [4, 8]}}}
    write_json(folders[1] / "outputs/one/model/config.json", layout)
    assert lines(folders) == []
    layout["encoder"]["attention"]["radius"] = [4, 7]
    write_json(folders[1] / "outputs/one/model/config.json", layout)
    assert lines(folders) == ["outputs/one/model/config.json: encoder.attention.radius.1: 8 → 7"]


def test_an_expected_difference_has_its_reason(folders, monkeypatch):
    monkeypatch.setitem(expected.EXPECTED, r".*/config\.json: k: 3 → \d", "tokens grew")
    write_json(folders[1] / "outputs/one/model/config.json", {
        "k": 4, "encoder": {"window_radius": [4, 8], "attention": "full"},
    })  # fmt: skip
    (found,) = compare_folders(*folders)
    assert found.reason == "tokens grew"


def test_with_only_some_steps_the_others_are_not_missing(folders):
    other = folders[0] / "outputs" / "two"
    other.mkdir()
    (other / "x.tsv").write_text("x\n")
    assert lines(folders) == ["outputs/two/x.tsv: missing in NEW"]
    write_json(folders[1] / "about.json", {**ABOUT, "folder": str(folders[1]), "only": "one"})
    assert lines(folders) == []


def test_the_longest_name_decides():
    names = {"a": "z", "a.b": "y.b", "c": None}
    assert [renamed(name, names) for name in ("a.x", "a.b.0", "ab", "c.d")] == ["z.x", "y.b.0", "ab", None]


def test_command_lines_follow_the_tables_of_keys(monkeypatch):
    monkeypatch.setattr(fits, "RENAMED_KEYS", {})
    assert fits.fit_words("mlm", "new") == fits.fit_words("mlm", "old")
    monkeypatch.setitem(fits.RENAMED_KEYS, "model.encoder.window_radius", "model.encoder.attention.window_radius")
    monkeypatch.setitem(fits.NEW_SETTINGS, "*", {"model.encoder.attention.name": "longformer"})
    monkeypatch.setitem(fits.NEW_SETTINGS, "mlm", {"data.guard_bp": None})
    words = fits.fit_words("mlm", "new")
    assert words[words.index("--model.encoder.attention.window_radius") + 1] == "16"
    assert words[words.index("--model.encoder.attention.name") + 1] == "longformer"
    assert "--model.encoder.window_radius" not in words and "--data.guard_bp" not in words
    assert words[words.index("--data.fasta") + 1] == "../../inputs/genome.fa"


def test_genes_of_the_made_up_genome_with_introns_translate():
    fasta, gff3 = make_intron_genome(n_genes=9, seed=1, n_contigs=1)
    bases = Seq("".join(fasta.splitlines()[1:]))
    rows = [line.split("\t") for line in gff3.splitlines()[1:]]
    for gene in (row[8] for row in rows if row[2] == "gene"):
        parts = [row for row in rows if row[2] == "CDS" and row[8].startswith(f"{gene}.c;")]
        cds = sum((bases[int(row[3]) - 1 : int(row[4])] for row in parts), Seq(""))
        is_minus = parts[0][6] == "-"
        cds = cds.reverse_complement() if is_minus else cds
        assert cds.startswith("ATG") and str(cds.translate()).find("*") == len(cds) // 3 - 1
        done = 0
        for row in parts[::-1] if is_minus else parts:
            assert int(row[7]) == -done % 3
            done += int(row[4]) - int(row[3]) + 1


def test_the_exit_code_says_whether_there_is_a_difference(folders):
    command = [sys.executable, str(SCRIPTS / "kept_outputs.py"), "compare", *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout == "0 differences, 0 of them not expected.\n", done.stderr
    (folders[1] / "outputs/one/genes.gff3").unlink()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "genes.gff3: missing in NEW" in done.stdout


def test_what_is_left_out_has_a_reason():
    assert all(len(reason) > 10 for reason in (*differences.LEFT_OUT.values(), *expected.EXPECTED.values()))
