"""A span of a run: its cells, and what of calendars, timetables and weather falls into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.simulate.kernel.horizon import departures, hours_of_week, server_changes
from twinlab.simulate.kernel.records import CLIMATE_CELL, NODE_CELL, TRACE, TRANSPORTER_CELL, Out

if TYPE_CHECKING:
    from twinlab.simulate.kernel.plan import Names
    from twinlab.simulate.network.network import Network

__all__ = ["SECOND", "Span", "nanoseconds", "span_of"]

SECOND: Final = np.timedelta64(1_000_000_000, "ns")
_WINDOW: Final = np.dtype([("start", "f8"), ("stop", "f8"), ("factor", "f8"), ("group", "i4")], align=True)
#: A timetable repeats after a week at the latest.
_AFTER: Final = np.timedelta64(9, "D")


def nanoseconds(instant: Any) -> Any:  # noqa: ANN401  (numpy's instants have a type for each unit)
    """Return an instant as datetime64[ns]."""
    return np.asarray(instant).astype("datetime64[ns]")[()]


@dataclass(frozen=True)
class Span:
    """A span. Times are seconds since the state's start, where they aren't instants."""

    start: float
    stop: float
    step: float
    times: npt.NDArray[np.datetime64]
    """Start of each cell."""
    widths: npt.NDArray[np.float64]
    first_quarter: float
    hours: npt.NDArray[np.int16]
    switches: tuple[npt.NDArray[np.float64], npt.NDArray[np.int32], npt.NDArray[np.int32]]
    """Changes of servers, and of transporters behind the nodes: when, where, to how many."""
    departures: tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]
    """Departures of timetables leg after leg, and where each leg begins."""
    windows: npt.NDArray[Any]

    def out(self, names: Names, *, batch: int, traced_rows: int = 0) -> Out:
        """Return empty arrays for what happens in the span."""
        cells, nodes, transporters = self.times.size, len(names.nodes), len(names.transporters)
        climates = len(names.climates)
        return Out(
            node=np.zeros(nodes, NODE_CELL),
            transporter=np.zeros(transporters, TRANSPORTER_CELL),
            climate=np.zeros(climates, CLIMATE_CELL),
            climate_cells=np.zeros((cells, climates), CLIMATE_CELL),
            node_cells=np.zeros((cells, nodes), NODE_CELL),
            transporter_cells=np.zeros((cells, transporters), TRANSPORTER_CELL),
            place=np.array([0, 0, 0, traced_rows > 0, batch], np.int64),
            edge=np.array([0.0, self.stop, self.step, self.first_quarter]),
            switch_time=self.switches[0],
            switch_node=self.switches[1],
            switch_servers=self.switches[2],
            hours=self.hours,
            work=np.zeros(nodes + 1, np.int32),
            departures=self.departures[0],
            departures_first=self.departures[1],
            windows=self.windows,
            trace=np.zeros(traced_rows, TRACE),
        )


def span_of(network: Network, names: Names, start: Any, now: Any, until: Any, step: Any) -> Span:  # noqa: ANN401, PLR0917
    """Return the span from ``now`` to ``until`` of a run that started at ``start``.

    Raises
    ------
    SchemaError
        If it has no length, or its cells have none.
    """
    start, now, stop, width = nanoseconds(start), nanoseconds(now), nanoseconds(until), np.timedelta64(step, "ns")
    if not (now < stop and width > np.timedelta64(0)):
        msg = f"expected `until` after the state's time {now} and a `step` above 0, got {until} and {step}"
        raise SchemaError(msg)
    times = np.arange(now, stop, width)
    first = nanoseconds(pd.Timestamp(now).floor("15min").to_datetime64())
    return Span(
        start=(now - start) / SECOND,
        stop=(stop - start) / SECOND,
        step=width / SECOND,
        times=times,
        widths=np.append(np.diff(times), stop - times[-1]) / SECOND,
        first_quarter=(first - start) / SECOND,
        hours=np.array([hours_of_week(zone, first, stop) for zone in names.profile_zones or ("UTC",)]),
        switches=_switches(network, start, now, stop),
        departures=_departures(network, names, start, now, stop + _AFTER),
        windows=_windows(network, start),
    )


def _switches(
    network: Network,
    start: np.datetime64,
    now: np.datetime64,
    stop: np.datetime64,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    times, nodes, servers = [np.empty(0)], [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    known: dict[str, tuple[Any, Any]] = {}
    used = [node.servers for node in network.nodes.values()]
    # Behind the nodes, the groups of transporters with a calendar.
    used += [group.calendar for group in network.transporters.values() if group.calendar is not None]
    for place, calendar in enumerate(used):
        if isinstance(calendar, str):
            if calendar not in known:
                known[calendar] = server_changes(network.calendars[calendar], now, stop)
            at, count = known[calendar]
            times.append((at - start) / SECOND)
            nodes.append(np.full(at.size, place, np.int32))
            servers.append(count)
    order = np.argsort(np.concatenate(times), kind="stable")
    return np.concatenate(times)[order], np.concatenate(nodes)[order], np.concatenate(servers)[order]


def _departures(
    network: Network,
    names: Names,
    start: np.datetime64,
    now: np.datetime64,
    stop: np.datetime64,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    found = []
    for group, origin, _ in names.legs:
        timetable = network.transporters[group].dispatch.timetable
        clocks = timetable.departures.get(origin, ()) if timetable else ()
        found.append(
            (departures(clocks, timetable.days, timetable.zone, now, stop) - start) / SECOND
            if timetable
            else np.empty(0)
        )
    first = np.cumsum([0, *(times.size for times in found)], dtype=np.int32)
    return np.concatenate([np.empty(0), *found]), first


def _windows(network: Network, start: Any) -> npt.NDArray[Any]:  # noqa: ANN401
    groups = {name: place for place, name in enumerate(network.transporters)}
    rows = []
    for weather in network.weather:
        low, high = weather.seconds(pd.Timestamp(start).to_pydatetime())
        concerned = [-1] if weather.transporters is None else [groups[name] for name in weather.transporters]
        rows += [(low, high, weather.travel_factor, group) for group in concerned]
    return np.array(rows, _WINDOW)
