"""What is known of a twin at an instant, as a predictor receives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError

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
    facts: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_cells("the history", self.history, self.step, self.issue_time)
        for name, data in self.others.items():
            _check_cells(f"the history of {name!r}", data, self.step, self.issue_time)
        for name, table in self.events.items():
            _check_events(name, table, self.issue_time)
        if self.future is not None:
            _check_future(self.future, self.issue_time)

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
        issued = values.attrs.get("issued")
        if issued is None:
            msg = f"expected an attribute 'issued', the instant at which it was issued, of the future input {name!r}"
            raise LeakError(msg)
        if np.datetime64(str(issued), "ns") > issue_time:
            msg = f"the future input {name!r} was issued at {issued}, after the issue time {issue_time}"
            raise LeakError(msg)
