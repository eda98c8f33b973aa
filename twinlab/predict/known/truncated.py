"""A twin at an instant by event time: what had happened, with a latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.model.reader import DelegatingReader
from twinlab.predict.protocol.durations import duration, instant

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["EventColumns", "TruncatedReader", "known_events"]

_PLAN = ("event_id", "type", "asset", "planned_start", "planned_end")


@dataclass(frozen=True)
class EventColumns:
    """When the columns of an event type become known, for twins whose ledger doesn't say.

    Parameters
    ----------
    planned : tuple of str
        Known with the plan, as are links, the asset and the planned times.
    started : tuple of str
        Known from the start on. All other properties are known from the end on; of an event that never ended, from its planned end on.
    ahead : str, optional
        Span before the planned start from which the plan is known; by default any.
    """

    planned: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    ahead: str | None = None


def known_events(
    table: pd.DataFrame, at: np.datetime64, columns: EventColumns, *, links: Sequence[str], what: str
) -> pd.DataFrame:
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
        planned &= shown.to_numpy(bool)
    rows = planned | begun | ended
    out, begun, ended = table[rows].reset_index(drop=True), begun[rows], ended[rows]
    over = ended | (out["end"].isna() & (out["planned_end"] <= at)).to_numpy(bool)
    out["start"] = out["start"].where(begun)
    out["end"] = out["end"].where(ended)
    always = {*_PLAN, "start", "end", *links, *columns.planned}
    for name in out.columns:
        if name not in always:
            out[name] = out[name].where(begun | over if name in columns.started else over)
    return out


@dataclass(frozen=True)
class _Rules:
    latency: np.timedelta64
    events: Mapping[str, EventColumns] = field(default_factory=dict)


class TruncatedReader(DelegatingReader):
    """A twin as it would have been known at an instant if everything came in a latency after it happened.

    Values are the final ones: corrections and revised plans, which came later, can't be told apart. Where the ledger recorded the arrival,
    `ByIngest` shows what was known.

    Parameters
    ----------
    twin : TwinReader
    at : datetime64
    latency : timedelta64
        Of the cells of histories, after their end.
    events : mapping of event type to EventColumns
    """

    def __init__(
        self, twin: TwinReader, at: np.datetime64, *, latency: np.timedelta64, events: Mapping[str, EventColumns]
    ) -> None:
        self._twin, self._at, self._rules = twin, at, _Rules(latency, dict(events))

    @property
    def _source(self) -> TwinReader:
        return self._twin

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history of one asset type: cells that had ended, and arrived."""
        until = self._at - self._rules.latency
        last = until if stop is None else min(until, instant(stop, what="stop"))
        data = self._twin.history(asset_type, signals=signals, assets=assets, start=start, stop=last, step=step)
        spec = self.model.asset_types[asset_type].signals
        if step is not None:
            width = duration(step, what="step")
        else:
            names = spec if signals is None else signals
            width = np.timedelta64(max(spec[name].cadence_ns for name in names), "ns")
        return data.isel(time=slice(0, int(np.searchsorted(data["time"].values, until - width, side="right"))))

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type as known then: those planned or begun, without what came later."""
        table = self._twin.events(event_type, start=start, stop=stop, assets=assets)
        spec = self.model.event_types.get(event_type)
        links = () if spec is None else tuple(spec.links)
        columns = self._rules.events.get(event_type, EventColumns())
        return known_events(table, self._at, columns, links=links, what=event_type)

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type that had begun; an end that came later is unknown."""
        table = self._twin.relationships(relationship)
        table = table[~(table["valid_from"] > self._at)].reset_index(drop=True)
        return table.assign(valid_until=table["valid_until"].where(table["valid_until"] <= self._at))
