"""A twin at an instant by event time: what had happened, with a latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from twinlab.model.reader import DelegatingReader
from twinlab.predict.protocol.durations import duration, instant
from twinlab.predict.protocol.events import EventColumns, known_events

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["TruncatedReader"]


class TruncatedReader(DelegatingReader):
    """A twin as it would have been known at an instant if everything came in a latency after it happened.

    Values are the final ones: corrections and revised plans, which came later, are in them. Where the ledger recorded the arrival,
    `ByIngest` shows what was known.

    Parameters
    ----------
    twin : TwinReader
    at : datetime64
    latency : timedelta64
        Of the cells of histories, after their end.
    columns : mapping of event type to EventColumns
        When the columns of event tables become known.
    """

    def __init__(
        self, twin: TwinReader, at: np.datetime64, *, latency: np.timedelta64, columns: Mapping[str, EventColumns]
    ) -> None:
        self._twin, self._at, self._latency, self._columns = twin, at, latency, dict(columns)

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
        until = self._at - self._latency
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
        return known_events(table, self._at, self._columns.get(event_type, EventColumns()), what=event_type)

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type that had begun; an end that came later is unknown."""
        table = self._twin.relationships(relationship)
        table = table[~(table["valid_from"] > self._at)].reset_index(drop=True)
        return table.assign(valid_until=table["valid_until"].where(table["valid_until"] <= self._at))
