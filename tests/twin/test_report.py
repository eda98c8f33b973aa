"""Reports and summaries as HTML: names from files are shown as text, never as markup."""

from __future__ import annotations

import pytest

import twinlab as tl
from twinlab.sources import Problem
from twinlab.twin.report import IngestReport, SourceReport, UnknownTerm

MODEL = """
twin: pilot
title: "Fridges <b>and</b> doors"
asset_types:
  fridge:
    title: "Fridges & co"
    signals:
      temperature: {unit: degC, resolution: 0.1, definition: "measured 'inside' <top>"}
event_types:
  visit: {asset: fridge}
"""
MAPPING = """
source: fridges
files: ["*.csv"]
tables:
  - table: fridges
    time: {column: time, format: iso, zone: offset}
    asset: {type: fridge, column: fridge}
    columns: {temperature: {signal: temperature, unit: degC}}
"""


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tl.Twin:
    folder = tmp_path_factory.mktemp("fridges")
    (folder / "twin.yaml").write_text(MODEL, encoding="utf-8")
    (folder / "map.yaml").write_text(MAPPING, encoding="utf-8")
    rows = [f"2026-03-01T00:{minute:02d}Z,a,{4 + minute % 3}" for minute in range(0, 30, 2)]
    (folder / "fridges.csv").write_text("time,fridge,temperature\n" + "\n".join(rows) + "\n", encoding="utf-8")
    made = tl.create(folder / "pilot", model=folder / "twin.yaml", mappings=folder / "map.yaml")
    made.ingest(folder / "fridges.csv")
    return tl.open(folder / "pilot")


def test_a_summary_shows_titles_and_definitions_as_text(twin: tl.Twin) -> None:
    page = twin._repr_html_()
    assert type(page) is str
    assert "Fridges &lt;b&gt;and&lt;/b&gt; doors" in page
    assert "<b>Fridges &amp; co</b> <code>fridge</code>: 1 asset<" in page
    assert "title='measured &#39;inside&#39; &lt;top&gt;'" in page
    assert "<b>visit</b> <code>visit</code>: 0 events" in page


def test_a_summary_has_a_bar_of_flags_and_their_counts(twin: tl.Twin) -> None:
    page = twin._repr_html_()
    # 15 values, one every other minute: 14 cells between them are missing.
    assert "title='15 pass, 0 not_evaluated, 0 suspect, 0 fail, 14 missing'" in page
    assert f"width:{80 * 15 / 29:.1f}px;background:#009E73" in page
    assert "<td class=n>51.7%</td>" in page
    assert "coverage  52%  suspect 0  fail 0" in repr(twin)


def test_a_report_shows_what_files_contain_as_text() -> None:
    part = SourceReport(
        "<source>",
        "b & c.csv",
        rows_read=1234,
        problems=(Problem(3, None, "<script>", "not a 'number'"),),
        unknown=(UnknownTerm("q<", 3, "; did you mean 'x'?"),),
    )
    page = IngestReport((part,), seconds=1.0, notes=("note <1>",))._repr_html_()
    assert type(page) is str
    assert "<td>b &amp; c.csv</td><td>&lt;source&gt;</td>" in page
    assert '<td style="text-align:right">1,234</td>' in page
    assert "<summary>3 remarks</summary>" in page
    for text in ("&lt;script&gt;", "q&lt;", "note &lt;1&gt;"):
        assert text in page
    assert "<script>" not in page


def test_a_report_without_remarks_has_no_list() -> None:
    assert "remarks" not in IngestReport((SourceReport("a", "a.csv"),), seconds=1.0)._repr_html_()
