"""Bars of one number for each asset or group."""

from __future__ import annotations

from collections.abc import Sequence

import holoviews as hv
import numpy as np

from twinlab.explore.charts.events.bars import Backend, bars, empty_chart, finish, load, tips
from twinlab.explore.charts.scale import axis_label
from twinlab.languages import tr

__all__ = ["value_bars"]

#: Pixels of a bar, and of all around the bars.
_ROW, _FRAME = 24, 70


def value_bars(
    names: Sequence[str],
    values: Sequence[float],
    *,
    label: str = "value",
    unit: str = "",
    title: str = "",
    backend: Backend = "bokeh",
) -> hv.Overlay:
    """Draw one number for each name as horizontal bars from zero, in the order that is given.

    Parameters
    ----------
    names, values : sequence
        Of the same length; NaN isn't drawn.
    label, unit : str
        Of the value axis.

    Returns
    -------
    holoviews.Overlay

    >>> type(value_bars(["R1", "R2"], [4.5, 6.0], unit="degC")).__name__
    'Overlay'
    """
    load(backend)
    numbers = np.asarray(values, dtype=float)
    keep = np.isfinite(numbers)
    if not keep.any():
        return empty_chart(tr("No values."), backend=backend)
    numbers, shown = numbers[keep], [str(name) for name, kept in zip(names, keep, strict=True) if kept]
    place = np.arange(len(shown), dtype=float)[::-1]
    kdims = [hv.Dimension("left", label=axis_label(label, unit)), "bottom", "right", "top"]
    columns = {
        "left": np.minimum(numbers, 0.0), "bottom": place - 0.36, "right": np.maximum(numbers, 0.0), "top": place + 0.36,
        "name": shown, "text": [f"{one:,.4g}" for one in numbers],
    }  # fmt: skip
    low, high = float(min(numbers.min(), 0.0)), float(max(numbers.max(), 0.0))
    room = 0.04 * (high - low) or 1.0
    return finish(
        [bars(columns, kdims, label=label, hover=tips(("of", "name"), (label, "text")), backend=backend)],
        height=_FRAME + _ROW * max(len(shown), 2),
        backend=backend,
        show_legend=False,
        title=title,
        xlabel=axis_label(label, unit),
        ylabel="",
        xlim=(low - (room if low < 0 else 0.0), high + room),
        ylim=(-0.6, len(shown) - 0.4),
        yticks=[(float(at), name) for at, name in zip(place, shown, strict=True)],
    )
