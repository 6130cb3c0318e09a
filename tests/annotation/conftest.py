"""Real genomes, each read once per session: by us, and by Biopython as the truth."""

import gzip
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from Bio import SeqIO
from Bio.SeqRecord import SeqRecord

from genoformer.annotation.models import Annotation
from genoformer.annotation.read import read_annotation, read_records
from genoformer.errors import WarningLog
from genoformer.sequence.records import Record

GENOMES = {
    "ecoli": "genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.gbff.gz",
    "haemophilus": "genome_haemophilus_rd/NC_000907.1.gbk.gz",
    "mycoplasma": "genome_mycoplasma/mycoides_GCF_000023685.1.gbff.gz",
    "plasmid": "genome_plasmid_yersinia/NC_005816.gb",
    "chloroplast": "genome_chloroplast/NC_000932.gb.gz",
    "phix174": "genome_phages/NC_001422.gbk.gz",
    "lambda": "genome_phages/NC_001416_lambda.gbk.gz",
    "NC_019724": "genome_phages/NC_019724.gbk.gz",
    "NC_049491": "genome_phages/NC_049491.gbk.gz",
}


@dataclass
class Genome:
    """One genome of one record."""

    path: Path
    annotation: Annotation
    record: Record
    truth: SeqRecord

    @property
    def circular(self) -> bool:
        return self.record.id in self.annotation.circular

    @property
    def genetic_code(self) -> int:
        return self.annotation.genetic_codes[self.record.id]


@pytest.fixture(scope="session")
def genome(data_dir):
    """``genome("phix174")`` gives that genome."""

    @cache
    def load(name: str) -> Genome:
        path = data_dir / GENOMES[name]
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt") as handle, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            truth = SeqIO.read(handle, "genbank")
        (record,) = read_records(path)
        return Genome(path, read_annotation(path), record, truth)

    return load


@pytest.fixture
def read(tmp_path):
    """Read text as an annotation: genes by position, and the counted warnings."""

    def write_and_read(text, name="a"):
        path = tmp_path / name
        path.write_text(text)
        log = WarningLog()
        return read_annotation(path, warnings=log), log.counts

    return write_and_read
