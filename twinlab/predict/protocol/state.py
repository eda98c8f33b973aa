"""What is known of a twin at an instant, as a predictor receives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.protocol.durations import instant
from twinlab.predict.protocol.events import EventColumns, known_events

__all__ = ["LeakError", "State"]

_KNOWN_LATER = ("start", "end")


class LeakError(SchemaError):
    """A value would be used before it is known: use a longer lag, or an input that is known ahead."""


@dataclass(frozen=True)
class State:
    """What is known at an instant; nothing that becomes known later.

    Parameters
    ----------
    issue_time : datetime64[ns]
        The instant, UTC.
    history : Dataset
        Of the asset type that is predicted: dims ``time, asset``, regular ``time``, the starts of cells.
        A cell that ends after ``issue_time`` isn't known.
    step : timedelta64[ns]
        Width of the cells.
    others : mapping of str to Dataset
        Histories of other asset types.
    events : mapping of str to DataFrame
        By event type; a ``start`` or ``end`` after ``issue_time`` is unknown, NaT.
    assets : mapping of str to DataFrame
        Properties by asset type.
    relationships : mapping of str to DataFrame
        Links as known: ``source, target, valid_from, valid_until``.
    future : Dataset, optional
        Inputs known ahead, such as a weather forecast: dims ``time`` or ``time, asset``; attribute ``issued`` of each variable, the instant at which
        it was issued.
    columns : mapping of event type to EventColumns
        When the columns of event tables become known.
    latency : timedelta64[ns]
        Span after the end of a cell in which it is never known.
    facts : mapping
        Where it was read: ``position``, ``model``, ``mappings`` of the twin.

    Raises
    ------
    LeakError
        If something in it can't be known at ``issue_time``.
    """

    issue_time: np.datetime64
    history: xr.Dataset
    step: np.timedelta64
    others: Mapping[str, xr.Dataset] = field(default_factory=dict)
    events: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    assets: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    relationships: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    future: xr.Dataset | None = None
    columns: Mapping[str, EventColumns] = field(default_factory=dict)
    latency: np.timedelta64 = field(default=np.timedelta64(0, "ns"))
    facts: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "issue_time", self.issue_time.astype("datetime64[ns]"))
        for name in ("step", "latency"):
            object.__setattr__(self, name, getattr(self, name).astype("timedelta64[ns]"))
        _check_cells("the history", self.history, self.step, self.issue_time)
        for name, data in self.others.items():
            _check_cells(f"the history of {name!r}", data, self.step, self.issue_time)
        for name, table in self.events.items():
            _check_events(name, table, self.issue_time)
        if self.future is not None:
            _check_future(self.future, self.issue_time)

    def at(self, issue_time: np.datetime64, *, window: np.timedelta64) -> State:
        """Return what was known at an earlier instant, by event time, with the history of a window alone.

        It is what a predictor receives at that instant, if nothing was corrected since.
        """
        inputs = self.future
        if inputs is not None:
            inputs = inputs[[name for name, one in inputs.data_vars.items() if _issued(one) <= issue_time]]
        tables = {
            name: known_events(table, issue_time, self.columns.get(name, EventColumns()), what=name)
            for name, table in self.events.items()
        }
        links = {
            name: table[~(table["valid_from"] > issue_time)].assign(
                valid_until=lambda one: one["valid_until"].where(one["valid_until"] <= issue_time)
            )
            for name, table in self.relationships.items()
        }
        return replace(
            self,
            issue_time=issue_time,
            history=self._ended(self.history, issue_time, window),
            others={name: self._ended(data, issue_time, window) for name, data in self.others.items()},
            events=tables,
            relationships=links,
            future=inputs,
        )

    def _ended(self, data: xr.Dataset, issue_time: np.datetime64, window: np.timedelta64) -> xr.Dataset:
        times = data["time"].values
        # A lag as long as the window reads the cell before it.
        first = int(np.searchsorted(times, issue_time - window - self.step))
        last = int(np.searchsorted(times, issue_time - self.latency - self.step, side="right"))
        return data.isel(time=slice(first, max(first, last)))

    @property
    def asset_ids(self) -> list[str]:
        """Assets of the history, in its order."""
        return [str(asset) for asset in self.history["asset"].values]


def _check_cells(what: str, data: xr.Dataset, step: np.timedelta64, issue_time: np.datetime64) -> None:
    if "time" not in data.dims or "asset" not in data.dims:
        msg = f"expected dims 'time' and 'asset' in {what} of a state, got {tuple(map(str, data.dims))}"
        raise SchemaError(msg)
    times = data["time"].values
    if times.size == 0:
        return
    if times.size > 1 and bool((np.diff(times) != step).any()):
        msg = f"expected regular times with cells of {step.astype('timedelta64[s]')} in {what} of a state"
        raise SchemaError(msg)
    if times[-1] + step > issue_time:
        msg = (
            f"{what} of a state has the cell {times[-1]}, which ends after the issue time {issue_time}; "
            "give only cells that have ended: `predict.read_state` does"
        )
        raise LeakError(msg)


def _check_events(name: str, table: pd.DataFrame, issue_time: np.datetime64) -> None:
    for column in _KNOWN_LATER:
        if column in table.columns:
            late = table[column] > issue_time
            if bool(late.any()):
                row = table[late].iloc[0]
                msg = (
                    f"event {row.get('event_id', '')!r} of type {name!r} in a state has {column}={row[column]}, after the issue time "
                    f"{issue_time}; what hasn't happened is NaT: `predict.read_state` does that"
                )
                raise LeakError(msg)


def _check_future(future: xr.Dataset, issue_time: np.datetime64) -> None:
    for name, values in future.data_vars.items():
        issued = _issued(values)
        if issued > issue_time:
            msg = f"the future input {name!r} was issued at {issued}, after the issue time {issue_time}"
            raise LeakError(msg)


def _issued(values: xr.DataArray) -> np.datetime64:
    """Return when a future input was issued.

    Raises
    ------
    LeakError
        If it doesn't say.
    """
    found = values.attrs.get("issued")
    if found is None:
        msg = f"expected an attribute 'issued', the instant at which it was issued, of the future input {values.name!r}"
        raise LeakError(msg)
    return instant(found, what=f"`issued` of the future input {values.name!r}")
