"""How rows of a heat map are drawn: colours, letters, labels, sizes; pure, used by every backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from bokeh.palettes import Cividis256, Oranges256

from twinlab.explore.charts.scale import axis_label, runs
from twinlab.explore.views.heatmap.reading import FLAGS
from twinlab.explore.views.heatmap.rows import HeatRows
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FLAG_COLORS",
    "FLAG_LETTERS",
    "TOOLS",
    "HeatStyle",
    "clipping_colors",
    "color_span",
    "flags_in_view",
    "frame",
    "heat_height",
    "letters",
    "palette",
    "row_names",
    "row_ticks",
    "shorten_name",
    "shown_values",
    "span_text",
    "values_title",
]

#: Colours of the worst flag of a cell, distinguishable by lightness alone. Missing cells show the hatched background.
FLAG_COLORS: dict[Flag, str] = {
    Flag.PASS: "#C9DFEC",
    Flag.NOT_EVALUATED: "#E9E9E9",
    Flag.SUSPECT: "#E69F00",
    Flag.FAIL: "#A62B00",
}
FLAG_LETTERS: dict[Flag, str] = {Flag.SUSPECT: "S", Flag.FAIL: "F", Flag.MISSING: "M", Flag.NOT_EVALUATED: "?"}
#: Colours of shares above zero, the lowest clearly different from none.
_SHARES = tuple(Oranges256[::-1][70:])
#: Largest number of letters, pixels that one needs, and the width of a plot on a common screen.
_LETTERED, _LETTER_PIXELS, _PLOT_PIXELS = 400, 12, 900
_ROW_PIXELS, _MOST_PIXELS, _LEAST_PIXELS = 24, 470, 96
_LABEL_PIXELS = 14
#: Longest row label of a figure for print, characters.
_LABEL_LENGTH = 32
_AXES_PIXELS = 62
TOOLS = ("xpan", "xwheel_zoom", "xbox_zoom", "save")
Share = Literal["worst", "not_pass", "missing"]


@dataclass(frozen=True)
class HeatStyle:
    """Content of a heat map's cells: values, or flags as the worst of each cell or as a share."""

    heat: Literal["values", "flags"]
    # A statistic of values, or one of `Share`.
    shows: str
    title: str
    # The selected cell: (row, bin), or None.
    picked: tuple[int, int] | None = None

    @property
    def categories(self) -> bool:
        """Whether colours are flags, not a scale."""
        return self.heat == "flags" and self.shows == "worst"


def heat_height(rows: int) -> int:
    """Return the height of a heat map, pixels: one line of text per row, up to the height of a screen."""
    return int(np.clip(rows * _ROW_PIXELS, _LEAST_PIXELS, _MOST_PIXELS)) + _AXES_PIXELS


def shown_values(rows: HeatRows, style: HeatStyle) -> NDArray[np.float32]:
    """Return the coloured values (row, bin); NaN shows the background."""
    if style.heat == "values":
        return rows.value.astype("float32")
    if style.shows == "worst":
        codes = rows.worst.astype("float32")
        codes[rows.worst == 0] = Flag.NOT_EVALUATED
        codes[rows.worst == Flag.MISSING] = np.nan
        return codes
    share = np.zeros(rows.value.shape) if rows.share is None else rows.share
    return share.astype("float32")


def color_span(values: NDArray[np.float32], style: HeatStyle) -> tuple[float, float]:
    """Return the values of the first and the last colour."""
    if style.categories:
        return 0.5, 4.5
    if style.heat == "flags":
        return 1e-6, 100.0
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def palette(style: HeatStyle) -> list[str]:
    """Return the colours, low to high."""
    if style.categories:
        return [FLAG_COLORS[flag] for flag in (Flag.PASS, Flag.NOT_EVALUATED, Flag.SUSPECT, Flag.FAIL)]
    return list(_SHARES) if style.heat == "flags" else list(Cividis256)


def clipping_colors(style: HeatStyle) -> dict[str, Any]:
    """Return the colours outside the palette: nothing for NaN; shares of zero look like flags that pass."""
    nothing = (0, 0, 0, 0)
    none = FLAG_COLORS[Flag.PASS]
    return {"NaN": nothing, "min": none} if style.heat == "flags" and not style.categories else {"NaN": nothing}


def flags_in_view(rows: HeatRows) -> tuple[Flag, ...]:
    """Return the flags of samples in view, and pass; the counts of other flags needn't be sent."""
    return tuple(f for f, counts in zip(FLAGS, rows.counts, strict=True) if f == Flag.PASS or counts.any())


def letters(rows: HeatRows, style: HeatStyle) -> dict[str, list[Any]]:
    """Return the letters of bad cells, one in the middle of each wide enough run: columns time, row, text."""
    out: dict[str, list[Any]] = {"time": [], "row": [], "text": []}
    count, bins = rows.worst.shape
    if style.heat != "flags" or not rows.worst.size or (heat_height(count) - _AXES_PIXELS) / count < _LETTER_PIXELS:
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


def frame(rows: HeatRows, style: HeatStyle) -> dict[str, list[Any]]:
    """Return the frame of the selected cell: columns of a rectangle."""
    if style.picked is None or not rows.cells.time.size:
        return {"left": [], "bottom": [], "right": [], "top": []}
    row, column = style.picked
    left = rows.cells.time[column]
    return {"left": [left], "bottom": [row], "right": [left + rows.cells.width], "top": [row + 1]}


def row_ticks(rows: HeatRows) -> list[tuple[float, str]]:
    """Return position and label of the rows whose labels fit: all, or every n-th."""
    names = row_names(rows)
    pixels = (heat_height(len(names)) - _AXES_PIXELS) / max(len(names), 1)
    every = max(1, int(np.ceil(_LABEL_PIXELS / pixels)))
    return [(i + 0.5, shorten_name(names[i])) for i in range(0, len(names), every)]


def row_names(rows: HeatRows) -> list[str]:
    """Return a name for each row; of merged assets that of the first."""
    return [label.partition(" … ")[0] for label in rows.labels]


def shorten_name(name: str, length: int = _LABEL_LENGTH) -> str:
    """Return a name without its id, then without its middle, if it is longer than ``length`` characters.

    >>> shorten_name("Cold room Frankfurt 1 (R01)", 21), shorten_name("Cold room Frankfurt 1 (R01)", 14)
    ('Cold room Frankfurt 1', 'Cold r…kfurt 1')
    """
    if len(name) > length and name.endswith(")"):
        name = name.rpartition(" (")[0] or name
    end = length // 2
    return name if len(name) <= length else f"{name[: length - 1 - end]}…{name[-end:]}"


def span_text(time: np.datetime64, width: np.timedelta64) -> str:
    """Return the span of a bin as text."""
    start, stop = pd.Timestamp(time), pd.Timestamp(time + width)
    same = start.date() == stop.date()
    return f"{start:%Y-%m-%d %H:%M} to {stop:{'%H:%M' if same else '%Y-%m-%d %H:%M'}} UTC"


def values_title(name: str, measure: str, unit: str) -> str:
    """Return the title of the colour scale, with the unit.

    >>> values_title("air temperature", "mean", "°C")
    'mean air temperature (°C)'
    """
    return axis_label(f"{measure} {name}", unit)
