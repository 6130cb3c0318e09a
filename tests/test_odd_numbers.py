"""Numbers that are none, or that no sequence could have, in files and on the command line: data or usage."""

import numpy as np
import pytest

from genoformer.annotation.locations import parse_transl_except
from genoformer.annotation.read import read_annotation
from genoformer.annotation.read_bed import read_bed_intervals
from genoformer.applications.genes.request import read_region
from genoformer.cli.predict import read_shard
from genoformer.errors import GenoformerError, WarningLog
from genoformer.files.numbers import read_number, read_numbers, read_table, whole_number
from genoformer.genomes.genome_table import read_genome_table
from genoformer.structures.pair_files import read_ct

ODD = ["²", "1" + "0" * 30, "9" * 5_000, "-1", "1.5", "٣", "", " 1", "1_0", "1e3", "nan"]
SHORT = [text[:12] for text in ODD]


@pytest.mark.parametrize("text", ODD, ids=SHORT)
def test_a_whole_number_is_digits_and_not_too_many(text):
    assert whole_number(text) is None
    assert (whole_number("0"), whole_number("007"), whole_number("9" * 15)) == (0, 7, 10**15 - 1)


@pytest.mark.parametrize("text", ODD, ids=SHORT)
def test_files_with_such_a_number_are_refused_as_data(tmp_path, text):
    gff3 = "##gff-version 3\nc\tx\tCDS\t{}\t{}\t.\t+\t0\tID=a{}\n"
    for name, (start, end, more) in {"start": (text, 9, ""), "end": (1, text, ""), "code": (1, 9, text)}.items():
        path = tmp_path / f"{name}.gff3"
        path.write_text(gff3.format(start, end, f";transl_table={more}" if more else ""))
        if name == "code" and not text:
            continue
        with pytest.raises(GenoformerError, match="GFF3-0"):
            read_annotation(path)
    bed, ct = tmp_path / "a.bed", tmp_path / "a.ct"
    bed.write_text(f"c\t{text or 'x'}\t9\n")
    with pytest.raises(GenoformerError, match="BED-"):
        read_bed_intervals(bed, {"c": 100}, WarningLog())
    ct.write_text(f"{text.replace(' ', 'x') or 'x'} name\n1 A 0 2 0 1\n")
    with pytest.raises(GenoformerError, match="PAIRS-003"):
        list(read_ct(ct))


@pytest.mark.parametrize("text", ODD, ids=SHORT)
def test_command_lines_with_such_a_number_are_usage(text):
    for shard in (f"{text}/2", f"1/{text}"):
        with pytest.raises(GenoformerError, match="SHARD-001"):
            read_shard(shard, {})
    for rank, size in ((text, "2"), ("0", text), ("2", "2")):
        with pytest.raises(GenoformerError, match="SHARD-001"):
            read_shard("auto", {"RANK": rank, "WORLD_SIZE": size})
    for region in (f"c:{text}-20", f"c:1-{text}"):
        with pytest.raises(GenoformerError, match="REGION-003") as caught:
            read_region(region)
        assert len(str(caught.value)) < 300


def test_an_exception_at_an_unbelievable_place_is_none():
    assert parse_transl_except("(pos:10..12,aa:Sec)") == ((9, 12, "Sec"),)
    assert parse_transl_except(f"(pos:{'9' * 5_000}..12,aa:Sec)") == parse_transl_except("(pos:0..2,aa:Sec)") == ()


def test_a_table_of_genomes_names_the_row(tmp_path):
    table = tmp_path / "genomes.tsv"
    for name in ("a.fa", "a.gff3"):
        (tmp_path / name).write_text("")
    table.write_text(f"fasta\tannotation\tgenetic_code\na.fa\ta.gff3\t{'9' * 5_000}\n")
    with pytest.raises(GenoformerError, match="GENOMES-006") as caught:
        read_genome_table(table)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("stored", [None, True, "1", [], {}, float("nan"), float("inf")], ids=str)
def test_json_that_is_no_number_is_refused(stored):
    for read in (read_number, lambda value: read_numbers({"a": value}, ["a"]), lambda one: read_numbers(one, ["a"])):
        with pytest.raises((KeyError, TypeError, ValueError)):
            read(stored)


def test_a_table_has_the_shape_that_is_asked_for():
    np.testing.assert_array_equal(read_table([[1, 2]], 1, 2), [[1.0, 2.0]])
    np.testing.assert_array_equal(read_table([1, 2, 3], None), [1.0, 2.0, 3.0])
    for stored, shape in (([1], (2,)), ([[1], [1, 2]], (2, None)), ([], (None,)), ([float("inf")], (1,)), (1, (1,))):
        with pytest.raises((TypeError, ValueError)):
            read_table(stored, *shape)
