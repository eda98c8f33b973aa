"""The cells of a plain xarray Dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.finding.cells import number_array, signal_cells, text_array
from twinlab.events.finding.evaluation.block import Block, valid_cells
from twinlab.events.reading import Cells
from twinlab.history.read.direct import computed
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import properties_of, signals_of
from twinlab.model.flags import Flag
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["DatasetCells"]

Integers = NDArray[np.int64]


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

    def cell_at(self, when_ns: int) -> int:
        """Return the last instant of the axis at or before an instant; before the first one, the instant itself."""
        place = int(np.searchsorted(self._times, when_ns, side="right")) - 1
        return int(self._times[place]) if place >= 0 else when_ns

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
        chosen = self._columns if assets is None else self._columns[assets]
        cells = self._cells(first, stop, chosen)
        back = max(stop - first, 1)
        while first > 0 and not all(cells.good(name)[:1].all() for name in cells.states):
            # A state's last observation may be far back.
            first, back = max(first - back, 0), back * 2
            cells = self._cells(first, stop, chosen)
        numbers, texts = self._properties
        return Block(
            self._axis(self._times[first:stop], stop_ns),
            self.assets if assets is None else tuple(self.assets[place] for place in assets),
            {name: signal_cells(cells, name, self.valid_ns[name], cells.good(name)) for name in self.valid_ns},
            {name: values[chosen] for name, values in numbers.items()},
            {name: values[chosen] for name, values in texts.items()},
        )

    def _cells(self, first: int, stop: int, columns: Integers) -> Cells:
        names = list(self.valid_ns)
        flags = [f"{name}_qc" for name in names if f"{name}_qc" in self.ds]
        data = computed(self.ds[[*names, *flags, self.time]].isel({self.time: slice(first, stop)}))
        arrays = {name: self._array(data, name)[:, columns] for name in (*names, *flags)}
        return Cells(
            self._times[first:stop].view("datetime64[ns]"),
            (),
            self.steps_ns[0],
            {name: arrays[name].astype(float) for name in names},
            {name: arrays.get(f"{name}_qc", _assumed_flags(arrays[name])).astype(np.uint8) for name in names},
            frozenset(name for name, valid in self.valid_ns.items() if valid is None),
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
                texts[one.name] = text_array(column)
            else:
                numbers[one.name] = number_array(column)
        return numbers, texts


def _assumed_flags(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.where(np.isnan(values.astype(float)), np.uint8(Flag.MISSING), np.uint8(Flag.PASS))
