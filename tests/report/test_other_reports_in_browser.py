"""Reports of models of whole sequences in a real Chromium: their files from the command, with markup in ids."""

import pytest
from chromium import DESKTOP, PHONE
from tiny_function_bundle import write_function_bundle
from tiny_sequence_bundle import write_sequence_bundle

from genoformer.cli.main import main

ODD = "r<b>1</b></script>"
FASTA = f">{ODD}\nATGGGCAAACGTGCCCATGGTTAA\n>second\nATGGCACCTGGTGGACGTAAATGCTGA\n>third\nATGTAA\n"
MODELS = {
    "rna_pairs": ("pairs", ("Summary", "Pictures", "Records", "Structures", "How it was made")),
    "codon_structure": ("helix", ("Summary", "Pictures", "Records", "Structures", "How it was made")),
    "contacts": ("best probability", ("Summary", "Pictures", "Records", "Contacts", "How it was made")),
    "multiclass": ("prediction", ("Summary", "Pictures", "Records", "How it was made")),
    "multilabel": ("prediction", ("Summary", "Pictures", "Records", "How it was made")),
    "regression": ("low", ("Summary", "Pictures", "Records", "How it was made")),
}


@pytest.fixture(scope="module", params=MODELS)
def made(request, tmp_path_factory):
    """Name of the model, and path of its report."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param.startswith(("multi", "regression")):
        model = write_function_bundle(folder / "model", request.param)
    else:
        model = write_sequence_bundle(folder / "model", request.param)
    (folder / "in.fa").write_text(FASTA)
    words = ["predict", str(folder / "in.fa"), "--model", str(model), "-o", str(folder / "out")]
    assert main([*words, "--formats", "tsv,report"]) == 0
    return request.param, folder / "out" / "report.html"


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_page_opens_without_network_and_without_complaint(chromium, made, size):
    name, page = made
    heading, sections = MODELS[name]
    chromium.open(page, size)
    assert {url.split(":")[0] for url in chromium.requests()} <= {"file", "data"}
    assert chromium.complaints() == []
    assert tuple(chromium.texts("h2")) == sections
    assert any(heading in text for text in chromium.texts("#records th"))
    assert chromium.run("return document.documentElement.scrollWidth") <= size[0]
    assert chromium.run("return document.querySelectorAll('b').length") == 0


def test_search_finds_a_record_and_a_click_opens_its_drawing(chromium, made):
    name, page = made
    chromium.open(page)
    chromium.find("#records input").send_keys("<b>1")
    (row,) = chromium.driver.find_elements("css selector", "#records tbody tr")
    assert row.text.startswith(ODD)
    chromium.find("#records input").clear()
    chromium.run("document.querySelectorAll('details.record').forEach(each => { each.open = false })")
    chromium.run("document.querySelector('#records tbody tr').click()")
    drawn = chromium.driver.find_elements("css selector", "#record-0[open] svg")
    assert bool(drawn) == ("Structures" in MODELS[name][1] or "Contacts" in MODELS[name][1])
