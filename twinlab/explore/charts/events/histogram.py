"""A histogram of how long events lasted."""

from __future__ import annotations

from itertools import pairwise

import holoviews as hv
import numpy as np
import pandas as pd

from twinlab.events.rules.exception_table import duration_text
from twinlab.explore.charts.events.bars import Backend, bars, empty_chart, finish, load, tips
from twinlab.languages import tr

__all__ = ["duration_bars"]

_HEIGHT = 260


def duration_bars(table: pd.DataFrame, *, title: str = "", backend: Backend = "bokeh") -> hv.Overlay:
    """Draw a histogram of durations: all bins are equally wide, and their borders are named.

    Events that aren't over, whose duration grows yet, are hatched and on top.

    Parameters
    ----------
    table : DataFrame
        As `twinlab.events.duration_histogram` returns it.

    Returns
    -------
    holoviews.Overlay

    >>> from twinlab.events import duration_histogram
    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00"])
    >>> type(duration_bars(duration_histogram(pd.DataFrame({"start": hour[:1], "end": hour[1:]})))).__name__
    'Overlay'
    """
    load(backend)
    if not table["count"].sum():
        return empty_chart(tr("No events with a duration."), backend=backend)
    size = len(table)
    left = np.arange(size, dtype=float)
    over = (table["count"] - table["not_over"]).to_numpy()
    borders = [_border(one) for one in [*table["low"].astype("int64"), table["high"].astype("int64").iloc[-1]]]
    span = [
        tr("{low} to {high}", low=low, high=high) if high else tr("{low} or longer", low=low)
        for low, high in pairwise(borders)
    ]
    total = [duration_text(one / pd.Timedelta(1, "ns")) for one in table["duration"]]
    kdims = [hv.Dimension("left", label="duration"), hv.Dimension("bottom", label="events"), "right", "top"]
    hover = tips(("lasted", "span"), ("events", "count"), ("of these not over", "not_over"), ("together", "total"))
    shown = {"span": span, "count": table["count"], "not_over": table["not_over"], "total": total}
    parts = []
    for label, place, bottom, top in (
        ("over", 0, np.zeros(size), over),
        ("not over", 1, over, table["count"].to_numpy()),
    ):
        if (top > bottom).any():
            keep = np.flatnonzero(top > bottom)
            corners = {"left": left[keep] + 0.04, "bottom": bottom[keep], "right": left[keep] + 0.96, "top": top[keep]}
            columns = corners | {name: np.asarray(one)[keep] for name, one in shown.items()}
            parts.append(bars(columns, kdims, label=label, place=place, hover=hover, backend=backend))
    return finish(
        parts,
        height=_HEIGHT,
        backend=backend,
        show_legend=len(parts) > 1,
        title=title,
        xlabel="duration",
        ylabel="events",
        xlim=(0, size),
        ylim=(0, 1.05 * table["count"].max()),
        xticks=[(float(place), text) for place, text in enumerate(borders) if text],
    )


def _border(nanoseconds: int) -> str:
    if nanoseconds == np.iinfo(np.int64).min:
        return ""
    return duration_text(nanoseconds) if nanoseconds else "0"
