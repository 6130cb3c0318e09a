"""Tables of genomes: files, weights and groups, and what is refused with its line."""

from pathlib import Path

import pytest

from genoformer.errors import DataError, MissingFileError, UsageError
from genoformer.genomes.genome_table import describe_genome, read_genome_table, region_shares

GENBANK = "LOCUS       X 4 bp\nORIGIN\n        1 acgt\n//\n"


@pytest.fixture
def table(tmp_path):
    """``table(text)`` writes a table beside a few genomes; columns are divided by white space, "." is an empty cell."""
    for name in ("a.fa", "b.fa", "c.fa", "sub/a.fa"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(">x\nACGT\n")
    for name in ("a.gff3", "b.gff3", "c.gff3"):
        (tmp_path / name).write_text("##gff-version 3\n")
    (tmp_path / "d.gbff").write_text(GENBANK)

    def write(text: str) -> Path:
        rows = ["\t".join("" if cell == "." else cell for cell in line.split()) for line in text.strip().splitlines()]
        path = tmp_path / "genomes.tsv"
        path.write_text("\n".join(rows) + "\n")
        return path

    return write


def test_rows_name_files_beside_the_table(table, tmp_path):
    path = table("""
        # three of them
        annotation fasta genetic_code weight group
        a.gff3 a.fa 4 2 one
        d.gbff . . 0 two
        b.gff3 b.fa . 0.5 two
    """)
    found = read_genome_table(path)
    assert [(g.files.name, g.files.genetic_code, g.weight, g.group) for g in found] == [
        ("a", 4, 2.0, "one"), ("d", None, 0.0, "two"), ("b", None, 0.5, "two"),
    ]  # fmt: skip
    assert [(g.files.sequence.name, g.files.annotation.name) for g in found] == [
        ("a.fa", "a.gff3"), ("d.gbff", "d.gbff"), ("b.fa", "b.gff3"),
    ]  # fmt: skip
    assert all(g.files.sequence.parent == tmp_path for g in found)
    assert describe_genome(found[0]) == ", weight 2, group one"


def test_one_column_is_enough(table):
    assert [g.files.name for g in read_genome_table(table("annotation\nd.gbff"))] == ["d"]
    (genome,) = read_genome_table(table("fasta\nd.gbff"))
    assert genome.files.annotation == genome.files.sequence and describe_genome(genome) == ""
    bare = read_genome_table(table("fasta\na.fa\nb.fa"), needs_genes=False)
    assert [(g.files.name, g.files.annotation) for g in bare] == [("a", None), ("b", None)]


def test_files_of_one_name_are_told_apart_by_their_folder(table, tmp_path):
    names = [g.files.name for g in read_genome_table(table("fasta\na.fa\nsub/a.fa"), needs_genes=False)]
    assert names == [f"{tmp_path.name}/a", "sub/a"]


@pytest.mark.parametrize(
    ("text", "error", "code", "found"),
    [
        ("fasta annotation colour\na.fa a.gff3 red", DataError, "GENOMES-003", ["line 1", '"colour"']),
        ("fasta annotation fasta\na.fa a.gff3 a.fa", DataError, "GENOMES-003", ["line 1", "fasta twice"]),
        ("weight group\n1 x", DataError, "GENOMES-003", ["line 1", "neither"]),
        ("fasta annotation", DataError, "GENOMES-001", ["no rows"]),
        ("fasta annotation\na.fa a.gff3\nb.fa", DataError, "GENOMES-002", ["line 3", "found 1"]),
        ("fasta annotation\n. .", DataError, "GENOMES-004", ["line 2", "names no file"]),
        ("fasta annotation\na.fa .", DataError, "GENOMES-004", ["line 2", "column annotation"]),
        ("annotation\na.gff3", DataError, "GENOMES-004", ["line 2", "column fasta"]),
        ("fasta annotation\na.fa a.gff3\nb.fa x.gff3", MissingFileError, "DATA-003", ["line 3", "x.gff3"]),
        ("fasta annotation\na.fa a.gff3\nsub/../a.fa b.gff3", DataError, "GENOMES-005", ["line 3", "line 2"]),
        ("fasta annotation genetic_code\na.fa a.gff3 x", DataError, "GENOMES-006", ["line 2", '"x"']),
        ("fasta annotation genetic_code\na.fa a.gff3 99", UsageError, "CODE-001", ["line 2", "99"]),
        ("fasta annotation weight\na.fa a.gff3 .", DataError, "GENOMES-006", ["line 2", '""']),
        ("fasta annotation weight\na.fa a.gff3 much", DataError, "GENOMES-006", ["line 2", '"much"']),
        ("fasta annotation weight\na.fa a.gff3 nan", DataError, "GENOMES-006", ["line 2", '"nan"']),
        ("fasta annotation weight\na.fa a.gff3 inf", DataError, "GENOMES-006", ["line 2", '"inf"']),
        ("fasta annotation weight\na.fa a.gff3 1\nb.fa b.gff3 -1", DataError, "GENOMES-006", ["line 3", '"-1"']),
        ("fasta annotation group\na.fa a.gff3 .", DataError, "GENOMES-006", ["line 2", "no group"]),
        (
            "fasta annotation group family\na.fa a.gff3 x f\nb.fa b.gff3 y f",
            DataError, "GENOMES-006", ["line 3", 'family "f"', 'group "x"'],
        ),
        (
            "fasta annotation group family\na.fa a.gff3 x .\nb.fa b.gff3 y x",
            DataError, "GENOMES-006", ["line 3", 'family "x"'],
        ),
        ("fasta annotation weight\na.fa a.gff3 0\nb.fa b.gff3 0", DataError, "GENOMES-007", ["the table"]),
        (
            "fasta annotation weight group\na.fa a.gff3 1 x\nb.fa b.gff3 0 y",
            DataError, "GENOMES-007", ['the group "y"'],
        ),
    ],
)  # fmt: skip
def test_mistake_is_named_with_its_line(table, text, error, code, found):
    with pytest.raises(error) as caught:
        read_genome_table(table(text))
    assert caught.value.code == code
    assert all(word in str(caught.value) for word in ["genomes.tsv", *found])


def test_missing_table_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="absent"):
        read_genome_table(tmp_path / "absent.tsv")


def test_genomes_are_left_out_with_their_family_and_without_one_with_their_group(table):
    rows = ("a.fa a.gff3 x f", "b.fa b.gff3 x .", "c.fa c.gff3 y y")
    genomes = read_genome_table(table("\n".join(("fasta annotation group family", *rows))))
    assert [g.left_out_with for g in genomes] == ["f", "x", "y"]
    assert [g.left_out_with for g in read_genome_table(table("fasta annotation\na.fa a.gff3"))] == [None]


FILES = "fasta annotation {}\na.fa a.gff3 {}\nb.fa b.gff3 {}\nc.fa c.gff3 {}"
REGIONS = ["a", "a", "b", "c"], [100, 300, 200, 1000]


def test_groups_get_equal_shares_genomes_theirs_by_weight_and_regions_by_length(table):
    genomes = read_genome_table(table(FILES.format("weight group", "3 x", "1 x", "5 y")))
    assert region_shares(genomes, *REGIONS) == pytest.approx([0.375 / 4, 0.375 * 3 / 4, 0.125, 0.5])


def test_without_weights_bases_decide_inside_a_group(table):
    genomes = read_genome_table(table(FILES.format("group", "x", "x", "y")))
    assert region_shares(genomes, *REGIONS) == pytest.approx([1 / 12, 3 / 12, 2 / 12, 0.5])


def test_without_groups_all_genomes_are_one(table):
    genomes = read_genome_table(table(FILES.format("weight", "2", "1", "1")))
    assert region_shares(genomes, *REGIONS) == pytest.approx([0.125, 0.375, 0.25, 0.25])


def test_without_both_lengths_alone_decide(table):
    assert region_shares(read_genome_table(table(FILES.format("", "", "", ""))), *REGIONS) is None
    assert region_shares([], *REGIONS) is None


def test_what_is_held_out_leaves_its_share_to_the_others(table):
    genomes = read_genome_table(table(FILES.format("weight group", "3 x", "1 x", "5 y")))
    assert region_shares(genomes, ["b", "b"], [10, 30]) == pytest.approx([0.25, 0.75])
