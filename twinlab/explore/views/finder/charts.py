"""Charts of found events: a timeline, by asset, by duration, or one signal of all on a common clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from twinlab.events.statistics.counts import duration_histogram, pareto
from twinlab.events.statistics.overlays import overlay
from twinlab.events.statistics.timelines import timeline
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.model.reader import TwinReader

__all__ = ["CHARTS", "event_chart"]

CHARTS = {
    mark("Timeline"): "timeline",
    mark("By asset"): "assets",
    mark("Durations"): "durations",
    mark("Overlay"): "overlay",
}
_WIDTHS = ("1h", "6h", "1d", "7d", "28d")
_MOST_BARS = 90
#: Events whose signal is drawn on a common clock.
_MOST_OVERLAID = 2000


def event_chart(
    kind: str,
    events: pd.DataFrame,
    *,
    twin: TwinReader,
    on: str,
    signal: str | None,
    backend: Literal["bokeh", "matplotlib"] = "bokeh",
) -> hv.core.Dimensioned:
    """Return one of `CHARTS`.

    Parameters
    ----------
    kind : str
        A value of `CHARTS`.
    events : DataFrame
        As `twinlab.events.find` returns it.
    twin, on, signal
        For an overlay: the gauge or counter whose values are read.
    """
    from twinlab.explore.charts.events.curves import overlay_curves  # noqa: PLC0415  (HoloViews loads with the first chart)
    from twinlab.explore.charts.events.histogram import duration_bars  # noqa: PLC0415
    from twinlab.explore.charts.events.pareto import pareto_bars  # noqa: PLC0415
    from twinlab.explore.charts.events.windows import timeline_bars  # noqa: PLC0415

    if kind == "assets":
        return pareto_bars(pareto(events, "asset", weight="duration"), title=tr("Duration by asset"), backend=backend)
    if kind == "durations":
        return duration_bars(duration_histogram(events), title=tr("How long they lasted"), backend=backend)
    if kind == "overlay" and signal is not None:
        some = events.head(_MOST_OVERLAID)
        title = (
            ""
            if len(some) == len(events)
            else tr("The first {count:,} of {count2:,} events", count=len(some), count2=len(events))
        )
        return overlay_curves(overlay(twin, some, signal, on=on, before="1h"), title=title, backend=backend)
    return timeline_bars(timeline(events, _width(events)), title=tr("Events that began"), backend=backend)


def _width(events: pd.DataFrame) -> str:
    """Return the width of windows of which there are not too many."""
    if not len(events):
        return "1d"
    known = events["start"].dropna()
    span = known.max() - known.min() if len(known) else pd.Timedelta(0)
    return next((one for one in _WIDTHS if span / pd.Timedelta(one.replace("d", "D")) <= _MOST_BARS), _WIDTHS[-1])
