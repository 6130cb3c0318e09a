"""``predict --shard`` and ``merge``: any number of shards gives the bytes of one run, or one clear error."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from predicting import merge, predict, predict_shard
from prediction_files import contents

from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.request import GeneRequest
from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.bundle.header import read_header
from genoformer.cli.main import main
from genoformer.decoding import statistics as genome_statistics
from genoformer.decoding.options import CallOptions
from genoformer.errors import BusyError, OutputExistsError
from genoformer.files import folder_lock, write_manifest
from genoformer.genomes.simulate import simulate_genome
from genoformer.inference.passes import ModelPasses
from genoformer.inference.reading import Reading
from genoformer.inference.shards import Shard
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

FORMATS = ("gff3", "tsv", "bed", "protein", "cds")
LENGTHS = (31_000, 300, 90_000, 40, 17_000)
OPTIONS = GeneRequest(
    CallOptions(buffer_bp=9_000), Reading("skip"), FORMATS, circular=("c0",), locus_tag="T", precision="float32"
)
BATCH = {"batch_size": 3}


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """FASTA of a plasmid, a giant contig with a gap, short ones, and one of N only."""
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    (record, _), *_ = simulate_genome(length_bp=sum(LENGTHS), gc=0.5, seed=9)
    parts = np.split(record.codes.copy(), np.cumsum(LENGTHS)[:-1])
    parts[2][40_000:40_400] = 4
    parts.insert(3, np.full(30_000, 4, np.uint8))
    write_fasta(path, [Record(f"c{i}", codes) for i, codes in enumerate(parts)])
    return path


@pytest.fixture(autouse=True)
def with_statistics(monkeypatch):
    """Small genomes are enough to learn statistics from."""
    monkeypatch.setattr(genome_statistics, "MIN_CODONS", 1_000)


@pytest.fixture
def whole(genome, tiny_bundle, tmp_path):
    predict(tiny_bundle, [genome], OPTIONS, tmp_path / "whole", **BATCH)
    return contents(tmp_path / "whole")


@pytest.fixture
def make(genome, tiny_bundle, tmp_path):
    """``make(i, n)`` makes a shard in ``parts``."""

    def run(number, of, options=OPTIONS, *, model=tiny_bundle, paths=(genome,), **more):
        return predict_shard(model, paths, options, tmp_path / "parts", number, of, **BATCH, **more)

    return run


def places(folder):
    return [path.name for path in sorted(folder.glob("passes-*.npz"))]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("n", [1, 2, 3, 7, 40])
def test_any_number_of_shards_gives_the_bytes_of_one_run(n, make, whole, tmp_path):
    for number in range(n, 0, -1):
        make(number, n)
    summary = merge(tmp_path / "parts", tmp_path / "merged")
    assert contents(tmp_path / "merged") == whole
    assert summary["n_genes"] > 100 and summary["genome_statistics"]


def test_a_giant_contig_is_divided(make, tmp_path):
    shards = [ModelPasses(make(number, 7)) for number in range(1, 8)]
    owners = [i for i, passes in enumerate(shards) for file in passes._files if file.first[0] <= 2 <= file.last[0]]
    assert len(set(owners)) >= 4


def test_shares_of_any_size_cover_every_base_once():
    for n_bases in (1, 5, 1_000_003):
        for of in (1, 2, 7, 64):
            shares = [Shard(number, of).share(n_bases) for number in range(1, of + 1)]
            assert [base for share in shares for base in (share.start, share.stop)][1:-1] == [
                edge for share in shares[1:] for edge in (share.start, share.start)
            ]
            assert (shares[0].start, shares[-1].stop) == (0, n_bases)


def test_region_and_mask_are_those_of_the_whole_run(make, genome, tiny_bundle, tmp_path):
    mask = tmp_path / "mask.bed"
    mask.write_text("c2\t30000\t31000\nc2\t50000\t50200\n")
    options = replace(OPTIONS, reading=Reading("skip", region=("c2", 5_000, 70_000)), mask=str(mask))
    predict(tiny_bundle, [genome], options, tmp_path / "whole", **BATCH)
    for number in (1, 2, 3):
        make(number, 3, options)
    merge(tmp_path / "parts", tmp_path / "merged")
    assert contents(tmp_path / "merged") == contents(tmp_path / "whole")


def test_interrupted_shard_continues_and_a_finished_one_is_not_made_again(make, whole, tmp_path, monkeypatch):
    ask, calls = GeneFinder.block_candidates, []

    def interrupted(self, codes, options, blocks, *rest, **more):
        for rows in ask(self, codes, options, blocks, *rest, **more):
            calls.append(1)
            if len(calls) == 6:
                raise KeyboardInterrupt
            yield rows

    monkeypatch.setattr(GeneFinder, "block_candidates", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(1, 1)
    folder = tmp_path / "parts/shard-1-of-1"
    assert not (folder / "manifest.json").exists()
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 65
    make(1, 1)
    n_blocks = len(calls) - 1
    monkeypatch.setattr(GeneFinder, "block_candidates", lambda *a, **k: pytest.fail("the model ran again"))
    make(1, 1)
    monkeypatch.undo()
    monkeypatch.setattr(genome_statistics, "MIN_CODONS", 1_000)
    merge(tmp_path / "parts", tmp_path / "merged")
    assert contents(tmp_path / "merged") == whole
    assert n_blocks == len(np.concatenate([np.load(path)["numbers"] for path in folder.glob("passes-*.npz")]))


@pytest.fixture
def refused(tmp_path, capsys):
    """``refused(code, text)``: merging ``parts`` ends with this code, one line with the text and no result."""

    def check(code, *said, options=()):
        capsys.readouterr()
        assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged"), *map(str, options)]) == code
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and all(text in error for text in said), error
        assert not (tmp_path / "merged/manifest.json").exists()

    return check


def test_missing_and_unfinished_shards_are_named(make, tmp_path, refused):
    refused(66, "parts")
    for number in (1, 3, 5):
        make(number, 5)
    refused(66, "2/5", "4/5")
    for number in (2, 4):
        make(number, 5)
    (tmp_path / "parts/shard-4-of-5/manifest.json").unlink()
    refused(65, "shard-4-of-5", "not finished")
    make(4, 5)
    passes = next((tmp_path / "parts/shard-1-of-5").glob("passes-*.npz"))
    passes.write_bytes(passes.read_bytes()[:-1])
    refused(65, "shard-1-of-5", passes.name)
    make(1, 5)
    make(1, 2)
    refused(65, "of 2 and of 5")
    shutil.rmtree(tmp_path / "parts/shard-1-of-2")
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 0


def test_shards_of_different_predictions_are_not_merged(make, genome, tiny_bundle, tmp_path, refused):
    make(1, 2)
    other = tmp_path / "other.fa"
    write_fasta(other, [Record("c0", np.zeros(5_000, np.uint8))])

    def second(text, options=OPTIONS, **more):
        make(2, 2, options, overwrite=True, **more)
        refused(65, "shard-2-of-2", text)

    second("another input", paths=[other])
    second("another model", model=replace(read_header(tiny_bundle), digest="0" * 64))
    second("another min_gene_bp", replace(OPTIONS, call=replace(OPTIONS.call, min_gene_bp=120)))
    make(2, 2, overwrite=True)
    refused(65, "other.fa", options=["--fasta", other])
    refused(65, "made with another model", options=["--model", "prokaryotes"])
    refused(66, "absent.fa", options=["--fasta", tmp_path / "absent.fa"])


def test_another_decoder_of_the_same_network_is_another_model(make, tiny_bundle, tmp_path, refused):
    make(1, 1)
    bundle = load_bundle(tiny_bundle)
    decoder = GeneFinder.from_bundle(bundle).decoder.to_dict()
    decoder["rules"]["max_overlap_bp"] = 1
    save_bundle(
        tmp_path / "refitted", model=bundle.model, config=bundle.config, card="# refitted\n",
        calibration={"decoder": decoder},
    )  # fmt: skip
    assert load_bundle(tmp_path / "refitted").digest == bundle.digest
    refused(65, "made with another model", options=["--model", tmp_path / "refitted"])


def test_inputs_that_moved_are_named_again(make, genome, tiny_bundle, whole, tmp_path, refused):
    make(1, 1)
    description = tmp_path / "parts/shard-1-of-1/shard.json"
    stored = json.loads(description.read_text()) | {"inputs": ["/gone.fa"], "model": "/gone"}
    make(1, 1)
    text = json.dumps(stored)
    manifest = tmp_path / "parts/shard-1-of-1/manifest.json"
    description.write_text(text)
    write_manifest(manifest.parent, ["shard.json", *places(manifest.parent)])
    refused(66, "/gone")
    arguments = ["merge", tmp_path / "parts", "-o", tmp_path / "merged", "--fasta", genome, "--model", tiny_bundle]
    assert main(list(map(str, arguments))) == 0
    assert contents(tmp_path / "merged") == whole


def test_a_merged_result_is_that_of_predict(make, genome, tiny_bundle, tmp_path, capsys):
    make(1, 1)
    arguments = ["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]
    assert main(arguments) == main(arguments) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert predict(tiny_bundle, [genome], OPTIONS, tmp_path / "merged", **BATCH)["nothing_to_do"]


def test_a_shard_of_another_prediction_is_kept_unless_overwritten(make, tmp_path):
    make(1, 2)
    before = contents(tmp_path / "parts/shard-1-of-2")
    arguments = replace(OPTIONS, statistics=False)
    with pytest.raises(OutputExistsError, match="OUT-003"):
        make(1, 2, arguments)
    assert contents(tmp_path / "parts/shard-1-of-2") == before
    make(1, 2, arguments, overwrite=True)
    assert contents(tmp_path / "parts/shard-1-of-2") != before
    with folder_lock(tmp_path / "parts/shard-1-of-2"), pytest.raises(BusyError):
        make(1, 2)


@pytest.mark.parametrize(
    ("variables", "number"),
    [
        ({"SLURM_PROCID": "1", "SLURM_NTASKS": "2"}, 2),
        ({"RANK": "0", "WORLD_SIZE": "2", "SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, 1),
    ],
)
def test_processes_of_srun_and_torchrun_find_their_part(variables, number, genome, tiny_bundle, tmp_path, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "SLURM_PROCID", "SLURM_NTASKS"):
        monkeypatch.delenv(name, raising=False)
    arguments = ["predict", genome, "--model", tiny_bundle, "-o", tmp_path / "parts", "--shard", "auto"]
    assert main(list(map(str, arguments))) == 2
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(list(map(str, arguments))) == 0
    assert [path.name for path in (tmp_path / "parts").iterdir()] == [f"shard-{number}-of-2"]


@pytest.mark.parametrize("arguments", [["-", "--shard", "1/2"], ["g.fa", "--shard", "1/2", "--adapt"]])
def test_what_every_shard_would_do_for_itself_is_refused(arguments, tiny_bundle, tmp_path, capsys):
    command = ["predict", *arguments, "--model", str(tiny_bundle), "-o", str(tmp_path / "parts")]
    assert main(command) == 2
    assert "SHARD-002" in capsys.readouterr().err
