"""What a model outputs: names, units and assets of its signals and KPIs, and the Dataset that they make up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest

__all__ = ["Output", "Outputs"]


@dataclass(frozen=True)
class Output:
    """A signal or a KPI of a model.

    Parameters
    ----------
    units : str
        Its unit; ``"1"`` is dimensionless.
    long_name : str
        What it is called in charts.
    better : "higher", "lower" or None
        Of a KPI: which is better.
    on : str, optional
        Of a signal: the asset type that has it. The variable is then called ``<on>_<name>`` and has a dim ``<on>``.
    assets : sequence of str
        Names of the assets of ``on``, in the order of the values.
    """

    units: str
    long_name: str = ""
    better: Literal["higher", "lower"] | None = None
    on: str | None = None
    assets: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Outputs:
    """Signals and KPIs of a model.

    Parameters
    ----------
    signals, kpis : mapping of str to Output
        By name.
    method : str
        How a signal's value in a cell comes about, as in the CF attribute ``cell_methods``.
    """

    signals: Mapping[str, Output]
    kpis: Mapping[str, Output]
    method: str

    @classmethod
    def of(
        cls, signals: Mapping[str, Output | str] | None, kpis: Mapping[str, Output | str] | None, *, method: str
    ) -> Outputs:
        """Return outputs, given as `Output` or as a unit.

        Raises
        ------
        SchemaError
            If there are none, a name is used twice, or an asset type has no assets.
        """
        both = [
            {name: each if isinstance(each, Output) else Output(each) for name, each in (given or {}).items()}
            for given in (signals, kpis)
        ]
        if not both[0] and not both[1]:
            msg = "expected signals= or kpis= with the names and units of what the model outputs, got neither"
            raise SchemaError(msg)
        twice = set(both[0]) & set(both[1])
        if twice:
            msg = f"expected a name for either a signal or a KPI, got both for {', '.join(sorted(twice))}"
            raise SchemaError(msg)
        for name, each in both[0].items():
            if (each.on is None) != (not each.assets):
                msg = f"signal {name!r}: expected on= and assets= together, got on={each.on!r}, assets={each.assets!r}"
                raise SchemaError(msg)
        for name, each in both[1].items():
            if each.on is not None:
                msg = (
                    f"KPI {name!r}: expected a number per replication, got the asset type {each.on!r}; make it a signal"
                )
                raise SchemaError(msg)
        return cls(both[0], both[1], method)

    def dataset(
        self, times: NDArray[np.datetime64], signals: Mapping[str, ArrayLike], kpis: Mapping[str, ArrayLike]
    ) -> xr.Dataset:
        """Return results: signals with dims ``time`` and the asset type, KPIs without.

        Parameters
        ----------
        times : array of datetime64
            Start of each cell.
        signals : mapping of str to array
            Values of each signal: ``(time,)`` or ``(time, asset)``.
        kpis : mapping of str to number
            Value of each KPI.

        Raises
        ------
        UnknownTermError
            If a name wasn't declared.
        SchemaError
            If a declared output is missing, or its shape doesn't fit.
        """
        self._check_names(signals, self.signals, "signal")
        self._check_names(kpis, self.kpis, "KPI")
        variables = {}
        coords: dict[str, object] = {"time": times}
        for name, each in self.signals.items():
            attrs = {"units": each.units, "cell_methods": f"time: {self.method}", "signal": name}
            dims = ["time"]
            if each.on is not None:
                attrs["asset_type"] = each.on
                dims.append(each.on)
                coords[each.on] = np.array(each.assets, dtype=object)
            shape = (len(times), *([len(each.assets)] if each.on else []))
            values = np.asarray(signals[name], dtype=np.float64)
            if values.shape != shape:
                msg = f"signal {name!r}: expected values of shape {shape} ({', '.join(dims)}), got {values.shape}"
                raise SchemaError(msg)
            variable = name if each.on is None else f"{each.on}_{name}"
            variables[variable] = xr.Variable(dims, values, attrs | _named(each))
        for name, each in self.kpis.items():
            value = np.asarray(kpis[name])
            if value.ndim:
                msg = f"KPI {name!r}: expected one number, got an array of shape {value.shape}"
                raise SchemaError(msg)
            attrs = {"units": each.units} | _named(each) | ({"better": each.better} if each.better else {})
            variables[name] = xr.Variable((), value if value.dtype == bool else value.astype(np.float64), attrs)
        return xr.Dataset(variables, coords=coords)

    def split(self, found: Mapping[str, ArrayLike]) -> tuple[dict[str, ArrayLike], dict[str, ArrayLike]]:
        """Split what a function returned into signals and KPIs.

        Raises
        ------
        UnknownTermError
            If a name wasn't declared.
        """
        known = [*self.signals, *self.kpis]
        for name in found:
            if name not in known:
                msg = f"the function returned an output {name!r} that isn't declared{nearest(str(name), known)}"
                raise UnknownTermError(msg)
        return {n: v for n, v in found.items() if n in self.signals}, {n: v for n, v in found.items() if n in self.kpis}

    @staticmethod
    def _check_names(found: Mapping[str, ArrayLike], declared: Mapping[str, Output], kind: str) -> None:
        unknown = [name for name in found if name not in declared]
        if unknown:
            msg = f"expected a declared {kind}, got {unknown[0]!r}{nearest(unknown[0], declared)}"
            raise UnknownTermError(msg)
        missing = [name for name in declared if name not in found]
        if missing:
            msg = f"expected a value for each declared {kind}, got none for {', '.join(map(repr, missing))}"
            raise SchemaError(msg)


def _named(output: Output) -> dict[str, str]:
    return {"long_name": output.long_name} if output.long_name else {}
