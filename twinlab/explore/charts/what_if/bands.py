"""A signal of several scenarios over time, as bands over replications."""

from __future__ import annotations

from typing import TYPE_CHECKING

import holoviews as hv
import holoviews.plotting.bokeh
import xarray as xr

from twinlab.explore.charts.palette import FONT_SIZES, asset_style
from twinlab.explore.charts.scale import axis_label
from twinlab.languages import tr

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["band_chart", "quantile_table"]

#: Quantiles over replications: nine tenths and half of the replications are between two of them; the median.
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
#: Without the wheel: a page is scrolled over a chart.
_TOOLS = ["xpan", "xbox_zoom", "reset", "save"]
_COLUMNS = ("q5", "q25", "median", "q75", "q95")


def quantile_table(signal: xr.DataArray) -> pd.DataFrame:
    """Return quantiles over replications, by scenario and time.

    Parameters
    ----------
    signal : DataArray, dims scenario, replication, time
        One signal of one asset; missing values are left out.

    Returns
    -------
    DataFrame
        ``scenario, time, q5, q25, median, q75, q95, replications``; quantiles are NaN at a time without any value.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.arange(5.0).reshape(1, 5, 1)
    >>> dims, coords = ("scenario", "replication", "time"), {"scenario": ["base"], "time": np.array(["2026-01-01"], "M8[ns]")}
    >>> quantile_table(xr.DataArray(values, coords, dims))[["q25", "median", "replications"]].iloc[0].tolist()
    [1.0, 2.0, 5.0]
    """
    known = signal.count("replication")
    # A quantile of nothing warns.
    quantiles = signal.where(known > 0, 0.0).quantile(list(_QUANTILES), "replication").where(known > 0)
    parts = {name: quantiles.isel(quantile=place, drop=True) for place, name in enumerate(_COLUMNS)}
    columns = xr.Dataset({**parts, "replications": known})
    table: pd.DataFrame = columns.to_dataframe(dim_order=["scenario", "time"]).reset_index()
    return table[["scenario", "time", *_COLUMNS, "replications"]]


def band_chart(signal: xr.DataArray, *, height: int = 320) -> hv.Overlay:
    """Draw a signal of each scenario: the median as a line, half and nine tenths of the replications as bands.

    Parameters
    ----------
    signal : DataArray, dims scenario, replication, time
        Attributes ``long_name`` and ``units`` label the axis.
    height : int
        Pixels.

    Returns
    -------
    holoviews.Overlay
        Scenarios differ in colour and dash.
    """
    table = quantile_table(signal)
    name, unit = str(signal.attrs.get("long_name", signal.name)), str(signal.attrs.get("units", ""))
    time, value = hv.Dimension("time", label="time (UTC)"), hv.Dimension("value", label=axis_label(name, unit))
    bands, lines = [], []
    for place, scenario in enumerate(dict.fromkeys(signal["scenario"].to_numpy().tolist())):
        rows, style = table[table["scenario"] == scenario], asset_style(place)
        at = rows["time"].to_numpy()
        for low, high, alpha in (("q5", "q95", 0.13), ("q25", "q75", 0.24)):
            area = hv.Area((at, rows[low].to_numpy(), rows[high].to_numpy()), time, [value, "upper"])
            bands.append(
                area.opts(color=style.color, alpha=alpha, line_alpha=0.0, default_tools=_TOOLS, backend="bokeh")
            )
        curve = hv.Curve(
            (
                at,
                rows["median"].to_numpy(),
                *(rows[one].to_numpy() for one in ("q5", "q25", "q75", "q95", "replications")),
            ),
            time,
            [value, "q5", "q25", "q75", "q95", "replications"],
            label=str(scenario),
        )
        lines.append(
            curve.opts(
                color=style.color,
                line_dash=style.dash,
                line_width=2,
                tools=["hover"],
                default_tools=_TOOLS,
                hover_tooltips=[
                    ("scenario", str(scenario)), ("time", "@time{%F %H:%M}"), ("median", f"@value{{0.00}} {unit}"),
                    (tr("half of them"), "@q25{0.00} to @q75{0.00}"), ("90 %", "@q5{0.00} to @q95{0.00}"),
                    ("replications", "@replications{0,0}"),
                ],
                hover_formatters={"@time": "datetime"},
                backend="bokeh",
            )
        )  # fmt: skip
    return hv.Overlay([*bands, *lines]).opts(
        responsive=True,
        height=height,
        legend_position="top",
        show_legend=len(lines) > 1,
        fontsize=dict(FONT_SIZES),
        toolbar="above",
        backend="bokeh",
    )
