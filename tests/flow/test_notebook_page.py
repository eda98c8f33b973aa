"""The notebook that builds a page, served with `panel serve` and opened in Chromium."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.plant import ParcelSize

ROOT = Path(__file__).parents[2]
NOTEBOOK = "04_build_your_own_page"
#: The last line of a traceback; and what Tornado writes when a visitor leaves while they're being told something.
ERROR = re.compile(r"^[\w.]*(?:Error|Exception|Interrupt)\b", re.MULTILINE)
LEFT = {"tornado.websocket.WebSocketClosedError", "tornado.iostream.StreamClosedError"}
#: Milliseconds that a busy machine may take to run the notebook for a visitor.
SLOW = 120_000
#: Whether a curve of a chart with this label on its axis has more than so many points.
DRAWN = """([label, points]) => Bokeh.documents.some(doc => [...doc._all_models.values()].some(
    model => model.axis_label === label) && [...doc._all_models.values()].some(
    model => model.type === "ColumnDataSource" && model.get_length(true) > points))"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the page of a copy of the notebook, on the loopback address."""
    # Built in advance, or the first visitor waits for it.
    tl.demo("parcel", size=ParcelSize.small()).close()
    folder = tmp_path_factory.mktemp("page")
    shutil.copy(ROOT / "notebooks" / f"{NOTEBOOK}.ipynb", folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "panel", "serve", str(folder / f"{NOTEBOOK}.ipynb")]
    command += ["--address", "127.0.0.1", "--port", str(port), "--allow-websocket-origin", f"127.0.0.1:{port}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (
        (folder / "serve.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder) as server,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}/{NOTEBOOK}"
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
    told = (folder / "serve.log").read_text(encoding="utf-8")
    assert set(ERROR.findall(told)) <= LEFT, told


def wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + SLOW / 1000
    while time.monotonic() < ends and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/liveness", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail("panel serve didn't start")


@pytest.mark.browser
def test_the_page_of_the_notebook_is_served_and_a_widget_changes_its_chart(served: str, open_page) -> None:
    # A link: the state is in the URL, and invalid parts are reported.
    page = open_page(f"{served}?truck=T009&day=2026-13-45")
    page.set_default_timeout(SLOW)
    page.get_by_text("asks for something this page doesn't have").wait_for()
    page.goto(f"{served}?truck=T009")
    page.get_by_role("heading", name=re.compile("Speed, Fuel in the tank · T009")).wait_for()
    page.wait_for_function(DRAWN, arg=["Speed (km/h)", 50])
    page.locator(".tabulator-row").first.wait_for()
    page.get_by_role("combobox", name="Truck", exact=True).click()
    page.locator(".MuiMenuItem-root", has_text="T004").click()
    page.get_by_role("heading", name=re.compile("Speed, Fuel in the tank · T004")).wait_for()
    page.get_by_text("518 km").wait_for()
    page.locator(".tabulator-row", has_text="T004").first.wait_for()
    page.wait_for_url(re.compile("truck=T004"))
    assert page.get_by_role("heading", name=re.compile("T009")).count() == 0


@pytest.mark.browser
def test_on_a_phone_the_page_of_the_notebook_does_not_scroll_sideways(served: str, open_page) -> None:
    page = open_page(served, viewport={"width": 390, "height": 844}, is_mobile=True)
    page.set_default_timeout(SLOW)
    page.locator(".tabulator-row").first.wait_for()
    page.wait_for_function(DRAWN, arg=["distance (km a day)", 5])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # Nothing overflows: the map and the charts are as wide as the screen.
    page.wait_for_function("""() => {
        const rights = []
        const walk = root => {
            for (const one of root.querySelectorAll("*")) {
                if (one.tagName === "CANVAS") rights.push(one.getBoundingClientRect().right)
                if (one.shadowRoot) walk(one.shadowRoot)
            }
        }
        walk(document)
        return rights.length >= 4 && Math.max(...rights) <= 390
    }""")
