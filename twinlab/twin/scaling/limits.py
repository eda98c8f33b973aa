"""Which part of a growing twin breaks first: demands that grow with its size, against what there is of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from twinlab.twin.scaling.forecast import LOAD, Forecast

__all__ = ["LARGEST", "Limit", "limits_of"]

#: The largest factor that is searched.
LARGEST: Final = 1e6
#: Seconds within which a first chart is wanted; seconds of a day.
_CHART, _DAY = 1.5, 86_400.0
#: Bytes of manifests that a reader with an empty cache fetches and decodes in about a second.
_MANIFESTS = 64e6
#: Bytes that a server's heat map needs for an asset: 1,000 windows of four statistics of 8 bytes. And what libraries take.
_HEAT, _LIBRARIES = 1000 * 4 * 8, 0.4e9
#: Bytes of memory that a check needs for a cell; see `notebooks/reference/measured.md`, "Scaling".
CHECK_BYTES: Final = 1.5


@dataclass(frozen=True)
class Limit:
    """A part that can't grow for ever."""

    name: str
    unit: str
    capacity: float
    demand: Callable[[float], float]
    """Of a factor; it never falls."""
    assumption: str
    advice: str

    def breaks_at(self) -> float | None:
        """Return the factor from which on the demand is above the capacity: 1 if it is so today, None beyond `LARGEST`."""
        if self.demand(1.0) > self.capacity:
            return 1.0
        if self.demand(LARGEST) <= self.capacity:
            return None
        low, high = 1.0, LARGEST
        while high / low > 1.01:
            middle = (low * high) ** 0.5
            low, high = (low, middle) if self.demand(middle) > self.capacity else (middle, high)
        return high


def limits_of(forecast: Forecast) -> list[Limit]:
    """Return the limits of a twin on its machine, the one that breaks first at the front."""
    found = [*_writing(forecast), *_work(forecast), *_space(forecast), *_reading(forecast)]
    return sorted(found, key=lambda one: (one.breaks_at() or 2 * LARGEST, one.name))


def _writing(forecast: Forecast) -> list[Limit]:
    workload = forecast.workload
    return [
        Limit(
            "rows that one historian takes in and builds", "rows/s", LOAD / max(forecast.row_seconds(), 1e-12),
            lambda factor: workload.scaled(factor).rows_a_day / _DAY,
            f"one core at {LOAD:.0%} for appending and building; rows come evenly over the day",
            "split the source: each source has a writer of its own; then divide the twin by site, each with its historian",
        ),
        Limit(
            "publication within a cadence", "s", workload.shortest_cadence_s,
            lambda factor: forecast.publication(workload.scaled(factor)),
            "what arrives in the shortest cadence is published before the next cells begin",
            "publish less often (readers then see older rows), split the source, or give signals a longer cadence",
        ),
    ]  # fmt: skip


def _work(forecast: Forecast) -> list[Limit]:
    workload, cores = forecast.workload, forecast.machine.cores
    return [
        Limit(
            "a day's work within a day", "CPU s", _DAY * cores * LOAD,
            lambda factor: forecast.days_work(workload.scaled(factor))[0],
            f"{cores} cores at {LOAD:.0%}; work is shared among them without loss",
            "give heavy calls a Dask cluster (`client=`), and charts a machine of their own with a copy in an object store",
        ),
        Limit(
            "a rebuild of the year within a day", "CPU s", _DAY * cores * LOAD,
            lambda factor: forecast.seconds("rebuild", factor),
            f"{cores} cores at {LOAD:.0%}; a correction of a mapping replays the whole year",
            "rebuild on a Dask cluster: `twin.rebuild(client=client)`; or replay one source only: `twin.remap`",
        ),
    ]  # fmt: skip


def _space(forecast: Forecast) -> list[Limit]:
    machine, workload = forecast.machine, forecast.workload
    found = [
        Limit(
            "local disk after a year", "B", machine.disk, forecast.bytes, "nothing is removed; what is free now can be used",
            "`twin.plan_retention(budget)` keeps less of older cells; `twinlab push TWIN s3://…` and read it there",
        )
    ]  # fmt: skip
    if machine.memory:
        largest = max(workload.streams, key=lambda one: one.assets)
        found += [
            Limit(
                "memory for a heat map of all assets", "B", machine.memory / 2,
                lambda factor: _LIBRARIES + _HEAT * largest.assets * factor,
                f"1,000 windows of each {largest.asset_type}, 4 statistics of 8 bytes; half of the memory is for others (default)",
                "show groups of assets, or more memory in the server",
            ),
            Limit(
                "memory for a check of the year", "B", machine.memory / 2,
                lambda factor: _LIBRARIES + CHECK_BYTES * workload.scaled(factor).cells_a_day * 365,
                f"{CHECK_BYTES:g} bytes a cell, measured from 10 to 525 million cells (measured.md); half of the memory is for others (default)",
                "check a month at a time: `twin.check(start=…)`",
            ),
        ]  # fmt: skip
    return found


def _reading(forecast: Forecast) -> list[Limit]:
    workload = forecast.workload
    return [
        Limit(
            "first chart", "s", _CHART, lambda factor: forecast.seconds("chart", factor),
            f"CPU of one chart, nobody else asks; wanted in {_CHART} s (default)",
            "several processes that serve pages (`--workers`), and `--warm`",
        ),
        Limit(
            "manifests of the history", "B", _MANIFESTS,
            lambda factor: workload.scaled(factor).objects(365) * forecast.densities.manifest,
            "a reader with an empty cache reads all manifests of a year; 64 MB take about a second (default)",
            "divide the twin by site, or keep readers' caches",
        ),
    ]  # fmt: skip
