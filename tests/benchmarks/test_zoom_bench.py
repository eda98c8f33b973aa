"""A zoom step from the mouse to the paint: one truck's year a minute, and all trucks' as a heat map.

Run with ``TWINLAB_BENCH_DIR=DIR pytest tests/benchmarks/test_zoom_bench.py -m benchmark -s -n0``; `fleet_year` builds the twin
in DIR if it isn't there, and says its size. Nothing else should run beside it.
``TWINLAB_BENCH_STEPS=1`` tells every step, ``TWINLAB_BENCH_OUT`` takes JSON. Figures are reported, never asserted.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import fleet_year
from browser_watch import CAPTION, CHART, SPAN, WATCH

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.benchmark
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
ROWS: list[dict[str, object]] = []


@dataclass
class Watched:
    """A page with what its websocket brought and what the server's process worked meanwhile."""

    page: Any
    process: psutil.Process
    received: int = 0
    steps: list[dict[str, Any]] = field(default_factory=list)

    def listen(self, socket: Any) -> None:
        """Count what a websocket brings."""
        socket.on("framereceived", self._count)

    def _count(self, payload: str | bytes) -> None:
        self.received += len(payload)

    def step(self, act: Callable[[Any], None], *, begun: str) -> bool:
        """Act, and keep what it cost from the event named ``begun``; False if nothing came of it."""
        before, cpu = self.received, sum(self.process.cpu_times()[:2])
        self.page.evaluate(WATCH, [begun])
        act(self.page)
        took = self.page.evaluate("() => window.measured")
        if took is None:
            return False
        worked = sum(self.process.cpu_times()[:2]) - cpu
        got = {"ms": took["last"], "first_ms": took["first"], "server_cpu_ms": worked * 1e3}
        got |= {"kilobytes": (self.received - before) / 1e3, "hours": self.hours}
        self.steps.append(got)
        if os.environ.get("TWINLAB_BENCH_STEPS"):
            told = ", ".join(f"{name} {value:.4g}" for name, value in got.items())
            sys.stdout.write(f"\n  {begun}: {told} | {self.page.evaluate(CAPTION).partition(' · ')[0]}")
        return True

    @property
    def hours(self) -> float:
        """Span of the time axis."""
        return float(self.page.evaluate(SPAN))

    def report(self, row: str) -> None:
        """Say medians and 95th percentiles of all steps so far, and forget them."""
        parts = {name: np.array([one[name] for one in self.steps]) for name in self.steps[0]}
        entry: dict[str, object] = {"row": row, "need": "<= 400 ms median", "steps": len(self.steps)}
        figures = {"median_ms": np.median(parts["ms"]), "p95_ms": np.percentile(parts["ms"], 95)}
        figures |= {name: np.median(parts[name]) for name in ("first_ms", "server_cpu_ms", "kilobytes")}
        figures |= {"kilobytes_most": parts["kilobytes"].max(), "least_hours": parts["hours"].min()}
        entry |= {name: round(float(value), 2) for name, value in figures.items()} | {"load": os.getloadavg()[0]}
        ROWS.append(entry)
        sys.stdout.write("\n" + "  ".join(f"{name}={value}" for name, value in entry.items()) + "\n")
        if out := os.environ.get("TWINLAB_BENCH_OUT"):
            Path(out).write_text(json.dumps(ROWS, indent=1))
        self.steps.clear()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, psutil.Process]]:
    """The pages of the fleet, in a process of its own."""
    chosen = os.environ.get("TWINLAB_BENCH_DIR")
    root = Path(chosen) if chosen else tmp_path_factory.mktemp("bench")
    fleet = fleet_year.build(root / f"{fleet_year.TRUCKS}x{fleet_year.DAYS}")
    command = ["twinlab", "serve", str(fleet.twin), "--no-browser", "--warm"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
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


def opened(browser: Any, server: tuple[str, psutil.Process], query: str) -> Watched:
    """A page whose chart stands."""
    url, process = server
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    watched = Watched(page, process)
    page.on("websocket", watched.listen)
    page.goto(f"{url}?{query}")
    page.wait_for_function(f"() => ({CHART})() !== null", timeout=60_000)
    page.wait_for_timeout(3000)
    return watched


def take(page: Any, tool: str) -> None:
    """Take a tool of the first chart in hand; until it's taken, a wheel scrolls the page."""
    page.locator(f".bk-OnOffButton[title^='{tool}']").first.click()
    page.wait_for_timeout(300)


def wheel(delta: int, across: float) -> Callable[[Any], None]:
    """A notch of the wheel over a place of the chart."""

    def act(page: Any) -> None:
        box = page.evaluate(CHART)
        page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * 0.5)
        page.mouse.wheel(0, delta)

    return act


def drag(first: float, last: float) -> Callable[[Any], None]:
    """A drag from one place of the chart to another: the hand with one tool, a box with another."""

    def act(page: Any) -> None:
        box = page.evaluate(CHART)
        y = box["y"] + box["height"] * 0.5
        page.mouse.move(box["x"] + box["width"] * first, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * last, y + 3, steps=3)
        page.mouse.up()

    return act


def by_wheel(watched: Watched, *, least_hours: float) -> None:
    """Notch by notch from the whole year down to raw samples and out again."""
    take(watched.page, "Wheel Zoom")
    for delta in (-500, 500):
        for _ in range(30):
            if not watched.step(wheel(delta, 0.45), begun="wheel"):
                break
            if (delta < 0 and watched.hours < least_hours) or (delta > 0 and watched.hours > 22 * fleet_year.DAYS):
                break
    watched.page.locator(".bk-OnOffButton[title^='Wheel Zoom']").first.click()


def by_drag(watched: Watched) -> None:
    """Boxes of a third of what is shown down to raw samples, then along the axis by hand."""
    while watched.hours > 12 and watched.step(drag(0.4, 0.7), begun="pointerup"):
        pass
    take(watched.page, "Pan")
    for first, last in [(0.7, 0.4)] * 5 + [(0.4, 0.7)] * 5:
        watched.step(drag(first, last), begun="pointerup")


@pytest.mark.parametrize(
    ("name", "query", "least_hours"),
    [
        (
            "signal chart of one truck",
            f"page=history&type=truck&signal=temperature&asset={fleet_year.TRUCKS // 2}",
            3.0,
        ),
        (f"heat map of {fleet_year.TRUCKS:,} trucks", "page=history&type=truck&signal=temperature&layout=fleet", 3.0),
    ],
)
def test_zoom_steps(server, browser, name: str, query: str, least_hours: float) -> None:
    for how, act in (("wheel", lambda one: by_wheel(one, least_hours=least_hours)), ("drag", by_drag)):
        watched = opened(browser, server, query)
        act(watched)
        watched.report(f"{name}, {how}")
        watched.page.close()
