"""The events page of a whole year, 336,776 flights: what a step costs its reader, and how long others wait meanwhile.

Run with ``pytest tests/benchmarks/test_events_bench.py -m benchmark -s``; nothing else should run beside it. The twin
is the demo's (minutes to build; ``TWINLAB_CACHE`` says where it's kept); ``TWINLAB_BENCH_OUT`` takes JSON. Figures are
reported, never asserted.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import twinlab as tl
from twinlab.errors import TwinlabError

sys.path.insert(0, str(Path(__file__).parent))
from browser_watch import CHART, WATCH

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.benchmark
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
ROWS: list[dict[str, object]] = []
ROUNDS = int(os.environ.get("TWINLAB_BENCH_ROUNDS", "5"))
#: Whether a table's rows stand.
TABLE = """() => {
  const walk = node => (node.classList && node.classList.contains('tabulator-row')) ||
    (node.shadowRoot && walk(node.shadowRoot)) || [...(node.children || [])].some(walk);
  return walk(document.body);
}"""


class Neighbour(threading.Thread):
    """Another reader of the same server: asks for next to nothing, over and over, and keeps how long it waits."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self._over = f"{url}no-such-page", threading.Event()
        self.waits: list[float] = []

    def run(self) -> None:
        while not self._over.wait(0.02):
            began = time.perf_counter()
            try:
                urllib.request.urlopen(self._url, timeout=60).read()
            except urllib.error.HTTPError:
                self.waits.append(time.perf_counter() - began)

    def longest(self) -> float:
        """Stop asking, and return the longest wait in seconds."""
        self._over.set()
        self.join()
        return max(self.waits, default=0.0)


@pytest.fixture(scope="module")
def twin() -> tl.Twin:
    try:
        return tl.demo("nyc")
    except TwinlabError as error:
        pytest.skip(f"the year of flights can't be built here: {error}")


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
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


def say(row: str, need: str, steps: list[dict[str, float]]) -> None:
    """Report the medians of a row, and the longest wait of the neighbour."""
    entry: dict[str, object] = {"row": row, "need": need, "steps": len(steps)}
    for name in steps[0]:
        entry[name] = round(float(np.median([one[name] for one in steps])), 1)
    entry["neighbour_waited_most_ms"] = round(max(one["neighbour_waited_ms"] for one in steps), 1)
    entry["load"] = round(os.getloadavg()[0], 1)
    ROWS.append(entry)
    sys.stdout.write("\n" + "  ".join(f"{name}={value}" for name, value in entry.items()) + "\n")
    if out := os.environ.get("TWINLAB_BENCH_OUT"):
        Path(out).write_text(json.dumps(ROWS, indent=1))


def worked(process: psutil.Process) -> float:
    """The processor's seconds that the server has taken."""
    return sum(process.cpu_times()[:2])


def opened(browser: Any, server: tuple[str, psutil.Process], query: str) -> tuple[Any, dict[str, float]]:
    """A page whose table stands, and what that took."""
    url, process = server
    page = browser.new_page(viewport={"width": 1400, "height": 1300})
    neighbour, before, began = Neighbour(url), worked(process), time.perf_counter()
    neighbour.start()
    page.goto(url + query)
    page.wait_for_function(TABLE, timeout=120_000, polling=100)
    took = time.perf_counter() - began
    page.wait_for_timeout(2500)
    step = {"usable_ms": took * 1e3, "server_cpu_ms": (worked(process) - before) * 1e3}
    return page, step | {"neighbour_waited_ms": neighbour.longest() * 1e3}


def stepped(page: Any, server: tuple[str, psutil.Process], act: Callable[[], None], begun: str) -> dict[str, float]:
    """What an action took from its event to the paint, what the server worked, and how long a neighbour waited."""
    url, process = server
    neighbour, before = Neighbour(url), worked(process)
    neighbour.start()
    page.evaluate(WATCH, [begun])
    act()
    took = page.evaluate("() => window.measured")
    cpu = worked(process) - before
    figures = {"ms": took["last"] if took else float("nan"), "first_ms": took["first"] if took else float("nan")}
    return figures | {"server_cpu_ms": cpu * 1e3, "neighbour_waited_ms": neighbour.longest() * 1e3}


def test_events_of_a_whole_year(server: tuple[str, psutil.Process], browser: Any) -> None:
    openings = []
    for _ in range(3):
        page, step = opened(browser, server, "?page=events&part=recorded")
        openings.append(step)
        if len(openings) < 3:
            page.close()
    say("a neighbour's wait on an idle server", "for comparison", [stepped(page, server, lambda: None, "none")])
    say("events, a year: usable", "<= 5 s", openings)

    header = page.locator(".tabulator-col[tabulator-field=distance] input")

    def typed(text: str) -> Callable[[], None]:
        def act() -> None:
            header.fill("")
            header.type(text)

        return act

    def boxed(first: float, last: float) -> Callable[[], None]:
        def act() -> None:
            box = page.evaluate(CHART)
            y = box["y"] + 0.4 * box["height"]
            page.mouse.move(box["x"] + first * box["width"], y)
            page.mouse.down()
            page.mouse.move(box["x"] + last * box["width"], y + 4, steps=4)
            page.mouse.up()

        return act

    rows = {
        "a filter typed": ("<= 1 s", "input", [typed(str(200 + 100 * k)) for k in range(ROUNDS)]),
        "sorted": (
            "<= 1 s",
            "pointerdown",
            [lambda: page.locator(".tabulator-col[tabulator-field=end_delay] .tabulator-col-title").click()] * ROUNDS,
        ),
        "a page turned": (
            "<= 0.3 s",
            "pointerdown",
            [lambda: page.locator(".tabulator-page[data-page=next]").click()] * ROUNDS,
        ),
        "an event chosen": (
            "<= 0.3 s",
            "pointerdown",
            [lambda k=k: page.locator(".tabulator-row").nth(k).click() for k in range(ROUNDS)],
        ),
        "a span chosen": ("<= 1 s", "pointerup", [boxed(0.3 + 0.02 * k, 0.6) for k in range(ROUNDS)]),
        "filters cleared": (
            "<= 1 s",
            "pointerdown",
            [lambda: page.get_by_role("button", name="Clear filters").click()],
        ),
    }
    for row, (need, begun, acts) in rows.items():
        say(row, need, [stepped(page, server, act, begun) for act in acts])
    page.close()
