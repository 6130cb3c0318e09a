"""What a report of genes gathers: counts by hand on small sequences."""

import json
import re

import numpy as np
import pytest

from genoformer.annotation.models import Gene, RnaGene
from genoformer.applications.genes import report
from genoformer.applications.genes.figures import GeneFigures, around_start, coding_density, frequent_word, shares_of
from genoformer.applications.genes.report import GeneReportWriter, familiarity_note, highest
from genoformer.bundle.header import read_header
from genoformer.inference.report_files import Finished, command_of, flattened
from genoformer.inference.tracks import Track
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement
from genoformer.sequence.records import Record

BEFORE = "ACGTTGGAGGTACCATTAGA"
SEQUENCE = "CC" + BEFORE + "ATGAAACCCTAA" + "GGTT"
REQUEST = {"formats": ["gff3", "report"], "call": {"genetic_code": 11, "min_gene_bp": 90}, "locus_tag": ""}
SUMMARY = {
    "n_genes": 1, "n_records": 1, "n_bases": 38, "coding_share": 0.3, "n_partial": 0, "genetic_code": 11,
    "codon_evidence": None, "codon_evidence_in_training": 5.0, "looks_familiar": None,
}  # fmt: skip


class Runs:
    """Has the method of a ``Track`` that is asked here."""

    def __init__(self, *runs):
        self._runs = [np.array(column) for column in zip(*runs, strict=True)]

    def runs(self, row):
        yield self._runs[0], self._runs[1], self._runs[2].astype(np.uint8)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_bases_around_a_start_are_read_along_its_strand(strand):
    codes = encode_bases(SEQUENCE)
    gene = Gene("x", 22, 34, strand)
    if strand == "-":
        codes, gene = reverse_complement(codes), Gene("x", len(codes) - 34, len(codes) - 22, "-")
    assert decode_bases(around_start(codes, gene)) == BEFORE + "ATGAAA"


@pytest.mark.parametrize("start", [0, 19])
def test_a_start_too_near_to_the_end_is_left_out(start):
    assert around_start(encode_bases(SEQUENCE), Gene("x", start, 34, "+")) is None


def test_a_start_with_unknown_bases_before_it_is_left_out():
    assert around_start(encode_bases("CCN" + SEQUENCE[3:]), Gene("x", 22, 34, "+")) is None


def test_density_counts_both_strands_and_goes_over_the_origin():
    genes = [Gene("x", 0, 500, "+"), Gene("x", 1000, 2000, "-"), Gene("x", 2900, 3100, "+")]
    found = coding_density(3000, genes)
    assert found["forward"].tolist() == [0.5, 0, 0.1] and found["reverse"].tolist() == [0, 1, 0]


def test_the_frequent_word_is_the_planted_one():
    windows = np.random.default_rng(0).integers(0, 4, (200, 20)).astype(np.uint8)
    windows[np.arange(200)[:, None], np.arange(200)[:, None] % 12 + np.arange(5)] = encode_bases("GGAGG")
    assert decode_bases(frequent_word(windows).astype(np.uint8)) == "GGAGG"


def test_shares_of_bases_by_place():
    assert shares_of(np.array([[0, 1], [0, 3]])).tolist() == [[1, 0, 0, 0], [0, 0.5, 0, 0.5]]


def test_pictures_of_one_gene_and_of_none_are_drawn():
    figures = GeneFigures()
    figures.add("x", encode_bases(SEQUENCE), [])
    assert "Gene lengths" in figures.draw() and "Start codons" not in figures.draw()
    figures.add("x", encode_bases(SEQUENCE), [Gene("x", 22, 34, "+", score=0.9)])
    drawn = figures.draw()
    assert "Start codons: ATG 100.0%." in drawn and "What stands around 1 starts" in drawn


def test_introns_and_exons_have_pictures_of_their_own():
    figures = GeneFigures()
    figures.add("x", np.zeros(900, np.uint8), [Gene("x", 10, 700, "+", parts=((10, 100), (300, 700)))])
    assert "1 introns of genes with introns; the median is 200 bp." in figures.draw()
    assert "2 exons" in figures.draw()


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([(0, 4, 9), (4, 20, 0)], [9, 0, 0, 0]),
        ([(0, 4, 9), (4, 6, 3), (6, 20, 1)], [9, 3, 1, 1]),
        ([(0, 20, 5)], [5, 5, 5, 5]),
        ([(0, 9, 0), (9, 20, 7)], [0, 7, 7, 7]),
    ],
)
def test_bins_have_the_highest_step(runs, expected):
    bins = np.zeros(4, np.uint8)
    highest(bins, Runs(*runs), 0, 5)
    assert bins.tolist() == expected


def write(path, record, genes, *, channels=(), summary=SUMMARY):
    writer = GeneReportWriter(path)
    with writer:
        writer.add(record, genes, circular=True, genetic_code=11)
        if channels:
            writer.add_track(Runs((0, len(record), 255)), channels)
    writer.describe(Finished(read_header("prokaryotes"), REQUEST, ["my.fa"], summary, "float32"))
    return path.read_text()


def data_of(text, name):
    return json.loads(re.search(rf'id="{name}">(.*?)</script>', text)[1])


def test_a_page_has_its_sections_and_what_the_table_has(tmp_path):
    gene = Gene("x", 22, 34, "+", score=0.91234, start_score=0.5)
    text = write(tmp_path / "r.html", Record("x", encode_bases(SEQUENCE)), [gene])
    assert re.findall("<h2>(.*?)</h2>", text) == ["Summary", "Browser", "Genes", "Pictures", "How it was made"]
    columns = {column["title"]: column["values"] for column in data_of(text, "genes-data")}
    assert columns["gene"] == ["gene-x-00001"] and columns["start"] == [23] and columns["end"] == [34]
    assert (
        "Trained on" in text and "genoformer predict my.fa --model prokaryotes --formats gff3,report -o FOLDER" in text
    )


def test_a_gene_over_the_origin_ends_with_its_record_in_the_browser(tmp_path):
    record = Record("x", np.random.default_rng(0).integers(0, 4, 3000).astype(np.uint8))
    text = write(tmp_path / "r.html", record, [Gene("x", 2900, 3200, "+")])
    assert data_of(text, "genome-data")["genes"]["end"] == [3000]
    assert "<h2>Maps</h2>" in text


def test_codon_positions_are_one_track_for_each_strand(tmp_path):
    record = Record("x", encode_bases(SEQUENCE))
    channels = ("intergenic", "codon_0", "codon_1", "codon_2", "start", "intron_0", "intron_2")
    text = write(tmp_path / "r.html", record, [Gene("x", 22, 34, "+")], channels=channels)
    names = [(track["name"], track["strand"]) for track in data_of(text, "genome-data")["tracks"]]
    assert names == [("coding +", 1), ("coding -", 0), ("start +", 1), ("start -", 0), ("intron +", 1), ("intron -", 0)]


def test_genes_of_rna_are_browsed_and_counted(tmp_path):
    writer, record = GeneReportWriter(tmp_path / "r.html"), Record("x", encode_bases(SEQUENCE))
    rna = [RnaGene("x", 3, 20, "-", "tRNA", score=0.81234), RnaGene("x", 40, len(record) + 9, "+", "rRNA", score=0.5)]
    writer.add(record, [Gene("x", 22, 34, "+")], rna_genes=rna)
    writer.describe(Finished(
        read_header("prokaryotes"), REQUEST, ["my.fa"], SUMMARY | {"rna_genes": {"rRNA": 1, "tRNA": 1_200}}, "float32",
    ))  # fmt: skip
    text = (tmp_path / "r.html").read_text()
    browsed = data_of(text, "genome-data")["rna"]
    assert browsed == {
        "record": [0, 0], "start": [3, 40], "end": [20, len(record)], "strand": [0, 1], "score": [0.8123, 0.5],
        "label": ["tRNA", "rRNA"], "parts": {}, "alternatives": [],
    }  # fmt: skip
    assert "tRNA genes" in text and "1,200" in text


def test_a_model_without_rna_has_no_place_for_it(tmp_path):
    text = write(tmp_path / "r.html", Record("x", encode_bases(SEQUENCE)), [Gene("x", 22, 34, "+")])
    assert data_of(text, "genome-data")["rna"] is None and "rRNA genes" not in text


def test_a_page_without_genes_says_so(tmp_path):
    text = write(tmp_path / "r.html", Record("x", encode_bases("ACGT")), [], summary=SUMMARY | {"n_genes": 0})
    assert "No gene was found." in text and "<h2>Browser</h2>" not in text


def test_what_a_page_does_not_hold_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "MAX_GENES", 1)
    monkeypatch.setattr(report, "MAX_SEQUENCE_BP", 10)
    writer = GeneReportWriter(tmp_path / "r.html")
    for name in "ab":
        writer.add(Record(name, encode_bases(SEQUENCE)), [Gene(name, 22, 34, "+")], circular=False)
        writer.add_track(Track(None, 0, 0, 0), ())
    writer.describe(Finished(read_header("prokaryotes"), REQUEST, ["my.fa"], SUMMARY, "float32"))
    text = (tmp_path / "r.html").read_text()
    assert "show 1 genes; 1 further ones are in the files." in text
    assert "no bases: the sequences have more than 10 together." in text and "1 records have no tracks" in text
    assert data_of(text, "genome-data")["sequence"] is None


def test_familiarity_is_told_where_it_is_known():
    said = {"codon_evidence": 1.0, "codon_evidence_in_training": 5.0}
    assert familiarity_note(said | {"looks_familiar": None}) is None
    assert "warning" in familiarity_note(said | {"looks_familiar": False})
    assert "looks familiar" in familiarity_note(said | {"looks_familiar": True})


def test_settings_of_groups_have_both_names():
    assert flattened({"a": 1, "b": {"c": {"d": 2}}}) == {"a": 1, "b.c.d": 2}


def test_the_command_of_genes_with_functions_is_annotate():
    finished = Finished(read_header("prokaryotes"), REQUEST | {"functions": {"x": 1}}, ["a.fa", "b.fa"], {}, "float32")
    assert command_of(finished).startswith("genoformer annotate a.fa b.fa --structure prokaryotes --function MODEL")
