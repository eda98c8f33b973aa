"""A historian that runs for days of simulated time, and what it needs at the end of each: ``python month.py FOLDER OPTIONS``.

Everything is what `twinlab run` does; only pauses are skipped. A JSON line a day goes to stdout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.twin.live.skipped_time import Loop, SkippedTime

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = 86_400
CLOCK = SkippedTime(int(START.timestamp()) * 10**9)
if __name__ == "__main__":
    CLOCK.install()

import numpy as np  # noqa: E402
import psutil  # noqa: E402
import pyarrow as pa  # noqa: E402

import twinlab as tl  # noqa: E402
from twinlab._files import disk_usage  # noqa: E402
from twinlab.history.write import maintenance  # noqa: E402
from twinlab.model.extensions.live_kind import LiveKind  # noqa: E402
from twinlab.model.extensions.options import Options  # noqa: E402
from twinlab.model.schema import OBSERVATIONS  # noqa: E402
from twinlab.sources.base import RowBatch  # noqa: E402
from twinlab.sources.live import Catalogue, Gap, Health, HealthMeter, LiveBatch, LiveContext  # noqa: E402
from twinlab.sources.live.registry import LIVE_KINDS  # noqa: E402
from twinlab.twin.live import process  # noqa: E402
from twinlab.twin.live.appender import Appended, LiveAppender  # noqa: E402

MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.01, cadence: 10s, sensor_span: [-40, 60], expected_span: [-5, 15], flat_line: 6h, gap: 5min}
      door: {kind: state, states: {0: closed, 1: open}, cadence: 10s, gap: 5min}
  scale:
    signals:
      load: {unit: kg, resolution: 0.1, cadence: 10s, sensor_span: [0, 3000]}
events:
  warm: {on: room, when: temperature > 8 degC, lasting: 2min, gap: 10min}
  open: {on: room, when: door == open}
"""
STREAM = r"""
source: {name}
stream:
  tags:
    '/^(?P<id>\w+)[.]t$/': {{signal: temperature, asset: 'room/{{id}}', unit: degC}}
    '/^(?P<id>\w+)[.]d$/': {{signal: door, asset: 'room/{{id}}', states: {{"0": closed, "1": open}}}}
live: {{kind: made, rows: {rows}, days: {days}}}
"""
TABLE = """
source: {name}
tables:
  - table: weighed
    time: {{column: time, zone: UTC}}
    asset: {{type: scale, column: scale}}
    columns: {{load: {{signal: load, unit: kg}}}}
live: {{kind: made, rows: {rows}, days: {days}, table: true}}
"""
#: Of each source: rooms with two tags, or scales.
ASSETS = 5


class MadeOptions(Options):
    """Options of rows that are made."""

    rows: int
    """Rows of a batch; a row is of each second."""
    days: float
    table: bool = False


class Made:
    """A live source of one row a second: a day's curve with noise, a row in a thousand late by half an hour, a gap at each noon."""

    def __init__(self, options: MadeOptions, context: LiveContext) -> None:
        self.name, self._options = context.name, options
        self._done = int(context.offsets.get("", 0))  # type: ignore[call-overload]
        self._meter = HealthMeter()

    async def catalogue(self) -> Catalogue:
        return Catalogue()

    async def batches(self) -> AsyncIterator[LiveBatch]:
        self._meter.connected()
        began = START.timestamp()
        for first in range(self._done, int(self._options.days * DAY), self._options.rows):
            numbers = np.arange(first, first + self._options.rows)
            await asyncio.sleep(max(0.0, began + int(numbers[-1]) + 1 - time.time()))
            at_noon = bool((numbers % DAY == DAY // 2).any())
            gaps = (Gap("", "shed", start_ns=time.time_ns() - 10**9, stop_ns=time.time_ns()),) if at_noon else ()
            self._meter.received(len(numbers))
            yield LiveBatch((self._part(numbers),), offsets={"": int(numbers[-1]) + 1}, gaps=gaps)
        self._meter.ended()

    def _part(self, numbers: np.ndarray) -> pa.RecordBatch | RowBatch:
        random = np.random.default_rng(int(numbers[0]))
        times = (int(START.timestamp()) + numbers) * 10**9
        times = times - np.where(random.random(len(numbers)) < 0.001, 1800 * 10**9, 0)
        of = numbers // 2 % ASSETS
        curve = np.round(5 + 4 * np.sin(2 * np.pi * numbers / DAY) + random.normal(0, 0.3, len(numbers)), 2)
        if self._options.table:
            columns = {
                "time": pa.array(times, pa.timestamp("ns")),
                "scale": pa.array([f"{self.name}{n}" for n in of]),
                "load": pa.array(curve * 100),
            }
            return RowBatch("weighed", pa.RecordBatch.from_pydict(columns), numbers)
        is_door = numbers % 2 == 1
        names = [f"{self.name}{n}.{kind}" for n in range(ASSETS) for kind in "td"]
        tags = pa.DictionaryArray.from_arrays(pa.array((of * 2 + is_door).astype(np.int32)), names)
        values = np.where(is_door, (numbers // 600 % 7 == 0) * 1.0, curve)
        columns = {
            "tag": tags,
            "source_time": pa.array(times),
            "time_basis": pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(numbers), dtype=np.int8)), ["utc"]),
            "epoch": pa.array(np.full(len(numbers), 7)),
            "sequence": pa.array(numbers + 1),
            "value": pa.array(values),
        }
        schema = pa.schema([OBSERVATIONS.field(name) for name in columns])
        return pa.RecordBatch.from_arrays([columns[n].cast(OBSERVATIONS.field(n).type) for n in columns], schema=schema)

    async def acknowledge(self, batch: LiveBatch) -> None: ...

    async def fill(self, gap: Gap) -> bool:
        return False

    @property
    def health(self) -> Health:
        return self._meter.health()


MADE = LiveKind("made", Made, MadeOptions)


@dataclass
class Day:
    """What a historian needed at the end of a day, and during it."""

    day: float
    rows: int = 0
    rss_mib: float = 0.0
    files: dict[str, int] = field(default_factory=dict)
    """Folder of the twin -> files in it."""
    bytes: dict[str, int] = field(default_factory=dict)
    appends: int = 0
    durable_p50_s: float = 0.0
    """Seconds from the receipt of a row until it is durable, which is when readers have it."""
    durable_p99_s: float = 0.0
    durable_max_s: float = 0.0
    publications: int = 0
    publication_p50_s: float = 0.0
    publication_max_s: float = 0.0
    publication_cpu_s: float = 0.0
    """CPU of the publishing thread, mean."""
    open_s: float = 0.0
    """Until another process has opened the twin and read the newest hour, CPU seconds."""
    open_mib: float = 0.0
    cpu_s: float = 0.0
    """CPU of the historian during the day."""


class Meter:
    """Measures a historian at the end of each day."""

    def __init__(self, folder: Path, every: float) -> None:
        self._folder, self._every = folder, every
        self._next = START.timestamp() + every
        self._durable: list[float] = []
        self._published: list[tuple[float, float]] = []
        self._rows = self._appends = 0
        self._process = psutil.Process()
        self._cpu = time.process_time()
        self._watch()

    def _watch(self) -> None:
        append, publish = LiveAppender.append, tl.Twin._publish_live

        def appended(appender: LiveAppender, batches: list[LiveBatch]) -> Appended:
            found = append(appender, batches)
            now = time.time_ns()
            self._durable += [(now - batch.received_ns) / 1e9 for batch in batches]
            self._rows += found.rows
            self._appends += 1
            return found

        def published(twin: tl.Twin) -> object:
            began = time.perf_counter(), time.thread_time()
            found = publish(twin)
            self._published.append((time.perf_counter() - began[0], time.thread_time() - began[1]))
            return found

        LiveAppender.append = appended  # type: ignore[method-assign]
        tl.Twin._publish_live = published  # type: ignore[method-assign,assignment]

    def start(self, loop: Loop) -> None:
        loop.call_later(1.0, self._look, loop)

    def _look(self, loop: Loop) -> None:
        if time.time() >= self._next and not loop.working:
            began = time.perf_counter()
            self._report()
            CLOCK.skip(began - time.perf_counter())
        loop.call_later(1.0, self._look, loop)

    def _report(self) -> None:
        day = Day((self._next - START.timestamp()) / DAY, self._rows, self._process.memory_info().rss / 2**20)
        self._next += self._every
        for folder in sorted(self._folders()):
            usage = disk_usage(self._folder / folder)
            day.files[folder], day.bytes[folder] = usage
        durable, wall = np.array(self._durable), np.array(self._published)
        if len(durable):
            day.durable_p50_s, day.durable_p99_s = (float(np.percentile(durable, q)) for q in (50, 99))
            day.durable_max_s = float(durable.max())
        if len(wall):
            day.publication_p50_s, day.publication_max_s = float(np.median(wall[:, 0])), float(wall[:, 0].max())
            day.publication_cpu_s = float(wall[:, 1].mean())
        day.appends, day.publications = self._appends, len(wall)
        now = time.process_time()
        day.cpu_s, self._cpu = now - self._cpu, now
        self._durable.clear()
        self._published.clear()
        self._appends = 0
        opened = subprocess.run(
            [sys.executable, __file__, str(self._folder), "--open"], capture_output=True, text=True, check=True
        )
        day.open_s, day.open_mib = json.loads(opened.stdout)
        sys.stdout.write(json.dumps({name: _short(value) for name, value in asdict(day).items()}) + "\n")
        sys.stdout.flush()

    def _folders(self) -> Iterator[str]:
        for path in self._folder.iterdir():
            if path.is_dir() and path.name not in {"ledger", "history"}:
                yield path.name
        for path in (self._folder / "ledger").iterdir():
            yield f"ledger/{path.name}"
        yield "history/seals"
        for path in (self._folder / "history" / "icechunk").iterdir():
            yield f"history/icechunk/{path.name}"


def _short(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value


def opened(folder: Path) -> tuple[float, float]:
    """Open a twin and read the newest hour; return CPU seconds, without those of imports and compilers, and MiB."""
    for _ in range(2):
        began = time.process_time()
        found = tl.open(folder).history("room")
        last = found.time.values[-1]
        assert found.temperature.sel(time=slice(last - np.timedelta64(1, "h"), None)).notnull().any().compute()
    return time.process_time() - began, psutil.Process().memory_info().rss / 2**20


def main() -> None:
    """Run, or open."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--open", action="store_true")
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--every", type=float, default=1.0, help="days between two reports")
    parser.add_argument("--rows", type=int, default=60, help="rows of a batch")
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--tables", type=int, default=1)
    given = parser.parse_args()
    LIVE_KINDS._built_in["made"] = "made:MADE"
    LIVE_KINDS._loaded["made"] = MADE
    if given.open:
        sys.stdout.write(json.dumps(opened(given.folder)))
        return
    folder: Path = given.folder
    if not (folder / "twin.yaml").exists():
        drafts = folder.parent / "drafts"
        drafts.mkdir(parents=True, exist_ok=True)
        (drafts / "twin.yaml").write_text(MODEL)
        maps = []
        for text, prefix, count in ((STREAM, "stream", given.streams), (TABLE, "table", given.tables)):
            for number in range(count):
                maps.append(drafts / f"{prefix}{number}.yaml")
                maps[-1].write_text(text.format(name=f"{prefix}{number}", rows=given.rows, days=given.days))
        tl.create(folder, model=drafts / "twin.yaml", mappings=maps)
    # Each second, it would take most of the time of all this.
    process._STATUS_EVERY = 60.0
    meter = Meter(folder, given.every * DAY)
    maintenance.cut_of = lambda age: datetime.fromtimestamp(CLOCK.real(time.time() - age.total_seconds()), UTC)

    def run(main: object) -> None:
        def made() -> Loop:
            loop = Loop(CLOCK)
            meter.start(loop)
            return loop

        with asyncio.Runner(loop_factory=made) as runner:
            runner.run(main)  # type: ignore[arg-type]

    process.asyncio.run = run  # type: ignore[attr-defined]
    tl.open(folder).run()


if __name__ == "__main__":
    main()
