"""A `TwinReader` over plain xarray data: one asset type, variables as signals, no rollups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NoReturn, cast

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError, UnitError, UnknownTermError
from twinlab.model.basics import NANOSECONDS
from twinlab.model.flags import Flag, flag_attributes
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import AssetType, Signal, TwinModel
from twinlab.model.units import canonical_unit

__all__ = ["DatasetReader", "cadence_of"]

#: Steps that divide a day, finest first: the valid cadences of a model.
_CADENCES = {
    "1ms": 10**6,
    "10ms": 10**7,
    "100ms": 10**8,
    **{f"{n}s": n * NANOSECONDS["s"] for n in (1, 2, 5, 10, 15, 20, 30)},
    **{f"{n}min": n * NANOSECONDS["min"] for n in (1, 2, 5, 10, 15, 20, 30)},
    **{f"{n}h": n * NANOSECONDS["h"] for n in (1, 2, 3, 4, 6, 8, 12)},
    "1d": NANOSECONDS["d"],
}


class DatasetReader:
    """A `TwinReader` over one Dataset in memory.

    Parameters
    ----------
    data : Dataset, dims ``time`` and at most one other
        Numbers with units in ``attrs["units"]``. The flags of a variable are ``<name>_qc`` (QARTOD numbers); without
        them values pass and NaN is missing.

    Raises
    ------
    SchemaError
        If there is no time axis, more than one other dimension, or nothing numeric.
    """

    def __init__(self, data: xr.Dataset) -> None:
        self._data = _as_cube(data)
        names = [str(name) for name in self._data.data_vars if not str(name).endswith("_qc")]
        self._cadence = cadence_of(self._data.time.values)
        self._names = {_term(name): name for name in names}
        signals = {term: _signal(self._data[name], self._cadence) for term, name in self._names.items()}
        self._model = TwinModel(
            twin="data",
            title=str(data.attrs.get("title", "Data")),
            origin=str(self._data.time.values[0])[:19] if self._data.sizes["time"] else "2000-01-01",
            asset_types={"series": AssetType(signals=signals)},
        )
        self.open_code = "twin = data.twin.reader  # data: the array or Dataset that was explored"

    @property
    def model(self) -> TwinModel:
        """The model of the data: the asset type ``series`` with a signal for each variable."""
        return self._model

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the data between two times, half-open; there are no rollups."""
        _need(asset_type, ["series"], "asset type")
        if step is not None:
            msg = f"plain data have no rollup of {step!r}; resample them with xarray instead"
            raise UnknownTermError(msg)
        wanted = list(self._names if signals is None else signals)
        for term in wanted:
            _need(term, self._names, "signal")
        time = self._data.time.values
        low = 0 if start is None else int(np.searchsorted(time, pd.Timestamp(cast("str", start)).to_datetime64()))
        high = (
            time.size if stop is None else int(np.searchsorted(time, pd.Timestamp(cast("str", stop)).to_datetime64()))
        )
        part = self._data.isel(time=slice(low, high))
        if assets is not None:
            known = [str(a) for a in part.asset.values]
            for asset in assets:
                _need(asset, known, "asset")
            part = part.isel(asset=[known.index(asset) for asset in assets])
        out = xr.Dataset(coords=part.coords)
        for term in wanted:
            name = self._names[term]
            out[term] = part[name]
            out[f"{term}_qc"] = part[f"{name}_qc"] if f"{name}_qc" in part else _plain_flags(part[name])
        return out

    def events(
        self,
        event_type: str,
        *,
        start: object = None,  # noqa: ARG002  (the protocol's signature)
        stop: object = None,  # noqa: ARG002
        assets: Sequence[str] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Plain data have no events."""
        _unknown(event_type, [], "event type")

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the names along the second dimension."""
        _need(asset_type, ["series"], "asset type")
        return pd.DataFrame(index=pd.Index([str(a) for a in self._data.asset.values], name="asset"))

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Plain data have no relationships."""
        _unknown(relationship, [], "relationship")

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:  # noqa: ARG002  (the protocol's signature)
        """Plain data have no rollups."""
        return ()


def _need(name: str, known: Collection[str], what: str) -> None:
    if name not in known:
        _unknown(name, known, what)


def _unknown(name: str, known: Collection[str], what: str) -> NoReturn:
    msg = f"unknown {what} {name!r}{nearest(name, known)}"
    raise UnknownTermError(msg)


def cadence_of(time: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> str:
    """Return the coarsest valid cadence up to the median difference between times.

    >>> cadence_of(np.array(["2026-01-01T00:00", "2026-01-01T00:05", "2026-01-01T00:10"], "datetime64[ns]"))
    '5min'
    """
    if time.size < 2:
        return "1min"
    median = float(np.median(np.diff(time.astype("datetime64[ns]").astype("int64"))))
    return next((name for name, width in reversed(_CADENCES.items()) if width <= median), "1ms")


def _as_cube(data: xr.Dataset) -> xr.Dataset:
    """Return the data with dims ``time, asset``, sorted by time."""
    if "time" not in data.dims or data.indexes.get("time") is None:
        msg = f"expected a dimension 'time' with times, got {', '.join(map(str, data.dims)) or 'none'}; rename yours"
        raise SchemaError(msg)
    if data["time"].dtype.kind != "M":
        msg = f"expected naive UTC times (datetime64) along 'time', got {data['time'].dtype}; convert them first"
        raise SchemaError(msg)
    others = [str(dim) for dim in data.dims if dim != "time"]
    if len(others) > 1:
        msg = f"expected 'time' and at most one other dimension, got {', '.join(others)}; select along all but one"
        raise SchemaError(msg)
    numeric = [name for name in data.data_vars if data[name].dtype.kind in "fiub" and "time" in data[name].dims]
    if not numeric:
        msg = f"expected a variable with numbers along 'time', got {', '.join(map(str, data.data_vars)) or 'none'}"
        raise SchemaError(msg)
    numbers = data[numeric].reset_coords(drop=True)
    cube = numbers.rename({others[0]: "asset"}) if others else numbers.expand_dims(asset=["all"])
    if others and "asset" not in cube.coords:
        cube = cube.assign_coords(asset=range(cube.sizes["asset"]))
    names = [str(a) for a in cube.asset.values]
    if len(set(names)) < len(names) or not cube.indexes["time"].is_unique:
        msg = "expected each time and each name along the other dimension once; drop duplicates first"
        raise SchemaError(msg)
    cube = cube.assign_coords(asset=np.array(names, dtype=object)).transpose("time", "asset").sortby("time")
    return cube.assign_coords(time=cube.time.values.astype("datetime64[ns]")).compute()


def _plain_flags(values: xr.DataArray) -> xr.DataArray:
    flags = np.where(np.isfinite(values.values.astype(float)), Flag.PASS, Flag.MISSING).astype("uint8")
    return xr.DataArray(flags, coords=values.coords, dims=values.dims, attrs=flag_attributes(str(values.name)))


def _signal(values: xr.DataArray, cadence: str) -> Signal:
    unit_text = str(values.attrs.get("units", "1"))
    title = str(values.attrs.get("long_name", values.name)).replace("_", " ")
    try:
        unit = canonical_unit(unit_text)
    except UnitError:
        # Units that the model doesn't know are shown, not converted.
        unit, title = "1", f"{title} ({unit_text})"
    return Signal(unit=unit, resolution=1e-9, cadence=cadence, title=title)


def _term(name: str) -> str:
    """Return the name of a variable as a valid name of the model.

    >>> _term("Air Temp"), _term("2m")
    ('air_temp', 'v_2m')
    """
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in name.casefold()).strip("_") or "value"
    return plain if plain[0].isalpha() else f"v_{plain}"
