"""The skeleton of pages: one file that asks no network for anything."""

import base64
import hashlib
import re

import pytest

from genoformer.report.markup import Markup
from genoformer.report.page import (
    Column,
    Section,
    code_block,
    data_table,
    facts,
    figures,
    folded,
    note,
    page_html,
    plain_table,
    write_page,
)


def test_a_page_has_its_parts_in_order_and_a_list_of_them():
    text = page_html("Genes of <x>", [Section("First", Markup("<p>1</p>"), "seen"), Section("Second", Markup(""))])
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<title>Genes of &lt;x&gt;</title>" in text and "<h1>Genes of &lt;x&gt;</h1>" in text
    assert '<a href="#part-1">First</a><a href="#part-2">Second</a>' in text
    assert '<section id="part-1"><h2>First</h2><p class="about">seen</p><p>1</p></section>' in text
    assert text.index('id="part-1"') < text.index('id="part-2"')


def test_a_page_names_no_other_place():
    text = page_html("x", [Section("y", data_table("t", [Column("a", ["b"])]))], scripts=["let a = 1;"])
    assert re.findall(r"(?:src|href)=\"(?!#|data:)[^\"]*\"|url\(|@import|https?://", text) == []


def test_a_page_runs_its_own_scripts_alone():
    script = "let x = 1;"
    text = page_html("x", [], scripts=[script])
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#x27;", "'")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert "unsafe-inline" not in policy.split(";")[1] and "http" not in policy
    assert f"<script>{script}</script>" in text


def test_short_tables_escape_and_set_numbers_to_the_right():
    assert '<td>&lt;i&gt;</td><td class="number">1,234</td>' in plain_table(["a", "b"], [["<i>", 1234]])


def test_small_parts_escape_what_they_are_given():
    parts = [
        facts({"<": ">"}),
        note("<", is_warning=True),
        folded("<", "<"),
        code_block("a<b"),
        figures((Markup("<svg></svg>"), "<")),
    ]
    for part in parts:
        assert "&lt;" in part
    assert facts({"genes": 3, "none": None}) == '<dl class="facts"><div><dd>3</dd><dt>genes</dt></div></dl>'


def test_long_tables_keep_their_values_as_data():
    table = data_table("genes", [Column("id", ["</script>", "b"]), Column("bp", [1, None], digits=0, about="length")])
    assert table.count("</script>") == 1
    assert '"title":"bp","digits":0,"about":"length","values":[1,null]' in table


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"found \[1, 2\]"):
        data_table("x", [Column("a", [1]), Column("b", [1, 2])])


def test_a_page_is_written_as_utf8(tmp_path):
    write_page(tmp_path / "p.html", "µ\n")
    assert (tmp_path / "p.html").read_bytes() == b"\xc2\xb5\n"
