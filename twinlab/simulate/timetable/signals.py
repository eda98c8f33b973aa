"""Signals and KPIs of a run of a timetable, in the schema of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.simulate.timetable.entities import Carried
from twinlab.simulate.timetable.names import Names

__all__ = ["ON_TIME", "Span", "results_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Part = tuple[int, tuple[Floats, Floats, Bools], Carried | None]

#: Less than this late is on time, seconds: what the US Department of Transportation calls so.
ON_TIME = 15 * 60.0


@dataclass(frozen=True)
class Span:
    """Span of the results in seconds since the start of the simulation, half-open."""

    begin: float
    stop: float
    step: float
    origin: np.datetime64
    """The start of the simulation."""

    @property
    def edges(self) -> Floats:
        """Edges of the cells; the last cell may be shorter."""
        count = int(np.ceil((self.stop - self.begin) / self.step - 1e-9))
        return np.append(self.begin + self.step * np.arange(count), self.stop)

    def inside(self, times: Floats) -> Bools:
        """Return which times are in the span."""
        return np.asarray((times >= self.begin) & (times < self.stop))

    def instant(self, seconds: float) -> np.datetime64:
        """Return seconds since the start as an instant."""
        return self.origin + np.timedelta64(round(seconds * 1e9), "ns")


_SIGNALS = {
    "departures": ("1", "Trips that left", "sum"),
    "arrivals": ("1", "Trips that arrived", "sum"),
    "departure_delay": ("min", "Mean delay of departures", "mean"),
    "arrival_delay": ("min", "Mean delay of arrivals", "mean"),
    "cancelled": ("1", "Planned departures that were cancelled", "sum"),
    "waiting": ("1", "Waiting at the hub", "point"),
    "incoming": ("1", "On the way to the hub", "point"),
}
_KPIS = {
    "departures_on_time": ("%", "Planned departures that left less than 15 min late", "higher"),
    "mean_departure_delay": ("min", "Mean delay of the planned departures", "lower"),
    "mean_arrival_delay": ("min", "Mean delay of the arrivals of planned departures", "lower"),
    "cancelled_share": ("%", "Planned departures that were cancelled", "lower"),
    "delivered": ("1", "Delivered", "higher"),
    "promises_kept": ("%", "Promised in the span and delivered by then", "higher"),
    "unplaced": ("1", "Without a connection within a week", "lower"),
}


def results_of(names: Names, state: xr.Dataset, span: Span, parts: Sequence[Part]) -> xr.Dataset:
    """Return signals of the hubs and KPIs of each replication."""
    hubs = state["hub"].to_numpy()
    origin, destination, begin, end = (
        state[f"trip_{name}"].to_numpy() for name in ("origin", "destination", "planned_start", "planned_end")
    )
    rows = [_one((origin, destination, begin, end), len(hubs), span, times, carried) for _, times, carried in parts]
    data: dict[str, object] = {}
    for name in rows[0][0]:
        units, title, how = _SIGNALS[name]
        attrs = {
            "asset_type": names.hub,
            "signal": name,
            "units": units,
            "long_name": title,
            "cell_methods": f"time: {how}",
        }
        data[f"{names.hub}_{name}"] = (
            ("replication", "time", names.hub),
            np.stack([row[0][name] for row in rows]),
            attrs,
        )
    for name in rows[0][1]:
        units, title, better = _KPIS[name]
        attrs = {"units": units, "long_name": title, "better": better}
        data[name] = ("replication", np.array([row[1][name] for row in rows]), attrs)
    times = np.array([span.instant(edge) for edge in span.edges[:-1].tolist()], dtype="M8[ns]")
    return xr.Dataset(
        data,
        coords={"replication": np.array([part[0] for part in parts], dtype=np.int64), "time": times, names.hub: hubs},
    )


def _one(
    plan: tuple[Ints, Ints, Floats, Floats],
    hubs: int,
    span: Span,
    times: tuple[Floats, Floats, Bools],
    carried: Carried | None,
) -> tuple[dict[str, Floats], dict[str, float]]:
    """Return signals and KPIs of one replication; ``plan`` is origin, destination, planned start and end of each trip."""
    start, end, cancelled = times
    origin, destination, *planned = plan
    late, later = (start - planned[0]) / 60, (end - planned[1]) / 60
    signals = {
        "departures": _counts(start, origin, hubs, span),
        "arrivals": _counts(end, destination, hubs, span),
        "departure_delay": _means(start, origin, late, hubs, span),
        "arrival_delay": _means(end, destination, later, hubs, span),
        "cancelled": _counts(np.where(cancelled, planned[0], np.nan), origin, hubs, span),
    }
    meant = span.inside(planned[0])
    kpis = {
        "departures_on_time": _share(~cancelled[meant] & (late[meant] * 60 < ON_TIME)),
        "mean_departure_delay": _mean(late[meant]),
        "mean_arrival_delay": _mean(later[meant]),
        "cancelled_share": _share(cancelled[meant]),
    }
    if carried is not None:
        signals |= _levels((origin, destination), times, carried, hubs, span)
        due = span.inside(carried.promised)
        in_time = carried.delivered[due] <= carried.promised[due]
        kpis["delivered"] = float(np.count_nonzero(span.inside(carried.delivered)))
        kpis["promises_kept"] = _share(in_time)
        kpis["unplaced"] = float(carried.unplaced)
    return signals, kpis


def _levels(
    place: tuple[Ints, ...], times: tuple[Floats, Floats, Bools], carried: Carried, hubs: int, span: Span
) -> dict[str, Floats]:
    """Return how many entities are at each hub, and on the way to it, at the beginning of each cell."""
    origin, destination = place
    leaves, arrives = times[0][carried.leg_trip], times[1][carried.leg_trip]
    away = _until(leaves, origin[carried.leg_trip], hubs, span)
    on_the_way = _until(leaves, destination[carried.leg_trip], hubs, span) - _until(
        arrives, destination[carried.leg_trip], hubs, span
    )
    came = _until(carried.registered, carried.origin, hubs, span)
    over = _until(arrives, destination[carried.leg_trip], hubs, span)
    goal = np.maximum(carried.destination, 0)
    gone = _until(np.where(carried.destination >= 0, carried.delivered, np.nan), goal, hubs, span)
    return {"waiting": came + over - away - gone, "incoming": on_the_way}


def _until(times: Floats, hub: Ints, hubs: int, span: Span) -> Floats:
    """Return the number of times at or before the beginning of each cell, shape ``(cell, hub)``."""
    edges = span.edges[:-1]
    known = ~np.isnan(times)
    cell = np.searchsorted(edges, times[known], side="left")
    counts = np.bincount(cell * hubs + hub[known], minlength=(len(edges) + 1) * hubs)[: len(edges) * hubs]
    return counts.reshape(len(edges), hubs).cumsum(axis=0).astype(np.float64)


def _counts(times: Floats, hub: Ints, hubs: int, span: Span) -> Floats:
    return _sums(times, hub, np.ones(len(times)), hubs, span)


def _sums(times: Floats, hub: Ints, weights: Floats, hubs: int, span: Span) -> Floats:
    edges = span.edges
    known = span.inside(times) & ~np.isnan(weights)
    cell = np.searchsorted(edges, times[known], side="right") - 1
    size = (len(edges) - 1) * hubs
    sums = np.bincount(cell * hubs + hub[known], weights=weights[known], minlength=size)
    return np.asarray(sums.reshape(-1, hubs), dtype=np.float64)


def _means(times: Floats, hub: Ints, values: Floats, hubs: int, span: Span) -> Floats:
    many = _counts(np.where(np.isnan(values), np.nan, times), hub, hubs, span)
    return np.where(many > 0, _sums(times, hub, values, hubs, span) / np.maximum(many, 1), np.nan)


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _share(which: Bools) -> float:
    return float(100 * which.mean()) if len(which) else float("nan")
