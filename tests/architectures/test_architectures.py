"""The architectures side by side: equal sizes, equal time, cells that are measured once, and figures that add up."""

import json

import numpy as np
import pytest
import torch

from genoformer.architectures import cells
from genoformer.architectures.cells import Plan, cells_of, read_cell, run_cell
from genoformer.architectures.contenders import CONTENDERS, make_config, n_parameters
from genoformer.architectures.cost import foreseen, in_child
from genoformer.architectures.distance import VARIANTS, SiteModel, make_batch, measure_distances
from genoformer.architectures.learning import Genomes, _bits, measure_bases
from genoformer.architectures.summary import draw, growth, read_cells, table
from genoformer.cli.main import main
from genoformer.nn.encoder import Encoder
from genoformer.sequence.alphabet import encode_bases

PLAN = Plan(0.01, (0, 1), Genomes("a.gbk", "b.gbk"), call_seconds=2.0, lengths=(512, 2_048, 8_192))


@pytest.mark.parametrize("sizes", [{"d_model": 64, "d_ff": 128}, {"d_model": 128, "d_ff": 512, "n_layers": 2}])
def test_architectures_have_as_many_parameters_as_each_other(sizes):
    counts = [n_parameters(Encoder(make_config(name, vocab_size=69, conv_width=0, **sizes))) for name in CONTENDERS]
    assert max(counts) <= 1.01 * min(counts)


def test_motif_and_site_are_as_far_apart_as_wanted():
    token_ids, sites, labels = make_batch(5, 32, torch.Generator().manual_seed(0))
    assert token_ids.shape == (5, 112)
    assert token_ids[torch.arange(5), sites - 32].tolist() == [5 + int(label) for label in labels]
    assert (token_ids == 7).sum() == 5


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_answers(name):
    token_ids, sites, _ = make_batch(2, 60, torch.Generator().manual_seed(0))
    assert SiteModel(**VARIANTS[name])(token_ids, sites).shape == (2,)


def test_reach_of_segments_is_a_memory_for_each_layer():
    assert SiteModel(**VARIANTS["transformer_xl, segment and memory 256"]).reach_bp == 2 * 256 * 6
    assert SiteModel(**VARIANTS["reformer, 2 rounds"]).reach_bp is None


def test_training_ends_when_the_time_of_the_processor_is_used():
    before = torch.get_rng_state()
    found = measure_distances("window 32", 0, 0.05, (192, 384))
    assert [row["distance_bp"] for row in found["rows"]] == [192, 384]
    assert all(32 <= row["sequences"] < 2_000 and not row["is_solved"] for row in found["rows"])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture
def genome(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "genome.fa"
    path.write_text(">x\n" + "".join("ACGT"[i] for i in rng.integers(4, size=200_000)) + "\n")
    return Genomes(str(path), "")


@pytest.mark.parametrize("name", ["reformer", "transformer_xl"])
def test_bits_per_base_of_random_sequence_are_about_two(name, genome, tmp_path):
    found = measure_bases(name, 0, 0.3, genome, tmp_path / "stores")
    assert 1.9 < found["bits_per_base"] < 2.3 and found["steps"] >= 1


def test_bits_of_even_chances_are_two_and_unknown_bases_cost_nothing():
    bits = _bits(np.zeros((3, 4), np.float32), encode_bases("ANC"))
    np.testing.assert_allclose(bits, [2.0, np.nan, 2.0])


@pytest.fixture
def calls(monkeypatch):
    """Calls that would be measured; time grows with the square of the length for full attention."""
    made = []

    def measured(settings, *, max_seconds, max_bytes):
        made.append((settings["name"], settings["n_tokens"]))
        n = settings["n_tokens"] / 512
        return {"parameters": 1, "seconds": 0.1 * n ** (2 if settings["name"] == "full" else 1), "bytes": 1e6 * n}

    monkeypatch.setattr(cells, "in_child", measured)
    return made


def test_cells_are_measured_once_whatever_interrupts(tmp_path, calls):
    some = [cell for cell in cells_of(PLAN, "d", tmp_path) if cell.labels["pass"] == "training"]
    for cell in some[:4]:
        assert run_cell(cell, tmp_path) is not None
    n_before = len(calls)
    assert all(run_cell(cell, tmp_path) is None for cell in some[:4]) and len(calls) == n_before
    for cell in some[4:]:
        run_cell(cell, tmp_path)
    assert len(set(calls)) == len(calls)
    assert read_cell(some[0], tmp_path)["seconds"] == 0.1


def test_other_settings_are_measured_anew(tmp_path, calls):
    (first, *_), (other, *_) = (list(cells_of(plan, "d", tmp_path)) for plan in (PLAN, Plan(1.0, (0,), None, 3.0)))
    run_cell(first, tmp_path)
    assert first.file_name == other.file_name and read_cell(other, tmp_path) is None


def test_what_would_take_too_long_is_blank_and_not_begun(tmp_path, calls):
    for cell in cells_of(PLAN, "d", tmp_path):
        run_cell(cell, tmp_path)
    results = {(c["name"], c["tokens"]): c["result"] for c in read_cells(tmp_path)["length"] if c["pass"] == "forward"}
    assert results["full", 8_192] == {"blank": "one call would take 26 s and 0.0 GB"}
    assert ("full", 8_192) not in calls and "seconds" in results["longformer", 8_192]


def test_growth_foreseen_is_that_of_the_last_step():
    before = [{"seconds": 0.1, "bytes": 10.0}, {"seconds": 1.6, "bytes": 20.0}]
    assert foreseen(before, [512, 2048], 8192) == (1.6 * 16, 80.0)
    assert foreseen([], [], 512) == (0.0, 0.0)


def test_exponents_are_of_measured_lengths_alone():
    of = [{"tokens": n, "result": {"seconds": (n / 2048) ** 2}} for n in (2048, 8192, 32768)]
    short, blank = {"tokens": 512, "result": {"seconds": 9.0}}, {"tokens": 131072, "result": {"blank": "x"}}
    assert growth([short, *of, blank], "seconds") == 2.0
    assert growth(of[:2], "seconds") is None


@pytest.mark.slow
def test_a_call_in_a_process_of_its_own_has_time_and_memory():
    settings = {"name": "longformer", "n_tokens": 600, "training": True, "n_layers": 1}
    found = in_child(settings, max_seconds=60.0, max_bytes=12e9)
    assert found["seconds"] > 0 and found["bytes"] > 1e6


def test_the_command_says_what_is_left_and_writes_table_and_pictures(tmp_path, calls, capsys):
    pytest.importorskip("matplotlib")
    words = ["benchmark", "architectures", "-o", str(tmp_path / "out"), "--parts", "d,e", "--max-tokens", "2048"]
    assert main([*words, "--plot"]) == 0
    said = capsys.readouterr().out
    assert "32 cells, 0 of them are there" in said and "minutes to go" in said and "µs per token" in said
    assert main(words) == 0
    assert "32 cells, 32 of them are there" in capsys.readouterr().out
    document = json.loads((tmp_path / "out" / "architectures.json").read_text())
    assert len(document["length"]) == len(document["depth"]) == 16
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["architectures-cost.png"]


def test_figures_of_seeds_are_mean_and_range(tmp_path):
    document = {part: [] for part in cells.PARTS.values()}
    document["genes"] = [
        {"name": "full", "seed": seed, "result": {"three_prime_f1": f1, "exact_f1": 0.5, "bases": 3000}}
        for seed, f1 in enumerate((0.9, 0.94))
    ]
    rows = {row[0]: row[1:] for row in table(document)}
    assert rows["genes, 3′ F1"] == ["–", "0.920 (0.900–0.940), 2 seeds", "–", "–"]
    assert rows["genes, exact F1"][1] == "0.500, 2 seeds"
    document["distance"] = [{"name": "x", "seed": 0, "result": {"rows": [{"distance_bp": 192, "accuracy": 1.0}]}}]
    pytest.importorskip("matplotlib")
    (picture,) = draw(document, tmp_path)
    assert picture.name == "architectures-distance.png" and picture.stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--parts", "x"], "BENCHMARK-004"),
        (["--parts", "a", "--minutes", "0"], "BENCHMARK-005"),
        (["--parts", "d", "--max-tokens", "100"], "BENCHMARK-005"),
        (["--parts", "b", "--train", "x.gbk"], "BENCHMARK-006"),
    ],
)
def test_wrong_arguments_are_refused_by_name(words, code, tmp_path, capsys):
    assert main(["benchmark", "architectures", "-o", str(tmp_path / "out"), *words]) == 2
    assert code in capsys.readouterr().err and not (tmp_path / "out").exists()
