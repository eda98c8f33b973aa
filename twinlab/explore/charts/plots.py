"""Plots as HoloViews objects, without global options or extensions; compose them with ``*`` and ``+``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np

from twinlab.explore.charts.figures import axis_ends
from twinlab.explore.charts.layers import Layer, layers, y_extent
from twinlab.explore.charts.palette import FONT_SIZES
from twinlab.explore.charts.print_figures import finish_axes
from twinlab.explore.charts.scale import axis_label
from twinlab.explore.charts.styles import TOOLS, bokeh_options, matplotlib_options
from twinlab.explore.charts.traces import Trace, raw_traces, rollup_traces
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import xarray as xr


__all__ = ["band_curve", "draw", "signal_curve"]

_X = hv.Dimension("time", label="time (UTC)")
_SINCE = hv.Dimension("time", label=mark("hours since start"))
_Y = hv.Dimension("value")
Backend = Literal["bokeh", "matplotlib"]


def signal_curve(
    values: xr.DataArray,
    *,
    flags: xr.DataArray | None = None,
    full_range: bool = False,
    labels: Mapping[str, str] | None = None,
    title: str = "",
    height: int = 360,
) -> hv.Overlay:
    """Draw raw samples as curves, with flagged samples distinguished from gaps.

    A gap in the data is a gap in the curve, with a grey span if the flags are *missing*. Suspect samples are marked with
    a triangle, failed ones with a cross and without a line. The value range ignores failed samples, so that an outlier
    doesn't flatten the chart; it is drawn at the edge with its value as text.

    Parameters
    ----------
    values : DataArray, dims ``time`` and optionally ``asset``
        Unit in ``attrs["units"]``, name in ``attrs["long_name"]``. Naive times are UTC.
    flags : DataArray like ``values``, optional
        QARTOD numbers (`twinlab.model.Flag`).
    full_range : bool
        Include failed samples in the value range.
    labels : mapping of asset to text, optional
        Names for the legend.

    Returns
    -------
    holoviews.Overlay

    Raises
    ------
    SchemaError
        If the dims or the shape of the flags differ.

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
    """Draw a rollup: the mean as a curve, and a band from the minimum to the maximum of good and suspect samples.

    Parameters
    ----------
    data : Dataset, dims ``time, asset``
        As ``twin.history(…, step=…)`` returns it; see `twinlab.explore.charts.traces.rollup_traces`.
    signal : str
        Name of the signal.
    failed : DataArray, dims ``time, asset``, optional
        Raw values of failed samples; by default cells with failed samples get a cross at the bottom.

    Returns
    -------
    holoviews.Overlay
    """
    traces = rollup_traces(data, signal, failed=failed, labels=labels)
    part = next(p for p in ("mean", "increase", "share") if f"{signal}_{p}" in data)
    attrs = data[f"{signal}_{part}"].attrs
    name = str(attrs.get("long_name", signal.replace("_", " ")))
    unit = tr("% of time") if part == "share" else str(attrs.get("units", ""))
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
    states: Mapping[int, str] | None = None,
    extent: tuple[float, float] | None = None,
    window: tuple[np.datetime64, np.datetime64] | None = None,
    mark: tuple[np.datetime64, np.datetime64] | None = None,
    brush: tuple[np.datetime64, np.datetime64] | None = None,
    since: np.datetime64 | None = None,
    x_label: bool = True,
    small: bool = False,
    legend: Sequence[Trace] | None = None,
    backend: Backend = "bokeh",
) -> hv.Overlay:
    """Draw traces as one Overlay.

    Parameters
    ----------
    states : mapping of code to name, optional
        Names for the value axis of a state signal.
    extent : (float, float), optional
        Value range; by default `y_extent`.
    window : (datetime64, datetime64), optional
        Span of the time axis; by default that of the data.
    mark, brush : (datetime64, datetime64), optional
        Spans drawn behind the curves: an event, and the selected span.
    since : datetime64, optional
        Origin of the time axis, counted in hours.
    x_label : bool
        Label the time axis; False if a chart below has the label.
    small : bool
        Leave out dots and off-scale values.
    legend : sequence of Trace, optional
        Curves in a printed legend, by default those drawn.
    """
    low, high = extent or y_extent(traces, full_range=full_range)
    parts = layers(traces, extent=(low, high), show_flags=show_flags, mark=mark, brush=brush, since=since, small=small)
    compared = any(trace.own is not None for trace in traces)
    elements = [_element(p, backend, compared=compared, counted=since is not None) for p in parts]
    if not elements:
        elements = [hv.Curve((np.empty(0, "datetime64[ns]"), np.empty(0)), _X, _Y)]
    options: dict[str, Any] = {"title": title, "ylabel": y_label, "ylim": (low, high), "show_grid": True}
    x = _SINCE if since is not None else _X
    options["xlabel"] = x.label if x_label else ""
    if window is not None:
        options["xlim"] = axis_ends(window, since) if since is not None else window
    if states:
        options["yticks"] = [(float(code), name) for code, name in states.items()]
    finish = _bokeh_chart if backend == "bokeh" else _matplotlib_chart
    if backend == "bokeh":
        options["hooks"] = [_canvas, partial(_name_curves, parts)]
    else:
        named = (traces if legend is None else legend) if show_legend else ()
        options["hooks"] = [partial(finish_axes, parts=parts, legend=named, dated=since is None)]
    return finish(hv.Overlay(elements), options, height=height, show_legend=show_legend)


def _bokeh_chart(overlay: hv.Overlay, options: dict[str, Any], *, height: int, show_legend: bool) -> hv.Overlay:
    return overlay.opts(
        **options,
        responsive=True,
        height=height,
        show_legend=show_legend,
        legend_position="bottom",
        legend_cols=4,
        default_tools=list(TOOLS),
        active_tools=["xbox_zoom"],
        fontsize=dict(FONT_SIZES),
        backend="bokeh",
    )


def _matplotlib_chart(overlay: hv.Overlay, options: dict[str, Any], *, height: int, show_legend: bool) -> hv.Overlay:  # noqa: ARG001  (`finish_axes` draws it)
    """Set print options: 170 mm wide (two columns of a journal), 8-point font, legend below."""
    width = 6.7
    return overlay.opts(
        **options,
        aspect=width / max(1.4, height / 140),
        fig_inches=width,
        show_legend=False,
        fontsize={"labels": 8, "xticks": 7, "yticks": 7, "title": 9},
        backend="matplotlib",
    )


def _name_curves(parts: Sequence[Layer], plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    """Set the names of renderers, for tooltips."""
    for subplot, part in zip(plot.subplots.values(), parts, strict=False):
        if part.name and "glyph_renderer" in subplot.handles:
            subplot.handles["glyph_renderer"].name = part.name


def _canvas(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    """Draw on a canvas: WebGL shows dots at the joints of lines, and isn't faster for few points."""
    plot.state.output_backend = "canvas"
    plot.state.toolbar.logo = None
    # The year only below the first tick: repeated, the labels of months would overlap on a phone.
    for axis in plot.state.xaxis:
        if hasattr(axis.formatter, "months"):
            axis.formatter.months = "%b"
            axis.formatter.context.months = "%Y"


def _element(layer: Layer, backend: Backend, *, compared: bool, counted: bool) -> hv.Element:
    """Return a layer as a HoloViews element with options."""
    x, columns = (_SINCE if counted else _X), layer.columns
    if backend == "bokeh":
        options = bokeh_options(layer, compared=compared, counted=counted)
    else:
        options = matplotlib_options(layer)
    if layer.kind == "Rectangles" and backend == "matplotlib":
        return hv.Area(_as_area(columns), x, ["top", "bottom"], label=layer.label).opts(**options)
    if layer.kind == "Rectangles":
        data = tuple(columns[name] for name in ("left", "bottom", "right", "top"))
        return hv.Rectangles(data, [x, "y0", "x1", "y1"], label=layer.label).opts(**options)
    data = tuple(columns.values())
    names = list(columns)[1:]
    if layer.kind == "Labels":
        return hv.Labels(data, [x, "at"], "text").opts(**options)
    kind = {"Area": hv.Area, "Curve": hv.Curve, "Scatter": hv.Scatter}[layer.kind]
    return kind(data, x, names, label=layer.label).opts(**options)


def _as_area(columns: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return rectangles as one area with gaps, since Matplotlib's rectangles don't support a time axis."""
    left, right = columns["left"], columns["right"]
    time = np.column_stack((left, right, right)).ravel()
    gap = np.full(len(left), np.nan)
    return (time, *(np.column_stack((columns[k], columns[k], gap)).ravel() for k in ("top", "bottom")))
