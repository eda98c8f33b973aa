"""A chart of a KPI: its value, what it can be, how much of it is known, and its target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np
import pandas as pd
from bokeh.events import Tap
from numpy.typing import NDArray

from twinlab.events.kpis.table import kpi_table
from twinlab.explore.charts.palette import FONT_SIZES
from twinlab.explore.charts.scale import axis_label
from twinlab.languages import tr
from twinlab.model.basics import parse_duration

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["kpi_chart"]

#: Groups that are drawn: those with the most samples.
_GROUPS = 12
_VALUE, _TARGET = "#0072B2", "#D55E00"
_NUMBERS = ("value", "low", "high", "coverage", "samples")


def kpi_chart(
    data: xr.Dataset, *, height: int = 300, on_pick: Callable[[np.datetime64, str | None], None] | None = None
) -> hv.Overlay | hv.Layout:
    """Draw a KPI by window.

    A light box is a window and what the value can be, from ``low`` to ``high``; hatched if the window isn't settled. The dark line in it is the value, as wide as the share of the window that is known: of a KPI half of whose data is missing it is half as
    wide as its box, and the box is high. Without any value there is only the box. A dashed line is the target.

    Parameters
    ----------
    data : Dataset
        As ``twin.kpi`` returns it.
    height : int
        Pixels of one chart.
    on_pick : callable, optional
        Called with the start of a window that a reader presses, and its group, None without groups.

    Returns
    -------
    holoviews.Overlay, or a Layout with a chart for each group
        Charts of groups have one value axis. Of more than twelve groups, those with the most samples are drawn.
    """
    table = kpi_table(data).dropna(subset=["low", "high"])
    limits = _limits(table, data.attrs.get("target_value"))
    (group,) = (str(one) for one in data["value"].dims if one != "time") if data["value"].ndim > 1 else ("",)
    title = str(data.attrs.get("title", ""))
    if not group:
        whole = _chart(table, data, limits, f"{title}{_aim(data)}", _press(data, None, on_pick))
        return whole.opts(responsive=True, height=height, backend="bokeh")
    by_size = table.groupby(group, sort=False)["samples"].sum().sort_values(ascending=False, kind="stable")
    chosen = set(by_size.index[:_GROUPS])
    shown = [one for one in data[group].values.tolist() if one in chosen]
    more = len(by_size) - len(shown)
    note = tr(" ({more} more aren't drawn)", more=more) if more > 0 else ""
    charts = [
        _chart(table[table[group] == one], data, limits, str(one), _press(data, str(one), on_pick)).opts(
            responsive=True,
            height=max(150, height // 2),
            xlabel="",
            ylabel=str(data.attrs.get("units", "")),
            backend="bokeh",
        )
        for one in shown
    ]
    return (
        hv.Layout(charts).cols(2).opts(title=f"{title} by {group.replace('_', ' ')}{_aim(data)}{note}", backend="bokeh")
    )


def _limits(table: pd.DataFrame, target: float | None) -> tuple[float, float]:
    """Return the span of the value axis: what is finite, with some room; infinite bounds are drawn to its ends."""
    numbers = table[["value", "low", "high"]].to_numpy(dtype=float).ravel()
    finite = [*numbers[np.isfinite(numbers)], *([] if target is None else [target])]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def _press(
    data: xr.Dataset, group: str | None, on_pick: Callable[[np.datetime64, str | None], None] | None
) -> list[Callable[[Any, Any], None]]:
    """Return hooks that make a chart call ``on_pick`` for the window that is pressed."""
    if on_pick is None:
        return []
    starts = data["time"].values.astype("datetime64[ns]")
    width = np.timedelta64(parse_duration(data.attrs["every"]), "ns")

    def pressed(event: Any) -> None:
        if event.x is None or not len(starts):
            return
        at = np.datetime64(round(event.x * 1e6), "ns")
        place = int(np.searchsorted(starts, at, side="right")) - 1
        if place >= 0 and at < starts[place] + width:
            on_pick(starts[place], group)

    def hook(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
        plot.state.on_event(Tap, pressed)

    return [hook]


def _chart(
    table: pd.DataFrame,
    data: xr.Dataset,
    limits: tuple[float, float],
    title: str,
    hooks: Sequence[Callable[[Any, Any], None]] = (),
) -> hv.Overlay:
    unit = str(data.attrs.get("units", ""))
    width = np.timedelta64(parse_duration(data.attrs["every"]), "ns")
    parts = [
        _boxes(table[table["settled"] == settled], width, limits, unit, settled=settled) for settled in (True, False)
    ]
    parts.append(_values(table.dropna(subset=["value"]), width))
    target = data.attrs.get("target_value")
    if target is not None and len(table):
        ends = table["time"].min(), table["time"].max() + pd.Timedelta(width)
        line = hv.Curve([(ends[0], float(target)), (ends[1], float(target))], "time", "value")
        parts.append(line.opts(color=_TARGET, line_dash="dashed", line_width=1.5, backend="bokeh"))
    label = axis_label(str(data["value"].attrs.get("long_name", "value")), unit)
    return hv.Overlay(parts).opts(
        title=title,
        ylim=limits,
        xlabel="time (UTC)",
        ylabel=label if len(label) < 40 else f"value ({unit})",
        show_legend=False,
        fontsize=dict(FONT_SIZES),
        toolbar="above",
        hooks=[_dated_hover, *hooks],
        backend="bokeh",
    )


def _boxes(
    table: pd.DataFrame, width: np.timedelta64, limits: tuple[float, float], unit: str, *, settled: bool
) -> hv.Rectangles:
    left: NDArray[np.datetime64] = table["time"].to_numpy(dtype="datetime64[ns]")
    edges = [np.clip(table[name].to_numpy(dtype=float), *limits) for name in ("low", "high")]
    rectangles = hv.Rectangles(
        (left, edges[0], left + width, edges[1], *(table[name].to_numpy() for name in _NUMBERS), left),
        kdims=[hv.Dimension("left", label="time (UTC)"), "bottom", "right", "top"],
        vdims=[*_NUMBERS, "window"],
    )
    return rectangles.opts(
        color=_VALUE,
        fill_alpha=0.22,
        line_color=_VALUE,
        line_alpha=0.55,
        hooks=[] if settled else [_hatched],
        line_width=1,
        tools=["hover"],
        hover_tooltips=[
            (tr("window"), "@window{%F %H:%M}"), (tr("value"), f"@value{{0.000}} {unit}"), (tr("low"), f"@low{{0.000}} {unit}"),
            (tr("high"), f"@high{{0.000}} {unit}"), (tr("known"), "@coverage{0.0 %}"), (tr("samples"), "@samples{0,0}"),
        ],
        backend="bokeh",
    )  # fmt: skip


def _values(table: pd.DataFrame, width: np.timedelta64) -> hv.Segments:
    left: NDArray[np.datetime64] = table["time"].to_numpy(dtype="datetime64[ns]")
    known = np.clip(table["coverage"].to_numpy(dtype=float), 0.0, 1.0)
    margin = ((1 - known) / 2 * width.astype("int64")).astype("timedelta64[ns]")
    value = table["value"].to_numpy(dtype=float)
    segments = hv.Segments(
        (left + margin, value, left + width - margin, value), kdims=["from", "value", "to", "value_end"]
    )
    return segments.opts(color=_VALUE, line_width=3, backend="bokeh")


def _aim(data: xr.Dataset) -> str:
    return tr(", target {target}", target=data.attrs["target"]) if "target" in data.attrs else ""


def _hatched(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    """Hatch the boxes of windows that aren't settled; HoloViews has no option for it."""
    plot.handles["glyph"].update(hatch_pattern="/", hatch_color=_VALUE, hatch_alpha=0.4)


def _dated_hover(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    """Let the hover text show a window as a date."""
    plot.state.toolbar.logo = None
    for tool in plot.state.toolbar.tools:
        if hasattr(tool, "formatters"):
            tool.formatters = {"@window": "datetime"}
