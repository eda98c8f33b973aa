"""The replications of an experiment that asks for more as it goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate.experiments.samples import kpi_values, sample

__all__ = ["Run", "Values"]

#: Returns KPIs with dims ``scenario, replication`` of the scenarios and replication numbers that are asked for.
Run = Callable[[list[str], Sequence[int]], object]


class Values:
    """The values of a KPI in each scenario so far.

    Parameters
    ----------
    run : callable
        Returns more of them.
    kpi : str, optional
        Name of the KPI.
    """

    def __init__(self, run: Run, kpi: str | None) -> None:
        self._run = run
        self._kpi = kpi
        self._parts: dict[str, list[xr.DataArray]] = {}
        self.simulated = 0

    def extend(self, names: list[str], number: int) -> None:
        """Simulate until each of some scenarios has a number of replications; all of them have equally many before."""
        done = sum(part.sizes["replication"] for part in self._parts.get(names[0], []))
        wanted = range(done, number)
        found = kpi_values(self._run(names, wanted), self._kpi)
        for name in names:
            values = sample(found, name)
            got = set(values["replication"].values.tolist())
            missing = [each for each in wanted if each not in got]
            if missing:
                msg = f"expected run() to return replications {done} to {number - 1} of {name!r}, as labels of the dim 'replication', got none for {missing[0]}"
                raise SchemaError(msg)
            self._parts.setdefault(name, []).append(values.sel(replication=list(wanted)))
            self.simulated += len(wanted)

    def of(self, name: str) -> xr.DataArray:
        """Return all values of a scenario."""
        parts = self._parts[name]
        if len(parts) > 1:
            self._parts[name] = parts = [xr.concat(parts, "replication", combine_attrs="override")]
        return parts[0]
