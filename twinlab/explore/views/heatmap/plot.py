"""A heat map as an image: one picture of a few hundred bins and rows, refreshed in place; missing is hatched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np
import pandas as pd
from bokeh.models import BoxAnnotation, FixedTicker
from bokeh.palettes import Cividis256, Oranges256

from twinlab.explore.charts.figures import WHEEL_END_MS
from twinlab.explore.charts.print_figures import date_axis
from twinlab.explore.charts.scale import axis_label, runs
from twinlab.explore.views.heatmap.hover import seen_flags, tell_hovered
from twinlab.explore.views.heatmap.reading import FLAGS
from twinlab.explore.views.heatmap.rows import HeatRows
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.explore.charts.reading import Window

__all__ = ["FLAG_COLORS", "HeatLook", "draw_heat", "dress_heat", "fill_heat", "heat_height", "refresh_heat"]

#: Colours of the worst flag of a cell; lightness alone tells them apart. Missing is left out: the hatched ground shows.
FLAG_COLORS: dict[Flag, str] = {
    Flag.PASS: "#C9DFEC",
    Flag.NOT_EVALUATED: "#E9E9E9",
    Flag.SUSPECT: "#E69F00",
    Flag.FAIL: "#A62B00",
}
FLAG_LETTERS: dict[Flag, str] = {Flag.SUSPECT: "S", Flag.FAIL: "F", Flag.MISSING: "M", Flag.NOT_EVALUATED: "?"}
#: A share above zero starts at a colour that can't be taken for none.
_SHARES = tuple(Oranges256[::-1][70:])
#: Most letters, pixels that one needs, and the width of a plot on a usual screen.
_LETTERED, _LETTER_PIXELS, _PLOT_PIXELS = 400, 12, 900
_ROW_PIXELS, _MOST_PIXELS, _LEAST_PIXELS = 24, 470, 96
_LABEL_PIXELS = 14
_LABEL_LENGTH = 18
_AXES_PIXELS = 62
TOOLS = ("xpan", "xwheel_zoom", "xbox_zoom", "save")
Share = Literal["worst", "not_pass", "missing"]


@dataclass(frozen=True)
class HeatLook:
    """How rows are drawn: values, or flags as the worst of each cell or as a share."""

    heat: Literal["values", "flags"]
    # What a cell shows: a measure of values, or one of `Share`.
    shows: str
    title: str
    # The cell that was picked: (row, bin), or None.
    picked: tuple[int, int] | None = None

    @property
    def categories(self) -> bool:
        """Whether colours are flags."""
        return self.heat == "flags" and self.shows == "worst"


def heat_height(rows: int) -> int:
    """Return the height of a heat map in pixels: a row is as high as a line of text until the screen is full."""
    return int(np.clip(rows * _ROW_PIXELS, _LEAST_PIXELS, _MOST_PIXELS)) + _AXES_PIXELS


def shown_values(rows: HeatRows, look: HeatLook) -> NDArray[np.float32]:
    """Return what is coloured (row, bin); NaN shows the ground."""
    if look.heat == "values":
        return rows.value.astype("float32")
    if look.shows == "worst":
        codes = rows.worst.astype("float32")
        codes[rows.worst == 0] = Flag.NOT_EVALUATED
        codes[rows.worst == Flag.MISSING] = np.nan
        return codes
    share = np.zeros(rows.value.shape) if rows.share is None else rows.share
    return share.astype("float32")


def color_span(values: NDArray[np.float32], look: HeatLook) -> tuple[float, float]:
    """Return the values at both ends of the colours."""
    if look.categories:
        return 0.5, 4.5
    if look.heat == "flags":
        return 1e-6, 100.0
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def palette(look: HeatLook) -> list[str]:
    """Return the colours, low to high."""
    if look.categories:
        return [FLAG_COLORS[flag] for flag in (Flag.PASS, Flag.NOT_EVALUATED, Flag.SUSPECT, Flag.FAIL)]
    return list(_SHARES) if look.heat == "flags" else list(Cividis256)


def letters(rows: HeatRows, look: HeatLook) -> dict[str, list[Any]]:
    """Return the letters of judged cells, one in the middle of each stretch that's wide enough: columns time, row, text."""
    out: dict[str, list[Any]] = {"time": [], "row": [], "text": []}
    count, bins = rows.worst.shape
    if look.heat != "flags" or not rows.worst.size or (heat_height(count) - _AXES_PIXELS) / count < _LETTER_PIXELS:
        return out
    least = -(-_LETTER_PIXELS * bins // _PLOT_PIXELS)
    for row, flags in enumerate(rows.worst):
        for flag, letter in FLAG_LETTERS.items():
            for first, last in runs(flags == flag):
                if last - first >= least and len(out["row"]) < _LETTERED:
                    out["time"].append(rows.cells.time[first] + (last - first) * rows.cells.width // 2)
                    out["row"].append(row + 0.5)
                    out["text"].append(letter)
    return out


def frame(rows: HeatRows, look: HeatLook) -> dict[str, list[Any]]:
    """Return the outline of the picked cell: columns of a rectangle."""
    if look.picked is None or not rows.cells.time.size:
        return {"left": [], "bottom": [], "right": [], "top": []}
    row, column = look.picked
    left = rows.cells.time[column]
    return {"left": [left], "bottom": [row], "right": [left + rows.cells.width], "top": [row + 1]}


def row_ticks(rows: HeatRows) -> list[tuple[float, str]]:
    """Return the labels of rows that fit: every one, or every so many."""
    count = len(rows.labels)
    pixels = (heat_height(count) - _AXES_PIXELS) / max(count, 1)
    every = max(1, int(np.ceil(_LABEL_PIXELS / pixels)))
    return [(i + 0.5, _short(rows.labels[i])) for i in range(0, count, every)]


def _short(label: str) -> str:
    """A row's name as it fits beside it: of several assets the first, without its id where that's too long."""
    label = label.partition(" … ")[0]
    if len(label) > _LABEL_LENGTH and label.endswith(")"):
        label = label.rpartition(" (")[0] or label
    return label if len(label) <= _LABEL_LENGTH else f"{label[: _LABEL_LENGTH - 1]}…"


def draw_heat(
    rows: HeatRows,
    look: HeatLook,
    *,
    backend: Literal["bokeh", "matplotlib"] = "bokeh",
    window: Window | None = None,
    hooks: Sequence[Callable[[Any, Any], None]] = (),
) -> hv.Overlay:
    """Draw rows as an image with letters and the picked cell's frame; the first row on top.

    Returns
    -------
    holoviews.Overlay
    """
    values = shown_values(rows, look)
    low, high = color_span(values, look)
    count = len(rows.labels)
    x, y = hv.Dimension("time", label="time (UTC)"), hv.Dimension("row", label="row")
    z = hv.Dimension("value", label=look.title)
    # Bounds are told: of a single row or bin they couldn't be inferred.
    left = rows.cells.time[0]
    bounds = (left, 0, left + values.shape[1] * rows.cells.width, count)
    image = hv.Image(values[::-1], kdims=[x, y], vdims=[z], bounds=bounds, rtol=1.0)
    marks, framed = letters(rows, look), frame(rows, look)
    texts = hv.Labels((marks["time"], marks["row"], marks["text"]), [x, y], "text")
    picked = hv.Rectangles(
        list(zip(framed["left"], framed["bottom"], framed["right"], framed["top"], strict=True)), [x, y, "x1", "y1"]
    )
    colors: dict[str, Any] = {"cmap": palette(look), "clim": (low, high), "clipping_colors": _clipping(look)}
    common: dict[str, Any] = {"xlabel": "time (UTC)", "ylabel": "", "yticks": row_ticks(rows), "invert_yaxis": True}
    if backend == "matplotlib":
        return _for_print(image, texts, look, colors | common, height=heat_height(count))
    tools = {"default_tools": list(TOOLS), "backend": "bokeh"}
    overlay = hv.Overlay(
        [
            image.opts(colorbar=not look.categories, **colors, **tools),
            texts.opts(text_font_size="9pt", text_color="#000000", **tools),
            picked.opts(fill_alpha=0, line_color="#D81B60", line_width=3, **tools),
        ]
    )
    limits: dict[str, Any] = {} if window is None else {"xlim": window}
    return overlay.opts(
        responsive=True,
        height=heat_height(count),
        title=look.title,
        ylim=(0, max(count, 1)),
        active_tools=["xbox_zoom"],
        show_legend=False,
        fontsize={"labels": "10pt", "xticks": "9.5pt", "yticks": "9pt"},
        hooks=[_ground, lambda plot, _: refresh_heat(plot, rows, look, window=window), *hooks],
        backend="bokeh",
        **common,
        **limits,
    )


def _clipping(look: HeatLook) -> dict[str, Any]:
    nothing = (0, 0, 0, 0)
    none = FLAG_COLORS[Flag.PASS]
    return {"NaN": nothing, "min": none} if look.heat == "flags" and not look.categories else {"NaN": nothing}


def _for_print(
    image: hv.Image, texts: hv.Labels, look: HeatLook, options: dict[str, Any], *, height: int
) -> hv.Overlay:
    clipping = {name: "none" if name == "NaN" else color for name, color in options["clipping_colors"].items()}
    keys = ("cmap", "clim")
    drawn = image.opts(
        colorbar=not look.categories,
        clabel=look.title,
        clipping_colors=clipping,
        backend="matplotlib",
        **{key: options[key] for key in keys},
    )
    rest = {key: value for key, value in options.items() if key not in (*keys, "clipping_colors")}

    def ground(plot: Any, element: Any) -> None:  # noqa: ARG001
        date_axis(plot.handles["axis"])
        plot.handles["axis"].patch.set(hatch="////", edgecolor="#5E5E5E", linewidth=0, facecolor="#BDBDBD")

    return hv.Overlay([drawn, texts.opts(size=7, backend="matplotlib")]).opts(
        fig_inches=(7.2, max(1.8, height / 90)), aspect=None, hooks=[ground], backend="matplotlib", **rest
    )


def _ground(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    dress_heat(plot.state)


def dress_heat(chart: Any) -> None:
    """Hatch what lies behind the image: cells without a value let it through; and write the year once."""
    chart.add_layout(
        BoxAnnotation(
            fill_color="#A6A6A6",
            fill_alpha=0.8,
            line_alpha=0,
            hatch_pattern="/",
            hatch_color="#5E5E5E",
            hatch_alpha=0.8,
            hatch_scale=7,
            hatch_weight=1,
            level="underlay",
        )
    )
    chart.grid.visible = False
    chart.output_backend = "canvas"
    chart.lod_timeout = WHEEL_END_MS
    chart.toolbar.logo = None
    # The year once, below the first tick: repeated, the months' labels run into each other on a phone.
    for axis in chart.xaxis:
        axis.formatter.months = "%b"
        axis.formatter.context.months = "%Y"


# -- in place ---------------------------------------------------------------------------------------------------------


def refresh_heat(plot: Any, rows: HeatRows, look: HeatLook, *, window: Window | None) -> None:
    """Put other rows into HoloViews' Bokeh plot of what `draw_heat` made; as `fill_heat`."""
    fill_heat(plot.state, rows, look, window=window)
    plot.state.title.text = look.title
    plot.push()


def fill_heat(chart: Any, rows: HeatRows, look: HeatLook, *, window: Window | None) -> None:
    """Put other rows into a heat map's figure, without making it anew: one image is sent.

    Parameters
    ----------
    chart : Bokeh figure
        Its renderers are the image, the letters and the picked cell's frame.
    window : (datetime64, datetime64), optional
        Span of the time axis; None leaves it where it is.
    """
    image, texts, framed = chart.renderers
    values = shown_values(rows, look)
    low, high = color_span(values, look)
    image.glyph.color_mapper.update(palette=palette(look), low=low, high=high, low_color=_clipping(look).get("min"))
    for bar in chart.right:
        # The plot's own title says it: beside a bar as low as a few rows it would be cut.
        bar.update(title="", visible=not look.categories)
    image.data_source.data = _image_columns(rows, values)
    _fill(texts.data_source, letters(rows, look))
    _fill(framed.data_source, frame(rows, look))
    tell_hovered(chart, image, rows, look)
    _name_rows(chart.yaxis[0], row_ticks(rows))
    chart.y_range.update(start=max(len(rows.labels), 1), end=0)
    if window is not None:
        start, stop = _millis(list(window))
        chart.x_range.update(start=start, end=stop)


def _fill(source: Any, columns: dict[str, list[Any]]) -> None:
    data = {name: _millis(part) for name, part in columns.items()}
    if {name: list(part) for name, part in source.data.items()} != data:
        source.data = data


def _name_rows(axis: Any, ticks: Sequence[tuple[float, str]]) -> None:
    """Label the rows. A ticker keeps its place: at each new model Bokeh walks through all models of the page."""
    if not isinstance(axis.ticker, FixedTicker):
        axis.ticker = FixedTicker()
    axis.ticker.update(ticks=[at for at, _ in ticks], minor_ticks=[])
    axis.major_label_overrides = dict(ticks)


def _millis(values: Iterable[Any]) -> list[Any]:
    return [v.astype("datetime64[us]").astype("int64") / 1e3 if isinstance(v, np.datetime64) else v for v in values]


def _image_columns(rows: HeatRows, values: NDArray[np.float32]) -> dict[str, list[Any]]:
    width = float(rows.cells.width.astype("int64")) / 1e6
    start = _millis(rows.cells.time[:1])
    bins = values.shape[1]
    none = np.zeros((1, 1), "uint8")
    out: dict[str, list[Any]] = {
        "x": start or [0.0],
        "y": [0],
        "dw": [max(bins, 1) * width],
        "dh": [max(len(values), 1)],
        "image": [values if values.size else np.full((1, 1), np.nan, "float32")],
    }
    for flag in seen_flags(rows):
        counts = rows.counts[FLAGS.index(flag)]
        out[flag.name.lower()] = [
            counts.astype(np.min_scalar_type(int(counts.max(initial=0)))) if counts.size else none
        ]
    return out


def bin_at(rows: HeatRows, x: np.datetime64, y: float) -> tuple[int, int] | None:
    """Return (row, bin) at a place of the plot, None beside the image."""
    if not rows.cells.time.size:
        return None
    column = int((x - rows.cells.time[0]) // rows.cells.width)
    row = int(np.floor(y))
    inside = 0 <= row < len(rows.labels) and 0 <= column < len(rows.cells.time)
    return (row, column) if inside else None


def span_text(time: np.datetime64, width: np.timedelta64) -> str:
    """Return a bin's span in words."""
    start, stop = pd.Timestamp(time), pd.Timestamp(time + width)
    same = start.date() == stop.date()
    return f"{start:%Y-%m-%d %H:%M} to {stop:{'%H:%M' if same else '%Y-%m-%d %H:%M'}} UTC"


def values_title(name: str, measure: str, unit: str) -> str:
    """Return what the colours of values mean, with the unit.

    >>> values_title("air temperature", "mean", "°C")
    'mean air temperature (°C)'
    """
    return axis_label(f"{measure} {name}", unit)
