"""The sample of a genome, and what is learned from it."""

import json
from itertools import pairwise

import numpy as np
import pytest
from intron_genome import write_intron_genome
from tiny_intron_bundle import write_tiny_intron_bundle

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.intron_tracks import ACCEPTOR, DONOR, STATE_MASK, intron_tracks
from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.tracks import START, STOP
from genoformer.applications.introns import follow
from genoformer.applications.introns.caller import IntronGeneFinder
from genoformer.applications.introns.follow import SampleStretch, learn_counts, sample
from genoformer.bundle.folder import add_calibration, load_bundle
from genoformer.cli.main import main
from genoformer.decoding.introns.motifs import GeneCounts, Motifs, count_genes, count_sequence
from genoformer.decoding.introns.weights import EXON_KINDS, IntronDecoder, IntronWeights, fit_lengths
from genoformer.decoding.options import CallOptions

CALL = CallOptions(genetic_code=1)


def reader(*lengths):
    """Records in which each base says its place in the genome, modulo 251."""
    whole = (np.arange(sum(lengths)) % 251).astype(np.uint8)
    edges = np.cumsum([0, *lengths])
    return whole, lambda: ((whole[a:b], CALL) for a, b in pairwise(edges))


def test_a_small_genome_is_its_own_sample(monkeypatch):
    monkeypatch.setattr(follow, "SAMPLE_BP", 1000)
    whole, read = reader(400, 0, 600)
    assert np.array_equal(np.concatenate([codes for codes, _, _ in sample(read)]), whole)


def test_stretches_lie_evenly_and_end_with_their_record(monkeypatch):
    monkeypatch.setattr(follow, "SAMPLE_BP", 1000)
    monkeypatch.setattr(follow, "STRETCH_BP", 250)
    whole, read = reader(1100, 900, 2000)
    found = [codes for codes, _, _ in sample(read)]
    expected = [(0, 250), (1000, 1100), (1100, 1250), (2000, 2250), (3000, 3250)]
    assert [len(codes) for codes in found] == [b - a for a, b in expected]
    assert all(np.array_equal(codes, whole[a:b]) for codes, (a, b) in zip(found, expected, strict=True))


@pytest.fixture
def genome(tmp_path):
    """A made-up genome, with outputs of a model that knows its genes but not all of their introns' ends."""
    path = write_intron_genome(tmp_path, n_genes=60, seed=3)
    genes = read_annotation(path.with_suffix(".gff3")).by_contig()
    rng, found = np.random.default_rng(0), []
    for record in read_records(path):
        tracks, _ = intron_tracks(record.codes, genes[record.id], genetic_code=1)
        states = 4.0 * np.eye(8)[tracks & STATE_MASK]
        signals = np.stack([np.where(tracks & bit, 4.0, -6.0) for bit in (START, STOP, DONOR, ACCEPTOR)], axis=-1)
        logits = np.concatenate([states, signals], axis=-1)
        logits = (logits + rng.normal(0, 1, logits.shape)).astype(np.float16)
        found.append((SampleStretch(record.codes, logits, get_genetic_code(1)), genes[record.id]))
    return found


def test_counts_are_those_of_the_genes_that_are_found(genome):
    true = sum(
        (count_sequence(one.codes) + count_genes(one.codes, genes) for one, genes in genome), GeneCounts.nothing()
    )
    exons = {kind: fit_lengths([90, 150, 240], shortest_bp=3, n_bp=900) for kind in EXON_KINDS}
    weights = IntronWeights(state=0.2, utr=0.3, signal=1.4, splice=0.7, gene=2.5, intron=12.0, edge=-3.0, motif=0.5)
    introns = fit_lengths([60, 90, 400], shortest_bp=30, n_bp=300)
    decoder = IntronDecoder(weights, exons, introns, motifs=Motifs(None, true))
    counts = learn_counts(decoder, [one for one, _ in genome])
    np.testing.assert_array_equal(counts.triplets, true.triplets)
    assert counts.introns == pytest.approx(true.introns, rel=0.1)
    assert counts.codons.sum() == pytest.approx(true.codons.sum(), rel=0.1)
    for name, table in true.sites.items():
        assert np.abs(counts.sites[name] - table).sum() < 0.2 * table.sum()


def test_a_decoder_of_before_needs_no_sample(tmp_path):
    finder = IntronGeneFinder.from_bundle(load_bundle(write_tiny_intron_bundle(tmp_path)))
    assert finder.following(lambda: pytest.fail("the genome was read")) is finder


@pytest.fixture(scope="module")
def following(tmp_path_factory):
    """A bundle that follows, and a genome."""
    folder = tmp_path_factory.mktemp("following")
    path = write_intron_genome(folder, n_genes=12, seed=3)
    genes = read_annotation(path.with_suffix(".gff3")).by_contig()
    records = list(read_records(path))
    counts = sum(
        (count_sequence(one.codes) + count_genes(one.codes, genes[one.id]) for one in records), GeneCounts.nothing()
    )
    assert (counts.genes, counts.bases) == (12, sum(map(len, records)))
    return write_tiny_intron_bundle(folder / "model", counts), path


def summary_of(model, path, out, *options):
    command = ["predict", str(path), "--model", str(model), "-o", str(out), "--circular", "none", "--threads", "1"]
    assert main([*command, *options]) == 0
    return json.loads((out / "summary.json").read_text())


@pytest.mark.slow
def test_the_summary_says_what_was_learned_of_which_genome(following, tmp_path):
    model, path = following
    summary = summary_of(model, path, tmp_path / "plain")
    n_bases = sum(map(len, read_records(path)))
    assert summary["genome_statistics"] is True and summary["followed"]["bases"] == n_bases
    assert summary["followed"]["genes"] > 0 and set(summary["followed"]) == {"bases", "genes", "introns"}
    for options, said in ((["--metagenome"], 0), (["--no-statistics"], False)):
        alone = summary_of(model, path, tmp_path / options[0].strip("-"), *options)
        assert alone["genome_statistics"] == said and "followed" not in alone


@pytest.mark.slow
def test_shards_say_what_was_learned(following, tmp_path):
    model, path = following
    whole = summary_of(model, path, tmp_path / "whole")
    for number in (1, 2):
        command = ["predict", str(path), "--model", str(model), "-o", str(tmp_path / "parts"), "--circular", "none"]
        assert main([*command, "--threads", "1", "--shard", f"{number}/2"]) == 0
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 0
    assert (tmp_path / "merged/summary.json").read_bytes() == (tmp_path / "whole/summary.json").read_bytes()
    assert whole["followed"]["bases"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(("at_home", "familiar"), [(-50.0, True), (1000.0, False), (None, None)])
def test_the_summary_says_whether_the_genome_looks_familiar(following, tmp_path, capsys, at_home, familiar):
    model, path = following
    add_calibration(model, load_bundle(model), {"codon_evidence": at_home}, to=tmp_path / "model")
    summary = summary_of(tmp_path / "model", path, tmp_path / "out")
    assert summary["looks_familiar"] is familiar and isinstance(summary["codon_evidence"], float)
    assert ("GENOME-001" in capsys.readouterr().err) is (familiar is False)
