"""Folds: networks that leave a group out, what they do not see, and a decoder that is fitted to what they say."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genoformer.applications.genes import left_out
from genoformer.applications.genes.calibrate import FINISH
from genoformer.applications.genes.data import GenomeData
from genoformer.applications.genes.left_out import Reading, load_passes, save_passes, weigh
from genoformer.batches import crops
from genoformer.bundle.folder import load_bundle
from genoformer.cli import fit
from genoformer.cli.main import main
from genoformer.decoding.caller import collect_candidates
from genoformer.decoding.decoder import GeneDecoder
from genoformer.errors import UsageError
from genoformer.genomes.splits import Region, uncovered
from genoformer.inference.bundle_parts import tile_plan
from genoformer.inference.interface import Speed
from genoformer.stream import record_logits
from genoformer.training import folds as folds_module
from genoformer.training.folds import check_folds, plan_folds
from genoformer.training.module import GenomeModule
from genoformer.training.settings import Folds, Loader, ModelReading, RegionSplit

GROUPS = {"one": "left", "two": "right/wrong", "three": "middle", "four": "middle"}
TINY = ["fit", "--config", "gene_structure_tiny", "--trainer.accelerator", "cpu", "--trainer.max_steps", "4"]
HEADER = "fasta\tannotation\tgroup\tweight\n"


def row(name: str, group: str, weight: float = 1) -> str:
    return f"{name}.fa\t{name}.gff3\t{group}\t{weight}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Four made-up genomes of three groups, and their table."""
    folder = tmp_path_factory.mktemp("genomes")
    for seed, name in enumerate(GROUPS):
        out = folder / f"{name}-folder"
        assert main(["simulate", "-o", str(out), "--length-bp", "24000", "--seed", str(seed)]) == 0
        for suffix in ("fa", "gff3"):
            (out / f"genome.{suffix}").rename(folder / f"{name}.{suffix}")
    (folder / "genomes.tsv").write_text(HEADER + "".join(row(*pair) for pair in GROUPS.items()))
    (folder / "two_groups.tsv").write_text(HEADER + row("one", "a") + row("two", "b") + row("three", "b"))
    return folder


def run(folder: Path, *options: str, name: str = "run") -> int:
    table = ["--data.genomes", str(folder / "genomes.tsv"), "--data.folds.steps", "3"]
    return main([*TINY, *table, "--name", name, *options])


@pytest.fixture
def without_report(monkeypatch) -> None:
    monkeypatch.setattr(fit, "_report", lambda *ignored: None)


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    """A folder with a run that nothing has interrupted, and the genomes that each of its networks has read."""
    place, read, at = tmp_path_factory.mktemp("whole"), {}, [""]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(fit, "_report", lambda *ignored: None)
        read_crop, train = crops.read_crop, folds_module.train

        def spied_crop(store, tokenizer, region, *rest):
            read.setdefault(at[0], set()).add(store.records[region.record].genome)
            return read_crop(store, tokenizer, region, *rest)

        def spied_train(trainer, module, data, folder, *rest):
            at[0] = folder.path.name
            train(trainer, module, data, folder, *rest)

        patch.setattr(crops, "read_crop", spied_crop)
        patch.setattr(folds_module, "train", spied_train)
        assert run(folder) == 0
    return place, read


def files_of(run_folder: Path) -> dict[str, bytes]:
    """Contents of the model, and of the networks that leave a group out."""
    names = [path for path in sorted(run_folder.rglob("*")) if "checkpoints" not in path.parts and path.is_file()]
    return {
        str(path.relative_to(run_folder)): path.read_bytes()
        for path in names
        if "model" in path.parts or "folds" in path.parts
    }


def test_every_network_has_read_all_groups_but_its_own(whole):
    read = dict(whole[1])
    assert read.pop("") == set(GROUPS)
    assert read.pop("left") == {"two", "three", "four"}
    assert read.pop("middle") == {"one", "two"}
    assert list(read.values()) == [{"one", "three", "four"}]


def test_finished_fold_keeps_its_bundle_and_card_and_store_say_what_was_done(whole):
    run_folder = whole[0] / "runs/run"
    kept = sorted((run_folder / "folds").iterdir())
    assert len(kept) == 3 and not (run_folder / "folds/right").exists()
    for fold in kept:
        assert {path.name for path in fold.iterdir()} == {"model", "run.json"}
        assert "trained for 3 steps" in (fold / "model/model_card.md").read_text()
    card = (run_folder / "model/model_card.md").read_text()
    assert "to 4 genomes of 3 groups" in card and "trained for 3 steps without its group" in card
    assert "- middle: three, four" in card
    assert len(list(run_folder.rglob("*.h5"))) == 1


def test_decoder_is_another_one_and_the_network_the_same_as_without_folds(
    whole, folder, tmp_path, monkeypatch, without_report, capsys
):
    monkeypatch.chdir(tmp_path)
    assert run(folder, "--data.folds.steps", "0", name="plain") == 0
    assert "fold" not in capsys.readouterr().err
    across, plain = whole[0] / "runs/run/model", tmp_path / "runs/plain/model"
    assert (across / "model.safetensors").read_bytes() == (plain / "model.safetensors").read_bytes()
    decoders = [GeneDecoder.from_dict(load_bundle(model).calibration["decoder"]) for model in (across, plain)]
    assert decoders[0].plain != decoders[1].plain
    assert not (tmp_path / "runs/plain/folds").exists()


def test_finished_run_has_nothing_to_do(whole, folder, monkeypatch, capsys):
    monkeypatch.chdir(whole[0])
    assert run(folder) == 0
    said = capsys.readouterr()
    assert "nothing to do" in said.out and said.err == ""
    assert run(folder, "--data.folds.steps", "2") == 73


def signal_at(patch: pytest.MonkeyPatch, owner, name: str, n: int) -> None:
    """SIGTERM to this process when a function is called for the n-th time, counted from 1."""
    function, calls = getattr(owner, name), []

    def counted(*args, **kwargs):
        calls.append(name)
        if len(calls) == n:
            os.kill(os.getpid(), signal.SIGTERM)
        return function(*args, **kwargs)

    patch.setattr(owner, name, counted)


@pytest.mark.parametrize(
    ("owner", "name", "n", "said"),
    [
        pytest.param(
            GenomeModule,
            "training_step",
            4 + 3 + 2,
            "the checkpoint of step 2 is kept in runs/run/folds/",
            marks=pytest.mark.slow,
        ),
        (left_out, "hold_record", 3, "the checkpoint of step 4 is kept in runs/run, "),
    ],
)
def test_interrupted_run_ends_with_the_same_bytes(
    owner, name, n, said, whole, folder, tmp_path, monkeypatch, without_report, capsys
):
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        signal_at(patch, owner, name, n)
        assert run(folder) == 143
    assert said in capsys.readouterr().err
    first = tmp_path / "runs/run/folds/left/model/manifest.json"
    before = first.stat().st_mtime_ns
    assert run(folder) == 0
    assert first.stat().st_mtime_ns == before
    assert "fold 1 of 3" not in capsys.readouterr().err
    assert files_of(tmp_path / "runs/run") == files_of(whole[0] / "runs/run")


def test_network_without_anything_to_validate_on_has_the_weights_of_its_last_step(
    folder, tmp_path, monkeypatch, without_report
):
    monkeypatch.chdir(tmp_path)
    split = ["--data.split.by", "genome", "--data.split.validation", "[one]", "--data.folds.groups", "[left, middle]"]
    assert run(folder, *split) == 0
    cards = {path.parts[-3]: path.read_text() for path in tmp_path.glob("runs/run/folds/*/model/model_card.md")}
    assert "trained for 3 steps" in cards["left"] and "| loss |" not in cards["left"]
    assert "| loss |" in cards["middle"]


@pytest.mark.parametrize(
    ("options", "code", "found"),
    [
        (["--data.folds.groups", "[left, elsewhere]"], "GENOMES-010", "elsewhere"),
        (["--data.folds.groups", "[]"], "CONFIG-009", "data.folds.groups"),
        (["--data.folds.steps", "-1"], "CONFIG-009", "-1"),
        (["--data.genomes", "two_groups.tsv"], "GENOMES-009", "found 2"),
        (
            ["--data.genomes", "null", "--data.fasta", "one.fa", "--data.annotation", "one.gff3"],
            "GENOMES-009",
            "found 0",
        ),
        (["--config", "gene_structure_eukaryote", "--data.augment.recoded", "0"], "CONFIG-016", "data.folds"),
    ],
)
def test_impossible_folds_are_an_error_of_one_line_that_leaves_nothing(
    options, code, found, folder, monkeypatch, capsys
):
    monkeypatch.chdir(folder)
    assert run(folder, *options) == 2
    line = capsys.readouterr().err.strip()
    assert code in line and found in line and len(line.splitlines()) == 1
    assert not (folder / "runs").exists()


@pytest.fixture
def build(folder, tmp_path):
    """``build(rows, …)`` is the data of a table with these rows, set up."""

    def make(rows: str = "", split: RegionSplit | None = None, header: str = HEADER, **settings) -> GenomeData:
        path = folder / "own.tsv"
        path.write_text(header + (rows or "".join(row(*pair) for pair in GROUPS.items())))
        data = GenomeData(
            genomes=str(path), crop_bp=500, split=split or RegionSplit(validation=0.1, guard_bp=100),
            loader=Loader(batch_size=4, samples_per_epoch=40), **settings,
        )  # fmt: skip
        data.bind(ModelReading("gene_structure", k=3, stride=3), seed=3, work_dir=tmp_path).prepare_data()
        data.setup()
        return data

    return make


def plan(data: GenomeData, *, is_fresh: bool = True):
    check_folds(data, FINISH)
    return plan_folds(data, FINISH, Path("runs/x"), 900, is_fresh=is_fresh)


def test_without_being_asked_three_groups_have_folds_of_a_third_of_the_steps(build):
    data = build()
    assert [(fold.group, fold.steps, fold.genomes) for fold in plan(data)] == [
        ("left", 300, ("one",)), ("right/wrong", 300, ("two",)), ("middle", 300, ("three", "four")),
    ]  # fmt: skip
    assert plan_folds(data, FINISH, Path("runs/x"), 60, is_fresh=True)[0].steps == 100
    assert plan(data, is_fresh=False) == []
    assert plan_folds(data, replace(FINISH, across=None), Path("runs/x"), 900, is_fresh=True) == []
    assert plan(build(row("one", "a") + row("two", "b") + row("three", "b"))) == []


def test_groups_that_are_named_are_left_out_and_fit_on_any_disk(build):
    found = plan(build(folds=Folds(groups=["middle", "right/wrong"])), is_fresh=False)
    assert [fold.group for fold in found] == ["right/wrong", "middle"]
    assert found[1].folder == Path("runs/x/folds/middle") and len(found[0].folder.name) == 16


def test_a_family_is_left_out_by_itself_and_the_rest_of_its_group_is_trained_on(build):
    header, genomes = HEADER.replace("weight", "weight\tfamily"), {**GROUPS, "two": "right"}
    families = {name: name if group == "middle" else "" for name, group in genomes.items()}
    rows = "".join(f"{row(*pair).strip()}\t{families[pair[0]]}\n" for pair in genomes.items())
    found = plan(build(rows, header=header))
    assert [(fold.group, fold.genomes) for fold in found] == [
        ("left", ("one",)), ("right", ("two",)), ("three", ("three",)), ("four", ("four",)),
    ]  # fmt: skip


def test_genomes_of_weight_0_and_of_the_test_part_are_not_fitted_to(build):
    rows = row("one", "a") + row("two", "b") + row("three", "c") + row("four", "c", 0)
    assert [fold.genomes for fold in plan(build(rows))] == [("one",), ("two",), ("three",)]
    test = RegionSplit(by="genome", validation=["one"], test=["three"])
    data = build(rows, test, folds=Folds(steps=5))
    # Without b nothing is left to train on, and in c there is nothing to fit to.
    assert [(fold.group, fold.genomes) for fold in plan(data)] == [("a", ("one",))]
    assert data.without(["one"]).parts["validation"] == []
    with pytest.raises(UsageError, match='"c"'):
        plan(build(rows, test, folds=Folds(groups=["c"])))


def test_data_without_genomes_draws_no_crop_and_no_tile_of_them(build):
    data = build()
    part = data.without(["three", "two"])
    assert part.batches is not data.batches
    training = part.training_set()
    seen = {part.store.records[training.place(i)[0].record].genome for i in range(300)}
    tiles = {part.store.records[region.record].genome for region, *_ in part.evaluation_samples("validation").places}
    assert seen == tiles == {"one", "four"}
    assert not any("- two:" in line or "- three:" in line for line in part.card_lines())


def test_what_no_region_covers_is_the_rest_of_a_record():
    regions = [Region(0, 40, 60), Region(1, 0, 9), Region(0, 0, 10), Region(0, 90, 120)]
    assert uncovered(0, 100, regions) == [Region(0, 10, 40), Region(0, 60, 90)]
    assert uncovered(0, 50, regions) == [Region(0, 10, 40)]
    assert uncovered(2, 50, regions) == [Region(2, 0, 50)]


def test_no_more_than_the_limit_is_read_of_a_genome_and_nothing_of_the_test_part_is_fitted_to(build, tiny_bundle):
    data = build()
    test = [Region(0, 3_000, 8_500)]
    reading, bundle = Reading(data.store, test, 10_000, "float32"), load_bundle(tiny_bundle)
    assert [(record.index, length) for record, length in reading.pieces("one")] == [(0, 10_000)]
    (held,) = reading.read(bundle, "one", lambda n: None)
    assert len(held.codes) == 10_000
    rows = np.concatenate([part.candidates for part in held.inside])
    assert len(rows) and not np.any((rows["start"] < 8_500) & (rows["end"] > 3_000))
    assert max(part.genes["end"].max(initial=0) for part in held.inside) <= 10_000
    genes, kept = data.store.genes(0), held.inside[0].genes
    in_test = (genes["start"] >= 3_000) & (genes["end"] <= 8_500)
    assert in_test.any() and not np.isin(kept["start"], genes["start"][in_test]).any()
    assert len(kept) == np.sum(~in_test & (genes["start"] < 10_000))


def test_passes_come_back_from_disk_as_they_were_and_a_damaged_file_does_not(build, tiny_bundle, tmp_path):
    data, path = build(), tmp_path / "passes/0.npz"
    reading = Reading(data.store, [Region(0, 5_000, 7_000)], 10_000, "float32")
    held = reading.read(load_bundle(tiny_bundle), "one", lambda n: None)
    assert load_passes(path, reading, "one") is None
    save_passes(path, held)
    (one,), (other,) = held, load_passes(path, reading, "one")
    assert (one.genome, one.options, one.weight) == (other.genome, other.options, other.weight)
    np.testing.assert_array_equal(one.codes, other.codes)
    np.testing.assert_array_equal(one.candidates, other.candidates)
    for mine, its in zip(one.inside, other.inside, strict=True):
        np.testing.assert_array_equal(mine.candidates, its.candidates)
        np.testing.assert_array_equal(mine.genes, its.genes)
        assert mine.bounds == its.bounds
    assert [piece.begin for piece in one.pieces] == [0, 1_000, 2_000, 3_000, 4_000, 7_000, 8_000, 9_000]
    for mine, its in zip(one.pieces, other.pieces, strict=True):
        np.testing.assert_array_equal(mine.candidates, its.candidates)
        np.testing.assert_array_equal(mine.inside[0].genes, its.inside[0].genes)
        assert (mine.begin, mine.codes.tolist()) == (its.begin, its.codes.tolist())
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    assert load_passes(path, reading, "one") is None


def test_small_pieces_are_read_as_records_of_their_own(build, tiny_bundle):
    data, bundle = build(), load_bundle(tiny_bundle)
    reading = Reading(data.store, [], 10_000, "float32")
    (held,) = reading.read(bundle, "one", lambda n: None)
    assert len(held.pieces) == 10
    plan, options = tile_plan(bundle, Speed(precision="float32")), held.options
    for piece in held.pieces[::4]:
        pieces = record_logits(bundle.model, bundle.tokenizer, piece.codes, plan)
        expected = collect_candidates(piece.codes, pieces, options)
        names = ["start", "end", "orf", "kind"]
        assert expected[names].tolist() == piece.candidates[names].tolist()
        np.testing.assert_allclose(expected["codon_sum"], piece.candidates["codon_sum"], rtol=1e-4, atol=1e-3)
        moved = held.inside[0].genes["start"] - piece.begin, held.inside[0].genes["end"] - piece.begin
        is_whole = (moved[0] >= 0) & (moved[1] <= 1_000)
        assert set(moved[0][is_whole]) <= set(piece.inside[0].genes["start"])


def test_groups_count_alike_and_genomes_by_their_weights(build, tiny_bundle):
    data = build(row("one", "a") + row("two", "b") + row("three", "c", 3) + row("four", "c", 1))
    reading = Reading(data.store, [], 5_000, "float32")
    bundle = load_bundle(tiny_bundle)
    held = [one for name in GROUPS for one in reading.read(bundle, name, lambda n: None)]
    assert [one.weight for one in weigh(held, data.table)] == pytest.approx([4 / 3, 4 / 3, 1, 1 / 3])
