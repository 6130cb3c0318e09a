"""Base pairs as text and in files: what is read back, and which lines are refused."""

import numpy as np
import pytest

from genoformer.errors import DataError, UsageError
from genoformer.sequence.alphabet import decode_bases
from genoformer.structures.dot_bracket import parse_dot_bracket, partners_of, write_dot_bracket
from genoformer.structures.pair_files import read_pair_files, write_bpseq, write_ct, write_dbn

BASES = "GGGAAACCCAUUUA"
KNOT = "((([[[)))..]]]"


def test_brackets_of_two_kinds_give_crossing_partners():
    assert parse_dot_bracket("(.[).]").tolist() == [3, -1, 5, 0, -1, 2]
    assert parse_dot_bracket("Aa._-").tolist() == [1, 0, -1, -1, -1]


@pytest.mark.parametrize(("text", "message"), [("(()", "'\\(' at position 1"), ("())", "'\\)' at position 3"),
                                               ("(x)", "'x' at position 2")])  # fmt: skip
def test_unbalanced_text_is_refused_with_letter_and_position(text, message):
    with pytest.raises(ValueError, match=message):
        parse_dot_bracket(text)


def test_random_matchings_survive_the_way_through_text():
    rng = np.random.default_rng(0)
    for _ in range(50):
        chosen = rng.permutation(40)[:18].reshape(-1, 2)
        partners = partners_of(np.sort(chosen, axis=1), 40)
        assert parse_dot_bracket(write_dot_bracket(partners)).tolist() == partners.tolist()


@pytest.mark.parametrize("partners", [[1, -1], [0], [5, -1], [1, 2, 0]])
def test_partners_that_are_not_mutual_have_no_text(partners):
    with pytest.raises(ValueError, match="pairs with"):
        write_dot_bracket(np.array(partners))


@pytest.mark.parametrize("ending", ["dbn", "ct", "bpseq"])
def test_files_are_read_as_they_were_written(tmp_path, ending):
    row = ("x", BASES, parse_dot_bracket(KNOT))
    lines = {"dbn": write_dbn([row]), "ct": write_ct([row]), "bpseq": write_bpseq(row)}[ending]
    path = tmp_path / f"x.{ending}"
    path.write_text("".join(lines))
    (found,) = read_pair_files([path])
    assert (found.id, found.label, found.group) == ("x", KNOT, path.name)
    assert decode_bases(found.codes) == BASES.replace("U", "T")


def test_viennarna_reads_the_dot_bracket_that_is_written(need_package):
    rna = need_package("RNA")
    table = rna.ptable("((..((....))..))")
    ours = parse_dot_bracket("((..((....))..))") + 1
    assert list(table[1:]) == ours.tolist()


def test_real_bpseq_files_have_canonical_pairs(data_dir):
    paths = sorted((data_dir / "rna_archiveII" / "bpseq_samples").glob("*.bpseq"))
    found = read_pair_files(paths)
    assert [example.id for example in found] == [path.stem for path in paths] and len(paths) == 3
    for example in found:
        pairs = {frozenset((decode_bases(example.codes)[i], decode_bases(example.codes)[j]))
                 for i, j in enumerate(parse_dot_bracket(example.label)) if j > i}  # fmt: skip
        assert frozenset("GC") in pairs and len(example.codes) > 1000


def test_ct_file_may_hold_several_and_an_energy(tmp_path):
    one = "".join(write_ct([("a", "GAAAC", parse_dot_bracket("(...)"))]))
    (tmp_path / "two.ct").write_text(one.replace("5 a", "5 ENERGY = -1.2  a") + one.replace("5 a", "5 dG = 0.1 b"))
    assert [(e.id, e.label) for e in read_pair_files([tmp_path / "two.ct"])] == [("a", "(...)"), ("b", "(...)")]


BAD = {
    "partner of seven.ct": ("1 a\n1 G 0 2 x 1 .\n", "line 2.*expected a row of 6 columns"),
    "no header.dbn": ("GGG\n...\n", "line 1"),
    "length.dbn": (">a\nGGG\n....\n", "line 3.*4 brackets and dots for 3 bases"),
    "cut.dbn": (">a\nGGG\n", "line 1"),
    "open.dbn": (">a\nGAAAC\n(....\n", "line 3.*never closed"),
    "letter.dbn": (">a\nGEAAC\n(...)\n", "line 2.*'E'"),
    "order.bpseq": ("1 G 0\n3 A 0\n", "line 2.*expected row 2"),
    "mutual.bpseq": ("# x\n1 G 3\n2 A 0\n3 C 0\n", "line 2.*partner 3"),
    "beyond.bpseq": ("1 G 9\n2 A 0\n", "line 1.*partner 9"),
    "columns.bpseq": ("1 G 0\n2 A\n", "line 2.*3 columns"),
    "empty.bpseq": ("# nothing\n", "begins with 1"),
    "few.ct": ("3 a\n1 G 0 2 0 1\n", "line 1.*3 bases, 1 rows"),
    "title.ct": ("a 3\n", "line 1.*number of bases"),
    "cells.ct": ("1 a\n1 G 0 2 x 1\n", "line 2.*6 columns"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file_is_an_error_with_file_and_line(tmp_path, name):
    text, message = BAD[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=f"{name}.*{message}" if "line" in message else message):
        read_pair_files([tmp_path / name])


def test_ids_must_be_unique_and_endings_known(tmp_path):
    for name in ("a.dbn", "b.dbn"):
        (tmp_path / name).write_text(">x\nGAAAC\n(...)\n")
    with pytest.raises(DataError, match=r'b\.dbn line 1.*"x" is also in .*a\.dbn line 1'):
        read_pair_files([tmp_path / "a.dbn", tmp_path / "b.dbn"])
    with pytest.raises(UsageError, match=r"\.fa"):
        read_pair_files([tmp_path / "c.fa"])
