"""Consequences beside those of bcftools csq on a phage; the benchmark does it on a genome, balanced."""

import sys
from pathlib import Path

from genoformer.annotation.flat_files import read_flat_records
from genoformer.annotation.read import read_annotation

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import variants as benchmark  # lies in benchmarks/


def test_consequences_agree_with_bcftools(data_dir, need_package):
    need_package("pysam")
    path = data_dir / "genome_phages" / "NC_001416_lambda.gbk.gz"
    records, genes = list(read_flat_records(path)), read_annotation(path).genes
    found = benchmark.measure(records, genes, 11, drawn=700, snvs=200, indels=100, seed=3)
    assert found["snvs"]["n"] >= 190 and found["indels"]["n"] >= 90
    assert found["snvs"]["share"] >= 0.99
    assert found["indels"]["share"] >= 0.97
