"""The Quality page in Chromium: zoom the heat map, click a bad cell, and its samples appear."""

import panel as pn
import panel_material_ui as pmui
import pytest

from twinlab.explore.link import Link
from twinlab.explore.quality_view import QualityView
from twinlab.testing import FakeTwin

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    # Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame"),
    # Bokeh's browser half may send a model that the server has made known meanwhile; the server keeps its own.
    pytest.mark.filterwarnings("ignore:reference already known"),
]

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
INSIDE = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")
#: Places a chart in shadow roots: the first element that takes its mouse events.
BOX = """() => {
  const all = (node, out) => {
    if (node.classList && node.classList.contains('bk-events')) out.push(node);
    if (node.shadowRoot) all(node.shadowRoot, out);
    for (const child of node.children || []) all(child, out);
    return out;
  };
  const found = all(document.body, []);
  if (!found.length) return null;
  const r = found[0].getBoundingClientRect();
  return r.width > 0 ? {x: r.x, y: r.y, width: r.width, height: r.height} : null;
}"""


@pytest.fixture(scope="module")
def served():
    views = []

    def page():
        link = Link(asset_type="station", signals=("wind_speed",))
        views.append(QualityView(FakeTwin.example(days=60, trips=20), link=link))
        return pmui.Page(title="Quality", main=[views[-1]])

    pn.extension("tabulator")
    server = pn.serve(page, port=0, address="127.0.0.1", show=False, threaded=False, start=False)
    thread = pn.io.server.StoppableThread(target=server.io_loop.start, io_loop=server.io_loop)
    server.start()
    thread.start()
    yield f"http://127.0.0.1:{server.port}", views
    thread.stop()
    thread.join(timeout=10)


def test_a_zoom_reads_closer_and_a_click_brings_the_samples(served, chromium):
    url, views = served
    outside, complaints = [], []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=ARGS, headless=True)
        page = browser.new_page(viewport={"width": 1300, "height": 1200})
        page.set_default_timeout(60_000)
        page.on("request", lambda r: None if r.url.startswith(INSIDE) else outside.append(r.url))
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.goto(url)
        page.get_by_text("4 h rollup").wait_for()
        page.wait_for_load_state("networkidle")
        box = page.wait_for_function(BOX).json_value()
        view = views[-1]
        # Beside the axis' labels and the tools; the failed sample lies at seven tenths of the span, in the first row.
        left, wide = box["x"] + 125, box["width"] - 160
        y = box["y"] + 20
        page.mouse.move(left + 0.6 * wide, y)
        page.mouse.down()
        page.mouse.move(left + 0.8 * wide, y + 30, steps=4)
        page.mouse.up()
        page.get_by_text("hourly rollup").wait_for()
        start, stop = view.heat.shown
        bad = next(i for i, flag in enumerate(view.heat.rows.worst[0]) if flag == 4)
        at = (view.heat.rows.cells.time[bad] + view.heat.rows.cells.width // 2 - start) / (stop - start)
        page.mouse.click(left + float(at) * wide, y)
        page.get_by_text("Samples of the cell you chose").wait_for()
        page.get_by_text("raw samples, 1 min").wait_for()
        browser.close()
    assert view.heat.picked[0] == "EAST"
    assert not outside
    assert not complaints
