"""Layers of a chart from traces: plain columns, for Bokeh figures and for HoloViews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from twinlab.explore.charts.palette import FLAG_STYLES, asset_style
from twinlab.explore.charts.scale import compact_number, runs, value_range
from twinlab.languages import tr
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.explore.charts.reading import Window
    from twinlab.explore.charts.traces import Trace

__all__ = ["Layer", "hours_since", "layers", "y_extent"]

#: Largest number of samples in a curve that are also drawn as dots.
DOTTED = 240
#: Largest number of off-scale values written as text; tooltips show all.
WRITTEN = 12

Kind = Literal["Rectangles", "Area", "Curve", "Scatter", "Labels"]
_HOUR = np.timedelta64(3600 * 10**9, "ns")


@dataclass(frozen=True)
class Layer:
    """One layer: its kind, and its columns with time first."""

    kind: Kind
    label: str
    columns: Mapping[str, NDArray[np.generic]]
    # Style for all backends: color, alpha, width, dash, marker, size.
    style: Mapping[str, Any] = field(default_factory=dict)
    # Further fields of the tooltip; None: no tooltip.
    tips: tuple[str, ...] | None = None
    # Name in the tooltip.
    name: str = ""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def source(self) -> dict[str, NDArray[np.generic]]:
        """Return the columns of a Bokeh data source, as HoloViews makes them."""
        if self.kind != "Area":
            return {name: _millis(values) for name, values in self.columns.items()}
        time, high, low = (_millis(v) for v in self.columns.values())
        x, y = _outline(time.astype(float), low.astype(float), high.astype(float))
        return {"x": x, "y": y}


def _outline(
    time: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the outlines of the pieces of a band, along the lower edge and back along the upper one, separated by NaN."""
    pieces = runs(np.isfinite(high) & np.isfinite(low))
    if not len(pieces):
        return np.empty(0), np.empty(0)
    start, length = pieces[:, 0], pieces[:, 1] - pieces[:, 0]
    size = 2 * length + 1
    end = np.cumsum(size)
    within = np.arange(end[-1]) - np.repeat(end - size, size)
    long = np.repeat(length, size)
    out = within < long
    at = np.repeat(start, size) + np.where(out, within, 2 * long - 1 - within)
    x, y = time[at], np.where(out, low[at], high[at])
    x[end - 1] = y[end - 1] = np.nan
    return x[:-1], y[:-1]


def y_extent(traces: Sequence[Trace], *, full_range: bool = False) -> tuple[float, float]:
    """Return the value range of a chart: of the samples that didn't fail, or of all."""
    shown = [part for t in traces for part in ((t.low, t.high) if t.band and not t.faint else (t.value,))]
    failed = [t.fail.value for t in traces]
    if full_range or not any(np.isfinite(part).any() for part in shown):
        shown += failed
    return value_range(np.concatenate(shown) if shown else np.empty(0))


def layers(
    traces: Sequence[Trace],
    *,
    extent: tuple[float, float],
    show_flags: bool = True,
    slots: int | None = None,
    mark: Window | None = None,
    brush: Window | None = None,
    since: np.datetime64 | None = None,
    small: bool = False,
) -> list[Layer]:
    """Return the layers of a chart, bottom first.

    Parameters
    ----------
    extent : (float, float)
        Value range of the chart; samples outside are drawn at its edge.
    slots : int, optional
        Return layers for this many curves, including empty ones, so that a figure can be updated in place. By default
        empty layers are left out.
    mark, brush : (datetime64, datetime64), optional
        Spans drawn behind the curves: an event, and the selected span.
    since : datetime64, optional
        Origin of the time axis, counted in hours.
    small : bool
        Leave out dots and off-scale values: two dozen charts with all layers take too long.
    """
    # Flags are marked only for the shown period, not for comparison periods.
    flagged = [trace for trace in traces if trace.period == 0] if show_flags else []
    single = sum(not trace.faint for trace in traces) == 1
    out = [_span("event", mark, extent), _span("selected", brush, extent), _missing(flagged, extent)]
    out = out[2:] if small and slots is not None else out
    for place in range(len(traces) if slots is None else max(slots, len(traces))):
        trace = traces[place] if place < len(traces) else None
        drawn = _curve(trace, place=place, fixed=slots is not None, single=single)
        out += drawn if not small else drawn[1:2] if trace is None or trace.faint else drawn[:2]
    out += _marks(flagged, extent)[: 2 if small else 3]
    parts = [layer for layer in out if slots is not None or len(layer)]
    return parts if since is None else [_counted(layer, since) for layer in parts]


def hours_since(when: Any, since: np.datetime64) -> Any:
    """Return instants as hours since an origin.

    >>> float(hours_since(np.datetime64("2026-01-01T06:30", "ns"), np.datetime64("2026-01-01", "ns")))
    6.5
    """
    return (when - since) / _HOUR


def _counted(layer: Layer, since: np.datetime64) -> Layer:
    """Return a layer with times in hours; the instants in tooltips stay as they are."""
    columns = {
        name: hours_since(values, since) if values.dtype.kind == "M" and name != "own" else values
        for name, values in layer.columns.items()
    }
    return Layer(layer.kind, layer.label, columns, layer.style, layer.tips, layer.name)


def _millis(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return times as milliseconds since 1970, the numbers of the axis."""
    if values.dtype.kind != "M":
        return values
    millis = values.astype("datetime64[us]").astype("int64") / 1e3
    missing = np.isnat(values)
    return np.where(missing, np.nan, millis) if missing.any() else millis


_SPANS = {
    "event": {"color": "#56B4E9", "alpha": 0.3, "line": "#0072B2", "width": 1.5},
    "selected": {"color": "#009E73", "alpha": 0.15, "line": "#009E73", "width": 1.5},
}


def _rectangles(label: str, spans: Sequence[tuple[object, float, object, float]], style: Mapping[str, Any]) -> Layer:
    columns = {
        "left": np.array([s[0] for s in spans], "datetime64[ns]"),
        "bottom": np.array([s[1] for s in spans], float),
        "right": np.array([s[2] for s in spans], "datetime64[ns]"),
        "top": np.array([s[3] for s in spans], float),
    }
    return Layer("Rectangles", label, columns, style)


def _span(label: str, span: Window | None, extent: tuple[float, float]) -> Layer:
    spans = [] if span is None else [(span[0], extent[0], span[1], extent[1])]
    return _rectangles(label, spans, _SPANS[label])


def _missing(traces: Sequence[Trace], extent: tuple[float, float]) -> Layer:
    """Return grey spans of missing data behind a single curve, or as a lane at the bottom for each of several."""
    low, high = extent
    lane = 0.02 * (high - low)
    single = len(traces) == 1
    spans = [
        (start, low if single else low + lane * place, stop, high if single else low + lane * (place + 1))
        for place, trace in enumerate(traces)
        for start, stop in trace.missing
    ]
    color = FLAG_STYLES[Flag.MISSING].color
    return _rectangles("missing", spans, {"color": color, "alpha": 0.28 if single else 0.75, "line": color, "width": 0})


def _curve(trace: Trace | None, *, place: int, fixed: bool, single: bool) -> list[Layer]:
    """Return the band, the line and the dots of one trace."""
    style = asset_style(place) if trace is None else asset_style(trace.place, faint=trace.faint)
    label = f"curve {place}" if fixed or trace is None else trace.label
    name = "" if trace is None else trace.label
    columns = _columns(trace)
    banded = trace is not None and trace.band and not trace.faint
    cells = slice(None) if banded else slice(0)
    band = {name: columns[name][cells] for name in ("time", "high", "low")}
    dots = _dots(trace)
    line = {"color": style.color, "alpha": style.alpha, "width": style.width, "dash": style.dash}
    return [
        Layer(
            "Area", tr("{label} min–max", label=label), band, {"color": style.color, "alpha": 0.25 if single else 0.15}
        ),
        Layer("Curve", label, columns, line, (tr("smallest to largest"), "samples"), name),
        Layer(
            "Scatter",
            tr("{label} samples", label=label),
            dots,
            {"color": style.color, "alpha": style.alpha, "size": 4},
            None,
            name,
        ),
    ]


def _columns(trace: Trace | None) -> dict[str, NDArray[np.generic]]:
    none = np.empty(0)
    if trace is None:
        empty = np.empty(0, "datetime64[ns]")
        return {"time": empty, "value": none, "low": none, "high": none, "count": none, "own": empty}
    own = trace.time if trace.own is None else trace.own
    parts = {"value": trace.value, "low": trace.low, "high": trace.high, "count": trace.count, "own": own}
    time, index = _steps(trace) if trace.step else (trace.time, slice(None))
    return {"time": time, **{name: values[index] for name, values in parts.items()}}


def _steps(trace: Trace) -> tuple[NDArray[np.datetime64], NDArray[np.intp]]:
    """Return the corners of a step curve, only where its value changes."""
    count = len(trace.value)
    index = np.repeat(np.arange(count), 2)[:-1] if count else np.empty(0, int)
    time = trace.time[np.repeat(np.arange(count), 2)[1:]] if count else trace.time
    value = trace.value[index]
    alike = (value[1:] == value[:-1]) | (np.isnan(value[1:]) & np.isnan(value[:-1]))
    corner = ~(np.append(False, alike) & np.append(alike, False))
    return time[corner], index[corner]


def _dots(trace: Trace | None) -> dict[str, NDArray[np.generic]]:
    """Return the samples drawn as dots: all of a short curve, and isolated ones, which a line doesn't show."""
    if trace is None:
        return {"time": np.empty(0, "datetime64[ns]"), "value": np.empty(0)}
    known = np.isfinite(trace.value)
    if trace.step or int(known.sum()) > DOTTED:
        before = np.append(False, known[:-1])
        after = np.append(known[1:], False)
        known = known & ~before & ~after
    return {"time": trace.time[known], "value": trace.value[known]}


def _marks(traces: Sequence[Trace], extent: tuple[float, float]) -> list[Layer]:
    """Return the flagged samples; off-scale ones at the edge of the chart, with their values as text."""
    low, high = extent
    inset = 0.03 * (high - low)
    out = []
    written: list[tuple[object, float, str]] = []
    for flag in (Flag.SUSPECT, Flag.FAIL):
        rows = [(t, t.suspect if flag == Flag.SUSPECT else t.fail) for t in traces]
        time = _join([m.time for _, m in rows], "datetime64[ns]")
        value = _join([m.value for _, m in rows], "float64")
        inside = np.isfinite(value) & (value >= low) & (value <= high)
        # Samples known only by their cell are drawn at the bottom.
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
            "own": time,
        }
        style = FLAG_STYLES[flag]
        mark_style = {"color": style.color, "marker": style.marker, "size": style.size, "alpha": 0.9}
        out.append(Layer("Scatter", style.label, columns, mark_style, ("flag", "samples")))
    columns = {
        "time": np.array([w[0] for w in written[:WRITTEN]], "datetime64[ns]"),
        "at": np.array([w[1] for w in written[:WRITTEN]], float),
        "text": np.array([w[2] for w in written[:WRITTEN]], object),
    }
    return [*out, Layer("Labels", "", columns, {"color": FLAG_STYLES[Flag.FAIL].color})]


def _join(parts: Sequence[NDArray[Any]], dtype: str) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype)
