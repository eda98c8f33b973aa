"""What a page costs its reader: first answer, bytes, usable, a click, a step in time.

Run with ``pytest tests/benchmarks/test_page_bench.py -m benchmark -s``; nothing else should run beside it.
``TWINLAB_BENCH_PARCEL=full`` takes the whole parcel twin (minutes to build), else the small one;
``TWINLAB_BENCH_OUT`` takes JSON. Figures are reported, never asserted.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

import twinlab as tl
from twinlab.plant import ParcelSize

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.benchmark
HERE = Path(__file__).parent
FULL = os.environ.get("TWINLAB_BENCH_PARCEL") == "full"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
ROWS: list[dict[str, object]] = []

#: Measures from the first event of an action to two paints: of the last change to a chart's own models, and of the last
#: change at all that came of it (texts, address, copied code). Takes the names of the events that begin an action.
WATCH = """names => {
  const documents = Bokeh.documents.filter(Boolean);
  const drawn = new Set(['ColumnDataSource', 'Range1d', 'Line', 'Patch', 'Scatter', 'Quad', 'Text', 'MultiPolygons']);
  window.measured = new Promise(done => {
    let begun = null, chart = null, last = null, settled = null;
    const finish = () => {
      for (const one of documents) one.remove_on_change(changed);
      for (const name of names) window.removeEventListener(name, start, true);
      done(last === null ? null : {chart: chart === null ? null : chart - begun, last: last - begun});
    };
    const start = () => { if (begun === null) { begun = performance.now(); settled = setTimeout(finish, 5000); } };
    const changed = event => {
      if (begun === null) return;
      clearTimeout(settled);
      settled = setTimeout(finish, 700);
      const charted = drawn.has(event.model?.type);
      // Bokeh draws in the next frame; when the one after it begins, that frame has been painted.
      requestAnimationFrame(() => requestAnimationFrame(() => {
        last = performance.now();
        if (charted) chart = last;
      }));
    };
    for (const name of names) window.addEventListener(name, start, true);
    for (const one of documents) one.on_change(changed);
    window.begin = start;
  });
}"""
#: Sets a widget, found by its label, as a reader's click would.
SET = """([label, value]) => {
  for (const one of Bokeh.documents.filter(Boolean))
    for (const model of one._all_models.values())
      if (model.data && model.data.label === label) { window.begin(); model.data.setv({value}); return true; }
  return false;
}"""
CHART = """() => {
  const seen = [];
  const walk = node => {
    if (node.classList && node.classList.contains('bk-events')) seen.push(node.getBoundingClientRect());
    if (node.shadowRoot) walk(node.shadowRoot);
    for (const child of node.children || []) walk(child);
  };
  walk(document.body);
  const box = seen.find(r => r.width > 200 && r.height > 100 && r.top < innerHeight);
  return box ? {x: box.x, y: box.y, width: box.width, height: box.height} : null;
}"""


def say(row: str, need: str, **figures: float) -> None:
    """Report one row."""
    ROWS.append({"row": row, "need": need, **{k: round(v, 3) for k, v in figures.items()}})
    told = ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
    sys.stdout.write(f"\n{row}: {told}  (wanted: {need})\n")
    if out := os.environ.get("TWINLAB_BENCH_OUT"):
        Path(out).write_text(json.dumps(ROWS, indent=1))


def spread(seconds: list[float]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds."""
    values = np.array(seconds) * 1e3
    return {"median_ms": float(np.median(values)), "p95_ms": float(np.percentile(values, 95)), "steps": len(values)}


@pytest.fixture(scope="module")
def twin() -> tl.Twin:
    return tl.demo("parcel") if FULL else tl.demo("parcel", size=ParcelSize.small())


@pytest.fixture(scope="module")
def server(twin: tl.Twin) -> Iterator[tuple[str, psutil.Process]]:
    """The command as a person starts it, warmed, in a process of its own."""
    command = [sys.executable, "-m", "twinlab.cli", "serve", str(twin.folder), "--no-browser", "--warm"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        url = next(found[0] for line in process.stdout if (found := re.findall(r"http://\S+/", line)))
        yield url, psutil.Process(process.pid)
        process.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with sync_api.sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


def opened(browser, url: str, ready: str):
    """A page that stands, with the seconds that took and the bytes that came."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    sizes: list[int] = []
    outside: list[str] = []

    def count(response) -> None:
        if response.url.startswith(url[:17]):
            sizes.append(int(response.headers.get("content-length", 0)) or len(response.body()))
        elif not response.url.startswith(("data:", "blob:")):
            outside.append(response.url)

    page.on("response", count)
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_function(ready, timeout=60_000)
    return page, time.perf_counter() - began, sum(sizes), outside


#: A page stands when no placeholder is left and a chart or a table is there.
STANDS = f"() => ({CHART})() !== null"
TABLE = """() => {
  const walk = node => (node.classList && node.classList.contains('tabulator-row')) ||
    (node.shadowRoot && walk(node.shadowRoot)) || [...(node.children || [])].some(walk);
  return walk(document.body);
}"""


def test_first_answer_and_usable(server, browser) -> None:
    url, _ = server
    began = time.perf_counter()
    urllib.request.urlopen(url).read()
    say("first GET with --warm, s", "<= 1.5", seconds=time.perf_counter() - began)
    for name, ready in (("now", TABLE), ("map", STANDS), ("history", STANDS), ("events", TABLE), ("quality", TABLE)):
        page, seconds, size, outside = opened(browser, f"{url}?page={name}", ready)
        assert outside == []
        say(f"{name}: usable, s; bytes", "<= 5; <= 6 MB", seconds=seconds, megabytes=size / 1e6)
        page.close()


def told(page, name: str, acts: list, *, begins: tuple[str, ...] = ("wheel", "pointerdown", "keydown")) -> None:
    """Report what actions took, from each to the paint of the chart and to the paint of all else."""
    took = []
    for act in acts:
        page.evaluate(WATCH, list(begins))
        act()
        took.append(page.evaluate("() => window.measured"))
    for part, words in (("chart", "chart painted"), ("last", "everything painted")):
        seconds = [one[part] / 1e3 for one in took if one and one[part] is not None]
        if seconds:
            say(f"{name}, {words}", "<= 150 / 300 ms", **spread(seconds))


def test_a_click(server, browser, twin: tl.Twin) -> None:
    url, _ = server
    page, *_ = opened(browser, f"{url}?page=history&type=truck", STANDS)
    page.wait_for_timeout(3000)

    def put(label: str, value: object) -> None:
        assert page.evaluate(SET, [label, value])

    trucks = list(twin.assets("truck").index)
    # As the widget calls them.
    signals = [str(signal.title) for signal in twin.model.asset_types["truck"].signals.values()]
    told(page, "another asset", [partial(put, "Assets", [trucks[k % len(trucks)]]) for k in range(1, 21)])
    told(page, "flags on or off", [partial(put, "Flags", bool(k % 2)) for k in range(10)])
    told(page, "another signal", [partial(put, "Signals", [signals[k % len(signals)]]) for k in range(1, 11)])

    put("Signals", signals[:1])
    page.wait_for_timeout(2000)
    page.wait_for_function(STANDS)

    def zoom() -> None:
        """Drag over the middle of the chart."""
        box = page.evaluate(CHART)
        left, middle = box["x"] + 72, box["y"] + box["height"] / 2
        wide = box["width"] - 110
        page.mouse.move(left + 0.3 * wide, middle)
        page.mouse.down()
        page.mouse.move(left + 0.7 * wide, middle, steps=3)
        page.mouse.up()

    def press(name: str) -> None:
        page.get_by_role("button", name=name, exact=True).first.click()

    told(page, "a zoom step", [zoom] * 4, begins=("pointerup",))
    told(page, "a week on", [partial(press, "+ 1 week")] * 4)
    told(page, "back", [partial(press, "Back")] * 4)
    told(page, "all of it", [partial(press, "Show all")])
    page.close()


def test_a_step_of_the_map(server, browser, twin: tl.Twin) -> None:
    url, _ = server
    page, *_ = opened(browser, f"{url}?page=map", STANDS)
    page.wait_for_timeout(3000)

    def back() -> None:
        page.evaluate("() => window.begin()")
        page.get_by_role("button", name=re.compile("step back|back one|earlier|previous", re.IGNORECASE)).first.click()

    told(page, "map, a step in time", [back] * 20)
    page.close()
