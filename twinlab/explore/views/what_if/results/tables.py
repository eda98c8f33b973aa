"""Names and tables of a run's results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from twinlab.explore.views.what_if.plan import BASE
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from twinlab.simulate.experiments.comparison import Comparison

__all__ = [
    "ALL",
    "all_assets",
    "all_comparisons",
    "comparisons_of",
    "kpi_names",
    "signal_names",
    "summary_table",
    "titled",
    "usual_signal",
    "verdict_table",
]

#: Choice of all assets together.
ALL = mark("all together")


def titled(name: str, one: xr.DataArray) -> str:
    """Return the title of a KPI or a signal.

    >>> titled("hub_waiting", xr.DataArray(0.0, attrs={"long_name": "Parcels that wait"}))
    'Parcels that wait'
    """
    return str(one.attrs.get("long_name", name.replace("_", " ")))


def kpi_names(data: xr.Dataset) -> dict[str, str]:
    """Return title -> name of the KPIs of whole replications."""
    return {
        titled(str(name), one): str(name) for name, one in data.items() if set(one.dims) <= {"scenario", "replication"}
    }


def usual_signal(names: Mapping[str, str]) -> str:
    """Return the name that is shown at first, of at least one: what waits, if there is such a signal.

    >>> usual_signal({"Left": "hub_departures", "Waiting": "hub_waiting"})
    'hub_waiting'
    """
    return next((one for one in names.values() if one.endswith("_waiting")), next(iter(names.values())))


def signal_names(data: xr.Dataset, *, of: str | None = None) -> dict[str, str]:
    """Return title -> name of the signals of assets, a value for each cell of time; with the asset type if there are several.

    Parameters
    ----------
    data : Dataset
    of : str, optional
        Only those of this asset type.
    """
    found = {
        str(name): one
        for name, one in data.items()
        if "asset_type" in one.attrs
        and {"time", one.attrs["asset_type"]} <= set(one.dims)
        and of in {None, one.attrs["asset_type"]}
    }
    several = len({one.attrs["asset_type"] for one in found.values()}) > 1
    return {
        f"{one.attrs['asset_type']}: {titled(name, one)}" if several else titled(name, one): name
        for name, one in found.items()
    }


def all_assets(signal: xr.DataArray, asset: str) -> xr.DataArray:
    """Return a signal of one asset, or of all together: the sum of a number of things, the mean of anything else.

    Parameters
    ----------
    signal : DataArray, dims scenario, replication, time and the asset type
    asset : str
        Its name, or `ALL`.
    """
    kind = signal.attrs["asset_type"]
    if asset != ALL:
        return signal.sel({kind: asset})
    counted = signal.attrs.get("units") in {"1", ""}
    whole = signal.sum(kind, min_count=1) if counted else signal.mean(kind)
    name = f"{titled(str(signal.name), signal)}, {ALL if counted else f'mean over {kind}s'}"
    return whole.assign_attrs({**signal.attrs, "long_name": name})


def comparisons_of(values: xr.DataArray) -> list[Comparison]:
    """Return the comparison of each scenario with the base, of a KPI with the dims ``scenario, replication``."""
    from twinlab.simulate.experiments.comparing import compare  # noqa: PLC0415  (the page needs SciPy with the first results)

    others = [str(name) for name in values["scenario"].to_numpy() if name != BASE]
    return [compare(values.sel(scenario=BASE), values.sel(scenario=name)) for name in others]


def all_comparisons(results: Any, scenario: str) -> list[Comparison]:
    """Return the comparison of a scenario with the base, of each KPI of the model."""
    return [results.compare(BASE, scenario, kpi=str(name)) for name in results.kpis]


def summary_table(kpis: xr.Dataset) -> pd.DataFrame:
    """Return mean and nine tenths of the replications of each KPI and scenario, units in the titles.

    >>> values = [[1.0, 2.0, 3.0]]
    >>> late = xr.DataArray(values, {"scenario": ["base"]}, ("scenario", "replication"), attrs={"units": "min"})
    >>> summary_table(xr.Dataset({"late": late}))["KPI"].tolist()
    ['late (min)']
    """
    rows = [
        {
            "KPI": f"{titled(str(name), one)} ({one.attrs['units']})"
            if one.attrs.get("units", "1") != "1"
            else titled(str(name), one),
            "scenario": str(scenario),
            "mean": float(values.mean()),
            "5 %": float(values.quantile(0.05)),
            "95 %": float(values.quantile(0.95)),
            "replications": int(values.count()),
        }
        for name, one in kpis.items()
        for scenario in one["scenario"].to_numpy()
        if int((values := one.sel(scenario=scenario)).count())
    ]
    return pd.DataFrame(rows, columns=["KPI", "scenario", "mean", "5 %", "95 %", "replications"])


def verdict_table(found: Sequence[Comparison]) -> pd.DataFrame:
    """Return comparisons as a table for people: both means, the difference with its interval, the verdict.

    Parameters
    ----------
    found : sequence of Comparison
        At least one, all at the same level.
    """
    level = tr("{level:g} % interval", level=100 * found[0].level)
    rows = [
        {
            "KPI": one.kpi, "unit": one.units.removeprefix("1"), "scenario": one.b, "verdict": one.verdict, one.a: one.mean_a,
            tr("with the changes"): one.mean_b, "difference": one.difference, tr("{level} from", level=level): one.low, tr("{level} to", level=level): one.high,
            "futures": one.replications, tr("more futures needed"): one.more_replications,
        }
        for one in found
    ]  # fmt: skip
    return pd.DataFrame(rows)
