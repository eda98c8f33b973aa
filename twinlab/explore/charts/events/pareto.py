"""A Pareto chart: which values contribute how much, and how much the first ones do together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
import pandas as pd

from twinlab.events.rules.exception_table import duration_text
from twinlab.explore.charts.events.bars import TOOLS, Backend, bars, empty_chart, finish, load, tips
from twinlab.explore.charts.palette import ASSET_STYLES
from twinlab.languages import local_number, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["pareto_bars"]

#: Pixels of a bar, and of all around the bars.
_ROW, _FRAME = 24, 90
_NO_VALUE = "(no value)"


def pareto_bars(table: pd.DataFrame, *, most: int = 12, title: str = "", backend: Backend = "bokeh") -> hv.Overlay:
    """Draw a Pareto table as horizontal bars, the most first, with the cumulative share as a line.

    Bars and line are shares of the whole, so that they have one axis. Weights are in the names of the bars.

    Parameters
    ----------
    table : DataFrame
        As `twinlab.events.pareto` returns it.
    most : int
        So many bars; the others are one bar together, the last.

    Returns
    -------
    holoviews.Overlay

    >>> from twinlab.events import pareto
    >>> type(pareto_bars(pareto(pd.DataFrame({"cause": ["door", "door", "power"]}), "cause"))).__name__
    'Overlay'
    """
    load(backend)
    if not len(table):
        return empty_chart(tr("No events."), backend=backend)
    names, rows = _shown(table, most)
    size = len(names)
    place = np.arange(size, dtype=float)[::-1]
    texts = _texts(rows["weight"], table["weight"].dtype)
    share, cumulative = (100 * rows[name].to_numpy(dtype=float) for name in ("share", "cumulative"))
    kdims = [hv.Dimension("left", label="share (%)"), "bottom", "right", "top"]
    columns: dict[str, Any] = {"left": np.zeros(size), "bottom": place - 0.4, "right": share, "top": place + 0.4}
    columns |= {
        "value": names,
        "text": texts,
        "count": rows["count"],
        "share": rows["share"],
        "cumulative": rows["cumulative"],
    }
    hover = tips(
        ("value", "value"),
        ("weight", "text"),
        ("events", "count"),
        ("share", "share"),
        ("with those above", "cumulative"),
    )
    line = hv.Curve((cumulative, place), "left", "bottom", label="cumulative share")
    dots = hv.Scatter((cumulative, place), "left", "bottom")
    color = ASSET_STYLES[5].color
    if backend == "matplotlib":
        line, dots = line.opts(color=color, backend=backend), dots.opts(color=color, s=16, backend=backend)
    else:
        line = line.opts(color=color, line_width=1.6, default_tools=TOOLS, backend=backend)
        dots = dots.opts(color=color, size=6, default_tools=TOOLS, backend=backend)
    parts = [bars(columns, kdims, label="share", hover=hover, backend=backend), line, dots]
    return finish(
        parts,
        height=_FRAME + _ROW * max(size, 3),
        backend=backend,
        show_legend=False,
        title=title
        or f"{'Duration' if table['weight'].dtype.kind == 'm' else 'Share'} by {table.index.name}, line: cumulative",
        xlabel="share (%)",
        ylabel="",
        xlim=(0, 104),
        ylim=(-0.6, size - 0.4),
        yticks=[(float(at), f"{name}: {text}") for at, name, text in zip(place, names, texts, strict=True)],
    )


def _shown(table: pd.DataFrame, most: int) -> tuple[list[str], pd.DataFrame]:
    names = [_NO_VALUE if pd.isna(one) else str(one) for one in table.index]
    if len(table) <= most:
        return names, table
    rest = table.iloc[most:]
    together = {
        "count": rest["count"].sum(),
        "weight": rest["weight"].sum(),
        "share": rest["share"].sum(),
        "cumulative": 1.0,
    }
    rows = pd.concat([table.iloc[:most], pd.DataFrame([together])])
    return [*names[:most], tr("{count} others", count=len(rest))], rows


def _texts(weight: pd.Series, dtype: Any) -> Sequence[str]:
    if dtype.kind == "m":
        return [duration_text(one / pd.Timedelta(1, "ns")) for one in weight]
    return [
        local_number(f"{one:,}") if float(one).is_integer() and dtype.kind in "iu" else local_number(f"{one:,.4g}")
        for one in weight
    ]
