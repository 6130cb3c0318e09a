"""Files of predictions about whole sequences, as programs read them that we did not write: docs/formats.md."""

from xml.dom import minidom

import h5py
import numpy as np
import pandas
import polars
import pytest
from predicting import predict
from tiny_function_bundle import write_function_bundle
from tiny_sequence_bundle import write_sequence_bundle

from genoformer.applications import APPLICATIONS
from genoformer.inference.reading import Reading

FASTA = ">a\nGGGGCGAAAGCCCCATGACAGGC\n>b|x\n" + "ATGGCTGCTAACAAGTGGTTTGCT" * 3 + "AACAAG\n"
LENGTHS = {"a": 23, "b|x": 78}
TASKS = ("function", "rna_pairs", "codon_structure", "contacts")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """By task: the folder of a prediction in all formats of the task."""
    folder = tmp_path_factory.mktemp("readers")
    (folder / "in.fa").write_text(FASTA)
    for task in TASKS:
        model = folder / f"{task}-model"
        write_function_bundle(model) if task == "function" else write_sequence_bundle(model, task)
        row = APPLICATIONS[task]
        asked = row.request.load()(Reading("error"), tuple(row.formats.load()), "float32")
        predict(model, [folder / "in.fa"], asked, folder / task)
    return {task: folder / task for task in TASKS}


def read_tsv(path):
    return polars.read_csv(path, separator="\t", quote_char=None)


@pytest.mark.parametrize("task", TASKS)
def test_every_format_has_its_files(outputs, task):
    for row in APPLICATIONS[task].formats.load().values():
        assert len(list(outputs[task].glob(row.pattern))) == (2 if row.is_per_record else 1), row.file


@pytest.mark.parametrize(("task", "name"), [("rna_pairs", "pairs"), ("contacts", "contacts")])
def test_h5py_reads_the_pairs_of_the_table(outputs, task, name):
    table = read_tsv(outputs[task] / f"{name}.tsv")
    with h5py.File(outputs[task] / f"{name}.h5") as file:
        ids, ends = list(file["ids"].asstr()), [0, *file["ends"]]
        assert dict(zip(ids, file["lengths"], strict=True)) == LENGTHS
        for r, record in enumerate(ids):
            part = slice(ends[r], ends[r + 1])
            sure = dict(zip(map(tuple, (file["pairs"][part] + 1).tolist()), file["probability"][part], strict=True))
            rows = table.filter(table["record_id"] == record)
            assert len(rows) and max(abs(sure[i, j] - p) for i, j, p in rows["i", "j", "probability"].rows()) < 1e-4


def test_viennarna_and_pandas_read_one_structure_out_of_three_files(outputs, need_package):
    rna, out = need_package("RNA"), outputs["rna_pairs"]
    lines = (out / "pairs.dbn").read_text().splitlines()
    ct, begin = (out / "pairs.ct").read_text().splitlines(), 0
    for number, (header, bases, brackets) in enumerate(zip(lines[::3], lines[1::3], lines[2::3], strict=True), 1):
        length, *partners = rna.ptable(brackets)
        assert length == LENGTHS[header[1:]] == len(bases)
        assert ct[begin].split() == [str(length), header[1:]]
        connect = pandas.read_csv(out / "pairs.ct", sep=" ", header=None, skiprows=begin + 1, nrows=length)
        bpseq = pandas.read_csv(out / f"pairs-{number:04d}.bpseq", sep=" ", header=None, comment="#")
        assert connect[4].tolist() == bpseq[2].tolist() == partners
        assert "".join(connect[1]) == "".join(bpseq[1]) == bases
        begin += length + 1


@pytest.mark.parametrize("file", ["rna_pairs/pairs", "contacts/contacts"])
def test_pillow_and_an_xml_reader_open_every_picture(outputs, file, need_package):
    task, name = file.split("/")
    pillow = need_package("PIL.Image")
    for number, record in enumerate(LENGTHS, 1):
        with pillow.open(outputs[task] / f"{name}-{number:04d}.png") as picture:
            assert picture.format == "PNG" and np.asarray(picture.convert("L")).min() < 128 <= picture.width
        stems = [name, "dotplot"] if task == "rna_pairs" else [name]
        for stem in stems:
            [title] = minidom.parse(str(outputs[task] / f"{stem}-{number:04d}.svg")).getElementsByTagName("title")
            assert title.firstChild.data == record


@pytest.mark.parametrize("task", TASKS)
def test_chromium_opens_the_report_without_complaint(outputs, task, chromium):
    chromium.open(outputs[task] / "report.html")
    assert chromium.complaints() == []
    assert "b|x" in chromium.find("body").text
