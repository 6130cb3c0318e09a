"""Scores of genes with introns: by hand, against scikit-learn, and as `gt eval` counts them."""

import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from genoformer.annotation.isoforms import choose_isoforms
from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation
from genoformer.annotation.write_gff3 import write_gff3
from genoformer.applications.introns.evaluate import evaluate_intron_genes
from genoformer.metrics.introns import IntronCounts, count_intron_genes, have_introns, matthews, paint_classes
from genoformer.sequence.records import Record

TRUE = Gene("c", 10, 80, "+", parts=((10, 20), (40, 50), (70, 80)), exons=((5, 20), (40, 50), (70, 82)))


def f1(scores, level):
    return scores[level]["hits"], scores[level]["predicted"], scores[level]["reference"]


def test_every_level_by_hand():
    shifted = replace(TRUE, parts=((10, 20), (40, 52), (70, 80)), exons=())
    scores = count_intron_genes([shifted], [TRUE], 100).compute()
    assert f1(scores, "donor") == (1, 2, 2) and f1(scores, "acceptor") == (2, 2, 2)
    assert f1(scores, "splice_site") == (3, 4, 4) and f1(scores, "exon") == (2, 3, 3)
    assert f1(scores, "chain") == f1(scores, "gene") == (0, 1, 1)
    assert scores["bases"]["classes"]["intron"]["recall"] == pytest.approx(38 / 40)


def test_a_reference_is_perfect_against_itself_on_both_strands():
    minus = replace(TRUE, strand="-", contig="d")
    scores = (count_intron_genes([TRUE], [TRUE], 100) + count_intron_genes([minus], [minus], 100)).compute()
    assert all(scores[level]["f1"] == 1 for level in ("donor", "acceptor", "exon", "chain", "gene"))
    assert scores["bases"]["mcc"] == scores["bases"]["mcc_stranded"] == 1


def test_the_wrong_strand_is_seen_by_the_stranded_score_alone():
    bases = count_intron_genes([replace(TRUE, strand="-")], [TRUE], 100).compute()["bases"]
    assert bases["mcc"] == 1 and bases["mcc_stranded"] < 0.6


def test_any_isoform_makes_a_gene_right():
    long, short = (replace(TRUE, attributes={"gene_id": "g"}, parts=p, exons=()) for p in (TRUE.parts, TRUE.parts[::2]))
    scores = count_intron_genes([replace(short, attributes={})], [long, short], 100).compute()
    assert f1(scores, "gene") == (1, 1, 1) and f1(scores, "chain") == (0, 1, 1)


def test_each_predicted_chain_counts_once_and_isoforms_are_compared_with_all_of_the_reference():
    parts = (TRUE.parts, TRUE.parts[::2], TRUE.parts[:2])
    named = [replace(TRUE, attributes={"gene_id": "g"}, parts=p, end=p[-1][1], exons=()) for p in parts]
    wrong = replace(named[0], parts=((10, 20), (43, 50), (70, 80)))
    scores = count_intron_genes([named[1], named[1], wrong], named, 100).compute()
    assert f1(scores, "isoform") == (1, 2, 3) and f1(scores, "chain") == (0, 2, 1)
    assert f1(scores, "gene") == (1, 1, 1)
    assert f1(count_intron_genes(named, named, 100).compute(), "isoform") == (3, 3, 3)


def test_predictions_in_pseudogenes_and_their_bases_do_not_count():
    pseudo = Gene("c", 8, 82, "-", pseudo=True)
    scores = count_intron_genes([TRUE], [pseudo], 100).compute()
    assert f1(scores, "gene") == f1(scores, "exon") == (0, 0, 0)
    assert scores["n_masked"] == 1 and scores["bases"]["n"] == 100 - 74


def test_classes_of_bases_by_hand():
    painted = paint_classes([TRUE, Gene("c", 52, 58, "-"), Gene("c", 90, 96, "-")], 100)
    runs = [(0, 5, 0), (5, 10, 1), (10, 20, 3), (20, 40, 2), (40, 50, 3), (50, 52, 2), (52, 58, 6), (58, 70, 2)]
    runs += [(70, 80, 3), (80, 82, 1), (82, 90, 0), (90, 96, 6), (96, 100, 0)]
    assert painted.tolist() == [kind for start, end, kind in runs for _ in range(start, end)]


def test_the_correlation_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 4, 500), rng.integers(0, 4, 500)
    found[:300] = truth[:300]
    confusion = np.bincount(4 * truth + found, minlength=16).reshape(4, 4)
    assert matthews(confusion) == pytest.approx(matthews_corrcoef(truth, found))
    assert matthews(np.diag([5, 0, 0, 0])) == 0.0


def test_no_genes_at_all_are_scored():
    scores = IntronCounts().compute()
    assert scores["exon"]["f1"] == 0 and scores["bases"]["mcc"] == 0


@pytest.fixture(scope="module")
def pair(data_dir, tmp_path_factory):
    """Files of real genes and of the same genes with errors: coding parts only, one isoform of each."""
    folder = tmp_path_factory.mktemp("pair")
    path = data_dir / "genome_1pct_a_thaliana/A.thaliana.1pct.gff.gz"
    contigs = read_annotation(path, sources=["TAIR10"]).by_contig()
    genes = {name: choose_isoforms(found) for name, found in contigs.items() if name in ("Chr1", "Chr2")}
    truth = {n: [replace(g, exons=()) for g in found if not (g.pseudo or g.partial_5)] for n, found in genes.items()}
    rng = np.random.default_rng(0)
    wrong = {name: [spoiled(gene, rng) for gene in found if rng.random() < 0.9] for name, found in truth.items()}
    for name, found in (("truth", truth), ("wrong", wrong)):
        records = [(Record(contig, np.zeros(400_000, np.uint8)), found[contig], False) for contig in found]
        write_gff3(folder / f"{name}.gff3", records)
    return folder / "wrong.gff3", folder / "truth.gff3"


def spoiled(gene, rng):
    """The gene as it is, or with an inner end moved, or without an inner exon."""
    parts, kind = list(gene.parts), rng.integers(3)
    if kind == 1 and len(parts) > 1:
        parts[0] = (parts[0][0], parts[0][1] - 1)
    if kind == 2 and len(parts) > 2:
        del parts[1]
    return replace(gene, parts=tuple(parts))


def test_exons_chains_and_genes_agree_with_genometools(pair, need_tool):
    gt = need_tool("gt")
    for path in pair:
        subprocess.run([gt, "gff3", "-sort", "-tidy", "-o", f"{path}.sorted", path], check=True, capture_output=True)
    command = [gt, "eval", f"{pair[1]}.sorted", f"{pair[0]}.sorted"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    scores = evaluate_intron_genes(*pair)

    def theirs(what, level):
        return [int(n) for kind in ("sensitivity", "specificity") for n in re.search(
            rf"^{what} {kind} \({level}\): .*\((\d+)/(\d+)\)", text, re.MULTILINE).groups()]  # fmt: skip

    for ours, what, level in (("exon", "exon", "CDS level, all, collapsed"), ("chain", "mRNA", "CDS level"),
                              ("gene", "gene", "CDS level")):  # fmt: skip
        hits, predicted, reference = f1(scores, ours)
        assert theirs(what, level) == [hits, reference, hits, predicted]
    assert 0.3 < scores["gene"]["f1"] < 0.95
    tp, fn, fp = map(
        int, re.search(r"sensitivity \(CDS level\):.*TP=(\d+)/.*FN=(\d+)\)\)\nnucleotide spec.*FP=(\d+)", text).groups()
    )
    coding = scores["bases"]["classes"]["coding"]
    assert coding["recall"] == pytest.approx(tp / (tp + fn), abs=2e-4)
    assert coding["precision"] == pytest.approx(tp / (tp + fp), abs=2e-4)


def test_a_reference_has_introns_when_most_of_its_joined_genes_have_a_gap_long_enough():
    whole, spliced = Gene("c", 0, 300, "+"), Gene("c", 0, 300, "+", parts=((0, 99), (150, 300)))
    shifted = Gene("c", 0, 301, "+", parts=((0, 75), (76, 301)))  # a frame shift that the file does not call one
    others = [replace(spliced, **{name: True}) for name in ("pseudo", "slippage", "trans_spliced")]
    assert have_introns([whole] * 9 + [spliced])
    assert have_introns([spliced, spliced, shifted]) and not have_introns([spliced, shifted])
    assert not any(have_introns([whole, gene]) for gene in (whole, shifted, *others)) and not have_introns([])
    shortest = [Gene("c", 0, 300, "-", parts=((0, 99), (99 + gap, 300))) for gap in (29, 30)]
    assert [have_introns([gene]) for gene in shortest] == [False, True]
