"""When the columns of event tables become known, and the starts of events by asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.protocol.durations import duration

__all__ = ["EventColumns", "known_events", "starts_by_asset"]

_PLAN = ("event_id", "type", "asset", "planned_start", "planned_end")


@dataclass(frozen=True)
class EventColumns:
    """When the columns of an event type become known, for twins whose ledger doesn't say.

    Parameters
    ----------
    planned : tuple of str
        Known with the plan, as are the asset and the planned times; links such as ``origin`` are named here, too.
    started : tuple of str
        Known from the start on. All other properties are known from the end on; of an event that never ended, from its planned end on.
    ahead : str, optional
        Span before the planned start from which the plan is known; by default any.
    """

    planned: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    ahead: str | None = None


def known_events(table: pd.DataFrame, at: np.datetime64, columns: EventColumns, *, what: str) -> pd.DataFrame:
    """Return the events known at an instant by event time; what isn't known yet is NaT or missing.

    Raises
    ------
    SchemaError
        If a column that is declared doesn't exist.
    """
    lacking = [name for name in (*columns.planned, *columns.started) if name not in table.columns]
    if lacking and len(table):
        msg = f"EventColumns of {what!r}: no columns {', '.join(map(repr, lacking))}; known: {', '.join(map(str, table.columns))}"
        raise SchemaError(msg)
    begun, ended = (table["start"] <= at).to_numpy(bool), (table["end"] <= at).to_numpy(bool)
    planned = table["planned_start"].notna().to_numpy(bool)
    if columns.ahead is not None:
        shown = table["planned_start"] - duration(columns.ahead, what=f"EventColumns.ahead of {what!r}") <= at
        planned = planned & shown.to_numpy(bool)
    rows = planned | begun | ended
    out, begun, ended = table[rows].reset_index(drop=True), begun[rows], ended[rows]
    over = ended | (out["end"].isna() & (out["planned_end"] <= at)).to_numpy(bool)
    out["start"] = out["start"].where(begun)
    out["end"] = out["end"].where(ended)
    always = {*_PLAN, "start", "end", *columns.planned}
    for name in out.columns:
        if name not in always:
            out[name] = out[name].where(begun | over if name in columns.started else over)
    return out


def starts_by_asset(
    events: Mapping[str, pd.DataFrame], event_type: str, link: str, ids: Sequence[str], *, what: str
) -> list[NDArray[np.int64]]:
    """Return the sorted starts (ns) of the events of each asset.

    Raises
    ------
    UnknownTermError
        If the state has no such events, or these no such column.
    """
    if event_type not in events:
        msg = f"{what}: the state has no events {event_type!r}{nearest(event_type, events)}; add it to Inputs.events"
        raise UnknownTermError(msg)
    table = events[event_type]
    if link not in table.columns:
        msg = f"{what}: events {event_type!r} have no column {link!r}{nearest(link, map(str, table.columns))}"
        raise UnknownTermError(msg)
    begun = table[table["start"].notna()]
    starts = begun["start"].to_numpy("datetime64[ns]").astype("int64")
    found = {str(asset): np.sort(starts[rows]) for asset, rows in begun.groupby(link, observed=True).indices.items()}
    none = np.empty(0, "int64")
    return [found.get(asset, none) for asset in ids]
