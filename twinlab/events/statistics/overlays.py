"""Many events on a common clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.events.algebra.event_spans import Duration, as_times, span_length, spans_of
from twinlab.events.reading import USABLE
from twinlab.events.statistics.cells import SignalCells, cells_of, tiles
from twinlab.events.statistics.counts import durations
from twinlab.events.statistics.kernels import copy_cells
from twinlab.events.statistics.per_event import event_statistics
from twinlab.model.flags import Flag, flag_attributes

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["overlay"]

#: 400 MB of values.
_MOST_CELLS = 50_000_000


def overlay(
    source: TwinReader | xr.Dataset,
    events: pd.DataFrame,
    signal: str,
    *,
    align: Literal["start", "peak", "end"] = "start",
    before: Duration | None = None,
    after: Duration | None = None,
    on: str | None = None,
    asset: str = "asset",
) -> xr.Dataset:
    """Return a signal during each event, on a common clock that is zero at the start, the peak or the end of the event.

    Parameters
    ----------
    source : twin, or Dataset with a regular axis ``time``, as in `event_statistics`
    events : DataFrame
        With ``start``, ``end`` and the column of assets.
    signal : str
        A gauge or a counter.
    align : "start", "peak" or "end"
        What is at zero; the peak is the first cell with the highest usable value, see `event_statistics`. Events without
        it are left out.
    before, after : text such as "10min", or timedelta, optional
        How much is shown on both sides of zero. By default as much as the longest event needs.
    on, asset : str
        As in `event_statistics`.

    Returns
    -------
    Dataset, dims ``event, offset``
        The signal, NaN where no value is usable, and its flags ``<signal>_qc``; offsets are a multiple of the cadence, and a
        value is that of the cell in which zero plus offset is. Coordinates of ``event``: its id, or its place in the table, the
        ``asset`` and the time of ``zero``. ``during`` is true for cells in the event.

    Raises
    ------
    UnknownTermError
        If there is no such signal, asset type or column.
    SchemaError
        If ``align`` is none of those, or there were more than 50 million cells.

    >>> from twinlab.testing import FakeTwin
    >>> twin = FakeTwin.example(days=2, trips=10)
    >>> at = pd.to_datetime(["2026-01-01 06:00", "2026-01-01 07:00"])
    >>> found = overlay(twin, pd.DataFrame({"asset": ["ST1"], "start": at[:1], "end": at[1:]}), "temperature", on="station", before="10min")
    >>> dict(found.sizes)
    {'event': 1, 'offset': 70}
    """
    if align not in {"start", "peak", "end"}:
        msg = f"expected align to be 'start', 'peak' or 'end', got {align!r}"
        raise SchemaError(msg)
    cells = cells_of(source, events, signal, on=on, asset=asset)
    if align == "peak":
        at = event_statistics(source, events, signal, on=on, asset=asset)["peak"]
    else:
        (spans,) = spans_of(events, by="all")
        at = events[align].where(spans.key >= 0)
    rows = np.flatnonzero(at.notna())
    zero = at.to_numpy(dtype="datetime64[ns]").view(np.int64)[rows]
    chosen = events.iloc[rows]
    low, width = _extent(chosen, cells, align, before, after)
    if len(rows) * width > _MOST_CELLS:
        msg = f"expected at most {_MOST_CELLS:,} cells, got {len(rows):,} events x {width:,} cells; state before and after, or fewer events"
        raise SchemaError(msg)
    first = (zero - cells.first_ns) // cells.cadence_ns + low
    values = np.full((len(rows), width), np.nan)
    flags = np.full((len(rows), width), Flag.MISSING, dtype=np.uint8)
    column = cells.assets.get_indexer(pd.Index(chosen[asset].astype("str"))).astype(np.int64)
    column[chosen[asset].isna().to_numpy()] = -1
    inside = (np.clip(one, 0, cells.size) for one in (first, first + width))
    for tile in tiles(cells, column, *inside):
        usable = np.where(np.isin(tile.flags, USABLE), tile.values, np.nan)
        for found, out in ((usable, values), (tile.flags, flags)):
            copy_cells(tile.rows, column, tile.first_column, first, tile.first, found, out)
    offset = (np.arange(width) + low) * cells.cadence_ns
    begin = cells.first_ns + (first[:, None] + np.arange(width)) * cells.cadence_ns
    (spans,) = spans_of(chosen, by="all")
    start, end = spans.start[:, None], spans.end[:, None]
    during = (begin + cells.cadence_ns > start) & ((begin < end) | (begin <= start))
    about = dict(cells.data[signal].attrs)
    ids = chosen["event_id"].to_numpy(dtype=object) if "event_id" in chosen else rows
    dims = ("event", "offset")
    return xr.Dataset(
        {
            signal: (dims, values, about),
            f"{signal}_qc": (dims, flags, flag_attributes(signal)),
            "during": (dims, during, {"long_name": "cell is in the event"}),
        },
        coords={
            "event": ids,
            "offset": (
                "offset",
                offset.astype("timedelta64[ns]"),
                {"long_name": f"time since the {align} of the event"},
            ),
            "asset": ("event", chosen[asset].to_numpy(dtype=object)),
            "zero": ("event", as_times(zero), {"long_name": f"{align} of the event"}),
        },
    )


def _extent(
    events: pd.DataFrame, cells: SignalCells, align: str, before: Duration | None, after: Duration | None
) -> tuple[int, int]:
    """Return the first offset in cells, and the number of cells."""
    end = np.datetime64(cells.stop_ns, "ns")
    longest = int(durations(events, now=end).max().value) if len(events) else 0
    earlier = span_length(before, "before") if before is not None else 0 if align == "start" else longest
    later = span_length(after, "after") if after is not None else 0 if align == "end" else longest
    low = -(-earlier // cells.cadence_ns)
    return -low, max(low + -(-later // cells.cadence_ns), 1)
