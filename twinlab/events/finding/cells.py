"""Where the cells of a condition come from: a twin's history, or a plain xarray Dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.finding.evaluation.block import Block, SignalCells, valid_cells
from twinlab.events.lifetimes import lifetimes
from twinlab.events.reading import Cells, read_cells
from twinlab.history.read.direct import computed
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import properties_of, signals_of
from twinlab.model.flags import Flag
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["CellSource", "DatasetCells", "TwinCells", "property_arrays"]

Integers = NDArray[np.int64]


class CellSource(Protocol):
    """Gives the cells that a condition needs."""

    @property
    def assets(self) -> tuple[str, ...]:
        """All assets with cells."""

    @property
    def steps_ns(self) -> tuple[int, int]:
        """The finest and the coarsest step between cells."""

    @property
    def extent_ns(self) -> tuple[int, int]:
        """The first cell's start and the last one's end; ``(0, 0)`` without cells."""

    @property
    def valid_ns(self) -> Mapping[str, int | None]:
        """Signal -> for how long an observation is valid; None: until the next."""

    def block(self, low_ns: int, stop_ns: int, assets: Integers | None = None) -> Block:
        """Return the cells that begin in ``[low, stop)``, of some of the assets, by number."""


@dataclass(frozen=True)
class TwinCells:
    """Cells of the signals of a condition in a twin's history.

    Parameters
    ----------
    twin : TwinReader
    asset_type : str
    condition : bound.Condition
        With at least one signal.
    only : sequence of str, optional
        Only these assets; by default all.
    """

    twin: TwinReader
    asset_type: str
    condition: bound.Condition | bound.Value
    only: Sequence[str] | None = None

    @cached_property
    def signals(self) -> list[str]:
        """The signals of the condition."""
        return signals_of(self.condition)

    @cached_property
    def _cadences(self) -> dict[str, int]:
        spec = self.twin.model.asset_types[self.asset_type]
        return {name: spec.signals[name].cadence_ns for name in self.signals}

    @cached_property
    def _histories(self) -> list[xr.Dataset]:
        """The signals of each cadence, not computed."""
        groups: dict[int, list[str]] = {}
        for name, cadence in self._cadences.items():
            groups.setdefault(cadence, []).append(name)
        return [self.twin.history(self.asset_type, signals=names) for _, names in sorted(groups.items())]

    @cached_property
    def assets(self) -> tuple[str, ...]:
        """All assets with a history of any of the signals."""
        found = dict.fromkeys(str(one) for data in self._histories for one in data["asset"].values)
        if self.only is None:
            return tuple(found)
        return tuple(one for one in self.only if one in found)

    @property
    def steps_ns(self) -> tuple[int, int]:
        """The finest and the coarsest cadence."""
        return min(self._cadences.values()), max(self._cadences.values())

    @cached_property
    def extent_ns(self) -> tuple[int, int]:
        """The first cell's start and the last one's end; ``(0, 0)`` without cells."""
        spans = []
        for data, cadence in zip(self._histories, sorted(set(self._cadences.values())), strict=True):
            times = data["time"].values
            if len(times):
                first, last = times[[0, -1]].astype("datetime64[ns]").astype("int64").tolist()
                spans.append((first, last + cadence))
        return (min(one for one, _ in spans), max(one for _, one in spans)) if spans else (0, 0)

    @cached_property
    def valid_ns(self) -> dict[str, int | None]:
        """For how long an observation of each signal is valid."""
        spec = self.twin.model.asset_types[self.asset_type]
        return {
            name: None if spec.signals[name].kind == "state" else valid_cells(cadence) * cadence
            for name, cadence in self._cadences.items()
        }

    @cached_property
    def _properties(self) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.object_]]]:
        return property_arrays(self.twin, self.asset_type, self.condition, self.assets)

    @cached_property
    def _ends(self) -> Integers:
        return lifetimes(self.twin, self.asset_type, self.assets)[1]

    def block(self, low_ns: int, stop_ns: int, assets: Integers | None = None) -> Block:
        """Return the cells that begin in ``[low, stop)``, of some of the assets, by number."""
        wanted = self.assets if assets is None else tuple(self.assets[place] for place in assets)
        some = None if assets is None and self.only is None else wanted
        parts = list(
            read_cells(
                self.twin,
                self.asset_type,
                signals=self.signals,
                start_ns=max(low_ns, self.twin.model.origin_ns),
                stop_ns=stop_ns,
                assets=some,
            )
        )
        first = min((int(part.times[0].astype("int64")) for part in parts if len(part.times)), default=stop_ns)
        numbers, texts = self._properties
        chosen = slice(None) if assets is None else assets
        return Block(
            np.arange(first, stop_ns, self.steps_ns[0], dtype=np.int64),
            wanted,
            {
                name: _of_assets(signal_cells(part, name, self.valid_ns[name]), part.assets, wanted)
                for part in parts
                for name in part.values
            },
            {name: values[chosen] for name, values in numbers.items()},
            {name: values[chosen] for name, values in texts.items()},
            self._ends[chosen],
        )

    def stored(self, low_ns: int, stop_ns: int, assets: Integers) -> tuple[xr.Dataset, Block] | None:
        """Return the history of ``[low, stop)``, not computed, and a block without cells; None if there are several cadences."""
        low_ns = max(low_ns, self.twin.model.origin_ns)
        if len(set(self._cadences.values())) > 1 or low_ns >= stop_ns or not len(assets):
            return None
        ids = tuple(self.assets[place] for place in assets)
        some = None if self.only is None and len(ids) == len(self.assets) else ids
        start, stop = np.datetime64(low_ns, "ns"), np.datetime64(stop_ns, "ns")
        data = self.twin.history(self.asset_type, signals=self.signals, assets=some, start=start, stop=stop)
        numbers, texts = self._properties
        return data, Block(
            np.empty(0, np.int64),
            ids,
            {},
            {name: values[assets] for name, values in numbers.items()},
            {name: values[assets] for name, values in texts.items()},
            self._ends[assets],
        )


@dataclass(frozen=True)
class DatasetCells:
    """Cells of the variables of a condition in an xarray Dataset; all dimensions other than time count as assets.

    Raises
    ------
    SchemaError
        If there is no time axis, or its instants don't rise.
    """

    ds: xr.Dataset
    condition: bound.Condition | bound.Value
    only: Sequence[str] | None = None
    time: str = "time"

    @cached_property
    def _times(self) -> Integers:
        if self.time not in self.ds.dims or self.time not in self.ds.coords:
            dims = ", ".join(map(str, self.ds.dims))
            msg = f"expected a dataset with the coordinate {self.time!r}, got the dimensions {dims}; rename the one with instants"
            raise SchemaError(msg)
        times = self.ds[self.time].values
        if times.dtype.kind != "M":
            msg = (
                f"expected instants (datetime64) in the coordinate {self.time!r}, got {times.dtype}; convert them first"
            )
            raise SchemaError(msg)
        found: Integers = times.astype("datetime64[ns]").astype(np.int64)
        if len(found) > 1 and not (np.diff(found) > 0).all():
            msg = f"expected rising instants in the coordinate {self.time!r}; sort the dataset and drop duplicates"
            raise SchemaError(msg)
        return found

    @cached_property
    def _dims(self) -> list[str]:
        names = [*signals_of(self.condition), *(one.name for one in properties_of(self.condition))]
        return [str(one) for one in self.ds[names].dims if one != self.time]

    @cached_property
    def assets(self) -> tuple[str, ...]:
        """The assets, or those of them that are asked for.

        Raises
        ------
        UnknownTermError
            If one isn't known.
        """
        if self.only is None:
            return self._every
        for one in self.only:
            if one not in self._every:
                msg = f"expected one of the dataset's assets, got {one!r}{nearest(one, self._every)}"
                raise UnknownTermError(msg)
        return tuple(self.only)

    @cached_property
    def _columns(self) -> Integers:
        """The place of each asset in the dataset."""
        return np.asarray(pd.Index(self._every).get_indexer(pd.Index(self.assets)), dtype=np.int64)

    @cached_property
    def _every(self) -> tuple[str, ...]:
        """The coordinates along the other dimensions as text, of several joined by "/"; "" if there is only time."""
        ids = [""]
        for dim in self._dims:
            mine = [str(one) for one in self.ds[dim].values]
            ids = mine if dim == self._dims[0] else [f"{one}/{other}" for one in ids for other in mine]
        return tuple(ids)

    @property
    def steps_ns(self) -> tuple[int, int]:
        """The usual step, twice: all variables have one axis."""
        steps = np.diff(self._times)
        step = int(np.median(steps)) if len(steps) else 1
        return step, step

    @property
    def extent_ns(self) -> tuple[int, int]:
        """The first instant, and a step after the last one."""
        return (int(self._times[0]), int(self._times[-1]) + self.steps_ns[0]) if len(self._times) else (0, 0)

    @cached_property
    def valid_ns(self) -> dict[str, int | None]:
        """For how long an observation of each variable is valid: of one with ``flag_values`` until the next."""
        step = self.steps_ns[0]
        return {
            name: None if "flag_values" in self.ds[name].attrs else valid_cells(step) * step
            for name in signals_of(self.condition)
        }

    def block(self, low_ns: int, stop_ns: int, assets: Integers | None = None) -> Block:
        """Return the cells in ``[low, stop)``, of some of the assets, by number."""
        first, stop = np.searchsorted(self._times, [low_ns, stop_ns]).tolist()
        times = self._times[first:stop]
        chosen = self._columns if assets is None else self._columns[assets]
        names = list(self.valid_ns)
        flags = [f"{name}_qc" for name in names if f"{name}_qc" in self.ds]
        data = computed(self.ds[[*names, *flags]].isel({self.time: slice(first, stop)}))
        arrays = {name: self._array(data, name)[:, chosen] for name in (*names, *flags)}
        cells = Cells(
            times.view("datetime64[ns]"),
            (),
            self.steps_ns[0],
            {name: arrays[name].astype(float) for name in names},
            {name: arrays.get(f"{name}_qc", _assumed_flags(arrays[name])).astype(np.uint8) for name in names},
            frozenset(name for name, valid in self.valid_ns.items() if valid is None),
        )
        numbers, texts = self._properties
        return Block(
            self._axis(times, stop_ns),
            self.assets if assets is None else tuple(self.assets[place] for place in assets),
            {name: signal_cells(cells, name, self.valid_ns[name]) for name in names},
            {name: values[chosen] for name, values in numbers.items()},
            {name: values[chosen] for name, values in texts.items()},
        )

    def _axis(self, times: Integers, stop_ns: int) -> Integers:
        """Return the instants with those at which, in a hole of the axis, an observation is no longer valid."""
        extra = [times[:-1][np.diff(times) > valid] + valid for valid in self.valid_ns.values() if valid is not None]
        extra += [times[-1:] + valid for valid in self.valid_ns.values() if valid is not None]
        found = np.unique(np.concatenate([times, *extra]))
        return found[found < stop_ns]

    def _array(self, data: xr.Dataset, name: str) -> NDArray[Any]:
        """Return a variable as an array (time, asset)."""
        full = self._expanded(data[name]).transpose(self.time, *self._dims)
        return np.asarray(full.values).reshape(full.shape[0], -1)

    def _expanded(self, values: xr.DataArray) -> xr.DataArray:
        return values.expand_dims({dim: self.ds.sizes[dim] for dim in self._dims if dim not in values.dims})

    @cached_property
    def _properties(self) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.object_]]]:
        numbers, texts = {}, {}
        for one in properties_of(self.condition):
            flat = np.asarray(self._expanded(self.ds[one.name]).transpose(*self._dims).values).reshape(-1)
            column = pd.Series(flat, dtype=object if one.unit == "" else None)
            if one.unit == "":
                texts[one.name] = _texts(column)
            else:
                numbers[one.name] = _numbers(column)
        return numbers, texts


def signal_cells(cells: Cells, name: str, valid_ns: int | None) -> SignalCells:
    """Return the cells of one signal."""
    good = cells.good(name)
    return SignalCells(
        cells.times.astype("datetime64[ns]").astype(np.int64),
        cells.values[name],
        good,
        good & cells.observed(name),
        valid_ns,
    )


def _of_assets(cells: SignalCells, assets: Sequence[str], wanted: Sequence[str]) -> SignalCells:
    """Return the cells of the wanted assets; those that aren't there have no values."""
    if tuple(assets) == tuple(wanted):
        return cells
    place = pd.Index(list(assets)).get_indexer(pd.Index(list(wanted)))
    there, at = place >= 0, np.maximum(place, 0)
    if not len(assets):
        shape = (len(cells.times), len(wanted))
        nothing = np.zeros(shape, dtype=bool)
        return SignalCells(cells.times, np.full(shape, np.nan), nothing, nothing, cells.valid_ns)
    return SignalCells(
        cells.times,
        np.where(there, cells.values[:, at], np.nan),
        cells.good[:, at] & there,
        cells.observed[:, at] & there,
        cells.valid_ns,
    )


def property_arrays(
    twin: TwinReader, asset_type: str, node: bound.Condition | bound.Value, assets: Sequence[str]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.object_]]]:
    """Return the properties in an expression as arrays (asset): numbers, and texts.

    Times are seconds since 1970, booleans 0 and 1; NaN and None where an asset has no value.
    """
    wanted = properties_of(node)
    if not wanted:
        return {}, {}
    table = twin.assets(asset_type)
    table = table.set_axis(table.index.astype(str)).reindex(list(assets))
    numbers = {one.name: _numbers(table[one.name]) for one in wanted if one.unit != ""}
    return numbers, {one.name: _texts(table[one.name]) for one in wanted if one.unit == ""}


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        times = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
        return np.where(np.isnat(times), np.nan, times.astype(np.int64) / 1e9)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _texts(column: pd.Series) -> NDArray[np.object_]:
    found = np.empty(len(column), dtype=object)
    found[:] = [None if missing else str(one) for one, missing in zip(column, column.isna(), strict=True)]
    return found


def _assumed_flags(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.where(np.isnan(values.astype(float)), np.uint8(Flag.MISSING), np.uint8(Flag.PASS))
