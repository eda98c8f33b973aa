"""The timed pilot: small twins with the signals of a model, built and read on this machine."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from twinlab.history.layout.grid import DAY_NS
from twinlab.history.retention.storage_use import StorageUse, storage_use
from twinlab.history.store.chunk_reader import DirectBytes, read_seal
from twinlab.history.store.opening import existing_path, open_history
from twinlab.history.store.publish import MAIN, tip
from twinlab.ledger import Ledger
from twinlab.model.basics import parse_duration
from twinlab.twin.scaling.costs import Timing
from twinlab.twin.scaling.pilot_data import SOURCE, PilotSeries, batches, pilot_series, write_definitions
from twinlab.twin.scaling.workload import Stream, Workload

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.history import Historian
    from twinlab.model.twinmodel import TwinModel

__all__ = ["Pilot", "PilotSize", "PilotTwin", "run_pilot"]


@dataclass(frozen=True)
class PilotSize:
    """One of the small twins of a pilot."""

    assets: int
    """Of each type."""
    cells: int
    """Of all series, about."""
    check: bool = True
    """Whether it is checked, too: with many series that takes longest."""


#: Sizes: long and short, few and many assets, so that costs per run, per cell and per series can be separated; the smallest twice.
SIZES: Final = (
    PilotSize(2, 10_000), PilotSize(8, 150_000), PilotSize(128, 300_000, check=False), PilotSize(32, 400_000),
    PilotSize(8, 3_000_000), PilotSize(8, 150_000),
)  # fmt: skip
#: Twins that are measured at least, and seconds by the clock after which no other one is begun.
_LEAST: Final = 4
_SECONDS: Final = 60.0
_PUBLICATIONS: Final = 3
#: Points of a curve on a page, at most.
_CHART_WINDOWS: Final = 2000


@dataclass(frozen=True)
class Pilot:
    """What a pilot measured."""

    timings: tuple[Timing, ...]
    use: StorageUse
    """Bytes of the largest of its twins."""
    workload: Workload
    """Of the largest of its twins."""
    days: float
    """Its span of time."""
    manifest_bytes: float
    """Bytes of manifests for each object of the history."""
    seconds: float
    """Of the whole pilot, by the clock."""

    @property
    def text(self) -> str:
        """What was measured, in words."""
        cells = sorted({round(one.drivers["cells"]) for one in self.timings if one.step == "rebuild"})
        return f"pilot of {cells[0]:,} to {cells[-1]:,} cells, {self.seconds:.0f} s on this machine"


class PilotTwin(Protocol):
    """What a pilot does with its twins."""

    folder: Path

    def rebuild(self) -> object:
        """Build the history from the ledger."""

    def check(self) -> object:
        """Find what is wrong with the data."""

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps of rollups, finest first."""

    def find(self, expression: str, *, on: str | None = None) -> object:
        """Return the events in which a condition is true."""

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history of one asset type."""

    def _current_historian(self) -> Historian:
        """Return the historian."""


def run_pilot(model: TwinModel, kinds: list[str], open_twin: Callable[[Path], PilotTwin]) -> Pilot:
    """Build and read small twins with the signals of some asset types; nothing of the twin itself is read or changed.

    The first twin only loads libraries and compiles functions; it isn't counted.

    Parameters
    ----------
    model : TwinModel
    kinds : list of str
        Asset types with signals.
    open_twin : callable
        Opens the twin in a folder: `twinlab.open`.
    """
    began = time.perf_counter()
    timings: list[Timing] = []
    largest: tuple[StorageUse, Workload, float, float] | None = None
    for number, size in enumerate(SIZES):
        if number >= _LEAST and time.perf_counter() - began > _SECONDS:
            break
        with (
            tempfile.TemporaryDirectory(prefix="twinlab-plan-", ignore_cleanup_errors=True) as folder,
            redirect_stderr(StringIO()),
        ):
            run = _Run(model, kinds, size, Path(folder), open_twin, seed=number)
            run.measure()
            if number == 0:
                continue
            timings += run.timings
            if largest is None or run.cells > largest[1].cells_a_day * largest[2]:
                largest = *run.stored(), run.days, run.manifest_bytes()
    assert largest is not None
    use, workload, days, manifests = largest
    return Pilot(tuple(timings), use, workload, days, manifests, time.perf_counter() - began)


class _Run:
    """One small twin."""

    def __init__(
        self,
        model: TwinModel,
        kinds: list[str],
        size: PilotSize,
        folder: Path,
        open_twin: Callable[[Path], PilotTwin],
        *,
        seed: int,
    ) -> None:
        self.series: list[PilotSeries] = pilot_series(model, dict.fromkeys(kinds, size.assets))
        self._seed, self._check = seed, size.check
        a_second = sum(one.assets / one.signal.cadence_ns for one in self.series)
        longest = max(one.signal.cadence_ns for one in self.series)
        self.span_ns = max(8, round(size.cells / a_second / longest)) * longest
        self.cells = a_second * self.span_ns
        self.days = self.span_ns / DAY_NS
        by_stream: dict[tuple[str, int], int] = {}
        for one in self.series:
            key = one.asset_type, one.signal.cadence_ns
            by_stream[key] = by_stream.get(key, 0) + 1
        self.workload = Workload(tuple(Stream(*key, signals, size.assets) for key, signals in by_stream.items()))
        write_definitions(model, kinds, folder)
        self._open: Callable[[], PilotTwin] = lambda: open_twin(folder)
        self.twin = self._open()
        self.timings: list[Timing] = []

    def measure(self) -> None:
        """Take rows in, publish, and read as people do."""
        rows = self._ingest()
        drivers = {**self.workload.drivers(self.days), "rows": float(rows)}
        self._time("rebuild", drivers, self.twin.rebuild)
        self._read(drivers)
        if self._check:
            self._time("check", drivers, lambda: self._open().check())
        self._publish(rows)

    def stored(self) -> tuple[StorageUse, Workload]:
        """Return the bytes of the twin, and its workload."""
        folder = self.twin.folder
        return storage_use(folder, open_history(folder / "history")), self.workload

    def manifest_bytes(self) -> float:
        """Return the bytes of a manifest for each object that it lists."""
        repository = existing_path(self.twin.folder / "history")
        snapshot = tip(repository, MAIN)
        manifests = [name for name in read_seal(repository, snapshot) if name != snapshot]
        size = sum((repository / "manifests" / name).stat().st_size for name in manifests)
        return size / max(1, len(DirectBytes(repository, snapshot).metadata.chunk_objects()))

    def _ingest(self) -> int:
        cpu = wall = rows = 0.0
        with Ledger(self.twin.folder / "ledger").writer(SOURCE) as writer:
            for batch in batches(self.series, first_ns=0, last_ns=self.span_ns, seed=self._seed, sequence=0):
                before = time.process_time(), time.perf_counter()
                writer.append_observations(batch)
                cpu, wall = cpu + time.process_time() - before[0], wall + time.perf_counter() - before[1]
                rows += batch.num_rows
        self.timings.append(Timing("ingest", {"rows": rows}, cpu, wall))
        return int(rows)

    def _read(self, drivers: dict[str, float]) -> None:
        one = next((s for s in self.series if s.signal.kind == "gauge"), self.series[0])
        kinds = list(dict.fromkeys(s.asset_type for s in self.series))
        limit = float(np.median(one.values(np.random.default_rng(self._seed), 64)))
        steps = self.twin.steps(one.asset_type, one.name)
        fitting = [step for step in steps if self.span_ns / parse_duration(step) <= _CHART_WINDOWS]
        step = fitting[0] if fitting else steps[-1] if steps else None
        what: dict[str, Any] = {"assets": ["0"], "signals": [one.name], "step": step}
        self._time("chart", drivers, lambda: self._open().history(one.asset_type, **what).load(), 8)
        self._time("mean", drivers, lambda: [self._open().history(kind, step="1d").load() for kind in kinds], 4)
        self._time("scan", drivers, lambda: [_scan(self._open(), s) for s in self.series], 2)
        self._time("find", drivers, lambda: self._open().find(_condition(one, limit), on=one.asset_type), 4)

    def _publish(self, rows: int) -> None:
        longest = max(one.signal.cadence_ns for one in self.series)
        writer, place = Ledger(self.twin.folder / "ledger").writer(SOURCE), self.span_ns
        with writer:
            for number in range(_PUBLICATIONS):
                new = 0
                stop = place + longest * 10**number
                for batch in batches(self.series, first_ns=place, last_ns=stop, seed=number, sequence=rows):
                    writer.append_observations(batch)
                    new += batch.num_rows
                self._time("publish", {"rows": float(new)}, self.twin._current_historian().catch_up)  # noqa: SLF001
                rows, place = rows + new, stop

    def _time(self, step: str, drivers: dict[str, float], act: Callable[[], object], times: int = 1) -> None:
        """Add a timing: of several times the least, since others' work only makes it longer."""
        every = []
        for _ in range(times):
            cpu, wall = time.process_time(), time.perf_counter()
            act()
            every.append((time.process_time() - cpu, time.perf_counter() - wall))
        self.timings.append(Timing(step, drivers, *min(every)))


def _scan(twin: PilotTwin, series: PilotSeries) -> object:
    """Read all cells of a signal."""
    return twin.history(series.asset_type, signals=[series.name])[series.name].max("time").compute()


def _condition(series: PilotSeries, limit: float) -> str:
    signal = series.signal
    if signal.kind == "state":
        return f"{series.name} == {next(iter((signal.states or {}).values()))}"
    unit = "" if signal.unit in ("1", "unknown") else f" {signal.unit}"
    return f"{series.name} > {limit:.6g}{unit}"
