"""Bytes, requests, seconds, workers and money of a twin that is some times as large: pure functions of what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from twinlab.history.layout.rollup import STATISTICS
from twinlab.model.storage.price import MONTH_DAYS
from twinlab.simulate.cost.amounts import Amount
from twinlab.twin.scaling.costs import StepCost
from twinlab.twin.scaling.machine import Machine
from twinlab.twin.scaling.workload import YEAR_DAYS, Workload

__all__ = ["LOAD", "STEP_NAMES", "Densities", "Forecast", "times"]

Triple = tuple[float, float, float]

#: Share of a core or a day that is planned for: more leaves no time for what is late or repeated.
LOAD: Final = 0.7
#: Hours within which a rebuild of the year is to be done.
REBUILD_HOURS: Final = 8.0
#: Requests of a push beside those for new objects: marker, head, lists, manifests, snapshot, seal; and of opening a twin.
_OVERHEAD: Final = 8
#: Step -> its name in the table, and the days of data that it reads.
STEP_NAMES: Final[dict[str, tuple[str, float]]] = {
    "ingest": ("take in a day", 1),
    "rebuild": ("rebuild the year", YEAR_DAYS),
    "chart": ("first chart", YEAR_DAYS),
    "mean": ("the year's daily means", YEAR_DAYS),
    "scan": ("read all cells of the year", YEAR_DAYS),
    "check": ("check the year", YEAR_DAYS),
    "find": ("find in the year", YEAR_DAYS),
}


@dataclass(frozen=True)
class Densities:
    """Bytes of stored data."""

    ledger: float
    """Of a row of the ledger, copies of files included."""
    cells: float
    """Of a cell, with its flag."""
    rollups: float
    """Of the rollups of a cell."""
    manifest: float
    """Of manifests, for an object."""
    source: str
    """Where these were measured."""
    spread: float = 0.1
    """Half the width of the interval, as a share."""


@dataclass(frozen=True)
class Forecast:
    """What was measured of a twin, from which other sizes are computed."""

    workload: Workload
    costs: Mapping[str, StepCost]
    """Seconds of processor of each step; the keys of `STEP_NAMES`, and "publish"."""
    densities: Densities
    machine: Machine
    pilot: str
    """How costs were measured."""
    charts: int = 1000
    """Charts that people look at in a day."""

    def amounts(self, factor: float) -> dict[str, Amount]:
        """Return the figures of a twin with so many times the assets, after a year; all but money.

        Raises
        ------
        SchemaError
            If the factor isn't a number of at least 1.
        """
        work = self.workload.scaled(factor)
        return {**self._sizes(work), **self._requests(work), **self._seconds(work), **self._workers(work)}

    def bytes(self, factor: float) -> float:
        """Return all bytes after a year."""
        found = self._sizes(self.workload.scaled(factor))
        return sum(found[name].value for name in ("ledger", "history", "rollups"))

    def seconds(self, step: str, factor: float, *, days: float | None = None) -> float:
        """Return the seconds of processor of a step of a larger twin."""
        days = STEP_NAMES[step][1] if days is None else days
        return self.costs[step].predict(self.workload.scaled(factor).drivers(days))[0]

    def row_seconds(self) -> float:
        """Return the seconds of processor of one row from its arrival to the history."""
        cells = self.costs["rebuild"].terms.get("cells", 0.0)
        return self.costs["ingest"].terms.get("rows", 0.0) + cells / max(self.workload.rows_per_cell, 1e-9)

    def publication(self, work: Workload) -> float:
        """Return the seconds of processor of a publication of what arrives in the shortest cadence."""
        rows = work.rows_a_day * work.shortest_cadence_s / 86_400
        return self.costs["publish"].terms.get("once", 0.0) + rows * self.row_seconds()

    def days_work(self, work: Workload) -> Triple:
        """Return the seconds of processor of a day: rows taken in and built, published each cadence or minute, checked, found."""
        every = max(60.0, work.shortest_cadence_s)
        published = self.costs["publish"].terms.get("once", 0.0) * 86_400 / every
        steps = [self.costs[step].predict(work.drivers(1)) for step in ("ingest", "rebuild", "check", "find")]
        charts = [self.charts * one for one in self.costs["chart"].predict(work.drivers(YEAR_DAYS))]
        spread = self.costs["publish"].spread
        publications = (published, published * (1 - spread), published * (1 + spread))
        return tuple(sum(one[place] for one in [*steps, charts, publications]) for place in range(3))  # type: ignore[return-value]

    def _sizes(self, work: Workload) -> dict[str, Amount]:
        drivers, known = work.drivers(YEAR_DAYS), self.densities
        parts = {
            "ledger": drivers["rows"] * known.ledger, "history": drivers["cells"] * known.cells,
            "rollups": drivers["cells"] * known.rollups,
        }  # fmt: skip
        objects = work.objects(YEAR_DAYS)
        exact = "the model"
        out = {
            "assets": _exact(work.assets, "", exact),
            "rows a second": _exact(work.rows_a_day / 86_400, "", exact),
            "points a year": _exact(drivers["cells"], "", exact),
        }
        out |= {name: Amount(*_around(size, known.spread), "B", known.source) for name, size in parts.items()}
        out["manifests"] = Amount(*_around(objects * known.manifest, 0.5), "B", "layout; bytes an object: pilot")
        return out

    def _requests(self, work: Workload) -> dict[str, Amount]:
        layout = "layout of tiles and shards"
        objects = work.objects(YEAR_DAYS)
        return {
            "objects": _exact(objects, "", layout + ", at most"),
            "PUT a day": _exact(self.puts_a_day(work), "", layout + "; one push a day"),
            "GET for a first chart": _exact(self.gets_a_chart(), "", layout + "; an empty cache"),
            "GET for all cells": _exact(2 * work.objects(YEAR_DAYS), "", layout + "; an index and a run of tiles each"),
        }

    def puts_a_day(self, work: Workload) -> float:
        """Return the writing requests of a push a day."""
        return math.ceil(work.objects(YEAR_DAYS) / YEAR_DAYS) + _OVERHEAD

    def gets_a_chart(self) -> float:
        """Return the reading requests of a chart of one series over a year, with an empty cache: an index and two tiles of each statistic."""
        return _OVERHEAD + 3.0 * len(STATISTICS)

    def _seconds(self, work: Workload) -> dict[str, Amount]:
        out = {
            name: Amount(*self.costs[step].predict(work.drivers(days)), "s", "CPU; pilot")
            for step, (name, days) in STEP_NAMES.items()
        }
        spread = self.costs["publish"].spread
        out["publication"] = Amount(*_around(self.publication(work), spread), "s", "CPU, each cadence; pilot")
        out["a day's work"] = Amount(*self.days_work(work), "s", f"CPU; {self.charts:,} charts; pilot")
        return out

    def _workers(self, work: Workload) -> dict[str, Amount]:
        day = _cores(self.days_work(work), 86_400)
        rebuild = _cores(self.costs["rebuild"].predict(work.drivers(YEAR_DAYS)), 3600 * REBUILD_HOURS)
        return {
            "cores for a day's work": Amount(*day, "", f"CPU of a day at {LOAD:.0%} load"),
            "cores for a rebuild": Amount(*rebuild, "", f"the year in {REBUILD_HOURS:g} h at {LOAD:.0%} load"),
        }

    def core_seconds_a_month(self, work: Workload) -> Triple:
        """Return the seconds of processor in a month of everyday work, without rebuilds."""
        return times(self.days_work(work), MONTH_DAYS)


def times(values: Triple, factor: float) -> Triple:
    """Return a value and its bounds, multiplied."""
    return values[0] * factor, values[1] * factor, values[2] * factor


def _cores(seconds: Triple, within: float) -> Triple:
    """Return the cores that do some work within a time."""
    value, low, high = (max(1.0, math.ceil(one / within / LOAD)) for one in seconds)
    return value, low, high


def _around(value: float, spread: float) -> Triple:
    return value, value * (1 - spread), value * (1 + spread)


def _exact(value: float, unit: str, source: str) -> Amount:
    return Amount(value, value, value, unit, source)
