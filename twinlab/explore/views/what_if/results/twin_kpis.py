"""The twin's own KPIs in simulated futures: which there are, and their values by scenario and future."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.events.kpis.over_time.results import signals_in
from twinlab.languages import tr
from twinlab.model.kpis.formulas import EventAggregate, TimeAggregate

if TYPE_CHECKING:
    from twinlab.model.twinmodel import TwinModel
    from twinlab.simulate.timetable.names import Names

__all__ = ["PREFIX", "TwinKpis", "simulated_kpis"]

#: In front of the name of a KPI of the twin, where the names of those of the model are, too.
PREFIX = "twin:"
_DAY = np.timedelta64(1, "D")


def simulated_kpis(model: TwinModel, names: Names, data: xr.Dataset) -> dict[str, str]:
    """Return title -> name with `PREFIX` of the twin's KPIs that are made only of events and signals that a simulation has.

    What a KPI makes of others is the same in every future.

    Parameters
    ----------
    model : TwinModel
    names : Names
        The twin's names of trips and legs.
    data : Dataset
        Results of the run.
    """
    events = {names.trip, names.leg}
    signals = {(one.attrs["asset_type"], one.attrs["signal"]) for one in data.values() if "asset_type" in one.attrs}

    def simulated(one: EventAggregate | TimeAggregate) -> bool:
        if isinstance(one, EventAggregate):
            return one.event_type in events
        needed = signals_in([one])
        return bool(needed) and all((one.asset_type, name) in signals for name in needed)

    return {
        tr("{value} (KPI of the twin)", value=kpi.title or name.replace("_", " ")): f"{PREFIX}{name}"
        for name, kpi in model.kpis.items()
        if all(simulated(one) for one in kpi.bound(model).aggregates)
    }


class TwinKpis:
    """Values of the twin's KPIs in the futures of a run whose events are kept; each KPI is computed once.

    Parameters
    ----------
    results : TwinResults
    model : TwinModel
    """

    def __init__(self, results: Any, model: TwinModel) -> None:
        self._results, self._model = results, model
        self._values: dict[str, xr.DataArray] = {}

    def known(self, name: str) -> xr.DataArray | None:
        """Return the values of a KPI if they are computed."""
        return self._values.get(name)

    def computed(self) -> list[xr.DataArray]:
        """Return the values of all KPIs that are computed."""
        return list(self._values.values())

    def values(self, name: str) -> xr.DataArray:
        """Return a KPI of each future, over the days that the run overlaps: dims ``scenario, replication``.

        Parameters
        ----------
        name : str
            With `PREFIX`.

        Raises
        ------
        SchemaError
            If no future has its events.
        """
        if name not in self._values:
            plain = name.removeprefix(PREFIX)
            kpi = self._model.kpis[plain]
            first, last = (np.datetime64(self._results.about[each]).astype("M8[ns]") for each in ("start", "until"))
            days = int(np.ceil((last - first.astype("M8[D]")) / _DAY))
            found = self._results.kpi(plain, every=f"{days}d")["value"].isel(time=0, drop=True)
            better = {">": "higher", "<": "lower"}.get((kpi.target or " ").strip()[:1])
            day = pd.Timestamp(first).strftime("%Y-%m-%d")
            title = f"{kpi.title or plain.replace('_', ' ')}, {days} day{'s' * (days > 1)} from {day}"
            attrs = {
                "units": found.attrs.get("units", "1"),
                "long_name": title,
                **({"better": better} if better else {}),
            }
            self._values[name] = found.load().drop_attrs().assign_attrs(attrs).rename(name)
        return self._values[name]
