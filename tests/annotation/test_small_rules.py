"""Small rules of readers, writers and of what is made of genes: each is asked for by itself."""

import gzip

import numpy as np
import pytest
from annotation_text import HEAD, gff3, gtf
from Bio.SeqFeature import SeqFeature, SimpleLocation
from Bio.SeqRecord import SeqRecord
from intron_genes import gene, record

from genoformer.annotation import text_lines
from genoformer.annotation.exon_features import join_exon_features
from genoformer.annotation.genetic_code import CODONS
from genoformer.annotation.intron_tracks import intron_gene_table
from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation
from genoformer.annotation.read_hints import KINDS, read_hints
from genoformer.annotation.recode import draw_recoding, recode
from genoformer.annotation.rewrite_coding import rewrite_coding
from genoformer.annotation.stop_codons import include_stop_codons, without_stop_codon
from genoformer.annotation.tracks import START, masked_rows
from genoformer.annotation.write_flat_files import GenBankWriter
from genoformer.errors import DataError, WarningLog
from genoformer.sequence.alphabet import encode_bases


def read(tmp_path, text, name="a.gff3"):
    (tmp_path / name).write_text(text)
    return read_annotation(tmp_path / name)


def test_features_without_a_strand_are_not_joined():
    features = [SeqFeature(SimpleLocation(i, i + 9, None), "CDS", qualifiers={"locus_tag": ["t"]}) for i in (0, 30)]
    found = join_exon_features(SeqRecord(None, features=features), "here", WarningLog())
    assert [int(one.location.start) for one in found] == [0, 30]


def test_a_sequence_may_be_one_base_long(tmp_path):
    cds = gff3("CDS", 1, 9, "ID=x", phase=0)
    (tmp_path / "a.gff3").write_text(f"##gff-version 3\n##sequence-region d 1 1\n##sequence-region c 1 9\n{cds}")
    warnings = WarningLog()
    read_annotation(tmp_path / "a.gff3", warnings=warnings)
    assert not warnings.counts


@pytest.mark.parametrize(("tag", "phase"), [("cds_start_NF", 0), ("basic", 2)])
def test_a_tag_or_a_phase_says_that_the_start_is_missing(tag, phase, tmp_path):
    row = gtf("CDS", 1, 90, "t", phase=phase).replace(";\n", f'; tag "{tag}";\n')
    whole = gtf("CDS", 201, 290, "u", "h", phase=0)
    found = read(tmp_path, row + whole, "a.gtf")
    assert [one.partial_5 for one in found.genes] == [True, False]


def test_rows_of_genes_name_their_strand():
    for strand, number in (("+", 1), ("-", -1)):
        assert intron_gene_table(record(strand).codes, [gene(strand)], genetic_code=1)["strand"].tolist() == [number]


def test_runs_of_a_mask_become_rows():
    rows = masked_rows(np.array([1, 0, 0, 1, 1, 0, 1], bool))
    assert list(zip(rows["start"].tolist(), rows["end"].tolist(), strict=True)) == [(0, 1), (3, 5), (6, 7)]
    assert rows["masked"].all() and not len(masked_rows(np.zeros(4, bool)))


def test_a_hint_says_that_nothing_is_there(tmp_path):
    (tmp_path / "h.gff").write_text("c\tx\tirpart\t11\t20\t0\t.\t.\tsrc=M\n")
    (row,) = read_hints(tmp_path / "h.gff", {"c": 90}, WarningLog())["c"]
    assert KINDS[row["kind"]] == "intergenic" and (row["start"], row["end"]) == (10, 20)


@pytest.mark.parametrize(("tilt", "expected"), [(-2.0, 0.22), (0.0, 0.41), (2.0, 0.63)])
def test_composition_between_genes_follows_codon_usage_at_about_half_its_strength(tilt, expected):
    generator = np.random.default_rng(1)
    bases = [np.diff(draw_recoding(11, generator, tilt=tilt).bases, prepend=0) for _ in range(200)]
    assert np.mean([one[1] + one[2] for one in bases]) == pytest.approx(expected, abs=0.02)


def test_twenty_bases_before_a_start_stay():
    codes, tracks = np.zeros(60, np.uint8), np.zeros((2, 60), np.uint8)
    tracks[0, 40] = START
    changed = np.zeros(60, bool)
    for seed in range(40):
        generator = np.random.default_rng(seed)
        changed |= recode(codes, tracks, draw_recoding(11, generator, tilt=2.0), generator) != codes
    assert not changed[20:43].any() and changed[:20].all() and changed[43:].all()


def test_every_codon_may_be_drawn_anew():
    for number in (0, CODONS.index("GGG")):
        codes = encode_bases(CODONS[number] * 200)
        drawn = rewrite_coding(
            codes, synonymous=1.0, substituted=0.0, genetic_code=11, generator=np.random.default_rng(2)
        )
        assert (drawn != codes).any()


def test_a_gene_behind_the_end_of_a_linear_sequence_is_left_as_it_is():
    codes = encode_bases("ATGAAATAA")
    behind = Gene("c", 3, 12, "+", partial_5=True, assumed_5=True)
    (found,) = include_stop_codons(codes, [behind], 11)
    assert found == behind


def test_a_gene_over_the_origin_has_the_start_that_its_bases_show():
    codes = encode_bases("AATAACCCATGA")  # ATG A|AA TAA from base 8 on
    torn = Gene("c", 8, 17, "+", partial_5=True, assumed_5=True)
    (found,) = include_stop_codons(codes, [torn], 11, circular=True)
    assert (found.start, found.partial_5) == (8, False)


def test_one_base_may_stand_before_a_stop_codon():
    assert without_stop_codon(Gene("c", 0, 4, "+")).parts == ((0, 1),)
    assert without_stop_codon(Gene("c", 0, 4, "-")).parts == ((3, 4),)
    with pytest.raises(ValueError, match="no more than a stop codon"):
        without_stop_codon(Gene("c", 0, 3, "+"))


def test_a_head_that_cannot_be_unpacked_is_an_error(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, 9_000, dtype=np.uint8).tobytes()
    (tmp_path / "a.gz").write_bytes(gzip.compress(noise)[:4_000])
    with pytest.raises(DataError, match="damaged"):
        text_lines.read_head(tmp_path / "a.gz")


def n_lines(tmp_path, text):
    (tmp_path / "a").write_text(text)
    return sum(1 for _ in text_lines.read_lines(tmp_path / "a"))


def test_only_lines_that_say_nothing_are_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "MOST_COMMENT_LINES", 3)
    assert n_lines(tmp_path, "row\n" * 9) == 9 and n_lines(tmp_path, "##sequence-region c 1 9\n" * 9) == 9
    assert n_lines(tmp_path, "#\n\n#\nrow\n" * 9) == 36
    with pytest.raises(DataError, match="line 4"):
        n_lines(tmp_path, "#\n\n#\n#\nrow\n")


def test_bytes_that_say_nothing_are_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "MOST_COMMENT_BYTES", 20)
    assert n_lines(tmp_path, f"#{'x' * 9}\nrow\n" * 9) == 18
    with pytest.raises(DataError, match="line 3"):
        n_lines(tmp_path, f"#{'x' * 9}\n" * 3)


def test_flat_files_have_two_exons_and_an_end_that_is_missing(tmp_path):
    made = Gene("c", 0, 27, "+", parts=((0, 9), (18, 27)), partial_5=True)
    with GenBankWriter(tmp_path / "a.gbk") as file:
        file.add(record("+"), [made], genetic_code=1)
    rows = [line.split() for line in (tmp_path / "a.gbk").read_text().splitlines()]
    assert ["mRNA", "join(<1..9,19..27)"] in rows and ["CDS", "join(<1..9,19..27)"] in rows


def test_of_two_rows_with_one_id_the_one_on_the_strand_of_its_child_is_its_parent(tmp_path):
    rows = [gff3("mRNA", 1, 90, f"ID=m;product={word}", strand) for strand, word in (("+", "plus"), ("-", "minus"))]
    for order in (rows, rows[::-1]):
        for strand, word in (("+", "plus"), ("-", "minus")):
            found = read(tmp_path, HEAD + "".join(order) + gff3("CDS", 1, 90, "Parent=m", strand, 0))
            assert [(one.strand, one.product) for one in found.genes] == [(strand, word)]
