"""Ten readers at once, each acting every two seconds: how long an action takes, and what a reader costs in memory.

Run with ``pytest tests/benchmarks/test_ten_users_bench.py -m benchmark -s``; nothing else should run beside it. Readers
speak Bokeh's protocol without a browser (`light_reader`): ten of them would otherwise measure Chromium. An action lasts
until the server's last word about it. ``TWINLAB_BENCH_SECONDS`` (60) is how long they act, ``TWINLAB_BENCH_WORKERS`` (2) how
many processes serve them, ``TWINLAB_BENCH_BROWSER=1`` puts a real browser beside them, ``TWINLAB_BENCH_OUT`` takes JSON. Figures are reported, never asserted; a lost session or
an error in the server's log fails.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import twinlab as tl
from twinlab.plant import ParcelSize

sys.path.insert(0, str(Path(__file__).parent))
from browser_watch import CHART, WATCH
from light_reader import LightReader, changed

pytestmark = pytest.mark.benchmark
READERS, EVERY = 10, 2.0
WORKERS = os.environ.get("TWINLAB_BENCH_WORKERS", "2")
SECONDS = float(os.environ.get("TWINLAB_BENCH_SECONDS", "60"))
#: After so long without a reader, Panel lets go of a session (it looks every 17 s for those unused for 15 s).
GONE = 45.0
PAGES = ("now", "map", "history", "events", "quality")
DAY_MS = 86_400_000.0
#: An action: what it is called, and what does it.
Act = tuple[str, Callable[[LightReader], Coroutine[Any, Any, float]]]


@dataclass
class Served:
    """The server's processes and their log."""

    url: str
    process: psutil.Process
    log: Path

    def processes(self) -> list[psutil.Process]:
        """The process that was started, and its workers."""
        return [self.process, *self.process.children()]

    def megabytes(self) -> float:
        """Memory that is the processes' own."""
        return sum(float(one.memory_full_info().uss) for one in self.processes()) / 1e6

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        return sum(float(sum(one.cpu_times()[:2])) for one in self.processes())


@dataclass
class Day:
    """What the readers of a twin choose from."""

    trucks: list[str]
    last: float
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    opened: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def acts(self, number: int) -> Iterator[Act]:
        """What one reader does, over and over: pages in turn, and on each what people do there."""
        dice = np.random.default_rng(number)

        async def zoom(reader: LightReader) -> float:
            width = DAY_MS * float(np.exp(dice.uniform(np.log(0.1), np.log(12))))
            start = self.last - 13 * DAY_MS + float(dice.uniform(0, 13 * DAY_MS - width))
            seen = await reader.find(name="zoomed")
            return await reader.act(changed(seen.id, "tags", [start, start + width]))

        def asset(reader: LightReader) -> Coroutine[Any, Any, float]:
            return reader.set("Assets", [str(dice.choice(self.trucks))])

        def step(reader: LightReader) -> Coroutine[Any, Any, float]:
            return reader.set("Time", int(dice.integers(1, 1300)))

        def events(name: str) -> Callable[[LightReader], Coroutine[Any, Any, float]]:
            return lambda reader: reader.set("Kind of event", name)

        def as_of(reader: LightReader) -> Coroutine[Any, Any, float]:
            when = np.datetime64(int(self.last - dice.uniform(0, 10) * DAY_MS), "ms")
            return reader.set("As of (UTC)", str(when)[:16].replace("T", " "))

        def shows(name: str) -> Callable[[LightReader], Coroutine[Any, Any, float]]:
            return lambda reader: reader.set("Show", name)

        def page(place: int) -> Act:
            return f"page {PAGES[place]}", lambda reader: reader.go(place)

        visits: tuple[tuple[Act, ...], ...] = (
            (page(0), ("as of another time", as_of), ("as of another time", as_of)),
            (page(1), *[("step of the map", step)] * 4),
            (page(2), *[("another asset", asset), ("zoom", zoom)] * 3),
            (page(3), ("filter", events("Truck trip")), ("filter", events("Parcel leg"))),
            (page(4), ("heat map", shows("values")), ("heat map", shows("quality flags"))),
        )
        first = number % len(visits)
        # The page that a reader opened is the last of the first lap.
        stood = {visits[first - 1][0][0]}
        for visit in itertools.cycle((*visits[first:], *visits[:first])):
            (name, go), *rest = visit
            yield (f"{name}, {'again' if name in stood else 'first visit'}", go)
            stood.add(name)
            yield from rest

    async def one(self, served: Served, number: int, stop: asyncio.Event, ready: asyncio.Barrier) -> None:
        """Be one reader."""
        reader = LightReader(f"{served.url}?page={PAGES[(number - 1) % len(PAGES)]}")
        # People don't come in one instant.
        await asyncio.sleep(1.5 * number)
        self.opened.append(await reader.open())
        await ready.wait()
        await ready.wait()
        await asyncio.sleep(EVERY * number / READERS)
        for name, act in self.acts(number):
            began = time.perf_counter()
            if stop.is_set():
                break
            try:
                self.took[name].append(await act(reader))
            except Exception as error:  # noqa: BLE001  (told at the end)
                self.failed.append(f"reader {number}, {name}: {type(error).__name__}: {error}")
            await asyncio.sleep(max(0.0, began + EVERY - time.perf_counter()))
        await ready.wait()
        await reader.close()


@pytest.fixture(scope="module")
def twin() -> tl.Twin:
    return tl.demo("parcel", size=ParcelSize.small())


@pytest.fixture(scope="module")
def served(twin: tl.Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The command as a person starts it, warmed, in a process of its own."""
    log = tmp_path_factory.mktemp("served") / "log"
    command = [sys.executable, "-m", "twinlab.cli", "serve", str(twin.folder), "--no-browser", "--warm"]
    command += ["--workers", WORKERS]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        assert process.stdout is not None
        url = next(found[0] for line in process.stdout if (found := re.findall(r"http://\S+/", line)))
        yield Served(url, psutil.Process(process.pid), log)
        process.terminate()


async def browsed(served: Served, stop: asyncio.Event) -> list[float]:
    """A real browser beside the others, which zooms by drawing boxes and back; milliseconds to the paint."""
    from playwright.async_api import async_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    took: list[float] = []
    async with async_playwright() as play:
        made = await play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = await made.new_page(viewport={"width": 1400, "height": 900})
        await page.goto(f"{served.url}?page=history&type=truck")
        await page.wait_for_function(f"() => ({CHART})() !== null", timeout=60_000)
        while not stop.is_set():
            await page.wait_for_timeout(1000)
            box = await page.evaluate(CHART)
            across, y = len(took) % 2, box["y"] + box["height"] / 2
            await page.evaluate(WATCH, ["pointerup"])
            await page.mouse.move(box["x"] + box["width"] * (0.3 + 0.3 * across), y)
            await page.mouse.down()
            await page.mouse.move(box["x"] + box["width"] * (0.7 - 0.1 * across), y + 3, steps=3)
            await page.mouse.up()
            got = await page.evaluate("() => window.measured")
            if got is not None:
                took.append(got["last"])
            if len(took) % 5 == 4:
                await page.goto(f"{served.url}?page=history&type=truck")
                await page.wait_for_function(f"() => ({CHART})() !== null", timeout=60_000)
        await made.close()
    return took


async def round_of(served: Served, day: Day, *, seconds: float, browser: bool) -> dict[str, float]:
    """Ten readers come, act and go; memory at each turn."""
    stop, ready = asyncio.Event(), asyncio.Barrier(READERS + 1)
    out = {"before_mb": served.megabytes()}
    readers = [asyncio.create_task(day.one(served, number, stop, ready)) for number in range(READERS)]
    await ready.wait()
    out["opened_mb"] = served.megabytes()
    beside = asyncio.create_task(browsed(served, stop)) if browser else None
    cpu, began = served.cpu(), time.perf_counter()
    await ready.wait()
    await asyncio.sleep(seconds)
    out["cores"] = (served.cpu() - cpu) / (time.perf_counter() - began)
    stop.set()
    if beside is not None:
        took = await beside
        out |= {"browser_median_ms": float(np.median(took)), "browser_p95_ms": float(np.percentile(took, 95))}
    await ready.wait()
    out["acted_mb"] = served.megabytes()
    await asyncio.gather(*readers)
    await asyncio.sleep(GONE)
    return out | {"gone_mb": served.megabytes()}


def told(row: str, figures: dict[str, float]) -> dict[str, object]:
    """One row, printed."""
    sys.stdout.write(f"\n{row}: {', '.join(f'{name} {value:.4g}' for name, value in figures.items())}")
    return {"row": row} | {name: round(value, 4) for name, value in figures.items()}


def spread(values: list[float]) -> dict[str, float]:
    """Number, median, 95th percentile and the slowest of some seconds, in milliseconds."""
    taken = np.array(values or [np.nan]) * 1e3
    return {
        "n": len(values), "median_ms": float(np.median(taken)), "p95_ms": float(np.percentile(taken, 95)),
        "slowest_ms": float(taken.max()),
    }  # fmt: skip


def test_ten_readers_at_once(served: Served, twin: tl.Twin) -> None:
    last = twin.history("truck", signals=["speed"]).time.values[-1].astype("datetime64[ms]").astype("int64")
    rows = []
    for turn in ("first ten", "next ten"):
        day = Day(list(twin.assets("truck").index), float(last))
        browser = turn == "first ten" and os.environ.get("TWINLAB_BENCH_BROWSER") == "1"
        memory = asyncio.run(round_of(served, day, seconds=SECONDS, browser=browser))
        memory["mb_a_reader"] = (max(memory["opened_mb"], memory["acted_mb"]) - memory["before_mb"]) / READERS
        every = [seconds for taken in day.took.values() for seconds in taken]
        rows.append(told(f"{turn}: every action (wanted: p95 <= 1 s)", spread(every) | {"load": os.getloadavg()[0]}))
        rows.append(told(f"{turn}: memory (wanted: <= 150 MB a reader)", memory))
        rows.append(told(f"{turn}: opening", spread(day.opened)))
        rows += [told(f"{turn}: {name}", spread(taken)) for name, taken in sorted(day.took.items())]
        sys.stdout.write("\n")
        if out := os.environ.get("TWINLAB_BENCH_OUT"):
            Path(out).write_text(json.dumps(rows, indent=1))
        assert day.failed == []
    said = served.log.read_text()
    assert not re.search(r"error|exception|traceback", said, re.IGNORECASE), said[-4000:]
