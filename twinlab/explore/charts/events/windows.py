"""A timeline: events by windows of time, stacked by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import holoviews as hv
import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.explore.charts.events.bars import HATCHES, Backend, bars, empty_chart, finish, load, tips
from twinlab.explore.charts.print_figures import date_axis
from twinlab.languages import tr

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["timeline_bars"]

_HEIGHT = 260
_LABELS = {"started": "events that began", "active": "events", "duration": "hours"}


def timeline_bars(
    table: pd.DataFrame,
    value: Literal["started", "active", "duration"] = "started",
    *,
    title: str = "",
    backend: Backend = "bokeh",
) -> hv.Overlay:
    """Draw a timeline as bars, a bar a window, stacked by group: those with the most at the bottom.

    Parameters
    ----------
    table : DataFrame
        As `twinlab.events.timeline` returns it, with or without groups. Of many groups the five largest have a colour and
        a hatch each, and the others one together.
    value : "started", "active" or "duration"
        What is drawn; durations are in hours.

    Returns
    -------
    holoviews.Overlay

    Raises
    ------
    SchemaError
        If ``value`` is none of those.

    >>> from twinlab.events import timeline
    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00"])
    >>> type(timeline_bars(timeline(pd.DataFrame({"start": hour[:1], "end": hour[1:]}), "15min"), "duration")).__name__
    'Overlay'
    """
    if value not in _LABELS:
        msg = f"expected value to be 'started', 'active' or 'duration', got {value!r}"
        raise SchemaError(msg)
    load(backend)
    if not len(table):
        return empty_chart(tr("No events."), backend=backend)
    wide = _by_group(table, value)
    # Each group has the same windows.
    size = len(next(iter(wide.values())))
    time = table.index.get_level_values(-1)[:size].to_numpy(dtype="datetime64[ns]")
    stop = table["stop"].to_numpy(dtype="datetime64[ns]")[:size]
    left, right = (_on_axis(one, backend) for one in (time, stop))
    kdims = [hv.Dimension("time", label="time (UTC)"), "bottom", "right", "top"]
    hover = tips(("from (UTC)", "begin"), ("to (UTC)", "stop"), ("group", "group"), (_LABELS[value], "shown"))
    bottom = np.zeros(len(time))
    parts = []
    for place, (group, heights) in enumerate(wide.items()):
        keep = heights > 0
        columns = {"left": left[keep], "bottom": bottom[keep], "right": right[keep], "top": (bottom + heights)[keep]}
        columns |= {
            "begin": time[keep],
            "stop": stop[keep],
            "shown": heights[keep],
            "group": np.full(keep.sum(), group),
        }
        dated = ("begin", "stop")
        parts.append(bars(columns, kdims, label=group, place=place, hover=hover, dated=dated, backend=backend))
        bottom = bottom + heights
    return finish(
        parts,
        height=_HEIGHT,
        backend=backend,
        show_legend=table.index.nlevels > 1,
        title=title,
        xlabel="time (UTC)",
        ylabel=_LABELS[value],
        xlim=(left[0], right[-1]),
        ylim=(0, 1.05 * (bottom.max() or 1.0)),
        **({"hooks": [_dates]} if backend == "matplotlib" else {}),
    )


def _on_axis(times: NDArray[np.datetime64], backend: Backend) -> NDArray[Any]:
    """Return instants as the time axis of a backend has them: Matplotlib's rectangles need days since 1970."""
    return times.astype(np.int64) / 86_400e9 if backend == "matplotlib" else times


def _dates(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    date_axis(plot.handles["axis"])


def _by_group(table: pd.DataFrame, value: str) -> dict[str, np.ndarray]:
    """Return the heights of each group's windows, the largest group first; many small groups are one."""
    numbers = table[value].dt.total_seconds() / 3600 if value == "duration" else table[value].astype(float)
    if table.index.nlevels == 1:
        return {"": numbers.to_numpy()}
    size = len(table.index.unique(level=1))
    names = table.index.get_level_values(0)[::size]
    heights = numbers.to_numpy().reshape(-1, size)
    order = np.argsort(-heights.sum(axis=1), kind="stable")
    shown = order if len(order) <= len(HATCHES) else order[: len(HATCHES) - 1]
    found = {"(no value)" if pd.isna(names[one]) else str(names[one]): heights[one] for one in shown}
    rest = order[len(shown) :]
    return found | ({tr("{count} others", count=len(rest)): heights[rest].sum(axis=0)} if len(rest) else {})
