"""Values in a page are text, whatever they hold."""

import json

import pytest

from genoformer.report.markup import Markup, element, escape, join, json_block


def test_text_is_escaped_and_markup_is_not():
    assert escape('<b>"x" & y</b>') == "&lt;b&gt;&quot;x&quot; &amp; y&lt;/b&gt;"
    assert escape(Markup("<b>x</b>")) == "<b>x</b>"


def test_an_element_escapes_its_content_and_its_attributes():
    made = element("td", "a<b", 3, None, Markup("<i></i>"), title='"><script>', class_="x", data_row=1)
    assert made == '<td title="&quot;&gt;&lt;script&gt;" class="x" data-row="1">a&lt;b3<i></i></td>'


def test_attributes_without_a_value():
    assert element("input", disabled=True, hidden=False, id=None) == "<input disabled>"
    assert element("line", stroke_width=2) == '<line stroke-width="2"></line>'


def test_pieces_stand_one_after_the_other():
    assert join("<", None, Markup("<br>")) == "&lt;<br>"


def test_data_cannot_end_its_script():
    value = {"id": "</script><b>x</b> <!-- & "}
    block = json_block("data", value)
    inner = block.removeprefix('<script type="application/json" id="data">').removesuffix("</script>")
    assert not set("<>&") & set(inner)
    assert json.loads(inner) == value


def test_a_number_that_json_has_no_form_for_is_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        json_block("data", float("nan"))
