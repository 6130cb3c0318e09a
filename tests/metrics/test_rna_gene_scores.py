"""Scores of rRNA and tRNA genes by the bases that they share."""

import json

from genoformer.annotation.models import RnaGene
from genoformer.applications.genes.evaluate import evaluate_genes, format_table
from genoformer.cli.main import main
from genoformer.metrics.rna_genes import score_rna_genes

CDS = "c\tx\tCDS\t301\t309\t.\t+\t0\tID=p\n"


def gene(start, end, strand="+", kind="tRNA", contig="c", **more):
    return RnaGene(contig, start, end, strand, kind, **more)


def scores(predicted, reference):
    return score_rna_genes(predicted, reference, {"c": 1_000, "d": 1_000})


def test_half_of_the_longer_gene_on_the_same_strand_is_a_hit():
    reference = [gene(100, 176), gene(200, 276, "-"), gene(300, 376), gene(400, 476), gene(500, 576, contig="d")]
    predicted = [gene(138, 200), gene(200, 276), gene(300, 453), gene(438, 514), gene(500, 570, contig="d")]
    found = scores(predicted, reference)
    # 138..176 is half of 76; the other strand does not count; 76 of 153 bases are less than half; 38 of 76 are half.
    assert found == {
        "tRNA": {"precision": 0.6, "recall": 0.6, "f1": 0.6, "n_predicted": 5, "n_reference": 5},
    }  # fmt: skip


def test_kinds_are_scored_apart():
    found = scores([gene(100, 176, kind="rRNA")], [gene(100, 176)])
    assert found["tRNA"]["recall"] == found["rRNA"]["precision"] == 0.0
    assert found["rRNA"]["n_reference"] == found["tRNA"]["n_predicted"] == 0


def test_a_gene_stands_for_one_and_the_closest_pair_comes_first():
    found = scores([gene(90, 166), gene(100, 176)], [gene(100, 176)])
    assert (found["tRNA"]["precision"], found["tRNA"]["recall"]) == (0.5, 1.0)


def test_pseudogenes_are_neither_asked_for_nor_wrong():
    found = scores([gene(100, 176), gene(300, 376)], [gene(100, 176, pseudo=True), gene(300, 376)])
    assert found["tRNA"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "n_predicted": 1, "n_reference": 1}


def test_genes_over_the_origin_go_on_at_the_beginning():
    assert scores([gene(0, 40)], [gene(970, 1_040)])["tRNA"]["recall"] == 1.0
    assert scores([gene(970, 1_040)], [gene(970, 1_040)])["tRNA"]["f1"] == 1.0


def test_evaluate_scores_rna_where_both_files_have_it(tmp_path, capsys):
    header = "##gff-version 3\n##sequence-region c 1 1000\n"
    rna = "c\tx\ttRNA\t101\t176\t.\t+\t.\tID=t\nc\tx\trRNA\t501\t900\t.\t+\t.\tID=r\n"
    (tmp_path / "with.gff3").write_text(header + CDS + rna)
    (tmp_path / "without.gff3").write_text(header + CDS)
    both = evaluate_genes(tmp_path / "with.gff3", tmp_path / "with.gff3")
    assert both["rna"]["tRNA"]["f1"] == both["rna"]["rRNA"]["recall"] == 1.0
    assert "tRNA genes, half of the bases" in format_table(both)
    one = evaluate_genes(tmp_path / "with.gff3", tmp_path / "without.gff3")
    assert "rna" not in one and {name: both[name] for name in one} == one
    assert (
        main(["evaluate", str(tmp_path / "with.gff3"), str(tmp_path / "with.gff3"), "-o", str(tmp_path / "s.json")])
        == 0
    )
    assert json.loads((tmp_path / "s.json").read_text())["rna"] == both["rna"]
