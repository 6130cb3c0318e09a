"""What the browser of a page is given, and how igv.js is taken."""

import base64
import gzip
import io
import json
import re
import tarfile

import numpy as np
import pytest

from genoformer.report import fetch_igv, genome_browser
from genoformer.report.genome_browser import (
    BrowsedGenes,
    BrowsedRecord,
    BrowsedTrack,
    browser_names,
    browser_part,
    browser_scripts,
    pack,
)
from genoformer.report.igv import HOW_TO_GET


def data_of(part):
    return json.loads(re.search(r'id="genome-data">(.*?)</script>', part)[1])


def test_ids_that_mean_something_to_the_browser_become_numbers():
    assert browser_names(["NC_000913.3", "gi|1|ref", "chr1:2-3", "<b>", "a b", "x" * 300]) == [
        "NC_000913.3", "gi|1|ref", "#3", "#4", "#5", "#6",
    ]  # fmt: skip


def test_packing_is_the_same_each_time_and_is_gzip():
    assert pack(b"abc" * 100) == pack(b"abc" * 100)
    assert gzip.decompress(base64.b64decode(pack(b"abc"))) == b"abc"


def test_bases_are_carried_only_if_all_records_have_them():
    whole, without = BrowsedRecord("a", np.zeros(8, np.uint8), 8), BrowsedRecord("b", None, 9)
    assert data_of(browser_part([whole], BrowsedGenes()))["sequence"]
    found = data_of(browser_part([whole, without], BrowsedGenes()))
    assert found["sequence"] is None
    assert [record["length"] for record in found["records"]] == [8, 9]


def test_tracks_and_parts_are_told_by_record_and_gene():
    track = BrowsedTrack("start +", 1, {0: (5, np.array([0, 255], np.uint8))})
    genes = BrowsedGenes([0], [1], [8], [1], [None], ["g"], {0: [(1, 3), (5, 8)]})
    found = data_of(browser_part([BrowsedRecord("a", None, 9)], genes, [track]))
    assert found["genes"]["parts"] == {"0": [[1, 3], [5, 8]]} and found["genes"]["score"] == [None]
    (stored,) = found["tracks"]
    assert gzip.decompress(base64.b64decode(stored["values"]["0"]["data"])) == b"\x00\xff"
    assert stored["values"]["0"]["bin"] == 5


def test_without_igv_the_page_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(genome_browser, "igv_script", lambda: None)
    assert HOW_TO_GET in browser_part([], BrowsedGenes())
    assert len(browser_scripts()) == 2
    monkeypatch.setattr(genome_browser, "igv_script", lambda: "igv")
    assert HOW_TO_GET not in browser_part([], BrowsedGenes())
    assert browser_scripts()[0] == "igv"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package as npm has it, made up, and an empty place to unpack it to."""
    path = tmp_path / "igv.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (("package/dist/igv.min.js", b"script"), ("package/LICENSE", b"licence")):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    folder = tmp_path / "vendor"
    monkeypatch.setattr(fetch_igv, "FOLDER", folder)
    monkeypatch.setattr(fetch_igv, "SCRIPT", folder / "igv.min.js")
    monkeypatch.setattr(fetch_igv, "LICENSE", folder / "igv.LICENSE.txt")
    members = {"package/dist/igv.min.js": fetch_igv.SCRIPT, "package/LICENSE": fetch_igv.LICENSE}
    monkeypatch.setattr(fetch_igv, "MEMBERS", members)
    return path


def test_a_package_that_is_another_one_is_refused(package):
    with pytest.raises(OSError, match=f"SHA-256 {fetch_igv.sha256(package)}, expected {fetch_igv.PACKAGE_SHA256}"):
        fetch_igv.unpack(package)
    assert not fetch_igv.FOLDER.exists()


def test_the_package_is_unpacked_with_its_licence(package, monkeypatch):
    monkeypatch.setattr(fetch_igv, "PACKAGE_SHA256", fetch_igv.sha256(package))
    fetch_igv.unpack(package)
    assert (fetch_igv.SCRIPT.read_bytes(), fetch_igv.LICENSE.read_bytes()) == (b"script", b"licence")
    assert not fetch_igv.is_there()  # the script is not the one that is known
    monkeypatch.setattr(fetch_igv, "SCRIPT_SHA256", fetch_igv.sha256(fetch_igv.SCRIPT))
    assert fetch_igv.is_there()


def test_without_npm_there_is_a_message(package, monkeypatch, capsys):
    monkeypatch.setattr(fetch_igv.shutil, "which", lambda name: None)
    assert fetch_igv.main() == 1
    assert "npm is not installed" in capsys.readouterr().err
