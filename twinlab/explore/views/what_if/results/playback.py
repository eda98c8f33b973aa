"""One simulated future as the map plays it: values of the places by time, and the trips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab._html import html
from twinlab.explore.charts.outlines import mercator
from twinlab.explore.views.what_if.results.tables import titled

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window
    from twinlab.explore.views.what_if.places import Places
    from twinlab.simulate.timetable.names import Names

__all__ = ["Playback", "read_playback", "traced", "trip_columns"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Playback:
    """What the map shows of one future.

    Parameters
    ----------
    times : array of datetime64[ns]
        Start of each cell.
    stop : datetime64
        End of the last cell.
    values : array, (time, place)
        NaN where a place has no value.
    largest : float
        Largest value of all scenarios, which the sizes are relative to.
    title, units : str
        Of the values.
    trips : dict
        Columns of the layers ``trips`` and ``movers`` of the map.
    """

    times: npt.NDArray[np.datetime64]
    stop: np.datetime64
    values: Floats
    largest: float
    title: str
    units: str
    trips: dict[str, dict[str, Any]]

    @property
    def span(self) -> Window:
        """First and last instant."""
        return self.times[0], self.stop

    def at(self, instant: np.datetime64) -> Floats:
        """Return the value of each place in the cell of an instant."""
        cell = int(np.searchsorted(self.times, instant, side="right")) - 1
        found: Floats = self.values[min(max(cell, 0), len(self.times) - 1)]
        return found


def traced(results: Any, names: Names) -> dict[str, list[int]]:
    """Return the replications of each scenario whose trips are kept."""
    table = results.events(names.trip)
    if not len(table):
        return {}
    return {
        str(name): sorted(set(part["replication"].tolist())) for name, part in table.groupby("scenario", sort=False)
    }


def read_playback(
    results: Any, names: Names, places: Places, *, signal: str, scenario: str, replication: int
) -> Playback:
    """Read one future for the map.

    Parameters
    ----------
    results : TwinResults
    names : Names
        The twin's names of places and trips.
    places : Places
    signal : str
        Name in ``results.data`` of a signal of the places.
    scenario, replication
        Which future; its trips may be missing, its values not.
    """
    values = results.data[signal]
    one = values.sel(scenario=scenario, replication=replication).reindex({names.hub: list(places.names)})
    table = results.events(names.trip)
    if len(table):
        table = table[(table["scenario"] == scenario) & (table["replication"] == replication)]
    largest = float(np.nanmax(np.abs(values.to_numpy()), initial=0.0))
    return Playback(
        one["time"].to_numpy().astype("M8[ns]"), np.datetime64(results.about["until"]).astype("M8[ns]"),
        one.transpose("time", names.hub).to_numpy(), largest, titled(signal, values), str(values.attrs.get("units", "")),
        trip_columns(table, places),
    )  # fmt: skip


def trip_columns(trips: pd.DataFrame, places: Places) -> dict[str, dict[str, Any]]:
    """Return the columns of the trips that left, for the layers ``trips`` and ``movers`` of the map.

    Parameters
    ----------
    trips : DataFrame
        Events with ``asset, origin, destination, start, end, planned_start, planned_end``. A trip without an end arrives after
        the simulation; it takes as long as planned, but at least until then.
    places : Places
    """
    if not len(trips):
        return {"trips": {}, "movers": {}}
    x, y = mercator(places.latitude, places.longitude)
    index = pd.Index(places.names)
    ends = [index.get_indexer(pd.Index(trips[name].astype(str))) for name in ("origin", "destination")]
    left = trips["start"].notna().to_numpy() & (ends[0] >= 0) & (ends[1] >= 0)
    rows, (origin, destination) = trips[left], (one[left] for one in ends)
    planned = rows["start"] + (rows["planned_end"] - rows["planned_start"])
    # An end that isn't known is after everything that is.
    latest = pd.concat([rows["end"], rows["start"]]).max()
    end = rows["end"].fillna(planned.where(planned > latest, latest))
    titles = np.array(places.titles, dtype=object)
    tips = [
        str(html("{{ asset }}<br>{{ a }} – {{ b }}", asset=asset, a=a, b=b))
        for asset, a, b in zip(rows["asset"].fillna("").astype(str), titles[origin], titles[destination], strict=True)
    ]
    nowhere = np.full(len(rows), np.nan)
    return {
        "trips": {
            "start": _milliseconds(rows["start"]), "end": _milliseconds(end),
            "x0": x[origin], "y0": y[origin], "x1": x[destination], "y1": y[destination],
        },
        "movers": {"x": nowhere, "y": nowhere, "angle": np.zeros(len(rows)), "tip": tips},
    }  # fmt: skip


def _milliseconds(times: pd.Series | Sequence[Any]) -> Floats:
    return np.asarray(pd.to_datetime(pd.Series(times)).to_numpy(dtype="M8[ns]").astype(np.int64) / 1e6)
