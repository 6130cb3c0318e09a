"""Reports of genes in a real Chromium: no network, no complaint, and everything joined up."""

import re

import numpy as np
import pytest
from chromium import DESKTOP, PHONE
from selenium.webdriver.common.keys import Keys

from genoformer.annotation.models import Gene, RnaGene
from genoformer.applications.genes.report import GeneReportWriter
from genoformer.bundle.header import read_header
from genoformer.inference.report_files import Finished
from genoformer.report import igv
from genoformer.sequence.records import Record

N_GENES = 60
MARKUP = "<b>x</b></script><img src=x onerror=alert(1)>"
"""As id and as product: a page that took it for markup would show it."""
SUMMARY = {
    "n_genes": N_GENES + 1, "n_records": 2, "n_bases": 62_000, "coding_share": 0.9, "n_partial": 0, "genetic_code": 11,
    "codon_evidence": 5.0, "codon_evidence_in_training": 5.5, "looks_familiar": True,
}  # fmt: skip
REQUEST = {"formats": ["gff3", "report"], "call": {"genetic_code": 11}}


def genes_of(record_id, n):
    """Genes of 900 bp, one in every thousand, strands in turn; the third has a product with markup."""
    for i in range(n):
        gene = Gene(record_id, 1000 * i + 50, 1000 * i + 950, "+-"[i % 2], score=0.3 + i / 100, start_score=0.5)
        gene.locus_tag, gene.product = f"TAG_{i:03d}", MARKUP if i == 2 else f"transporter {i}kDa"
        yield gene


def write_report(path):
    writer, rng = GeneReportWriter(path), np.random.default_rng(0)
    for name, n in (("contig:1", N_GENES), (MARKUP, 1)):
        record = Record(name, rng.integers(0, 4, 1000 * n + 1000, dtype=np.uint8))
        rna = [RnaGene(name, 960, 1040, "+", "tRNA", score=0.9)]
        writer.add(record, list(genes_of(name, n)), circular=True, genetic_code=11, rna_genes=rna)
    header = read_header("prokaryotes")
    writer.describe(Finished(header, REQUEST, [f"{MARKUP}.fa"], SUMMARY, "float32"))
    return path


@pytest.fixture(scope="module", params=["igv", "map"])
def page(request, tmp_path_factory, need_igv):
    """Path of the report, with igv.js and with our own map."""
    if request.param == "igv":
        need_igv()
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "map":
            for module in ("genoformer.report.genome_browser", "genoformer.applications.genes.report"):
                patch.setattr(f"{module}.igv_script", lambda: None)
        return write_report(folder / "report.html")


def search(chromium, text):
    field = chromium.find("#genes input")
    field.clear()
    field.send_keys(text)
    return field


def shown(chromium):
    """First cells of the rows that the table shows."""
    return [text.split()[0] for text in chromium.texts("#genes tbody tr")]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_report_opens_without_network_and_without_complaint(chromium, page, size):
    chromium.open(page, size)
    chromium.run("window.scrollTo(0, document.body.scrollHeight)")
    asked = chromium.requests()
    assert [url for url in asked if url.startswith("file:")] == [page.as_uri()]
    assert {url.split(":")[0] for url in asked} <= {"file", "data", "blob"}
    assert chromium.complaints() == []
    assert chromium.find("#browser").get_attribute("data-ready") == page.parent.name.rstrip("0123456789")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_nothing_is_wider_than_the_window(chromium, page, size):
    chromium.open(page, size)
    assert chromium.run("return document.documentElement.scrollWidth") <= size[0]


def test_markup_in_ids_and_products_is_text(chromium, page):
    chromium.open(page)
    assert chromium.run("return document.querySelectorAll('b, img[src=\"x\"]').length") == 0
    assert chromium.find("h1").text == f"{MARKUP}.fa"
    search(chromium, "onerror")
    assert any(MARKUP in text for text in chromium.texts("#genes tbody tr"))


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_search_finds_a_gene_and_a_click_on_its_row_moves_the_browser(chromium, page, size):
    chromium.open(page, size)
    search(chromium, "tag_041")
    assert shown(chromium) == ["gene-contig:1-00042"]
    before = chromium.find("#browser").get_attribute("data-locus")
    chromium.run("document.querySelector('#genes tbody tr').click()")
    locus = chromium.wait(
        "const l = document.getElementById('browser').dataset.locus; return l !== arguments[0] && l", before
    )
    record, start, end = map(int, re.split("[:-]", locus))
    assert record == 0 and start < 41_050 and end > 41_950 and end - start < 5_000
    assert "TAG_041" in chromium.find("#gene-detail").text
    assert chromium.complaints() == []


def test_a_place_moves_the_browser_and_lists_its_genes(chromium, page):
    chromium.open(page)
    search(chromium, "contig:1:10,100-12000")
    chromium.wait("return document.getElementById('browser').dataset.locus.startsWith('0:10')")
    assert shown(chromium) == ["gene-contig:1-00011", "gene-contig:1-00012"]


def test_a_record_with_an_odd_name_is_gone_to(chromium, page):
    chromium.open(page)
    search(chromium, f"{MARKUP}:1-900")
    chromium.wait("return document.getElementById('browser').dataset.locus.startsWith('1:')")
    assert chromium.complaints() == []


def test_product_is_searched_and_enter_chooses_the_first_row(chromium, page):
    chromium.open(page)
    search(chromium, "Transporter 17kDa").send_keys(Keys.ENTER)
    chromium.wait("return document.getElementById('gene-detail').textContent.includes('TAG_017')")


def test_headings_sort_and_pages_turn(chromium, page):
    chromium.open(page)
    heading = next(
        b for b in chromium.driver.find_elements("css selector", "#genes th button") if b.text == "confidence"
    )
    chromium.run("arguments[0].click(); arguments[0].click()", heading)
    assert shown(chromium)[0] == "gene-contig:1-00060"
    assert chromium.find("#genes .count").text == f"1–25 of {N_GENES + 1}"
    chromium.run("document.querySelector('#genes button[aria-label=\"Further rows\"]').click()")
    assert chromium.find("#genes .count").text == f"26–50 of {N_GENES + 1}"


def test_a_click_on_the_circle_chooses_a_gene(chromium, page):
    chromium.open(page)
    chromium.run(
        "document.querySelector('.circle [data-row=\"30\"]').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    chromium.wait("return document.getElementById('browser').dataset.locus.startsWith('0:29')")
    assert "TAG_030" in chromium.find("#gene-detail").text


def test_genes_of_rna_are_drawn_between_genes(chromium, page):
    chromium.open(page)
    igv_label = "[...document.querySelector('#browser > div').shadowRoot.querySelectorAll('.igv-track-label')]"
    if page.parent.name.startswith("igv"):
        assert "RNA genes" in chromium.run(f"return {igv_label}.map(each => each.textContent)")
    else:
        drawn = chromium.run("return [...document.querySelectorAll('.gene-map .rna title')].map(t => t.textContent)")
        assert drawn == ["tRNA"]


def test_a_page_without_igv_says_how_to_get_it(chromium, page):
    says = igv.HOW_TO_GET in page.read_text()
    assert says == (page.parent.name.startswith("map"))


def test_a_page_without_bases_and_with_tracks_opens(chromium, need_igv, tmp_path, monkeypatch):
    need_igv()
    monkeypatch.setattr("genoformer.applications.genes.report.MAX_SEQUENCE_BP", 10)
    monkeypatch.setattr(GeneReportWriter, "add", with_track(GeneReportWriter.add))
    chromium.open(write_report(tmp_path / "report.html"))
    chromium.run("document.querySelector('#genes tbody tr:nth-child(9)').click()")
    chromium.wait("return document.getElementById('browser').dataset.locus.startsWith('0:7')")
    labels = "return [...document.querySelector('#browser > div').shadowRoot.querySelectorAll('.igv-track-label')]"
    assert chromium.run(f"{labels}.map(each => each.textContent)")[-2:] == ["start +", "start -"]
    assert chromium.complaints() == []


def test_a_page_whose_igv_fails_has_our_own_map(chromium, tmp_path, monkeypatch):
    broken = "window.igv = { createBrowser() { throw new Error('broken'); } };"
    monkeypatch.setattr("genoformer.report.genome_browser.igv_script", lambda: broken)
    chromium.open(write_report(tmp_path / "report.html"))
    assert chromium.find("#browser").get_attribute("data-ready") == "map"
    assert "broken" in chromium.complaints()[0]
    chromium.run("document.querySelector('#genes tbody tr:nth-child(9)').click()")
    chromium.wait("return document.getElementById('browser').dataset.locus.startsWith('0:7')")


def with_track(add):
    """Adds a record, and a track that says .5 everywhere."""

    def both(self, record, found, **about):
        add(self, record, found, **about)
        said = np.array([0]), np.array([len(record)]), np.array([128], np.uint8)
        self.add_track(type("Said", (), {"runs": lambda self, row: iter([said])})(), ("start",))

    return both
