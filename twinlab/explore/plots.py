"""Plots: data in, HoloViews out. No global options, no extension loaded: compose them with ``*`` and ``+``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np

from twinlab.explore.layers import TOOLS, Layer, layers, y_extent
from twinlab.explore.scale import axis_label
from twinlab.explore.traces import Trace, raw_traces, rollup_traces

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.explore.reading import Window

__all__ = ["band_curve", "draw", "refresh", "signal_curve"]

_X = hv.Dimension("time", label="time (UTC)")
_Y = hv.Dimension("value")
Hook = Callable[[Any, Any], None]


def signal_curve(
    values: xr.DataArray,
    *,
    flags: xr.DataArray | None = None,
    full_range: bool = False,
    labels: Mapping[str, str] | None = None,
    title: str = "",
    height: int = 360,
) -> hv.Overlay:
    """Draw raw samples as curves, with judged samples told apart from gaps.

    A gap in the data is a gap in the curve; where the flags say *missing*, a grey span stands behind it. Suspect
    samples carry a triangle, failed ones a cross and no line. The value axis follows the samples that didn't fail: one
    absurd reading can't flatten a chart; it's pinned to the edge with its value beside it.

    Parameters
    ----------
    values : DataArray, dims ``time`` and optionally ``asset``
        Unit in ``attrs["units"]``, name in ``attrs["long_name"]``. Naive times are UTC.
    flags : DataArray like ``values``, optional
        QARTOD numbers (`twinlab.model.Flag`).
    full_range : bool
        Let failed samples stretch the axis too.
    labels : mapping of asset to text, optional
        Names for the legend.

    Returns
    -------
    holoviews.Overlay

    Raises
    ------
    SchemaError
        If the dims are others, or the flags' shape differs.

    >>> import xarray as xr
    >>> time = np.arange(3).astype("datetime64[m]").astype("datetime64[ns]")
    >>> type(signal_curve(xr.DataArray([1.0, np.nan, 3.0], coords={"time": time}, name="speed"))).__name__
    'Overlay'
    """
    traces = raw_traces(values, flags, labels=labels)
    name = str(values.attrs.get("long_name", str("value" if values.name is None else values.name).replace("_", " ")))
    label = axis_label(name, str(values.attrs.get("units", "")))
    return draw(traces, y_label=label, full_range=full_range, title=title, height=height)


def band_curve(
    data: xr.Dataset,
    signal: str,
    *,
    failed: xr.DataArray | None = None,
    full_range: bool = False,
    labels: Mapping[str, str] | None = None,
    title: str = "",
    height: int = 360,
) -> hv.Overlay:
    """Draw a rollup: the mean as a curve in the band from the smallest to the largest good or suspect sample.

    Parameters
    ----------
    data : Dataset, dims ``time, asset``
        As ``twin.history(…, step=…)`` returns it; see `twinlab.explore.traces.rollup_traces`.
    signal : str
        Name of the signal.
    failed : DataArray, dims ``time, asset``, optional
        Raw values of failed samples. Without them a cross on the base line stands for each cell that holds one.

    Returns
    -------
    holoviews.Overlay
    """
    traces = rollup_traces(data, signal, failed=failed, labels=labels)
    part = next(p for p in ("mean", "increase", "share") if f"{signal}_{p}" in data)
    attrs = data[f"{signal}_{part}"].attrs
    name = str(attrs.get("long_name", signal.replace("_", " ")))
    unit = "% of time" if part == "share" else str(attrs.get("units", ""))
    return draw(traces, y_label=axis_label(name, unit), full_range=full_range, title=title, height=height)


def draw(
    traces: Sequence[Trace],
    *,
    y_label: str,
    full_range: bool = False,
    show_flags: bool = True,
    show_legend: bool = True,
    title: str = "",
    height: int = 360,
    slots: int | None = None,
    states: Mapping[int, str] | None = None,
    extent: tuple[float, float] | None = None,
    window: tuple[np.datetime64, np.datetime64] | None = None,
    mark: tuple[np.datetime64, np.datetime64] | None = None,
    hooks: Sequence[Hook] = (),
) -> hv.Overlay:
    """Draw traces as one Overlay.

    Parameters
    ----------
    slots : int, optional
        Keep this many curves and every layer, empty ones too, so that a running plot is updated in place. Without it
        empty layers are left out.
    states : mapping of code to name, optional
        Names for the value axis of a state signal.
    extent : (float, float), optional
        Value range; by default `y_extent`.
    window : (datetime64, datetime64), optional
        Span of the time axis; by default that of the data.
    mark : (datetime64, datetime64), optional
        A span drawn behind the curves, such as a chosen event.
    hooks : sequence of callables
        Passed to HoloViews.
    """
    low, high = extent or y_extent(traces, full_range=full_range)
    parts = layers(traces, extent=(low, high), show_flags=show_flags, slots=slots, mark=mark)
    kept = [_element(part) for part in parts] or [hv.Curve((np.empty(0, "datetime64[ns]"), np.empty(0)), _X, _Y)]
    limits: dict[str, object] = {} if window is None else {"xlim": window}
    ticks: dict[str, object] = {"yticks": [(float(code), name) for code, name in states.items()]} if states else {}
    return hv.Overlay(kept).opts(
        responsive=True,
        height=height,
        title=title,
        ylabel=y_label,
        xlabel="time (UTC)",
        ylim=(low, high),
        show_legend=show_legend,
        legend_position="bottom",
        legend_cols=4,
        show_grid=True,
        default_tools=list(TOOLS),
        active_tools=["xbox_zoom"],
        fontsize={"labels": "10pt", "xticks": "9.5pt", "yticks": "9.5pt"},
        hooks=[_canvas, *hooks],
        backend="bokeh",
        **ticks,
        **limits,
    )


def _canvas(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    """Draw on a plain canvas: WebGL leaves dots where a line's pieces join, and few points gain nothing by it."""
    plot.state.output_backend = "canvas"
    plot.state.toolbar.logo = None
    # The year once, below the first tick: repeated, the months' labels run into each other on a phone.
    for axis in plot.state.xaxis:
        axis.formatter.months = "%b"
        axis.formatter.context.months = "%Y"


def _element(layer: Layer) -> hv.Element:
    """Make a layer a HoloViews element with its options."""
    columns = layer.columns
    options = {**layer.options, "default_tools": list(TOOLS), "backend": "bokeh"}
    if layer.kind == "Rectangles":
        data = tuple(columns[name] for name in ("left", "bottom", "right", "top"))
        return hv.Rectangles(data, [_X, "y0", "x1", "y1"], label=layer.label).opts(**options)
    data = tuple(columns.values())
    names = list(columns)[1:]
    if layer.kind == "Labels":
        return hv.Labels(data, [_X, "at"], "text").opts(**options)
    kind = {"Area": hv.Area, "Curve": hv.Curve, "Scatter": hv.Scatter}[layer.kind]
    return kind(data, _X, names, label=layer.label).opts(**options)


def refresh(plot: Any, parts: Sequence[Layer], *, extent: tuple[float, float], window: Window | None) -> None:
    """Put new data into a plot that is on a screen, without making it anew.

    Parameters
    ----------
    plot : HoloViews' Bokeh plot of an Overlay that `draw` made with ``slots``
    parts : sequence of Layer
        As many layers, of the same kinds.
    window : (datetime64, datetime64), optional
        Span of the time axis; None leaves it where it is.
    """
    for subplot, part in zip(plot.subplots.values(), parts, strict=True):
        subplot.handles["source"].data = part.source()
    plot.handles["y_range"].update(start=extent[0], end=extent[1])
    if window is not None:
        start, stop = (t.astype("datetime64[us]").astype("int64") / 1e3 for t in window)
        plot.handles["x_range"].update(start=start, end=stop)
    plot.push()
