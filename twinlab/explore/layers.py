"""From traces to the layers of a chart: plain columns of numbers, drawn by HoloViews and refreshed in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from twinlab.explore.palette import FLAG_STYLES, asset_style
from twinlab.explore.scale import compact_number, runs, value_range
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.explore.reading import Window
    from twinlab.explore.traces import Trace

__all__ = ["Layer", "layers", "y_extent"]

#: Up to this many samples in a curve, each is drawn as a dot too.
DOTTED = 240
#: At most this many off-scale values are written: more would cover each other, and hovering tells them.
WRITTEN = 12

TOOLS = ("xpan", "xwheel_zoom", "xbox_zoom", "save")
_TIME_TIP = ("time (UTC)", "@{time}{%F %H:%M:%S}")
_FORMATTERS = {"@{time}": "datetime"}
Kind = Literal["Rectangles", "Area", "Curve", "Scatter", "Labels"]


@dataclass(frozen=True)
class Layer:
    """One layer: what it is, its columns in drawing order (time first), and its options for Bokeh."""

    kind: Kind
    label: str
    columns: Mapping[str, NDArray[np.generic]]
    options: Mapping[str, object] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def source(self) -> dict[str, NDArray[np.generic]]:
        """Return the columns as HoloViews hands them to Bokeh."""
        if self.kind != "Area":
            return {name: _millis(values) for name, values in self.columns.items()}
        time, high, low = (_millis(v) for v in self.columns.values())
        nan = np.array([np.nan])
        pieces = runs(np.isfinite(high) & np.isfinite(low))
        if not len(pieces):
            return {"x": np.empty(0), "y": np.empty(0)}
        xs = [np.concatenate((time[a:b], time[a:b][::-1], nan)) for a, b in pieces]
        ys = [np.concatenate((low[a:b], high[a:b][::-1], nan)) for a, b in pieces]
        return {"x": np.concatenate(xs)[:-1], "y": np.concatenate(ys)[:-1]}


def y_extent(traces: Sequence[Trace], *, full_range: bool = False) -> tuple[float, float]:
    """Return the value range of a chart: of all that didn't fail, or of everything."""
    kept = [part for t in traces for part in ((t.low, t.high) if t.band else (t.value,))]
    failed = [t.fail.value for t in traces]
    if full_range or not any(np.isfinite(part).any() for part in kept):
        kept += failed
    return value_range(np.concatenate(kept) if kept else np.empty(0))


def layers(
    traces: Sequence[Trace],
    *,
    extent: tuple[float, float],
    show_flags: bool = True,
    slots: int | None = None,
    mark: Window | None = None,
) -> list[Layer]:
    """Return the layers of a chart, bottom first.

    Parameters
    ----------
    extent : (float, float)
        Value range of the chart; what lies outside is pinned to its edge.
    slots : int, optional
        Keep this many curves and every layer, empty ones too, so that a running plot can be refreshed in place.
        Without it empty layers are left out.
    mark : (datetime64, datetime64), optional
        A span drawn behind the curves.
    """
    flagged = traces if show_flags else ()
    out = [_event_span(mark, extent), _missing(flagged, extent)]
    for place in range(len(traces) if slots is None else slots):
        trace = traces[place] if place < len(traces) else None
        out += _curve(trace, place=place, fixed=slots is not None, single=len(traces) == 1)
    out += _marks(flagged, extent)
    return [layer for layer in out if slots is not None or len(layer)]


def _millis(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Times as milliseconds since 1970, the axis' own numbers."""
    if values.dtype.kind != "M":
        return values
    return values.astype("datetime64[us]").astype("int64") / 1e3


def _rectangles(label: str, spans: Sequence[tuple[object, float, object, float]], options: dict[str, object]) -> Layer:
    columns = {
        "left": np.array([s[0] for s in spans], "datetime64[ns]"),
        "bottom": np.array([s[1] for s in spans], float),
        "right": np.array([s[2] for s in spans], "datetime64[ns]"),
        "top": np.array([s[3] for s in spans], float),
    }
    return Layer("Rectangles", label, columns, options)


def _event_span(mark: Window | None, extent: tuple[float, float]) -> Layer:
    spans = [] if mark is None else [(mark[0], extent[0], mark[1], extent[1])]
    return _rectangles(
        "event", spans, {"color": "#56B4E9", "fill_alpha": 0.3, "line_width": 1.5, "line_color": "#0072B2"}
    )


def _missing(traces: Sequence[Trace], extent: tuple[float, float]) -> Layer:
    """Grey spans behind a single curve; behind several, a lane at the bottom for each."""
    low, high = extent
    lane = 0.02 * (high - low)
    single = len(traces) == 1
    spans = [
        (start, low if single else low + lane * place, stop, high if single else low + lane * (place + 1))
        for place, trace in enumerate(traces)
        for start, stop in trace.missing
    ]
    color = FLAG_STYLES[Flag.MISSING].color
    return _rectangles("missing", spans, {"color": color, "alpha": 0.28 if single else 0.75, "line_width": 0})


def _curve(trace: Trace | None, *, place: int, fixed: bool, single: bool) -> list[Layer]:
    """The band, the line and the dots of one trace."""
    style = asset_style(place if trace is None else trace.place)
    label = f"curve {place}" if fixed or trace is None else trace.label
    none = np.empty(0)
    time: NDArray[np.generic] = np.empty(0, "datetime64[ns]") if trace is None else trace.time
    value, low, high, count = (none,) * 4 if trace is None else (trace.value, trace.low, trace.high, trace.count)
    cells = slice(None) if trace is not None and trace.band else slice(0)
    band = {"color": style.color, "fill_alpha": 0.25 if single else 0.15, "line_alpha": 0, "line_width": 0}
    line = {
        "color": style.color,
        "line_width": 1.6,
        "line_dash": style.dash,
        "interpolation": "steps-post" if trace is not None and trace.step else "linear",
        "tools": ["hover"],
        "hover_tooltips": [
            *([] if single or trace is None else [("asset", trace.label)]),
            _TIME_TIP,
            ("value", "@{value}{0,0.[000]}"),
            ("smallest to largest", "@{low}{0,0.[000]} to @{high}{0,0.[000]}"),
            ("samples", "@{count}{0,0}"),
        ],
        "hover_formatters": _FORMATTERS,
    }
    dots = _dots(value)
    return [
        Layer("Area", f"{label} min–max", {"time": time[cells], "high": high[cells], "low": low[cells]}, band),
        Layer("Curve", label, {"time": time, "value": value, "low": low, "high": high, "count": count}, line),
        Layer(
            "Scatter",
            f"{label} samples",
            {"time": time[dots], "value": value[dots]},
            {"color": style.color, "size": 4, "show_legend": False},
        ),
    ]


def _dots(value: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Samples that need a dot: all of a few, and those without neighbours, which no line would show."""
    there = np.isfinite(value)
    if int(there.sum()) <= DOTTED:
        return there
    before = np.append(False, there[:-1])
    after = np.append(there[1:], False)
    return there & ~before & ~after


def _marks(traces: Sequence[Trace], extent: tuple[float, float]) -> list[Layer]:
    """Judged samples, pinned to the chart's edge where they lie off its scale, with their values written there."""
    low, high = extent
    inset = 0.03 * (high - low)
    out = []
    written: list[tuple[object, float, str]] = []
    for flag in (Flag.SUSPECT, Flag.FAIL):
        rows = [(t, t.suspect if flag == Flag.SUSPECT else t.fail) for t in traces]
        time = _join([m.time for _, m in rows], "datetime64[ns]")
        value = _join([m.value for _, m in rows], "float64")
        inside = np.isfinite(value) & (value >= low) & (value <= high)
        # What is known only by its cell stands at the bottom.
        pinned = np.clip(np.where(np.isfinite(value), value, low), low + inset, high - inset)
        at = np.where(inside, value, pinned)
        off = np.flatnonzero(np.isfinite(value) & ~inside)[:WRITTEN]
        written += [(time[i], at[i], f"\u2002{compact_number(float(value[i]))}") for i in off]
        columns = {
            "time": time,
            "at": at,
            "written": value,
            "count": _join([m.count for _, m in rows], "float64"),
            "asset": np.repeat(np.array([t.label for t, _ in rows], object), [len(m.time) for _, m in rows]),
        }
        out.append(Layer("Scatter", FLAG_STYLES[flag].label, columns, _mark_options(flag)))
    columns = {
        "time": np.array([w[0] for w in written[:WRITTEN]], "datetime64[ns]"),
        "at": np.array([w[1] for w in written[:WRITTEN]], float),
        "text": np.array([w[2] for w in written[:WRITTEN]], object),
    }
    text = {"text_color": FLAG_STYLES[Flag.FAIL].color, "text_font_size": "10pt", "text_align": "left"}
    return [*out, Layer("Labels", "", columns, text)]


def _mark_options(flag: Flag) -> dict[str, object]:
    style = FLAG_STYLES[flag]
    return {
        "marker": style.marker,
        "size": style.size,
        "color": style.color,
        "line_width": 2,
        "fill_alpha": 0.0 if flag == Flag.FAIL else 0.9,
        "tools": ["hover"],
        "hover_tooltips": [
            ("flag", style.label),
            _TIME_TIP,
            ("value", "@{written}{0,0.[000]}"),
            ("samples", "@{count}{0,0}"),
            ("asset", "@{asset}"),
        ],
        "hover_formatters": _FORMATTERS,
    }


def _join(parts: Sequence[NDArray[Any]], dtype: str) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype)
