"""The report of a whole bacterium: small enough to send, and complete."""

import json
import re

import pytest

from genoformer.annotation.read import read_annotation
from genoformer.applications.genes.report import GeneReportWriter
from genoformer.bundle.header import read_header
from genoformer.inference.report_files import Finished
from genoformer.sequence.fasta import read_fasta

MAX_BYTES = 12_000_000
ECOLI = "genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic"


@pytest.fixture(scope="module")
def page(data_dir, tmp_path_factory):
    (record,) = read_fasta(data_dir / f"{ECOLI}.fna.gz")
    genes = [gene for gene in read_annotation(data_dir / f"{ECOLI}.gff.gz").genes if gene.is_simple]
    writer = GeneReportWriter(tmp_path_factory.mktemp("ecoli") / "report.html")
    writer.add(record, genes, circular=True, genetic_code=11)
    summary = {
        "n_genes": len(genes), "n_records": 1, "n_bases": len(record), "coding_share": 0.87, "n_partial": 0,
        "genetic_code": 11,
    }  # fmt: skip
    request = {"formats": ["gff3", "report"]}
    writer.describe(Finished(read_header("prokaryotes"), request, ["ecoli.fna.gz"], summary, "float32"))
    return writer.path


@pytest.mark.data
@pytest.mark.slow
def test_a_bacterium_is_small_and_opens(page, chromium):
    assert page.stat().st_size < MAX_BYTES
    chromium.open(page)
    chromium.find("#genes input").send_keys("b0003")
    assert "homoserine kinase" in chromium.find("#genes tbody tr").text
    assert chromium.complaints() == []
    assert {url.split(":")[0] for url in chromium.requests()} <= {"file", "data", "blob"}


@pytest.mark.data
@pytest.mark.slow
def test_its_pictures_say_what_is_known_of_it(page):
    text = page.read_text()
    assert "4,641,652 bp, GC 50.8%" in text
    (starts,) = re.findall(r"Start codons: ATG ([\d.]+)%, GTG ([\d.]+)%", text)
    assert (
        89 < float(starts[0]) < 92 and 6 < float(starts[1]) < 9
    )  # of 4,200 genes: Blattner et al., Science 277 (1997)
    assert re.search(r"The motif before starts: in \d\d% of genes, most often [4-8] bp before the start codon", text)
    columns = json.loads(re.search(r'id="genes-data">(.*?)</script>', text)[1])
    assert len(columns[0]["values"]) > 4_000
