"""Elements and stems as GFF3, BED and BEDPE, as other programs read them."""

import subprocess

import gffutils
import numpy as np
import polars
import pytest

from genoformer.applications.codon_structure.elements import ElementBedWriter, ElementGff3Writer
from genoformer.applications.rna_pairs.stems import PairBedpeWriter, StemBedWriter, StemGff3Writer
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record
from genoformer.structures.dot_bracket import pairs_of, parse_dot_bracket

STATES = "CEHGIT"
CHAINS = {"b=2": "HHHCCEEE", "a1": "CCTTGGGIII", "none": "CC", "empty": ""}
RNAS = {
    "r2": ("GGGAAACCCAGGCAAAAGCC", "(((...))).(((....)))"),
    "r=1": ("GGAGAACCAAACUUU", "((.[..))...]..."),
    "open": ("AAAA", "...."),
}


@pytest.fixture(scope="module")
def call(need_tool):
    """``call("gt", …)`` runs a program, which must end well, and gives what it printed."""

    def run(program, *arguments):
        done = subprocess.run([need_tool(program), *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def chain(name, states):
    """A record of codons that are all different, and probabilities of 0.9 for its states."""
    numbers = np.arange(len(states))
    codes = np.stack([numbers >> 4, numbers >> 2 & 3, numbers & 3], axis=1).astype(np.uint8).ravel()
    sure = np.full((len(states), len(STATES)), 0.02, np.float32)
    sure[numbers, [STATES.index(state) for state in states]] = 0.9
    return Record(name, np.concatenate([codes, np.zeros(2, np.uint8)])), {"probabilities": sure}


def rna(name, bases, brackets):
    """A record and its pairs of 0.8, and one that is probable but in no structure."""
    partners = parse_dot_bracket(brackets)
    pairs = np.concatenate([pairs_of(partners), [[0, len(bases) - 1]]]).astype(np.int32)
    sure = np.full(len(pairs), 0.8, np.float32)
    sure[-1] = 0.25
    return Record(name, encode_bases(bases)), {"pairs": pairs, "probability": sure, "partners": partners}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of both tasks, and their sequences."""
    folder = tmp_path_factory.mktemp("features")
    chains = [chain(*row) for row in CHAINS.items()]
    rnas = [rna(name, *row) for name, row in RNAS.items()]
    for path, writer, rows in (
        ("structure.gff3", ElementGff3Writer(folder / "structure.gff3", tuple(STATES)), chains),
        ("structure.bed", ElementBedWriter(folder / "structure.bed", tuple(STATES)), chains),
        ("pairs.gff3", StemGff3Writer(folder / "pairs.gff3"), rnas),
        ("pairs.bed", StemBedWriter(folder / "pairs.bed"), rnas),
        ("pairs.bedpe", PairBedpeWriter(folder / "pairs.bedpe"), rnas),
    ):
        with writer as file:
            for record, found in rows:
                file.add(record, found)
        assert (folder / path).is_file()
    write_fasta(folder / "c.fa", [record for record, _ in chains if len(record)])
    write_fasta(folder / "r.fa", [record for record, _ in rnas])
    return folder


@pytest.mark.parametrize("name", ["structure.gff3", "pairs.gff3"])
def test_genometools_takes_terms_and_order(folder, name, call):
    assert "input is valid GFF3" in call("gt", "gff3validator", "-typecheck", "so", folder / name)
    names = [line.split()[1] for line in (folder / name).read_text().splitlines() if line.startswith("##seq")]
    assert names == sorted(names) and "%3D" in " ".join(names)


def test_gffutils_reads_elements(folder):
    rows = list(gffutils.create_db(str(folder / "structure.gff3"), ":memory:").all_features())
    found = {(row.seqid, row.featuretype, row.start, row.end, row.strand, row.score) for row in rows}
    assert found == {
        ("b%3D2", "alpha_helix", 1, 9, "+", "0.9000"), ("b%3D2", "beta_strand", 16, 24, "+", "0.9000"),
        ("a1", "polypeptide_turn_motif", 7, 12, "+", "0.9000"), ("a1", "three_ten_helix", 13, 21, "+", "0.9000"),
        ("a1", "pi_helix", 22, 30, "+", "0.9000"),
    }  # fmt: skip
    assert {row.attributes["codons"][0] for row in rows} == {"1..3", "6..8", "3..4", "5..7", "8..10"}
    assert len({row.id for row in rows}) == 5


def test_bedtools_takes_the_codons_of_elements(folder, call):
    text = call(
        "bedtools", "getfasta", "-tab", "-s", "-nameOnly", "-fi", folder / "c.fa", "-bed", folder / "structure.bed"
    )
    found = dict(line.split("\t") for line in text.splitlines())
    assert found["helix-b=2-00001(+)"] == "AAAAACAAG" and found["strand-b=2-00002(+)"] == "ACCACGACT"
    assert len(found) == 5


def test_gffutils_joins_the_arms_of_a_stem(folder):
    database = gffutils.create_db(str(folder / "pairs.gff3"), ":memory:", merge_strategy="create_unique")
    rows = [(row.seqid, row.start, row.end, row.attributes["ID"][0]) for row in database.all_features()]
    assert sorted(rows) == sorted([
        ("r2", 1, 3, "stem-r2-00001"), ("r2", 7, 9, "stem-r2-00001"), ("r2", 11, 13, "stem-r2-00002"),
        ("r2", 18, 20, "stem-r2-00002"), ("r%3D1", 1, 2, "stem-r=1-00001"), ("r%3D1", 4, 4, "stem-r=1-00002"),
        ("r%3D1", 7, 8, "stem-r=1-00001"), ("r%3D1", 12, 12, "stem-r=1-00002"),
    ])  # fmt: skip


def test_bedtools_takes_both_arms_of_a_stem(folder, call):
    options = ["-tab", "-split", "-nameOnly", "-fi", folder / "r.fa", "-bed", folder / "pairs.bed"]
    found = dict(line.split("\t") for line in call("bedtools", "getfasta", *options).splitlines())
    assert found == {
        "stem-r2-00001": "GGGCCC", "stem-r2-00002": "GGCGCC", "stem-r=1-00001": "GGCC", "stem-r=1-00002": "GC",
    }  # fmt: skip


def test_bedtools_finds_the_pairs_of_a_stem(folder, call):
    found = call("bedtools", "pairtobed", "-type", "both", "-a", folder / "pairs.bedpe", "-b", folder / "pairs.bed")
    rows = [line.split("\t") for line in found.splitlines()]
    inside = [(row[0], int(row[1]), int(row[4])) for row in rows if row[6] == "pair" and row[13] == "stem-r2-00001"]
    assert set(inside) == {("r2", 0, 8), ("r2", 1, 7), ("r2", 2, 6)}  # once for each end


def test_polars_reads_every_pair_with_its_score(folder):
    table = polars.read_csv(folder / "pairs.bedpe", separator="\t", has_header=False)
    assert table.shape == (12, 10) and set(table[:, 6]) == {"pair", "possible"}
    assert table.filter(table[:, 6] == "possible")[:, 7].to_list() == [250, 250, 250]
    beds = polars.read_csv(folder / "pairs.bed", separator="\t", has_header=False)
    assert beds[:, 4].to_list() == [800] * 4 and len(set(beds[:, 8])) == 2  # a pseudoknot has its color
