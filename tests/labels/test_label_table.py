"""Labelled sequences: tables, FASTA headers, and errors that name file and line."""

import gzip

import numpy as np
import pytest

from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.labels.tables import TableColumns, header_value, read_label_table, read_labelled_fasta, read_labels
from genoformer.labels.values import check_examples, encode_labels, find_classes
from genoformer.sequence.alphabet import decode_bases

COLUMNS = TableColumns(label="kind", sequence="dna", id="id", group="chrom")


def read(path, columns=COLUMNS, fasta=(), log=None):
    return read_label_table([path], columns, fasta, log or WarningLog())


def write(tmp_path, text, name="t.tsv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_rows_become_sequences_and_rows_without_label_are_counted(tmp_path):
    path = write(tmp_path, "id\tkind\tdna\tchrom\na\tx\tACGU\tI\n\nb\t\tAC\tI\nc\ty\tnnA\tII\n")
    log = WarningLog()
    rows = read(path, log=log)
    assert [(r.id, decode_bases(r.codes), r.label, r.group) for r in rows] == [
        ("a", "ACGT", "x", "I"), ("c", "NNA", "y", "II"),
    ]  # fmt: skip
    assert [r.where.rpartition(" line ")[2] for r in rows] == ["2", "5"]
    assert log.counts == {"LABELS-101": 1}


def test_csv_gzip_quotes_padding_and_headerless_files_are_read_alike(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b'EI, one ,  ACGT\r\nN,"two, three",GG\r\n'))
    columns = TableColumns(label="c", sequence="s", names=("c", "n", "s"), group="file")
    rows = read(tmp_path / "a.csv.gz", columns)
    assert [(r.id, decode_bases(r.codes), r.label, r.group) for r in rows] == [
        ("a.csv.gz:1", "ACGT", "EI", "a.csv.gz"), ("a.csv.gz:2", "GG", "N", "a.csv.gz"),
    ]  # fmt: skip


def test_sequences_come_from_fasta_by_id(tmp_path):
    table = write(tmp_path, "id,kind\nb,x\na,y\n", "t.csv")
    fasta = write(tmp_path, ">a one\nAC\n>b\nGG\n>c\nTT\n", "s.fa")
    log = WarningLog()
    rows = read(table, TableColumns(label="kind", id="id"), [fasta], log)
    assert [(r.id, decode_bases(r.codes), r.label) for r in rows] == [("b", "GG", "x"), ("a", "AC", "y")]
    assert '"c"' in log.examples["LABELS-102"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id\tkind\tdna\tchrom\na\tx\tAC\tI\na\ty\tGG\tI\n", 't.tsv line 3: the id "a" is also in .*t.tsv line 2'),
        ("id\tkind\tdna\tchrom\na\tx\tAC\n", "t.tsv line 2: expected 4 columns, found 3"),
        ("id\tsort\tdna\tchrom\na\tx\tAC\tI\n", 'no column "kind"; there are id, sort, dna, chrom'),
        ("id\tkind\tdna\tchrom\na\tx\tAC-T\tI\n", "t.tsv line 2: .*'-' at position 2"),
        ("id\tkind\tdna\tchrom\na\tx\t\tI\n", "t.tsv line 2: the sequence is empty"),
        ("id\tkind\tdna\tchrom\n", "no rows"),
        ("", "no rows"),
    ],
)
def test_bad_table_is_one_error_with_file_and_line(tmp_path, text, found):
    with pytest.raises(DataError, match=found):
        read(write(tmp_path, text))


def test_id_without_sequence_is_named_with_its_line(tmp_path):
    table, fasta = write(tmp_path, "id,kind\na,x\nzz,y\n", "t.csv"), write(tmp_path, ">a\nAC\n", "s.fa")
    with pytest.raises(DataError, match=r't.csv line 3: no FASTA record is called "zz"'):
        read(table, TableColumns(label="kind", id="id"), [fasta])
    with pytest.raises(UsageError, match="where the sequences are"):
        read(table, TableColumns(label="kind", id="id"))


def test_labels_stand_in_fasta_headers(tmp_path):
    path = write(tmp_path, ">a class=x chr=I\nAC\n>b [class=two words] chr=II\nGG\n>c subclass=q\nTT\n", "s.fa")
    log = WarningLog()
    rows = read_labelled_fasta([path], "class", "chr", log)
    assert [(r.id, r.label, r.group) for r in rows] == [("a", "x", "I"), ("b", "two words", "II")]
    assert log.counts["LABELS-101"] == 1
    assert header_value('x="1 2" y=3', "x") == "1 2" and header_value("xy=3", "y") == ""


def labels(*texts):
    rows = "".join(f"r{i}\t{text}\tAC\tI\n" for i, text in enumerate(texts))
    return "id\tkind\tdna\tchrom\n" + rows


def test_terms_become_zeros_and_ones_and_rare_ones_are_no_outputs(tmp_path):
    rows = read(write(tmp_path, labels("b;a", "a", "a;c;a", "b")))
    classes = find_classes(rows, "multilabel", separator=";", min_examples=2, value_name="")
    assert classes == ["a", "b"]
    targets = encode_labels(rows, "multilabel", classes, separator=";", strict=False)
    assert targets.dtype == np.float32 and targets.tolist() == [[1, 1], [1, 0], [1, 0], [0, 1]]
    with pytest.raises(DataError, match='line 4: "c" is none of the classes a, b'):
        encode_labels(rows, "multilabel", classes, separator=";", strict=True)


def test_label_that_does_not_fit_names_file_and_line(tmp_path):
    rows = read(write(tmp_path, labels("1.5", "-2e3", "high")))
    with pytest.raises(DataError, match=r't.tsv line 4: expected a number, found "high"'):
        encode_labels(rows, "regression", ["v"], separator=";", strict=True)
    assert encode_labels(rows[:2], "regression", ["v"], separator=";", strict=True).tolist() == [[1.5], [-2000.0]]
    with pytest.raises(DataError, match=r't.tsv line 4: "high" is none of the classes'):
        encode_labels(rows, "multiclass", ["-2e3", "1.5"], separator=";", strict=True)


def test_class_without_example_in_training_is_refused_by_name():
    with pytest.raises(UsageError, match="1 of 3 classes have no example in the training part: b"):
        check_examples(np.array([0, 2, 2]), "multiclass", ["a", "b", "c"], "t.tsv")
    with pytest.raises(UsageError, match="training part: b"):
        check_examples(np.array([[1.0, 0.0]]), "multilabel", ["a", "b"], "t.tsv")
    check_examples(np.array([[1.0]]), "regression", ["v"], "t.tsv")


def test_labels_without_sequences_need_ids(tmp_path):
    path = write(tmp_path, "id\tkind\na\tx\n")
    assert [(r.id, r.label) for r in read_labels(path, TableColumns("kind", id="id"), WarningLog())] == [("a", "x")]
    with pytest.raises(UsageError, match=r"EVAL-011.*--id-column"):
        read_labels(path, TableColumns("kind"), WarningLog())


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"id;sequence;label\na;ACGT;x\n", "LABELS-021", r"line 1: the columns are separated by semicolons.*tr ';'"),
        (b"PAR1\x00\x01\xff", "LABELS-020", "is a Parquet file"),
        (
            b"id,bases,label\na,ACGT,x\n",
            "LABELS-002",
            r't\.csv: there is no column "sequence"; there are id, bases, label',
        ),
    ],
)
def test_a_table_of_another_kind_is_named(tmp_path, content, code, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=f"{code}.*{message}"):
        read_label_table([tmp_path / "t.csv"], TableColumns(sequence="sequence"), [], WarningLog())
