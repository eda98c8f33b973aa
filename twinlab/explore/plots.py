"""Plots: data in, HoloViews out. No global options, no extension loaded: compose them with ``*`` and ``+``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import holoviews as hv
import holoviews.plotting.bokeh  # noqa: F401  (registers Bokeh's options; loads nothing into a page, sets no default)
import numpy as np

from twinlab.explore.palette import FLAG_STYLES, asset_style
from twinlab.explore.scale import axis_label, compact_number, value_range
from twinlab.explore.traces import Trace, raw_traces, rollup_traces
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["band_curve", "draw", "signal_curve", "y_extent"]

#: Up to this many samples in a curve, each is drawn as a dot too.
DOTTED = 240

_X = hv.Dimension("time", label="time (UTC)")
_Y = hv.Dimension("value")
_TOOLS = ["xpan", "xwheel_zoom", "xbox_zoom", "save"]
_TIME_TIP = ("time (UTC)", "@{time}{%F %H:%M:%S}")
_FORMATTERS = {"@{time}": "datetime"}
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
    name = str(values.attrs.get("long_name", str(values.name or "value").replace("_", " ")))
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


def y_extent(traces: Sequence[Trace], *, full_range: bool = False) -> tuple[float, float]:
    """Return the value range that `draw` uses: all that didn't fail, or everything."""
    kept = [part for t in traces for part in ((t.low, t.high) if t.band else (t.value,))]
    failed = [t.fail.value for t in traces]
    if full_range or not any(np.isfinite(part).any() for part in kept):
        kept += failed
    return value_range(np.concatenate(kept) if kept else np.empty(0))


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
    fixed = slots is not None
    layers: list[hv.Element] = []
    if mark is not None or fixed:
        layers.append(_mark_span(mark, low, high))
    if show_flags or fixed:
        layers += _missing_layer(traces if show_flags else (), low, high)
    for place in range(slots if slots is not None else len(traces)):
        trace = traces[place] if place < len(traces) else None
        layers += _curve_layers(trace, place=place, fixed=fixed, single=len(traces) == 1)
    if show_flags or fixed:
        marked = traces if show_flags else ()
        layers += _mark_layers(marked, low=low, high=high)
    kept = [layer for layer in layers if fixed or len(layer)]
    if not kept:
        kept = [hv.Curve((np.empty(0, "datetime64[ns]"), np.empty(0)), _X, _Y)]
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
        default_tools=_TOOLS,
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


def _mark_span(mark: tuple[np.datetime64, np.datetime64] | None, low: float, high: float) -> hv.Element:
    spans = [] if mark is None else [(mark[0], low, mark[1], high)]
    return hv.Rectangles(spans, [_X, "y0", "x1", "y1"], label="event").opts(
        color="#56B4E9", alpha=0.3, line_width=1.5, line_color="#0072B2", default_tools=_TOOLS, backend="bokeh"
    )


def _missing_layer(traces: Sequence[Trace], low: float, high: float) -> list[hv.Element]:
    """Grey spans behind a single curve; behind several, a lane at the bottom for each."""
    lanes = []
    tall = high - low
    for lane, trace in enumerate(traces):
        bottom, top = (low, high) if len(traces) == 1 else (low + 0.02 * lane * tall, low + 0.02 * (lane + 1) * tall)
        lanes += [(start, bottom, stop, top) for start, stop in trace.missing]
    style = FLAG_STYLES[Flag.MISSING]
    return [
        hv.Rectangles(lanes, [_X, "y0", "x1", "y1"], label="missing").opts(
            color=style.color,
            alpha=0.28 if len(traces) == 1 else 0.75,
            line_width=0,
            default_tools=_TOOLS,
            backend="bokeh",
        )
    ]


def _curve_layers(trace: Trace | None, *, place: int, fixed: bool, single: bool) -> list[hv.Element]:
    empty: NDArray[np.float64] = np.empty(0)
    time = np.empty(0, "datetime64[ns]") if trace is None else trace.time
    value = empty if trace is None else trace.value
    style = asset_style(place if trace is None else trace.place)
    label = f"curve {place}" if fixed or trace is None else trace.label
    out: list[hv.Element] = []
    if fixed or (trace is not None and trace.band):
        band = trace is not None and trace.band
        high, low = (trace.high, trace.low) if band and trace is not None else (empty, empty)
        out.append(
            hv.Area((time if band else time[:0], high, low), _X, ["high", "low"], label=f"{label} min–max").opts(
                color=style.color,
                fill_alpha=0.25 if single else 0.15,
                line_alpha=0,
                line_width=0,
                default_tools=_TOOLS,
                backend="bokeh",
            )
        )
    columns = (time, value, *((trace.low, trace.high, trace.count) if trace is not None else (empty,) * 3))
    tips = [_TIME_TIP, ("value", "@{value}{0,0.[000]}")]
    if trace is not None and trace.band:
        tips = [
            _TIME_TIP,
            ("mean", "@{value}{0,0.[000]}"),
            ("min–max", "@{low}{0,0.[00]} – @{high}{0,0.[00]}"),
            ("samples", "@{count}{0,0}"),
        ]
    if trace is not None and not single:
        tips.insert(0, ("asset", trace.label))
    out.append(
        hv.Curve(columns, _X, [_Y, "low", "high", "count"], label=label).opts(
            color=style.color,
            line_width=1.6,
            line_dash=style.dash,
            interpolation="steps-post" if trace is not None and trace.step else "linear",
            tools=["hover"],
            hover_tooltips=tips,
            hover_formatters=_FORMATTERS,
            default_tools=_TOOLS,
            backend="bokeh",
        )
    )
    dots = _dots(value)
    if fixed or dots.any():
        out.append(
            hv.Scatter((time[dots], value[dots]), _X, _Y, label=f"{label} samples").opts(
                color=style.color, size=4, show_legend=False, default_tools=_TOOLS, backend="bokeh"
            )
        )
    return out


def _dots(value: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Samples that need a dot: all of a few, and those without neighbours, which no line would show."""
    there = np.isfinite(value)
    if int(there.sum()) <= DOTTED:
        return there
    before = np.append(False, there[:-1])
    after = np.append(there[1:], False)
    return there & ~before & ~after


def _mark_layers(traces: Sequence[Trace], *, low: float, high: float) -> list[hv.Element]:
    out: list[hv.Element] = []
    texts: list[tuple[np.datetime64, float, str]] = []
    tall = high - low
    for flag in (Flag.SUSPECT, Flag.FAIL):
        rows = []
        for trace in traces:
            marks = trace.suspect if flag == Flag.SUSPECT else trace.fail
            for when, value, count in zip(marks.time, marks.value, marks.count, strict=True):
                inside = np.isfinite(value) and low <= value <= high
                known = value if np.isfinite(value) else low
                at = value if inside else float(np.clip(known, low + 0.03 * tall, high - 0.03 * tall))
                rows.append((when, at, value, count, trace.label))
                if np.isfinite(value) and not inside:
                    texts.append((when, at, f"\u2002{compact_number(float(value))}"))
        style = FLAG_STYLES[flag]
        tips = [
            ("flag", style.label),
            _TIME_TIP,
            ("value", "@{written}{0,0.[000]}"),
            ("samples", "@{count}{0,0}"),
            ("asset", "@{asset}"),
        ]
        out.append(
            hv.Scatter(rows, _X, ["at", "written", "count", "asset"], label=style.label).opts(
                marker=style.marker,
                size=style.size,
                color=style.color,
                line_width=2,
                fill_alpha=0.0 if flag == Flag.FAIL else 0.9,
                tools=["hover"],
                hover_tooltips=tips,
                hover_formatters=_FORMATTERS,
                default_tools=_TOOLS,
                backend="bokeh",
            )
        )
    # At most a dozen values are written: more would cover each other, and hovering tells them.
    out.append(
        hv.Labels(texts[:12], [_X, "at"], "text").opts(
            text_color=FLAG_STYLES[Flag.FAIL].color,
            text_font_size="10pt",
            text_align="left",
            default_tools=_TOOLS,
            backend="bokeh",
        )
    )
    return out
