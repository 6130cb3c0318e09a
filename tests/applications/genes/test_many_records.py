"""Contigs of a metagenome are read and judged together, and get what they get one by one, in the order of the input."""

import numpy as np
import pytest
from predicting import merge, predict, predict_shard
from prediction_files import contents

from genoformer.applications.genes import caller, passes
from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.request import GeneRequest
from genoformer.decoding.options import CallOptions
from genoformer.genomes.simulate import simulate_genome
from genoformer.inference import packing
from genoformer.nn.model import GenomeModel
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

LENGTHS = (300, 2_000, 90, 9_000, 640, 1, 1_500, 300, 2_900, 3_100, 70, 800)


@pytest.fixture(scope="module")
def contigs(tmp_path_factory):
    path = tmp_path_factory.mktemp("contigs") / "contigs.fa"
    (record, _), *_ = simulate_genome(length_bp=2 * sum(LENGTHS), gc=0.5, seed=5)
    parts = np.split(record.codes, np.cumsum(LENGTHS * 2)[:-1])
    write_fasta(path, [Record(f"c{i}", codes) for i, codes in enumerate(parts)])
    return path


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    monkeypatch.setattr(packing, "GROUP_BP", 12_000)


def asked(**more):
    return GeneRequest(CallOptions(), formats=("gff3", "tsv", "protein", "h5"), precision="float32", **more)


@pytest.mark.parametrize("metagenome", [True, False])
def test_one_by_one_and_shards_give_the_same_bytes(metagenome, contigs, tiny_bundle, tmp_path, monkeypatch):
    request = asked(metagenome=metagenome)
    predict(tiny_bundle, [contigs], request, tmp_path / "together")
    found = contents(tmp_path / "together")
    assert found["genes.gff3"].count(b"\tCDS\t") > 3
    for number in (1, 2, 3):
        predict_shard(tiny_bundle, [contigs], request, tmp_path / "parts", number, 3)
    merge(tmp_path / "parts", tmp_path / "merged")
    assert contents(tmp_path / "merged") == found
    for name in ("read_together", "statistics_each", "genes_of_each"):
        monkeypatch.delattr(GeneFinder, name)
    predict(tiny_bundle, [contigs], request, tmp_path / "alone")
    assert contents(tmp_path / "alone") == found


def test_few_calls_of_the_network_read_many_contigs(contigs, tiny_bundle, tmp_path, monkeypatch):
    calls, forward = [], GenomeModel.forward
    monkeypatch.setattr(
        GenomeModel, "forward", lambda self, ids, **more: calls.append(ids.numel()) or forward(self, ids, **more)
    )
    monkeypatch.setattr(packing, "GROUP_BP", 500_000)
    predict(tiny_bundle, [contigs], asked(), tmp_path / "o")
    n_tiles = 2 * 2 * (3 + 2)  # of the two longer records, both strands
    assert len(calls) <= n_tiles + len(LENGTHS)  # 22 short records; alone each has a call


def test_an_interrupted_run_continues_with_the_same_numbers(contigs, tiny_bundle, tmp_path, monkeypatch):
    predict(tiny_bundle, [contigs], asked(), tmp_path / "whole")
    ask, calls = GeneFinder.block_candidates, []

    def stopped(self, *passed, **more):
        calls.append(1)
        if len(calls) == 14:
            raise KeyboardInterrupt
        return ask(self, *passed, **more)

    monkeypatch.setattr(GeneFinder, "block_candidates", stopped)
    with pytest.raises(KeyboardInterrupt):
        predict(tiny_bundle, [contigs], asked(), tmp_path / "o")
    predict(tiny_bundle, [contigs], asked(), tmp_path / "o")
    assert len(calls) == 14 + 2 * len(LENGTHS) - 13
    assert contents(tmp_path / "o") == contents(tmp_path / "whole")


def test_finders_that_read_one_by_one_are_left_alone(contigs, tiny_bundle):
    assert passes._read_together(object(), [(np.zeros(5, np.uint8), CallOptions())] * 3, [True] * 3) == [None] * 3
    assert caller.read_together is packing.read_together
