"""An overlay: many events on a common clock, with their middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import holoviews as hv
import numpy as np

from twinlab.explore.charts.events.bars import TOOLS, Backend, empty_chart, finish, load
from twinlab.explore.charts.palette import ASSET_STYLES
from twinlab.explore.charts.scale import axis_label
from twinlab.languages import tr

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["overlay_curves"]

_HEIGHT = 320
#: Points of lines that a browser draws fluently.
_MOST_POINTS = 20_000
_UNITS = (("s", 1, 180), ("min", 60, 180), ("h", 3600, 72), ("d", 86400, np.inf))


def overlay_curves(
    data: xr.Dataset,
    signal: str | None = None,
    *,
    limit: float | None = None,
    title: str = "",
    backend: Backend = "bokeh",
) -> hv.Overlay:
    """Draw many events on a common clock: thin lines, the median, and a band with the middle four fifths of the events.

    A gap in the data is a gap in the line. Of many events, lines are drawn of as many as a browser draws fluently, evenly
    chosen; median and band are of all.

    Parameters
    ----------
    data : Dataset, dims ``event, offset``
        As `twinlab.events.overlay` returns it.
    signal : str, optional
        By default the first variable.
    limit : float, optional
        Drawn as a dashed line, in the signal's unit.

    Returns
    -------
    holoviews.Overlay
    """
    load(backend)
    name = signal or str(next(iter(data.data_vars)))
    values = data[name].transpose("event", "offset").values
    if not values.size or np.isnan(values).all():
        return empty_chart(tr("No usable value during these events."), backend=backend)
    seconds = data["offset"].values / np.timedelta64(1, "s")
    unit, size = _unit(seconds)
    offset = seconds / size
    about = data["offset"].attrs.get("long_name", "time since zero")
    x, y = hv.Dimension("offset", label=f"{about} ({unit})"), hv.Dimension("value")
    low, middle, high = _quantiles(values)
    band = hv.Area((offset, low, high), x, ["low", "high"], label=tr("a tenth is below, a tenth above"))
    lines, drawn = _lines(offset, values)
    each = hv.Curve(lines, x, y, label=tr("an event"))
    median = hv.Curve((offset, middle), x, y, label="median")
    zero = hv.VLine(0)
    parts = [*_styled(band, each, median, zero, backend)]
    if limit is not None:
        line = hv.HLine(limit)
        dash = (
            {"linestyle": "--", "linewidth": 1}
            if backend == "matplotlib"
            else {"line_dash": "dashed", "line_width": 1.5}
        )
        parts.append(line.opts(color=ASSET_STYLES[5].color, backend=backend, **dash))
    total = values.shape[0]
    count = (
        tr("{total:,} events", total=total)
        if drawn == total
        else tr("{total:,} events, lines of {drawn:,}", total=total, drawn=drawn)
    )
    attrs = data[name].attrs
    label = axis_label(str(attrs.get("long_name", name.replace("_", " "))), str(attrs.get("units", "")))
    return finish(
        parts, height=_HEIGHT, backend=backend, show_legend=True, title=title or count, xlabel=x.label, ylabel=label
    )


def _styled(
    band: hv.Area, each: hv.Curve, median: hv.Curve, zero: hv.VLine, backend: Backend
) -> tuple[hv.Element, hv.Element, hv.Element, hv.Element]:
    # The light blue is legible on both themes, also when it is faint.
    blue, orange = ASSET_STYLES[4].color, ASSET_STYLES[1].color
    if backend == "matplotlib":
        return (
            band.opts(color=blue, alpha=0.25, linewidth=0, backend=backend),
            each.opts(color=blue, alpha=0.5, linewidth=0.4, backend=backend),
            median.opts(color=orange, linewidth=1.8, backend=backend),
            zero.opts(color="#8C8C8C", linewidth=0.8, backend=backend),
        )
    return (
        band.opts(color=blue, fill_alpha=0.3, line_alpha=0, default_tools=TOOLS, backend=backend),
        each.opts(color=blue, alpha=0.5, line_width=0.8, default_tools=TOOLS, backend=backend),
        median.opts(color=orange, line_width=3, tools=["hover"], default_tools=TOOLS, backend=backend),
        zero.opts(color="#8C8C8C", line_width=1, backend=backend),
    )


def _unit(seconds: NDArray[np.float64]) -> tuple[str, int]:
    """Return the unit in which the longest offset is a number that one reads."""
    longest = float(np.abs(seconds).max(initial=0))
    return next((name, size) for name, size, most in _UNITS if longest <= size * most)


def _quantiles(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    found = np.full((3, values.shape[1]), np.nan)
    there = ~np.isnan(values).all(axis=0)
    found[:, there] = np.nanquantile(values[:, there], [0.1, 0.5, 0.9], axis=0)
    return tuple(found)


def _lines(offset: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[tuple[NDArray[np.float64], ...], int]:
    """Return the lines of events as one with gaps between them, and how many there are."""
    most = max(_MOST_POINTS // (len(offset) + 1), 1)
    chosen = np.unique(np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(np.int64))
    ends = np.full((len(chosen), 1), np.nan)
    x = np.concatenate([np.tile(offset, (len(chosen), 1)), np.full_like(ends, offset[-1])], axis=1)
    return (x.ravel(), np.concatenate([values[chosen], ends], axis=1).ravel()), len(chosen)
