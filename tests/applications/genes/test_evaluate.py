"""Evaluation of annotation files: by hand, against ``gt eval`` and scikit-learn, and through the command."""

import argparse
import json
import re
import subprocess

import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef

from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation
from genoformer.applications.genes.evaluate import BASE_CLASSES, count_bases, evaluate_genes, paint_codons
from genoformer.cli import evaluate as command
from genoformer.errors import CheckFailedError, DataError, MissingFileError, UsageError, WarningLog
from genoformer.metrics.genes import Coverage


def write_gff3(path, genes, lengths, circular=()):
    """Simple genes (contig, start, end, strand[, attributes]) as gene, mRNA, exon and CDS rows, by hand."""
    lines = ["##gff-version 3", *(f"##sequence-region {contig} 1 {length}" for contig, length in lengths.items())]
    lines += [f"{c}\tt\tregion\t1\t{lengths[c]}\t.\t+\t.\tID=r{c};Is_circular=true" for c in circular]
    for i, (contig, start, end, strand, *extra) in enumerate(sorted(genes)):
        row = f"{contig}\tt\t{{}}\t{start + 1}\t{end}\t.\t{strand}\t{{}}\t{{}}"
        lines.append(row.format("gene", ".", ";".join([f"ID=g{i}", *extra])))
        lines.append(row.format("mRNA", ".", f"ID=m{i};Parent=g{i}"))
        lines.append(row.format("exon", ".", f"Parent=m{i}"))
        lines.append(row.format("CDS", "0", ";".join([f"ID=c{i};Parent=m{i}", *extra])))
    path.write_text("\n".join(lines) + "\n")
    return path


def random_genes(rng, contigs, n, length):
    """Non-overlapping genes per contig and strand, as tuples."""
    genes = []
    for contig in contigs:
        for start in (np.sort(rng.choice(length // 400, n, replace=False)) * 400).tolist():
            genes.append((contig, start, start + 3 * int(rng.integers(30, 130)), "+-"[int(rng.integers(2))]))
    return genes


def disturb(rng, genes):
    """Some genes kept, some with another start or end, some on the other strand, some lost."""
    kept = []
    for contig, start, end, strand in genes:
        change = rng.integers(6)
        kept += {
            0: [],
            1: [(contig, start + 9, end, strand)],
            2: [(contig, start, end - 9, strand)],
            3: [(contig, start, end, "-" if strand == "+" else "+")],
        }.get(int(change), [(contig, start, end, strand)])
    return kept


@pytest.fixture()
def pair(tmp_path):
    rng, lengths = np.random.default_rng(7), {"c1": 40_000, "c2": 20_000}
    genes = random_genes(rng, lengths, 40, 20_000)
    predicted = [*disturb(rng, genes), ("c1", 30_000, 30_300, "+")]
    reference = write_gff3(tmp_path / "reference.gff3", genes, lengths)
    return write_gff3(tmp_path / "predicted.gff3", predicted, lengths), reference


def test_perfect_prediction_scores_one_everywhere(pair):
    scores = evaluate_genes(pair[1], pair[1])
    for part in ("genes", "genes_nothing_ignored"):
        assert scores[part]["three_prime"] == scores[part]["exact"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert {row["mcc"] for row in scores["bases"].values()} == {1.0}
    assert (scores["n_contigs"], scores["n_bases"]) == (2, 60_000)


def test_scores_agree_with_genometools(pair, need_tool):
    output = subprocess.run(
        [need_tool("gt"), "eval", pair[1], pair[0]], capture_output=True, text=True, check=True
    ).stdout
    scores = evaluate_genes(*pair)
    genes, coding = scores["genes"], scores["bases"]["coding"]
    for level in ("gene", "mRNA"):
        hits, n = re.search(rf"{level} sensitivity \(CDS level\): .*\((\d+)/(\d+)\)", output).groups()
        assert (int(hits), int(n)) == (genes["n_exact"], genes["n_reference"])
        hits, n = re.search(rf"{level} specificity \(CDS level\): .*\((\d+)/(\d+)\)", output).groups()
        assert (int(hits), int(n)) == (genes["n_exact"], genes["n_predicted"])
    found = re.search(r"nucleotide sensitivity \(CDS level\): .*TP=(\d+).*FN=(\d+)", output).groups()
    assert tuple(map(int, found)) == (coding["tp"], coding["fn"])
    found = re.search(r"nucleotide specificity \(CDS level\): .*TP=(\d+).*FP=(\d+)", output).groups()
    assert tuple(map(int, found)) == (coding["tp"], coding["fp"])
    assert 0 < genes["n_exact"] < genes["n_reference"]


def test_base_scores_by_hand():
    reference = [Gene("c", 0, 6, "+"), Gene("c", 10, 13, "-", pseudo=True)]
    predicted = [Gene("c", 3, 9, "+"), Gene("c", 10, 13, "+"), Gene("c", 15, 18, "-")]
    rows = dict(zip(BASE_CLASSES, count_bases(predicted, reference, 20).tolist(), strict=True))
    # tp, fp, fn, tn; 17 positions are not masked, on two strands.
    assert rows == {
        "coding": [3, 6, 3, 22],
        "coding_plus": [3, 3, 3, 8],
        "coding_minus": [0, 3, 0, 14],
        "codon_0": [1, 2, 1, 30],
        "codon_1": [1, 2, 1, 30],
        "codon_2": [1, 2, 1, 30],
        "intergenic": [5, 3, 6, 3],
    }


def test_base_scores_equal_scikit_learn(pair):
    predicted, reference = (read_annotation(path).by_contig()["c1"] for path in pair)
    counts = count_bases(predicted, reference, 40_000)
    found, truth = (paint_codons(genes, 40_000, Coverage([(0, 40_000)])) for genes in (predicted, reference))
    for name, bit in (("codon_0", 1), ("codon_1", 2), ("codon_2", 4), ("coding", 7)):
        tp, fp, fn, tn = counts[BASE_CLASSES.index(name)].tolist()
        y, p = (truth & bit).ravel() > 0, (found & bit).ravel() > 0
        assert f1_score(y, p) == pytest.approx(2 * tp / (2 * tp + fp + fn))
        mcc = (tp * tn - fp * fn) / np.sqrt(float(tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        assert matthews_corrcoef(y, p) == pytest.approx(mcc)


def test_a_contig_far_longer_than_its_genes_costs_nothing_and_counts_in_full():
    reference, predicted = [Gene("c", 990, 999, "+"), Gene("c", 10**12, 10**12 + 9, "-")], [Gene("c", 993, 1002, "+")]
    rows = dict(zip(BASE_CLASSES, count_bases(predicted, reference, 2 * 10**12).tolist(), strict=True))
    assert rows["coding"] == [6, 3, 12, 4 * 10**12 - 21]
    assert rows["coding_minus"] == [0, 0, 9, 2 * 10**12 - 9]
    assert rows["codon_1"] == [2, 1, 4, 4 * 10**12 - 7]
    assert rows["intergenic"] == [2 * 10**12 - 21, 12, 3, 6]
    assert count_bases([], [], 7).tolist() == [[0, 0, 0, 14], *[[0, 0, 0, 7]] * 2, *[[0, 0, 0, 14]] * 3, [7, 0, 0, 0]]


def test_codons_are_painted_in_reading_direction_and_over_the_origin():
    tracks = paint_codons([Gene("c", 1, 4, "+"), Gene("c", 8, 14, "-")], 10, Coverage([(0, 10)]))
    assert tracks[0].tolist() == [0, 1, 2, 4, 0, 0, 0, 0, 0, 0]
    # Read from 13 down to 8: positions 3, 2, 1 and then 0, 9, 8.
    assert tracks[1].tolist() == [1, 4, 2, 1, 0, 0, 0, 0, 4, 2]


def test_pseudogenes_and_what_lies_in_them_are_ignored(tmp_path):
    lengths = {"c": 1000}
    reference = write_gff3(tmp_path / "r.gff3", [("c", 0, 90, "+"), ("c", 300, 600, "+", "pseudo=true")], lengths)
    predicted = write_gff3(tmp_path / "p.gff3", [("c", 0, 90, "+"), ("c", 330, 600, "+")], lengths)
    scores = evaluate_genes(predicted, reference)
    assert (scores["genes"]["n_ignored"], scores["genes"]["n_masked"]) == (1, 1)
    assert scores["genes"]["exact"]["f1"] == 1.0 and scores["bases"]["coding"]["fp"] == 0
    assert scores["genes_nothing_ignored"]["exact"]["precision"] == 0.5


def test_fasta_gives_names_and_lengths(tmp_path):
    (tmp_path / "g.fa").write_text(">c.1 x\n" + "ACGTACGTAC" * 60 + "\n>empty_of_genes\nACGTACGTACGT\n")
    predicted = tmp_path / "p.gff3"
    predicted.write_text("##gff-version 3\nc\tt\tCDS\t1\t90\t.\t+\t0\tID=a\n")
    named = tmp_path / "named.gff3"
    named.write_text(predicted.read_text() + "##sequence-region empty_of_genes 1 12\n")
    log = WarningLog()
    scores = evaluate_genes(predicted, named, fasta=tmp_path / "g.fa", warnings=log)
    assert (scores["n_bases"], scores["n_contigs"], scores["bases"]["intergenic"]["tp"]) == (612, 2, 522)
    assert not log.counts
    assert evaluate_genes(predicted, predicted, warnings=log)["n_bases"] == 90
    assert log.counts["EVAL-001"] == 1


def test_records_that_the_reference_does_not_name_are_not_judged(tmp_path):
    (tmp_path / "g.fa").write_text(">c\n" + "ACGTACGTAC" * 60 + "\n>d\n" + "ACGT" * 90 + "\n>e\nACGT\n")
    reference = write_gff3(tmp_path / "r.gff3", [("c", 0, 90, "+")], {"c": 600})
    predicted = write_gff3(tmp_path / "p.gff3", [("c", 0, 90, "+"), ("d", 0, 90, "+")], {"c": 600, "d": 360, "e": 4})
    for fasta in (tmp_path / "g.fa", None):
        log = WarningLog()
        scores = evaluate_genes(predicted, reference, fasta=fasta, warnings=log)
        assert scores["genes"]["exact"]["precision"] == 1 and scores["n_bases"] == 600
        assert log.counts == {"EVAL-020": 2}
    named = write_gff3(tmp_path / "n.gff3", [("c", 0, 90, "+")], {"c": 600, "d": 360})
    assert evaluate_genes(predicted, named, warnings=WarningLog())["genes"]["exact"]["precision"] == 0.5
    (tmp_path / "empty.gff3").write_text("##gff-version 3\n")
    with pytest.raises(DataError, match="EVAL-021"):
        evaluate_genes(predicted, tmp_path / "empty.gff3")


def test_a_stop_codon_that_one_file_leaves_out_is_found_in_the_genome_and_warned_of_without(tmp_path):
    (tmp_path / "g.fa").write_text(">c\nCC" + "ATGAAACCCTAA" * 2 + "TTAGGGTTTCATCC\n")
    whole = write_gff3(tmp_path / "w.gff3", [("c", 2, 14, "+"), ("c", 14, 26, "+"), ("c", 26, 38, "-")], {"c": 40})
    short = write_gff3(tmp_path / "s.gff3", [("c", 2, 11, "+"), ("c", 14, 23, "+"), ("c", 29, 38, "-")], {"c": 40})
    for pair in ((whole, short), (short, whole)):
        log = WarningLog()
        assert evaluate_genes(*pair, fasta=tmp_path / "g.fa", warnings=log)["genes"]["exact"]["f1"] == 1
        assert not log.counts
        assert evaluate_genes(*pair, warnings=log)["genes"]["exact"]["f1"] == 0 and log.counts == {"EVAL-022": 1}


def test_ids_of_two_naming_schemes_need_a_map(tmp_path):
    predicted = write_gff3(tmp_path / "p.gff3", [("chr1", 0, 90, "+")], {"chr1": 300})
    reference = write_gff3(tmp_path / "r.gff3", [("NC_1", 0, 90, "+")], {"NC_1": 300})
    with pytest.raises(DataError, match=r"chr1.*seqid-map"):
        evaluate_genes(predicted, reference)
    for seqid_map in ({"NC_1": "chr1"}, {"chr1": "NC_1"}):
        assert evaluate_genes(predicted, reference, seqid_map=seqid_map)["genes"]["exact"]["f1"] == 1.0


def test_another_assembly_is_refused(tmp_path):
    short = write_gff3(tmp_path / "s.gff3", [("c", 0, 90, "+")], {"c": 300})
    long = write_gff3(tmp_path / "l.gff3", [("c", 300, 390, "+")], {"c": 400})
    with pytest.raises(DataError, match="300 and 400"):
        evaluate_genes(short, long)
    (tmp_path / "g.fa").write_text(">c\n" + "A" * 300 + "\n")
    with pytest.raises(DataError, match=r"301\.\.390.*300 bp"):
        evaluate_genes(short, long, fasta=tmp_path / "g.fa")


def test_circular_genes_are_compared_over_the_origin(tmp_path):
    reference = write_gff3(tmp_path / "r.gff3", [("c", 250, 340, "+")], {"c": 300}, circular=["c"])
    predicted = write_gff3(tmp_path / "p.gff3", [("c", 10, 40, "+")], {"c": 300}, circular=["c"])
    scores = evaluate_genes(predicted, reference)
    assert (scores["genes"]["n_three_prime"], scores["genes"]["n_exact"]) == (1, 0)
    assert scores["bases"]["coding"]["tp"] == 30


def test_missing_file_is_named(tmp_path, pair):
    with pytest.raises(MissingFileError, match=r"nothing\.gff3"):
        evaluate_genes(tmp_path / "nothing.gff3", pair[1])


def run_command(*arguments):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(argument) for argument in arguments]))


def test_command_prints_a_table_and_writes_json(pair, tmp_path, capsys):
    assert run_command(*pair, "-o", tmp_path / "scores.json") == 0
    table = capsys.readouterr().out
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores == evaluate_genes(*pair)
    assert re.search(rf"genes, exact +.*{scores['genes']['exact']['f1']:.4f}", table)


def test_command_prints_json(pair, capsys):
    assert run_command(*pair, "--json", "--min-f1", 0.1) == 0
    assert json.loads(capsys.readouterr().out) == evaluate_genes(*pair)


def test_command_says_no_with_exit_code_one_after_writing(pair, tmp_path):
    with pytest.raises(CheckFailedError, match=r"at least 0\.99") as caught:
        run_command(*pair, "--min-f1", 0.99, "-o", tmp_path / "scores.json")
    assert caught.value.exit_code == 1 and (tmp_path / "scores.json").is_file()


def test_impossible_threshold_is_a_usage_error(pair):
    with pytest.raises(UsageError, match=r"1\.5"):
        run_command(*pair, "--min-f1", 1.5)


def test_output_folder_of_predict_is_a_prediction(pair, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "genes.gff3").write_bytes(pair[0].read_bytes())
    assert evaluate_genes(tmp_path / "out", pair[1]) == evaluate_genes(*pair)
