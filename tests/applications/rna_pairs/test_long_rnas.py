"""Long RNAs: a list of pairs says what the whole matrix does, and memory stays small."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from children import run_child
from tiny_sequence_bundle import PAIR_HEAD, SETTINGS, write_sequence_bundle

from genoformer.applications.rna_pairs import caller as caller_module
from genoformer.applications.rna_pairs.calibrate import CHOOSING, _spread
from genoformer.applications.rna_pairs.caller import PairCaller, pair_population
from genoformer.applications.rna_pairs.maps import read_pairs_h5
from genoformer.batches.pair_samples import STRETCH_BP, UNKNOWN, PairSamples, fullest_crop
from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.cli.main import main
from genoformer.decoding.base_pairs import crossing_structure, nested_structure
from genoformer.nn import pair_head
from genoformer.sequence.alphabet import decode_bases, encode_bases
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.structures import folding
from genoformer.structures.dot_bracket import ALONE, pairs_of, parse_dot_bracket
from genoformer.structures.folding import WHOLE_BP, fold_probabilities
from genoformer.structures.pair_list import PairList, listed_pairs

L = 110


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A bundle whose network is no longer what it was before training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SETTINGS, "rna_pairs", (1, 1, ["pair"], PAIR_HEAD))
        folder = write_sequence_bundle(tmp_path_factory.mktemp("bundle") / "model", "rna_pairs")
    bundle = load_bundle(folder)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for weight in bundle.model.head.parameters():
            torch.nn.init.normal_(weight, std=0.4)
    save_bundle(folder, model=bundle.model, config=bundle.config, card="#\n", calibration=bundle.calibration)
    return folder


@pytest.fixture(scope="module")
def caller(model):
    return PairCaller.from_bundle(load_bundle(model))


@pytest.fixture
def codes():
    return np.random.default_rng(3).integers(0, 4, L).astype(np.uint8)


def whole(found: PairList) -> np.ndarray:
    """The matrix of a list."""
    matrix = np.zeros((len(found), len(found)), np.float32)
    matrix[tuple(found.pairs.T)] = found.probability
    return matrix + matrix.T


@pytest.mark.parametrize("tile", [16, 37, 256])
def test_list_of_all_partners_is_the_matrix(caller, codes, monkeypatch, tile):
    monkeypatch.setattr(pair_head, "TILE_TOKENS", tile)
    wanted, found = caller.probabilities(codes), caller.list_of(codes, most=L)
    assert wanted.max() > 0.1 and found.rest is None
    np.testing.assert_allclose(whole(found), wanted, rtol=1e-4, atol=1e-6)  # float32, sums in another order
    np.testing.assert_allclose(found.alone, np.maximum(0, 1 - wanted.sum(axis=1)), rtol=0, atol=1e-5)
    assert (np.diff(found.pairs[:, 0] * L + found.pairs[:, 1]) > 0).all()


@pytest.mark.parametrize("gamma", [2.0, 6.0, 24.0])
@pytest.mark.parametrize("decode", [nested_structure, crossing_structure])
def test_structure_of_a_list_is_that_of_the_matrix(caller, codes, decode, gamma):
    found = caller.list_of(codes, most=L)
    structure = decode(found, gamma)
    assert structure.tolist() == decode(whole(found), gamma).tolist()
    assert len(pairs_of(structure)) > (2 if gamma > 2 else 0)


def test_shorter_list_keeps_the_likeliest_partners_and_knows_of_the_others(caller, codes):
    everything, found = caller.list_of(codes, most=L), caller.list_of(codes, most=3)
    matrix = whole(everything)
    best = {(min(i, j), max(i, j)) for i in range(L) for j in np.argsort(-matrix[i])[:3].tolist() if matrix[i, j]}
    assert set(map(tuple, found.pairs.tolist())) == best
    np.testing.assert_array_equal(found.alone, everything.alone)
    left_out = matrix - whole(found)
    sums, n = left_out.sum(axis=1), (left_out > 0).sum(axis=1)
    np.testing.assert_allclose(found.rest, sums / np.maximum(1, n), rtol=1e-4, atol=1e-9)


def test_what_is_listed_and_judged_is_the_same(caller, codes):
    found = caller.list_of(codes, most=L)
    partners = nested_structure(found, 4.0)
    for smallest in (0.001, 0.2):
        lists = [listed_pairs(either, smallest, partners) for either in (found, whole(found))]
        assert all(np.array_equal(*pair) for pair in zip(*lists, strict=True))
    judged = [pair_population(either, partners) for either in (found, whole(found))]
    assert all(np.array_equal(*pair) for pair in zip(*judged, strict=True))


def test_long_rna_takes_this_path_and_says_the_same(caller, codes, monkeypatch):
    before = caller.outputs(codes)
    monkeypatch.setattr(caller_module, "WHOLE_BP", L - 1)
    after = caller.outputs(codes)
    assert np.array_equal(before["partners"], after["partners"])
    assert np.array_equal(before["pairs"], after["pairs"])
    np.testing.assert_allclose(after["probability"], before["probability"], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("sequence", "n_pairs"), [("A", 0), ("AAAAAAAA", 0), ("GGAAAACC", 4)])
def test_list_of_almost_nothing(caller, sequence, n_pairs):
    found = caller.list_of(encode_bases(sequence))
    assert len(found) == len(sequence) == len(nested_structure(found)) and len(found.pairs) == n_pairs
    assert (crossing_structure(found) == ALONE).sum() >= len(sequence) - 4


def test_viennarna_weighs_a_list_as_the_matrix(caller, codes, need_package, monkeypatch):
    need_package("RNA")
    found = caller.list_of(codes, most=L)
    wanted = fold_probabilities(codes, whole(found), 0.3)
    assert np.abs(wanted - fold_probabilities(codes)).max() > 0.05
    # Pairs below LEAST_LISTED are not there; ``alone`` of a list has sums of its own.
    np.testing.assert_allclose(whole(fold_probabilities(codes, found, 0.3)), wanted, rtol=0, atol=2e-3)
    near = whole(fold_probabilities(codes, caller.list_of(codes, most=20), 0.3))
    assert np.abs(near - wanted).mean() < 0.1 * np.abs(wanted - fold_probabilities(codes)).mean()
    monkeypatch.setattr(folding, "WHOLE_BP", L - 1)
    alone = fold_probabilities(codes)
    monkeypatch.undo()
    np.testing.assert_allclose(whole(alone), fold_probabilities(codes), rtol=0, atol=1.1e-5)


def test_weighing_of_a_list_stays_in_the_range_of_numbers(caller, need_package):
    need_package("RNA")
    codes = np.random.default_rng(5).integers(0, 4, 500).astype(np.uint8)
    said = caller.list_of(codes, most=500)
    wanted, plain = fold_probabilities(codes, whole(said), 0.3), fold_probabilities(codes)
    changed = np.abs(wanted - plain).sum()
    for most, share in ((500, 0.001), (200, 0.1), (100, 0.5)):  # of random weights, which name no partners
        found = whole(fold_probabilities(codes, caller.list_of(codes, most=most), 0.3))
        assert np.isfinite(found).all() and 0 <= found.min() and found.max() < 1.001
        assert np.abs(found - wanted).sum() < share * changed


def test_fullest_stretch_holds_the_most_pairs():
    partners = parse_dot_bracket("((......))..(((...)))...(.)..")
    assert fullest_crop(partners, 9) == (12, 21)
    assert fullest_crop(partners, 15) == (12, 27)
    assert fullest_crop(np.full(12, ALONE), 5) == (0, 5)


def test_evaluation_while_training_sees_a_stretch_of_a_long_rna():
    partners = np.full(WHOLE_BP + 1, ALONE)
    partners[[0, WHOLE_BP]], partners[[600, 620]] = [WHOLE_BP, 0], [620, 600]
    codes = np.zeros(WHOLE_BP + 1, np.uint8)
    codes[[0, 600]], codes[[620, WHOLE_BP]] = 1, 2
    samples = PairSamples([codes, codes[1:]], [partners, np.full(WHOLE_BP, ALONE)], KmerTokenizer(k=1, stride=1))
    start, _ = fullest_crop(partners, STRETCH_BP)
    labels = samples(0, None)["labels"]
    assert labels.shape == (STRETCH_BP, STRETCH_BP) and labels[600 - start, 620 - start] == 1
    # The base whose partner lies outside is not taught to be alone.
    assert start > 0 or labels[0, 0] != 1
    assert samples(1, None)["labels"].shape == (WHOLE_BP, WHOLE_BP)
    assert UNKNOWN < ALONE


def test_of_long_rnas_fewer_choose_the_weight():
    members = list(range(60))
    assert _spread(members, [WHOLE_BP] * 60) == members[:: -(-60 // CHOOSING)]
    assert len(_spread(members, [2 * WHOLE_BP] * 60)) == 3
    assert len(_spread(members, [6000] * 60)) == 1 and _spread([4], [6000] * 5) == [4]


def predict_and_say_peak(fasta, model, out) -> int:
    """In a process of its own: predict, and print the peak of its memory in MB."""
    code = main(["predict", str(fasta), "--model", str(model), "-o", str(out)])
    print("peak", int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) >> 10)
    return code


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_five_thousand_bases_fit_into_memory(model, tmp_path):
    codes = np.random.default_rng(0).integers(0, 4, 5000).astype(np.uint8)
    (tmp_path / "long.fa").write_text(f">long\n{decode_bases(codes)}\n")
    log = tmp_path / "log"
    assert run_child(log, predict_and_say_peak, tmp_path / "long.fa", model, tmp_path / "out") == 0
    ((name, pairs, probability),) = read_pairs_h5(tmp_path / "out" / "pairs.h5")
    assert name == "long" and len(pairs) > 5000 and probability.max() <= 1
    assert int(re.search(r"peak (\d+)", log.read_text())[1]) < 1500
