"""Training on a table of genomes: how many crops each gives, and that nothing else changes."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genoformer.applications.genes.data import GenomeData
from genoformer.applications.pretraining.data import PretrainingData
from genoformer.batches.crops import CropDataset
from genoformer.batches.sampler import RunSampler
from genoformer.cli.main import main
from genoformer.errors import UsageError
from genoformer.genomes.splits import Region
from genoformer.training.settings import Loader, ModelReading, RegionSplit

SIZES = {"one": 12_000, "two": 24_000, "three": 36_000}
HEADER = "fasta\tannotation\tweight\tgroup\n"
ROWS = "one.fa\tone.gff3\t3\tleft\ntwo.fa\ttwo.gff3\t1\tleft\nthree.fa\tthree.gff3\t1\tright\n"
READING = ModelReading("gene_structure", k=3, stride=3)
LOADER = Loader(batch_size=4, samples_per_epoch=40)
SPLIT = RegionSplit(validation=0.1, guard_bp=100)
N_CROPS = 6000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three made-up genomes of different size."""
    folder = tmp_path_factory.mktemp("genomes")
    for seed, (name, length_bp) in enumerate(SIZES.items()):
        out = folder / f"{name}-folder"
        assert main(["simulate", "-o", str(out), "--length-bp", str(length_bp), "--seed", str(seed)]) == 0
        for suffix in ("fa", "gff3"):
            (out / f"genome.{suffix}").rename(folder / f"{name}.{suffix}")
    (folder / "genomes.tsv").write_text(HEADER + ROWS)
    return folder


@pytest.fixture
def build(folder, tmp_path):
    """``build(text)`` is the data of a table with this text, set up."""

    def make(text: str = HEADER + ROWS, split: RegionSplit = SPLIT, kind=GenomeData) -> GenomeData:
        path = folder / "table.tsv"
        path.write_text(text)
        data = kind(genomes=str(path), crop_bp=500, split=split, loader=LOADER)
        reading = READING if kind is GenomeData else ModelReading("mlm", k=3, stride=1)
        data.bind(reading, seed=3, work_dir=tmp_path)
        data.prepare_data()
        data.setup()
        return data

    return make


def crops_by_genome(data) -> Counter[str]:
    dataset = data.training_set()
    return Counter(data.store.records[dataset.place(i)[0].record].genome for i in range(N_CROPS))


def assert_shares(found: Counter[str], shares: dict[str, float]) -> None:
    """Each count within four standard deviations of a binomial distribution."""
    assert set(found) == {name for name, share in shares.items() if share}
    for name, share in shares.items():
        assert found[name] / N_CROPS == pytest.approx(share, abs=4 * (share * (1 - share) / N_CROPS) ** 0.5)


@pytest.mark.parametrize("kind", [GenomeData, PretrainingData])
def test_groups_give_as_many_crops_and_genomes_as_they_weigh(build, kind):
    assert_shares(crops_by_genome(build(kind=kind)), {"one": 0.375, "two": 0.125, "three": 0.5})


def test_without_weights_genomes_of_a_group_give_crops_by_their_bases(build):
    text = "".join("\t".join(line.split("\t")[i] for i in (0, 1, 3)) for line in (HEADER + ROWS).splitlines(True))
    assert_shares(crops_by_genome(build(text)), {"one": 1 / 6, "two": 2 / 6, "three": 0.5})


def test_genome_of_weight_0_validates_and_does_not_train(build):
    data = build(HEADER + ROWS.replace("\t1\tleft", "\t0\tleft"))
    assert_shares(crops_by_genome(data), {"one": 0.5, "two": 0.0, "three": 0.5})
    assert {data.store.records[region.record].genome for region in data.regions["validation"]} == set(SIZES)
    assert not any("- two:" in line for line in data.card_lines())


def test_nothing_but_weights_of_0_left_to_train_on_is_refused(build):
    rows = ROWS.replace("\t1\tleft", "\t0\tleft").replace("right", "left")
    with pytest.raises(UsageError, match="weight 0"):
        build(HEADER + rows, split=RegionSplit(by="genome", validation=["one", "three"]))


def test_whole_genomes_are_held_out_by_name(build):
    data = build(split=RegionSplit(by="genome", validation=["one"]))
    held_out = {data.store.records[region.record].genome for region in data.regions["validation"]}
    assert held_out == {"one"}
    assert_shares(crops_by_genome(data), {"two": 0.5, "three": 0.5})


def test_crops_of_any_part_of_a_run_are_those_of_the_whole(build):
    dataset, again = build().training_set(), build().training_set()
    places = [dataset.place(i) for i in range(80)]
    sampler = RunSampler(40, 4)
    sampler.load_state_dict({"epoch": 1, "batch": 3})
    assert [again.place(i) for batch in sampler for i in batch] == places[40 + 3 * 4 :]


def test_table_without_weights_and_groups_draws_the_crops_of_the_listed_files(build, folder, tmp_path):
    text = "".join("\t".join(line.rstrip("\n").split("\t")[:2]) + "\n" for line in (HEADER + ROWS).splitlines(True))
    data = build(text)
    files = {suffix: [str(folder / f"{name}.{suffix}") for name in SIZES] for suffix in ("fa", "gff3")}
    listed = GenomeData(files["fa"], files["gff3"], crop_bp=500, split=SPLIT, loader=LOADER)
    listed.bind(READING, seed=3, work_dir=tmp_path).prepare_data()
    listed.setup()
    one, other = data.training_set(), listed.training_set()
    assert [one.place(i) for i in range(200)] == [other.place(i) for i in range(200)]
    assert data.card_lines() == listed.card_lines()


def test_crops_without_a_table_are_drawn_as_ever():
    """Literal places, from before there were tables."""
    regions = [Region(0, 0, 300), Region(0, 450, 900), Region(1, 0, 60)]
    dataset = CropDataset(None, regions, None, crop_bp=100, seed=7, both_strands=True)
    assert [(region.record, *place) for region, *place in map(dataset.place, range(8))] == [
        (0, 175, 275, "-"), (0, 759, 859, "-"), (0, 73, 173, "-"), (0, 619, 719, "+"), (0, 110, 210, "-"),
        (0, 9, 109, "+"), (0, 654, 754, "-"), (0, 458, 558, "-"),
    ]  # fmt: skip


def test_region_without_a_share_is_never_drawn_first_last_or_between():
    regions = [Region(0, 10 * i, 10 * i + 10) for i in range(5)]
    dataset = CropDataset(None, regions, None, crop_bp=5, seed=0, both_strands=False, shares=[0, 0.1, 0, 0.2, 0])
    assert {dataset.place(i)[0] for i in range(500)} == {regions[1], regions[3]}
    assert dataset.ends[-1] == 1.0 and np.searchsorted(dataset.ends, np.nextafter(1, 0), side="right") == 3


def test_digest_of_the_input_covers_weights_and_groups_but_not_the_name_of_the_table(build, folder):
    data = build()
    digest = data.input_digest()
    for rows in (ROWS.replace("\t3\t", "\t2\t"), ROWS.replace("right", "left")):
        (folder / "table.tsv").write_text(HEADER + rows)
        assert data.input_digest() != digest
    assert replace_table(data, folder / "genomes.tsv").input_digest() == digest


def replace_table(data: GenomeData, path: Path) -> GenomeData:
    other = GenomeData(genomes=str(path), split=replace(SPLIT), loader=LOADER)
    return other.bind(READING, work_dir=data.store_path.parent)


def test_model_card_names_weight_and_group(build):
    lines = build().card_lines()
    assert [line.rpartition(" bp, ")[2] for line in lines[:-2]] == [
        "genetic code 11, weight 3, group left",
        "genetic code 11, weight 1, group left",
        "genetic code 11, weight 1, group right",
    ]


@pytest.mark.parametrize(
    "others", [{"fasta": "x.fa"}, {"annotation": "x.gff3"}, {"store": "x.h5"}, {"genetic_code": 11}]
)
def test_table_beside_other_genomes_is_refused(others):
    with pytest.raises(UsageError, match=next(iter(others))) as caught:
        GenomeData(genomes="genomes.tsv", **others)
    assert caught.value.where == "data.genomes"


def test_command_trains_on_a_table_and_says_what_is_wrong_with_one(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fit = ["fit", "--config", "gene_structure_tiny", "--trainer.accelerator", "cpu", "--trainer.max_steps", "1"]
    (folder / "bad.tsv").write_text(HEADER + ROWS.replace("\t3\t", "\tmuch\t"))
    assert main([*fit, "--data.genomes", str(folder / "bad.tsv"), "--name", "bad"]) == 65
    assert "bad.tsv line 2" in capsys.readouterr().err and list(tmp_path.iterdir()) == []
    assert main([*fit, "--data.genomes", str(folder / "genomes.tsv"), "--name", "many"]) == 0
    assert "weight 3, group left" in Path("runs/many/model/model_card.md").read_text()
