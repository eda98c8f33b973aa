"""The difference of a signal between two scenarios, by asset and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np

from twinlab.explore.charts.palette import FONT_SIZES
from twinlab.explore.charts.scale import axis_label

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["difference_map", "mean_difference", "signed_map"]

#: From blue over white to orange, red, green and blue of each.
_BELOW, _NONE, _ABOVE = (0x00, 0x72, 0xB2), (0xFF, 0xFF, 0xFF), (0xD5, 0x5E, 0x00)
_STEPS = 31


def mean_difference(signal: xr.DataArray, *, scenario: str, base: str) -> xr.DataArray:
    """Return the mean over replications of the paired difference to the base.

    Parameters
    ----------
    signal : DataArray, dims scenario, replication, time, asset
    scenario, base : str

    Returns
    -------
    DataArray, dims time, asset
        Replications that one of the two lacks are left out.
    """
    difference = signal.sel(scenario=scenario) - signal.sel(scenario=base)
    return difference.mean("replication").transpose("time", "asset").assign_attrs(signal.attrs)


def difference_map(signal: xr.DataArray, *, scenario: str, base: str, height: int | None = None) -> hv.QuadMesh:
    """Draw the mean difference of a signal to the base, a row for each asset and a column for each time.

    Parameters
    ----------
    signal : DataArray, dims scenario, replication, time, asset
        At least two times.
    scenario, base : str
    height : int, optional
        Pixels; by default as many as the assets need.

    Returns
    -------
    holoviews.QuadMesh
        Blue is below the base, orange above; white is no difference. The scale is symmetric.
    """
    name, unit = str(signal.attrs.get("long_name", signal.name)), str(signal.attrs.get("units", ""))
    title = f"{name}, {scenario} − {base}" + (f" ({unit})" if unit not in {"", "1"} else "")
    return signed_map(mean_difference(signal, scenario=scenario, base=base), title=title, unit=unit, height=height)


def signed_map(
    values: xr.DataArray, *, title: str, unit: str, height: int | None = None, x_label: str = "time (UTC)"
) -> hv.QuadMesh:
    """Draw values above and below zero, a row for each asset and a column for each time.

    Parameters
    ----------
    values : DataArray, dims time, asset
        Times at equal distances.
    title, unit : str
    height : int, optional
        Pixels; by default as many as the assets need.
    x_label : str

    Returns
    -------
    holoviews.QuadMesh
        Blue is below zero, orange above; white is zero. The scale is symmetric.
    """
    cells = values.transpose("time", "asset").to_numpy().T
    limit = float(np.nanmax(np.abs(cells))) if np.isfinite(cells).any() else 1.0
    starts = values["time"].to_numpy().astype("datetime64[ns]")
    width = starts[1] - starts[0] if len(starts) > 1 else np.timedelta64(1, "h")
    edges = np.append(starts, starts[-1] + width)
    names = [str(one) for one in values["asset"].to_numpy()]
    rows = np.arange(len(names) + 1) - 0.5
    mesh = hv.QuadMesh(
        (edges, rows, cells), [hv.Dimension("time", label=x_label), hv.Dimension("row", label="asset")],
        hv.Dimension("difference", label=axis_label("difference", unit)),
    )  # fmt: skip
    return mesh.opts(
        cmap=_colors(),
        clim=(-limit or -1.0, limit or 1.0),
        colorbar=True,
        yticks=list(enumerate(names)),
        ylabel="",
        tools=["hover"],
        title=title,
        responsive=True,
        height=height or 110 + 20 * len(names),
        fontsize=dict(FONT_SIZES),
        toolbar="above",
        default_tools=["xpan", "xbox_zoom", "reset", "save"],
        backend="bokeh",
    )


def _colors() -> list[str]:
    """Return the colours from below to above."""
    at = np.linspace(-1, 1, _STEPS)
    parts = [np.interp(at, (-1, 0, 1), ends) for ends in zip(_BELOW, _NONE, _ABOVE, strict=True)]
    return ["#" + "".join(f"{round(part[place]):02X}" for part in parts) for place in range(_STEPS)]
