"""Probabilities of every base: HDF5, bigWig and bedGraph say what the model says, however the work was divided."""

import os
import resource
import signal
import sys

import h5py
import numpy as np
import polars
import pybigtools
import pyBigWig
import pytest
from children import run_child
from prediction_files import ODD_IDS
from tiny_intron_bundle import write_tiny_intron_bundle

from genoformer.applications.genes.caller import ORIGIN_MARGIN_BP, GeneFinder
from genoformer.applications.introns.caller import IntronGeneFinder
from genoformer.bundle.folder import load_bundle
from genoformer.cli.main import main
from genoformer.errors import OutputWriteError
from genoformer.files import atomic_path
from genoformer.inference import passes, space, tracks
from genoformer.inference.bigwig_files import BigWigWriter, write_rows
from genoformer.inference.track_files import read_probabilities
from genoformer.inference.tracks import MAX_ERROR, STRANDS, Track, TrackPass, TrackStore
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.fasta import read_fasta, write_fasta
from genoformer.sequence.records import Record
from genoformer.stream import record_logits, wrap_circular

ALL = "gff3,h5,bigwig,bedgraph,report"


@pytest.fixture(scope="module")
def intron_bundle(tmp_path_factory):
    return write_tiny_intron_bundle(tmp_path_factory.mktemp("introns") / "model")


@pytest.fixture(scope="module")
def bundles(tiny_bundle, intron_bundle):
    return {"genes": (tiny_bundle, GeneFinder), "introns": (intron_bundle, IntronGeneFinder)}


def run(fasta, model, out, *more, formats=ALL):
    return main(["predict", str(fasta), "--model", str(model), "-o", str(out), "--formats", formats, *more])


def everything(folder):
    """Bytes of all files of a prediction, those of folders in it, too."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name[0] != "." and path.name != "run.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def read_bedgraph(path):
    schema = {"id": polars.String, "start": polars.Int64, "end": polars.Int64, "value": polars.Float64}
    return polars.read_csv(path, separator="\t", has_header=False, quote_char=None, schema=schema)


def said_by_the_model(bundle, finder, codes, opened=None):
    """Probabilities [2, C, L] straight from the network, in float64."""
    made = finder.from_bundle(load_bundle(bundle))
    codes = codes if opened is None else opened
    pieces = [logits for *_, logits in record_logits(made.bundle.model, made.bundle.tokenizer, codes, made.plan)]
    logits = np.concatenate(pieces, axis=1).astype(np.float64)
    if finder is GeneFinder:
        said = 1 / (1 + np.exp(-logits))
    else:
        shares = np.exp(logits[..., :8]) / np.exp(logits[..., :8]).sum(-1, keepdims=True)
        said = np.concatenate([shares, 1 / (1 + np.exp(-logits[..., 8:]))], -1)
    return said.transpose(0, 2, 1)


@pytest.mark.parametrize("kind", ["genes", "introns"])
def test_every_file_says_what_the_model_says(genome, bundles, tmp_path, kind):
    bundle, finder = bundles[kind]
    assert run(genome, bundle, tmp_path / "o") == 0
    channels = load_bundle(bundle).config.labels
    for record in read_fasta(genome):
        stored = read_probabilities(tmp_path / "o/probabilities.h5", record.id)
        # float32 outputs, rounded to steps: half a step, and what float32 adds
        assert np.abs(stored - said_by_the_model(bundle, finder, record.codes)).max() <= MAX_ERROR + 1e-6
        for i, strand in enumerate(STRANDS):
            for j, channel in enumerate(channels):
                name = f"{channel}.{strand}"
                with pyBigWig.open(str(tmp_path / f"o/tracks/{name}.bw")) as file:
                    assert file.chroms()[record.id] == len(record)
                    assert np.array_equal(np.array(file.values(record.id, 0, len(record)), np.float32), stored[i, j])
                    [mean] = file.stats(record.id, 100, 900, type="mean", exact=True)
                    assert mean == pytest.approx(float(stored[i, j, 100:900].mean(dtype=np.float64)), abs=1e-6)
                rows = read_bedgraph(tmp_path / f"o/tracks/{name}.bedgraph").filter(polars.col("id") == record.id)
                values = np.repeat(rows["value"], rows["end"] - rows["start"])
                assert rows["start"].to_list() == [0, *rows["end"].to_list()[:-1]]
                assert np.abs(values - stored[i, j]).max() < 1e-4 and len(values) == len(record)


def test_the_dataset_says_what_it_holds(genome, tiny_bundle, tmp_path):
    assert run(genome, tiny_bundle, tmp_path / "o", formats="h5") == 0
    with h5py.File(tmp_path / "o/probabilities.h5") as file:
        assert file["probabilities"].dtype == np.uint8 and file["probabilities"].shape == (2, 5, 40_000)
        assert file["probabilities"].chunks is not None
        assert file.attrs["scale"] == 1 / 255 and file.attrs["max_error"] == MAX_ERROR == 0.5 / 255
        assert file["channels"].asstr()[:].tolist() == ["codon_0", "codon_1", "codon_2", "start", "stop"]
        assert file["strands"].asstr()[:].tolist() == ["plus", "minus"]
        assert file["ids"].asstr()[:].tolist() == list(ODD_IDS) and file["ends"][:].tolist()[-1] == 40_000
    assert sorted(path.name for path in (tmp_path / "o").iterdir() if path.name[0] != ".") == [
        "manifest.json", "probabilities.h5", "run.json", "summary.json",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["genes", pytest.param("introns", marks=pytest.mark.slow)])
@pytest.mark.parametrize("n_shards", [2, 5])
def test_shards_give_the_same_bytes(genome, bundles, tmp_path, monkeypatch, kind, n_shards):
    bundle, _ = bundles[kind]
    assert run(genome, bundle, tmp_path / "whole") == 0
    monkeypatch.setattr(tracks, "CHUNK_BYTES", 20_000)
    monkeypatch.setattr(tracks, "HELD_ROWS", 3)
    for number in range(1, n_shards + 1):
        assert run(genome, bundle, tmp_path / "parts", "--shard", f"{number}/{n_shards}") == 0
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 0
    assert everything(tmp_path / "merged") == everything(tmp_path / "whole")


def test_shards_inside_a_record_give_the_same_bytes(tiny_bundle, tmp_path):
    rng = np.random.default_rng(0)
    write_fasta(tmp_path / "long.fa", [Record("long", rng.integers(0, 4, 700_000).astype(np.uint8))])
    formats = "h5"
    assert run(tmp_path / "long.fa", tiny_bundle, tmp_path / "whole", formats=formats) == 0
    for number in (1, 2, 3):
        assert run(tmp_path / "long.fa", tiny_bundle, tmp_path / "p", "--shard", f"{number}/3", formats=formats) == 0
    assert all(list((tmp_path / f"p/shard-{number}-of-3").glob("passes-*.npz")) for number in (1, 2, 3))
    assert main(["merge", str(tmp_path / "p"), "-o", str(tmp_path / "merged")]) == 0
    assert everything(tmp_path / "merged") == everything(tmp_path / "whole")


def predict_and_die(arguments):
    """In a child: ``predict`` that kills itself when the model is asked for the third record."""
    ask, calls = GeneFinder.block_candidates, []

    def stopped(self, *passed, **named):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return ask(self, *passed, **named)

    GeneFinder.block_candidates = stopped
    passes.CHUNK_BP = 10_000  # one record
    return main(arguments)


@pytest.mark.slow
def test_a_killed_run_continues_to_the_same_bytes(genome, tiny_bundle, tmp_path):
    words = ["predict", str(genome), "--model", str(tiny_bundle), "--formats", ALL, "-o"]
    assert run_child(tmp_path / "said", predict_and_die, [*words, str(tmp_path / "o")]) == -9
    assert len(list((tmp_path / "o/.work").glob(tracks.TRACK_FILES))) == 2
    assert main([*words, str(tmp_path / "o")]) == main([*words, str(tmp_path / "again")]) == 0
    assert everything(tmp_path / "o") == everything(tmp_path / "again")


def test_a_circular_record_has_its_own_coordinates(tiny_bundle, tmp_path):
    codes = np.random.default_rng(1).integers(0, 4, 9_000).astype(np.uint8)
    write_fasta(tmp_path / "c.fa", [Record("c", codes)])
    assert run(tmp_path / "c.fa", tiny_bundle, tmp_path / "o", "--circular", "c", formats="h5") == 0
    stored = read_probabilities(tmp_path / "o/probabilities.h5", "c")
    margin = min(ORIGIN_MARGIN_BP, len(codes))
    opened = wrap_circular(codes, margin)
    said = said_by_the_model(tiny_bundle, GeneFinder, codes, opened)[:, :, margin : margin + len(codes)]
    assert np.abs(stored - said).max() <= MAX_ERROR + 1e-6


def test_a_region_keeps_the_coordinates_of_its_record(genome, tiny_bundle, tmp_path):
    assert run(genome, tiny_bundle, tmp_path / "o", "--region", "chr1:2001-5000") == 0
    stored = read_probabilities(tmp_path / "o/probabilities.h5", "chr1")
    with pyBigWig.open(str(tmp_path / "o/tracks/start.minus.bw")) as file:
        assert file.chroms() == {"chr1": 10_000}
        values = np.array(file.values("chr1", 0, 10_000), np.float32)
    assert np.isnan(values[:2_000]).all() and np.isnan(values[5_000:]).all()
    assert np.array_equal(values[2_000:5_000], stored[1, 3])
    with h5py.File(tmp_path / "o/probabilities.h5") as file:
        assert file["starts"][:].tolist() == [2_000]


@pytest.mark.parametrize("kind", ["genes", "introns"])
def test_unknown_bases_are_there(bundles, tmp_path, kind):
    codes = encode_bases("ACGGT" * 100)
    unknown = np.full(700, 4, np.uint8)
    records = [Record("n", unknown), Record("half", np.concatenate([codes, unknown]))]
    write_fasta(tmp_path / "n.fa", records)
    assert run(tmp_path / "n.fa", bundles[kind][0], tmp_path / "o") == 0
    assert not read_probabilities(tmp_path / "o/probabilities.h5", "n").any()
    half = read_probabilities(tmp_path / "o/probabilities.h5", "half")
    assert np.abs(half - said_by_the_model(*bundles[kind], records[1].codes)).max() <= MAX_ERROR + 1e-6
    with pyBigWig.open(str(tmp_path / "o/tracks/codon_0.plus.bw")) as file:
        assert file.values("n", 0, 3) == [0.0] * 3


def test_runs_by_hand(tmp_path):
    kept = TrackPass(tmp_path)
    for start, steps in ((12, [7, 7, 8]), (15, [8, 8]), (18, [0, 9])):
        kept.add(3, start, np.array([steps, [1] * len(steps)], np.uint8))
    kept.flush()
    track = Track(TrackStore(tmp_path), 3, 10, 22)

    def runs(row):
        return [tuple(run) for part in track.runs(row) for run in zip(*(c.tolist() for c in part), strict=True)]

    assert runs(0) == [(10, 12, 0), (12, 14, 7), (14, 17, 8), (17, 19, 0), (19, 20, 9), (20, 22, 0)]
    assert runs(1) == [(10, 12, 0), (12, 17, 1), (17, 18, 0), (18, 20, 1), (20, 22, 0)]


def test_an_error_while_a_bigwig_is_written_is_raised_and_leaves_no_file(tmp_path, capfd):
    class Broken(TrackStore):
        def pieces(self, number, row):
            yield 0, np.arange(50, dtype=np.uint8)
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        BigWigWriter(tmp_path / "tracks/bigwig.tsv", ("a",)) as writer,
    ):
        writer.add(Record("r", np.zeros(100, np.uint8)), Track(Broken(tmp_path), 0, 0, 100))
    assert not list((tmp_path / "tracks").iterdir())
    assert capfd.readouterr() == ("", "")


def test_nothing_is_kept_when_no_format_asks_for_it(genome, tiny_bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(tracks.TrackPass, "add", lambda *a: pytest.fail("a track was kept"))
    assert run(genome, tiny_bundle, tmp_path / "o", formats="gff3,tsv") == 0


def test_an_empty_folder_of_tracks_belongs_to_nobody(genome, tiny_bundle, tmp_path, one_line):
    (tmp_path / "o/tracks").mkdir(parents=True)
    assert run(genome, tiny_bundle, tmp_path / "o", formats="bigwig") == 0
    (tmp_path / "p/tracks").mkdir(parents=True)
    (tmp_path / "p/tracks/mine.txt").write_text("mine")
    assert run(genome, tiny_bundle, tmp_path / "p", formats="bigwig") == 73
    one_line("error[OUT-002]")


def test_other_formats_take_the_tracks_away(genome, tiny_bundle, tmp_path):
    assert run(genome, tiny_bundle, tmp_path / "o", formats="h5,bigwig") == 0
    assert run(genome, tiny_bundle, tmp_path / "o", formats="gff3") == 73
    assert run(genome, tiny_bundle, tmp_path / "o", "--overwrite", formats="gff3") == 0
    assert not (tmp_path / "o/tracks").exists() and not (tmp_path / "o/probabilities.h5").exists()


@pytest.mark.parametrize("more", [(), ("--shard", "1/2"), ("--dry-run",)])
def test_a_full_disk_is_seen_before_the_work(genome, tiny_bundle, tmp_path, monkeypatch, one_line, more):
    class Usage:
        free = 100_000

    monkeypatch.setattr(space.shutil, "disk_usage", lambda place: Usage)
    monkeypatch.setattr(GeneFinder, "block_candidates", lambda *a, **k: pytest.fail("the model ran"))
    assert run(genome, tiny_bundle, tmp_path / "o", *more, formats=ALL) == 74
    one_line("100.0 kB are free")
    monkeypatch.undo()
    assert run(genome, tiny_bundle, tmp_path / "other", "--dry-run", formats="gff3") == 0


def test_a_dry_run_says_how_much_is_written(genome, tiny_bundle, tmp_path, capsys):
    assert run(genome, tiny_bundle, tmp_path / "o", "--dry-run", formats="h5") == 0
    assert "would write about " in capsys.readouterr().out


def test_without_the_package_nothing_begins(genome, tiny_bundle, tmp_path, monkeypatch, one_line):
    monkeypatch.setitem(sys.modules, "pybigtools", None)
    assert run(genome, tiny_bundle, tmp_path / "o", formats="bigwig") == 2
    one_line('genoformer[tracks]"')


def test_pybigtools_reads_what_it_wrote(genome, tiny_bundle, tmp_path):
    assert run(genome, tiny_bundle, tmp_path / "o", formats="bigwig,h5") == 0
    stored = read_probabilities(tmp_path / "o/probabilities.h5", "NC_1.1")
    file = pybigtools.open(str(tmp_path / "o/tracks/stop.plus.bw"))
    assert np.allclose(file.values("NC_1.1"), stored[0, 4], atol=1e-7)  # float64 of the same float32


def write_values(path, n_rows):
    with atomic_path(path) as temporary:
        write_rows(temporary, {"c": 10**6}, (("c", i * 10, i * 10 + 10, float(i % 97)) for i in range(n_rows)))


def write_with_limit(folder, n_bytes, n_rows):
    """In a child: a bigWig where no file can have more bytes; the exit code says whether that was an error of ours.

    A negative number counts from the end of the whole file.
    """
    if n_bytes < 0:
        write_values(folder / "x.bw", n_rows)
        n_bytes += (folder / "x.bw").stat().st_size
        (folder / "x.bw").unlink()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))
    try:
        write_values(folder / "x.bw", n_rows)
    except OutputWriteError as error:
        return int(error.code == "FILES-002")
    return 0


@pytest.mark.parametrize(
    ("n_bytes", "n_rows"),
    [*((n, 20_000) for n in (0, 100, 5_000, 60_000, 93_000)), *((n, 60) for n in (352, -152, -100))],
)
def test_a_bigwig_that_pybigtools_cuts_short_is_an_error_and_leaves_nothing(tmp_path, n_bytes, n_rows):
    (tmp_path / "o").mkdir()
    assert run_child(tmp_path / "said", write_with_limit, tmp_path / "o", n_bytes, n_rows) == 1
    assert list((tmp_path / "o").iterdir()) == []
