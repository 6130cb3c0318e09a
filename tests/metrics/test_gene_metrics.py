"""Gene-level counts, by hand and against Prodigal's published scores on three genomes."""

import gzip

import numpy as np
import pyrodigal
import pytest
from Bio import SeqIO
from hypothesis import given
from hypothesis import strategies as st

from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation
from genoformer.metrics.genes import Coverage, GeneCounts, count_genes, split_at_origin


def gene(start, end, strand="+", contig="c", **more):
    return Gene(contig, start, end, strand, **more)


def test_ends_are_matched_by_hand():
    reference = [gene(0, 90), gene(100, 190), gene(200, 290, "-"), gene(300, 390, "-"), gene(400, 490)]
    predicted = [
        gene(0, 90),  # exact
        gene(130, 190),  # same 3' end, later start
        gene(200, 260, "-"),  # same 3' end on "-": the lowest coordinate
        gene(330, 390, "-"),  # only the 5' end is right
        gene(400, 490, "-"),  # right place, wrong strand
        gene(0, 90, contig="other"),
    ]
    counts = count_genes(predicted, reference)
    assert counts == GeneCounts(
        n_predicted=6,
        n_predicted_ends=6,
        n_reference=5,
        n_reference_ends=5,
        n_masked=0,
        n_three_prime=3,
        n_exact=1,
        n_ignored=0,
    )
    scores = counts.compute()
    assert scores["three_prime"] == {"precision": 3 / 6, "recall": 3 / 5, "f1": 6 / 11}
    assert scores["exact"] == {"precision": 1 / 6, "recall": 1 / 5, "f1": 2 / 11}


def test_reference_genes_that_share_a_stop_are_one_three_prime_end_and_two_exact_genes():
    counts = count_genes([gene(30, 90)], [gene(0, 90), gene(30, 90)])
    assert (counts.n_reference, counts.n_reference_ends, counts.n_three_prime, counts.n_exact) == (2, 1, 1, 1)


def test_alternative_starts_are_one_predicted_end_and_several_predicted_genes():
    scores = count_genes([gene(0, 90), gene(0, 90), gene(30, 90), gene(60, 90)], [gene(0, 90)]).compute()
    assert (scores["n_predicted"], scores["n_predicted_ends"]) == (3, 1)
    assert scores["three_prime"]["precision"] == 1.0
    assert scores["exact"]["precision"] == 1 / 3


def test_reference_against_itself_is_perfect():
    reference = [gene(0, 90), gene(30, 90), gene(200, 500, pseudo=True), gene(600, 900, parts=((600, 700), (710, 900)))]
    reference.append(gene(1000, 9000, trans_spliced=True, parts=((1000, 1090), (8910, 9000))))
    for part in ("three_prime", "exact"):
        assert count_genes(reference, reference).compute()[part]["f1"] == 1.0


@pytest.mark.parametrize(
    "special",
    [
        {"pseudo": True},
        {"slippage": True},
        {"parts": ((100, 150), (160, 200))},
        {"partial_3": True},
        {"partial_5": True},
        {"trans_spliced": True},
    ],
)
@pytest.mark.parametrize("strand", ["+", "-"])
def test_prediction_in_a_masked_gene_is_ignored_on_either_strand(special, strand):
    counts = count_genes([gene(100, 200, strand)], [gene(100, 200, **special)])
    assert counts == GeneCounts(n_ignored=1, n_masked=1)
    plain = count_genes([gene(100, 200, strand)], [gene(100, 200, **special)], ignore_masked=False)
    assert plain == GeneCounts(n_predicted=1, n_predicted_ends=1, n_masked=1)


def test_half_in_masked_spans_counts_and_more_is_ignored():
    masked = [gene(100, 150, pseudo=True), gene(140, 160, "-", pseudo=True)]
    assert count_genes([gene(40, 160), gene(41, 160)], masked).n_ignored == 1


def test_right_prediction_inside_a_masked_gene_counts():
    counts = count_genes([gene(120, 180)], [gene(100, 200, pseudo=True), gene(120, 180)])
    assert (counts.n_predicted, counts.n_exact, counts.n_ignored) == (1, 1, 0)


def test_trans_spliced_gene_masks_its_parts_only():
    reference = [gene(0, 1000, trans_spliced=True, parts=((0, 50), (950, 1000)))]
    assert count_genes([gene(400, 490), gene(0, 45)], reference).n_ignored == 1


def test_genes_over_the_origin_match_when_their_start_lies_on_either_side():
    reference, lengths = [gene(950, 1100)], {"c": 1000}
    counts = count_genes([gene(10, 100)], reference, lengths=lengths)
    assert (counts.n_three_prime, counts.n_exact) == (1, 0)
    counts = count_genes([gene(950, 1100)], reference, lengths=lengths)
    assert (counts.n_three_prime, counts.n_exact) == (1, 1)
    masked = [gene(900, 1100, pseudo=True)]
    assert count_genes([gene(10, 70), gene(910, 970), gene(960, 1030)], masked, lengths=lengths).n_ignored == 3


def test_counts_of_two_genomes_add():
    first = count_genes([gene(0, 90)], [gene(0, 90)])
    second = count_genes([gene(0, 90)], [gene(0, 120), gene(5, 50, pseudo=True)])
    both = first + second
    assert (both.n_predicted, both.n_reference, both.n_exact, both.n_masked) == (2, 2, 1, 1)


def test_nothing_against_nothing_is_zero():
    scores = count_genes([], []).compute()
    assert scores["exact"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


intervals = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda s: (s[0], s[0] + s[1])), max_size=8)


@given(spans=intervals, asked=st.tuples(st.integers(0, 90), st.integers(0, 90)))
def test_coverage_equals_painting(spans, asked):
    painted = np.zeros(100, dtype=bool)
    for start, end in spans:
        painted[start:end] = True
    start, end = min(asked), max(asked)
    assert Coverage(spans).count_bp(start, end) == painted[start:end].sum()


def test_span_is_split_at_the_origin():
    assert split_at_origin((90, 110), 100) == [(90, 100), (0, 10)]
    assert split_at_origin((90, 100), 100) == [(90, 100)]
    assert split_at_origin((90, 290), 100) == [(0, 100)]
    assert split_at_origin((90, 110), None) == [(90, 110)]
    assert split_at_origin((105, 110), 100) == [(5, 10)]


GENOMES = {
    "ecoli": ("genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.gbff.gz", 11),
    "haemophilus": ("genome_haemophilus_rd/NC_000907.1.gbk.gz", 11),
    "mycoplasma": ("genome_mycoplasma/mycoides_GCF_000023685.1.gbff.gz", 4),
}
# Precision, recall, F1 of 3' ends and exact F1 of pyrodigal 3.7.1, trained on each genome.
NOTHING_IGNORED = {
    "ecoli": (0.954, 0.961, 0.957, 0.903),
    "haemophilus": (0.907, 0.989, 0.947, 0.900),
    "mycoplasma": (0.965, 0.994, 0.979, 0.944),
}
MASKED_IGNORED = {
    "ecoli": (0.985, 0.961, 0.973, 0.918),
    "haemophilus": (0.992, 0.990, 0.991, 0.942),
    "mycoplasma": (0.992, 0.995, 0.994, 0.958),
}


def _prodigal_genes(path, genetic_code):
    record = next(SeqIO.parse(gzip.open(path, "rt"), "genbank"))
    finder = pyrodigal.GeneFinder()
    finder.train(bytes(record.seq), translation_table=genetic_code)
    return [
        gene(found.begin - 1, found.end, "+" if found.strand == 1 else "-", record.id)
        for found in finder.find_genes(bytes(record.seq))
    ], {record.id: len(record)}


@pytest.mark.data
@pytest.mark.parametrize("name", list(GENOMES))
def test_prodigal_scores_as_measured_before(data_dir, name):
    path, genetic_code = data_dir / GENOMES[name][0], GENOMES[name][1]
    predicted, lengths = _prodigal_genes(path, genetic_code)
    reference = read_annotation(path).genes
    for ignore_masked, expected in ((False, NOTHING_IGNORED[name]), (True, MASKED_IGNORED[name])):
        scores = count_genes(predicted, reference, lengths=lengths, ignore_masked=ignore_masked).compute()
        found = [*(scores["three_prime"][key] for key in ("precision", "recall", "f1")), scores["exact"]["f1"]]
        np.testing.assert_allclose(found, expected, atol=0.0015)  # three digits, and a gene or two
