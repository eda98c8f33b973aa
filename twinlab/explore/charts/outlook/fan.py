"""Forecasts of several issue times as bands, and what came as a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np
import pandas as pd

from twinlab.explore.charts.palette import FONT_SIZES
from twinlab.explore.charts.scale import axis_label, pretty_unit
from twinlab.languages import tr

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["fan_chart", "fan_table"]

_TOOLS = ["xpan", "xbox_zoom", "reset", "save"]
#: The newest forecast, and earlier ones.
_NEW, _EARLIER = "#0072B2", "#CC79A7"


def fan_table(data: xr.Dataset, asset: str) -> pd.DataFrame:
    """Return the forecasts of an asset, a row for each issue time and lead time.

    Returns
    -------
    DataFrame
        ``issued, time, low, middle, high``: the lowest, middle and highest quantile; NaN where it can't tell.
    """
    values = (
        data[str(data.attrs["target"])].sel(asset=asset).transpose("issue_time", "lead_time", "quantile").to_numpy()
    )
    issued, leads = data["issue_time"].to_numpy(), data["lead_time"].to_numpy()
    middle = int(np.abs(data["quantile"].to_numpy() - 0.5).argmin())
    found = {"low": values[..., 0], "middle": values[..., middle], "high": values[..., -1]}
    columns = {"issued": np.repeat(issued, len(leads)), "time": (issued[:, None] + leads[None, :]).ravel()}
    return pd.DataFrame(columns | {name: one.ravel() for name, one in found.items()})


def fan_chart(data: xr.Dataset, actual: xr.DataArray, *, asset: str, height: int = 340) -> hv.Overlay:
    """Draw the forecasts of an asset as bands, and what was measured as a line.

    Parameters
    ----------
    data : Dataset
        Predictions by issue time, with quantiles.
    actual : DataArray, dims time, asset
        Measured values at the ends of their cells.
    asset : str
    height : int
        Pixels.

    Returns
    -------
    holoviews.Overlay
        The newest forecast is blue with a solid line, earlier ones are purple and dashed; measured values are grey points on a line.
    """
    name, unit = str(data.attrs["target"]), str(data[str(data.attrs["target"])].attrs["units"])
    time, value = (
        hv.Dimension("time", label="time (UTC)"),
        hv.Dimension("value", label=axis_label(name.replace("_", " "), unit)),
    )
    table, parts = fan_table(data, asset), []
    instants = [pd.Timestamp(one) for one in data["issue_time"].to_numpy()]
    newest = instants[-1]
    for number, issued in enumerate(instants):
        rows, new = table[table["issued"] == issued], issued == newest
        style = {"color": _NEW if new else _EARLIER}
        at = rows["time"].to_numpy()
        low, middle, high = (rows[one].to_numpy() for one in ("low", "middle", "high"))
        area = hv.Area((at, low, high), time, [value, "upper"])
        parts.append(
            area.opts(**style, alpha=0.25 if new else 0.16, line_alpha=0.0, default_tools=_TOOLS, backend="bokeh")
        )
        label = "newest" if new else "earlier" if number == 0 else ""
        curve = hv.Curve((at, middle, low, high), time, [value, "low", "high"], **({"label": label} if label else {}))
        tips = [("issued", f"{issued:%Y-%m-%d %H:%M}"), ("time", "@time{%F %H:%M}")]
        tips += [("median", f"@value{{0.00}} {pretty_unit(unit)}"), ("between", "@low{0.00} and @high{0.00}")]
        parts.append(
            curve.opts(
                **style, line_dash="solid" if new else "dashed", line_width=2 if new else 1.3, tools=["hover"],
                default_tools=_TOOLS, hover_tooltips=tips, hover_formatters={"@time": "datetime"}, backend="bokeh",
            )
        )  # fmt: skip
    came = actual.sel(asset=asset)
    line = hv.Curve((came["time"].to_numpy(), came.to_numpy()), time, value, label=tr("what came"))
    parts.append(line.opts(color="#7A7A7A", line_width=1.6, line_dash="solid", default_tools=_TOOLS, backend="bokeh"))
    start = hv.VLine(newest).opts(color="#7A7A7A", line_dash="dotted", line_width=1.4, backend="bokeh")
    return hv.Overlay([*parts, start]).opts(
        responsive=True, height=height, legend_position="top", legend_cols=3, fontsize=dict(FONT_SIZES),
        toolbar="above", show_legend=True, backend="bokeh",
    )  # fmt: skip
