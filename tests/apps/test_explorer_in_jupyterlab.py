"""The explorer where people first meet it: a notebook in JupyterLab, in a real browser, without a network."""

from pathlib import Path

import pytest

CODE = """\
import panel as pn
from twinlab.explore import HistoryView
from twinlab.testing import FakeTwin

pn.extension("tabulator", inline=True)
HistoryView(FakeTwin.example(days=20, trips=100))
"""
#: Whether an axis of a chart has a label.
HAS_AXIS = """label => Bokeh.documents.some(
    doc => [...doc._all_models.values()].some(model => model.axis_label === label))"""
#: Addresses of the style sheets of the page and of all shadow roots in it.
SHEETS = """() => {
    const found = []
    const walk = root => {
        for (const one of root.querySelectorAll("link[rel=stylesheet]")) found.push(one.href)
        for (const one of root.querySelectorAll("*")) if (one.shadowRoot != null) walk(one.shadowRoot)
    }
    walk(document)
    return found
}"""


@pytest.fixture
def folder(tmp_path: Path, write_notebook) -> Path:
    root = tmp_path / "work"
    root.mkdir()
    write_notebook(root / "look.ipynb", CODE)
    return root


@pytest.mark.browser
def test_in_jupyterlab_another_signal_is_drawn_without_a_network(desk) -> None:
    page = desk.page
    desk.run("look.ipynb", page.get_by_role("heading", name="Air temperature · East quay"))
    page.get_by_text("all 100 events").wait_for()
    page.locator(".tabulator-row").first.wait_for()
    # Rows are told apart by a line, not by a grey that is white's alone.
    even = page.locator(".tabulator-row-even").first
    assert even.evaluate("row => getComputedStyle(row).backgroundColor") == "rgba(0, 0, 0, 0)"
    page.wait_for_function(HAS_AXIS, arg="air temperature (°C)")
    desk.choose("Signal", "wind speed")
    page.get_by_role("heading", name="Wind speed · East quay").wait_for()
    page.wait_for_function(HAS_AXIS, arg="wind speed (mph)")
    # A sheet that's only being asked for is found here too.
    assert [sheet for sheet in page.evaluate(SHEETS) if not sheet.startswith((desk.lab, "blob:"))] == []
    assert desk.outside == []
