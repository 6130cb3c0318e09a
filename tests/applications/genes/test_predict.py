"""Prediction as a function of the sequence: strands, order, batches, records and the Python interface."""

import json
from dataclasses import replace

import numpy as np
import pytest
from predicting import predict

from genoformer import load_model
from genoformer.annotation.read import read_records
from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.request import GeneRequest
from genoformer.bundle.folder import load_bundle
from genoformer.decoding import statistics as genome_statistics
from genoformer.decoding.options import CallOptions
from genoformer.errors import DataError, MissingFileError, UsageError
from genoformer.genomes.simulate import simulate_genome
from genoformer.sequence.alphabet import decode_bases, reverse_complement
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

OPTIONS = GeneRequest(CallOptions(), precision="float32")
WITHOUT_STATISTICS = replace(OPTIONS, statistics=False)


@pytest.fixture(scope="module")
def bundle(tiny_bundle):
    return load_bundle(tiny_bundle)


@pytest.fixture(scope="module")
def simulated():
    return [record for record, _ in simulate_genome(length_bp=60_000, gc=0.45, seed=6, n_contigs=3)]


@pytest.fixture
def genes(tiny_bundle, tmp_path):
    """``genes(records)``: rows (record, start, end, strand, partial, ...) of genes.tsv."""
    n_runs = 0

    def run(records, options=OPTIONS, **plan):
        nonlocal n_runs
        n_runs += 1
        write_fasta(tmp_path / "in.fa", records)
        predict(tiny_bundle, [tmp_path / "in.fa"], options, tmp_path / str(n_runs), **plan)
        rows = (line.split("\t") for line in (tmp_path / str(n_runs) / "genes.tsv").read_text().splitlines()[1:])
        return [(row[0], int(row[2]) - 1, int(row[3]), row[4], *row[5:]) for row in rows]

    return run


@pytest.fixture
def with_statistics(monkeypatch):
    """Small genomes are enough to learn statistics from."""
    monkeypatch.setattr(genome_statistics, "MIN_CODONS", 1_000)


def mirrored(rows, lengths):
    turned = [
        (name, lengths[name] - end, lengths[name] - start, "-" if strand == "+" else "+", size, partial[::-1], *rest)
        for name, start, end, strand, size, partial, *rest in rows
    ]
    return sorted(turned)


def lambda_phage(data_dir):
    return list(read_records(data_dir / "genome_phages/NC_001416_lambda.gbk.gz"))


@pytest.mark.parametrize("learn", [True, False])
@pytest.mark.parametrize("source", ["simulated", "phage"])
def test_reverse_complement_gives_mirrored_genes(source, learn, simulated, data_dir, genes, with_statistics):
    records = simulated if source == "simulated" else lambda_phage(data_dir)
    options = replace(OPTIONS, statistics=learn)
    turned = [Record(record.id, reverse_complement(record.codes)) for record in records]
    lengths = {record.id: len(record) for record in records}
    found = genes(records, options)
    assert len(found) > 30
    assert mirrored(genes(turned, options), lengths) == sorted(found)


def test_statistics_of_the_input_change_scores(simulated, genes, with_statistics):
    assert genes(simulated) != genes(simulated, WITHOUT_STATISTICS)


def test_order_of_records_is_the_order_of_genes_and_changes_nothing_else(simulated, genes, with_statistics):
    found = genes(simulated)
    assert sorted(genes(simulated[::-1])) == sorted(found)
    assert [row[0] for row in found] == sorted(row[0] for row in found)


@pytest.mark.parametrize("batch_size", [1, 3, 7])
def test_batch_size_changes_no_gene(simulated, genes, batch_size):
    assert genes(simulated, batch_size=batch_size) == genes(simulated)


def test_a_record_alone_has_the_genes_that_it_has_among_others(simulated, genes):
    together = genes(simulated, WITHOUT_STATISTICS)
    for record in simulated:
        assert genes([record], WITHOUT_STATISTICS) == [row for row in together if row[0] == record.id]


def test_genes_stop_at_gaps_unless_asked(genes):
    (record, simulated), *_ = simulate_genome(length_bp=20_000, gc=0.5, seed=5)
    gene = max(simulated, key=lambda gene: gene.length_bp)
    cut = gene.start + gene.length_bp // 6 * 3
    gapped = Record("a", np.concatenate((record.codes[:cut], np.full(30, 4, np.uint8), record.codes[cut:])))

    def over_the_gap(options):
        return [(end, strand) for _, start, end, strand, *_ in genes([gapped], options) if start < cut < end]

    assert over_the_gap(OPTIONS) == []
    assert over_the_gap(replace(OPTIONS, call=CallOptions(max_gap_bp=1 << 40))) == [(gene.end + 30, gene.strand)]


def test_python_interface_gives_the_genes_of_the_command(simulated, genes, tiny_bundle, tmp_path, with_statistics):
    expected = [row[:4] for row in genes(simulated)]
    model = load_model(tiny_bundle)
    # The bfloat16 of some machines gives other scores than the float32 of `genes`.
    object.__setattr__(model._caller.plan, "precision", "float32")
    results = list(model.predict(tmp_path / "in.fa"))
    assert [result.length for result in results] == [len(record) for record in simulated]
    assert [(g.contig, g.start, g.end, g.strand) for result in results for g in result.genes] == expected
    alone = model.predict_sequence("x", decode_bases(simulated[0].codes), circular=True)
    assert (alone.record_id, alone.length) == ("x", len(simulated[0])) and alone.genes


def test_python_interface_refuses_what_the_command_refuses(tiny_bundle, tmp_path):
    model = load_model(str(tiny_bundle))
    with pytest.raises(MissingFileError, match="absent"):
        list(model.predict(tmp_path / "absent.fa"))
    with pytest.raises(MissingFileError, match="no_such_model"):
        load_model("no_such_model")
    with pytest.raises(ValueError, match="'!'"):
        model.predict_sequence("x", "ACG!")
    for code in (0, 99):
        with pytest.raises(UsageError, match=str(code)):
            model.predict_sequence("x", "ACGT", genetic_code=code)
    assert model.predict_sequence("x", "").genes == [] == model.predict_sequence("x", "NN", circular=True).genes


def test_bundle_of_another_task_or_without_decoder_is_refused(bundle):
    for field, value, code in (
        ("config", replace(bundle.config, task="other"), "MODEL-007"),
        ("calibration", {}, "MODEL-008"),
        ("calibration", {"decoder": None}, "MODEL-008"),
    ):
        with pytest.raises(DataError, match=code):
            GeneFinder.from_bundle(replace(bundle, **{field: value}))


def test_run_file_names_what_the_results_depend_on(bundle, simulated, genes, tmp_path):
    genes(simulated)
    key = json.loads((tmp_path / "1/run.json").read_text())["key"]
    assert key["model_digest"] == bundle.digest and key["call"]["genetic_code"] == 11 and key["precision"] == "float32"
    assert "batch_size" not in key and "buffer_bp" not in key and "buffer_bp" not in key["call"]
