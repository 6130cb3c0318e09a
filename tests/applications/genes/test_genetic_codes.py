"""Prediction with a genetic code that is to be found: files, shards, interruptions and Python, with planted outputs."""

import json
from functools import cache

import numpy as np
import pytest
from predicting import interrupted
from tiny_bundle import write_tiny_bundle

from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.tracks import label_tracks
from genoformer.api import load_model
from genoformer.applications.genes import caller
from genoformer.cli.main import main
from genoformer.errors import UsageError
from genoformer.genomes.simulate import simulate_genome
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

CODES = {"eleven": 11, "four": 4, "ring": 4, "short": 11}
LENGTHS = {"eleven": 20_000, "four": 22_000, "ring": 18_000, "short": 700}
FILES = ("genes.gff3", "genes.tsv", "proteins.faa")


@cache
def contigs():
    """Record and perfect outputs of each contig, by its name."""
    found = {}
    for seed, (name, code) in enumerate(CODES.items()):
        ((record, genes),) = simulate_genome(length_bp=LENGTHS[name], gc=0.4, seed=seed, genetic_code=code)
        tracks, _ = label_tracks(record.codes, genes, genetic_code=code)
        bits = np.array([1, 2, 4, 8, 16], np.uint8)
        logits = np.where(tracks[:, :, None] & bits, 5.0, -5.0).astype(np.float32)
        found[name] = Record(name, record.codes, "circular=true" if name == "ring" else ""), logits
    return found


def planted_logits(network, tokenizer, codes, plan, *, span=None):
    """Perfect outputs of any stretch of the contigs, opened or not, in pieces as the network gives them."""
    for record, logits in contigs().values():
        at = np.tile(record.codes, 4).tobytes().find(codes.tobytes())
        if at >= 0:
            whole = np.tile(logits, (1, 4, 1))[:, at : at + len(codes)]
            break
    rna = np.full((2, len(codes), 2), -7.0, np.float32)  # only models that find RNA genes look at it
    whole = np.concatenate([whole, rna], axis=-1)
    first, last = span or (0, len(codes))
    for start in range(first - first % plan.tile_bp, last, plan.tile_bp):
        low, high = max(start, first), min(start + plan.tile_bp, last)
        yield low, high, whole[:, low:high]


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    path = tmp_path_factory.mktemp("genome") / "mixed.fa"
    write_fasta(path, [record for record, _ in contigs().values()])
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "plain")


def planted_together(network, tokenizer, sequences, plan, wanted):
    """The same of short records, which are read together."""
    planted = [[logits for _, _, logits in planted_logits(network, tokenizer, codes, plan)] for codes in sequences]
    is_short = [len(codes) <= 8_000 for codes in sequences]
    return [np.concatenate(own, axis=1) if short else None for own, short in zip(planted, is_short, strict=True)]


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    monkeypatch.setattr(caller, "record_logits", planted_logits)
    monkeypatch.setattr(caller, "read_together", planted_together)


def predict(bundle, fasta, out, *more):
    return main(["predict", str(fasta), "--model", str(bundle), "-o", str(out), *more])


def summary_of(out):
    return json.loads((out / "summary.json").read_text())


def same_files(one, other):
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_every_contig_is_read_with_its_code_and_the_files_say_so(bundle, fasta, tmp_path, capsys):
    assert predict(bundle, fasta, tmp_path / "o", "--genetic-code", "auto") == 0
    assert "genoformer: genetic code 4 in 2 records, 11 in 2 records\n" in capsys.readouterr().err
    summary = summary_of(tmp_path / "o")
    assert summary["genetic_code"] == 11
    assert summary["records_by_genetic_code"] == {"4": 2, "11": 2}
    assert summary["other_genetic_codes"] == {"4": ["four", "ring"]}
    by_contig = read_annotation(tmp_path / "o/genes.gff3").genetic_codes
    assert by_contig == {name: code for name, code in CODES.items() if name in by_contig}
    assert {"eleven", "four", "ring"} <= set(by_contig)
    assert predict(bundle, fasta, tmp_path / "o", "--genetic-code", "auto") == 0  # nothing to do
    assert "genetic code 4 in 2 records" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "code"), [("eleven", "11"), ("four", "4")])
def test_a_contig_has_the_genes_that_it_has_with_the_code_given(name, code, bundle, tmp_path):
    write_fasta(tmp_path / "one.fa", [contigs()[name][0]])
    assert predict(bundle, tmp_path / "one.fa", tmp_path / "auto", "--genetic-code", "auto") == 0
    assert predict(bundle, tmp_path / "one.fa", tmp_path / "given", "--genetic-code", code) == 0
    same_files(tmp_path / "auto", tmp_path / "given")
    assert len(list(read_annotation(tmp_path / "auto/genes.gff3").genes)) > 10


def test_a_metagenome_is_read_so_unless_a_code_is_given(bundle, fasta, tmp_path, capsys):
    assert predict(bundle, fasta, tmp_path / "m", "--metagenome") == 0
    assert predict(bundle, fasta, tmp_path / "a", "--metagenome", "--genetic-code", "auto") == 0
    same_files(tmp_path / "m", tmp_path / "a")
    assert "genetic code 4 in 2 records" in capsys.readouterr().err
    assert predict(bundle, fasta, tmp_path / "g", "--metagenome", "--genetic-code", "11") == 0
    assert "records_by_genetic_code" not in summary_of(tmp_path / "g")
    assert set(read_annotation(tmp_path / "g/genes.gff3").genetic_codes.values()) == {11}


def test_without_the_option_nothing_is_said_of_it(bundle, fasta, tmp_path, capsys):
    assert predict(bundle, fasta, tmp_path / "o") == 0
    assert not {"records_by_genetic_code", "other_genetic_codes"} & set(summary_of(tmp_path / "o"))
    assert "other_code" not in json.loads((tmp_path / "o/run.json").read_text())["key"]["call"]
    assert "genoformer: genetic code" not in capsys.readouterr().err


def test_shards_regions_and_python_give_the_same(bundle, fasta, tmp_path, capsys):
    assert predict(bundle, fasta, tmp_path / "o", "--genetic-code", "auto") == 0
    for number in (1, 2, 3):
        more = ("--shard", f"{number}/3", "--genetic-code", "auto")
        assert predict(bundle, fasta, tmp_path / "parts", *more) == 0
    capsys.readouterr()
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 0
    assert "genetic code 4 in 2 records" in capsys.readouterr().err
    same_files(tmp_path / "o", tmp_path / "merged")
    found = load_model(str(bundle)).predict(str(fasta), genetic_code="auto")
    assert {result.record_id: result.genetic_code for result in found} == CODES
    (written,) = found.write(tmp_path / "p.gff3")
    assert written.read_bytes() == (tmp_path / "o/genes.gff3").read_bytes()
    region = ("--region", "four:3001-15000", "--genetic-code")
    assert predict(bundle, fasta, tmp_path / "ra", *region, "auto") == 0
    assert predict(bundle, fasta, tmp_path / "r4", *region, "4") == 0
    same_files(tmp_path / "ra", tmp_path / "r4")


def test_an_interrupted_run_continues_to_the_same(bundle, fasta, tmp_path, monkeypatch):
    assert predict(bundle, fasta, tmp_path / "whole", "--genetic-code", "auto") == 0
    monkeypatch.setattr(caller, "record_logits", interrupted(planted_logits, 12))  # in the second contig
    assert predict(bundle, fasta, tmp_path / "o", "--genetic-code", "auto") != 0
    assert list((tmp_path / "o/.work").glob("passes-*.npz"))
    monkeypatch.setattr(caller, "record_logits", planted_logits)
    assert predict(bundle, fasta, tmp_path / "o", "--genetic-code", "auto") == 0
    same_files(tmp_path / "o", tmp_path / "whole")


def test_the_report_names_the_codes(bundle, fasta, tmp_path):
    assert predict(bundle, fasta, tmp_path / "o", "--genetic-code", "auto", "--formats", "report") == 0
    assert "4 in 2 records, 11 in 2 records" in (tmp_path / "o/report.html").read_text()


def test_what_is_no_code_is_refused(bundle, fasta, tmp_path, capsys):
    for text in ("automatic", "-4", "4.0", ""):
        assert predict(bundle, fasta, tmp_path / "o", f"--genetic-code={text}") == 2
    assert predict(bundle, fasta, tmp_path / "o", "--genetic-code", "99") == 2
    assert "CODE-001" in capsys.readouterr().err
    assert predict(bundle, fasta, tmp_path / "o", "--genetic-code", "auto", "--adapt") == 2
    assert "ADAPT-008" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
    with pytest.raises(UsageError, match="any"):
        load_model(str(bundle)).predict_sequence("x", "ACGT", genetic_code="any")


def test_models_of_genes_with_introns_read_one_code(fasta, tmp_path, capsys):
    assert predict("fungi", fasta, tmp_path / "o", "--genetic-code", "auto") == 2
    assert "CODE-002" in capsys.readouterr().err
    with pytest.raises(UsageError, match="auto"):
        load_model("fungi").predict_sequence("x", "ACGT", genetic_code="auto")


def test_real_contigs_of_both_codes_are_told_apart(data_dir, tmp_path, monkeypatch):
    monkeypatch.undo()
    paths = {
        "coli": "genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.gbff.gz",
        "mycoides": "genome_mycoplasma/mycoides_GCF_000023685.1.gbff.gz",
    }
    records = []
    for name, path in paths.items():
        (record,) = read_records(data_dir / path)
        records += [Record(f"{name}{i}", record.codes[i : i + 10_000]) for i in (300_000, 600_000)]
    write_fasta(tmp_path / "in.fa", records)
    assert predict("prokaryotes", tmp_path / "in.fa", tmp_path / "o", "--metagenome") == 0
    assert summary_of(tmp_path / "o")["other_genetic_codes"] == {"4": ["mycoides300000", "mycoides600000"]}
