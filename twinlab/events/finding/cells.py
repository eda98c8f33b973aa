"""Where the cells of a condition come from, and the cells of a twin's history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.block import Block, SignalCells, valid_cells
from twinlab.events.lifetimes import lifetimes
from twinlab.events.reading import Cells, read_cells
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import properties_of, signals_of

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["CellSource", "TwinCells", "number_array", "property_arrays", "signal_cells", "text_array"]

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

    def cell_at(self, when_ns: int) -> int:
        """Return the start of the cell with an instant, of the coarsest cells."""

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
    def names_by_cadence(self) -> dict[int, list[str]]:
        """The signals of each cadence, ascending."""
        groups: dict[int, list[str]] = {}
        for name, cadence in self._cadences.items():
            groups.setdefault(cadence, []).append(name)
        return dict(sorted(groups.items()))

    @cached_property
    def _histories(self) -> dict[int, xr.Dataset]:
        """The signals of each cadence, not computed."""
        return {
            cadence: self.twin.history(self.asset_type, signals=names)
            for cadence, names in self.names_by_cadence.items()
        }

    @cached_property
    def assets(self) -> tuple[str, ...]:
        """All assets with a history of any of the signals."""
        found = dict.fromkeys(str(one) for data in self._histories.values() for one in data["asset"].values)
        if self.only is None:
            return tuple(found)
        return tuple(one for one in self.only if one in found)

    @property
    def steps_ns(self) -> tuple[int, int]:
        """The finest and the coarsest cadence."""
        return min(self._cadences.values()), max(self._cadences.values())

    @cached_property
    def extents(self) -> dict[int, tuple[int, int]]:
        """Cadence -> the first cell's start and the last one's end; without those that have no cells."""
        out = {}
        for cadence, data in self._histories.items():
            times = data["time"].values
            if len(times):
                first, last = times[[0, -1]].astype("datetime64[ns]").astype("int64").tolist()
                out[cadence] = first, last + cadence
        return out

    @cached_property
    def extent_ns(self) -> tuple[int, int]:
        """The first cell's start and the last one's end; ``(0, 0)`` without cells."""
        spans = self.extents.values()
        return (min(one for one, _ in spans), max(one for _, one in spans)) if spans else (0, 0)

    def end_of(self, signals: Sequence[str]) -> int:
        """Return the end of the last cell of some of the signals; 0 without cells."""
        return max(
            (self.extents[self._cadences[name]][1] for name in signals if self._cadences[name] in self.extents),
            default=0,
        )

    def cell_at(self, when_ns: int) -> int:
        """Return the start of the cell with an instant, of the coarsest cells."""
        origin, coarse = self.twin.model.origin_ns, self.steps_ns[1]
        return origin + (when_ns - origin) // coarse * coarse

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
        # Behind the last cell its states are still valid.
        low_ns = max(min(low_ns, self.extent_ns[1] - self.steps_ns[1]), self.twin.model.origin_ns)
        wanted = self.assets if assets is None else tuple(self.assets[place] for place in assets)
        some = None if assets is None and self.only is None else wanted
        parts = list(
            read_cells(
                self.twin,
                self.asset_type,
                signals=self.signals,
                start_ns=low_ns,
                stop_ns=stop_ns,
                assets=some,
            )
        )
        first = min((int(part.times[0].astype("int64")) for part in parts if len(part.times)), default=stop_ns)
        numbers, texts, ends = self.of_assets(assets)
        return Block(
            np.arange(first, stop_ns, self.steps_ns[0], dtype=np.int64),
            wanted,
            {
                name: _of_assets(signal_cells(part, name, self.valid_ns[name], usable(part, name)), part.assets, wanted)
                for part in parts
                for name in part.values
            },
            numbers,
            texts,
            ends,
        )

    def of_assets(
        self, assets: Integers | None
    ) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.object_]], Integers]:
        """Return properties that are numbers, those that are texts, and the end of each lifetime, of some of the assets."""
        numbers, texts = self._properties
        chosen = slice(None) if assets is None else assets
        return (
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
        return data, Block(np.empty(0, np.int64), ids, {}, *self.of_assets(assets))


def signal_cells(cells: Cells, name: str, valid_ns: int | None, good: NDArray[np.bool_]) -> SignalCells:
    """Return the cells of one signal, of which some have a usable value."""
    times = cells.times.astype("datetime64[ns]").astype(np.int64)
    return SignalCells(times, cells.values[name], good, good & cells.observed(name), valid_ns)


def usable(cells: Cells, name: str) -> NDArray[np.bool_]:
    """Return which cells of a signal have a value that may be used."""
    # A twin's history fills states with their last good observation, also where one has failed.
    return ~np.isnan(cells.values[name]) if name in cells.states else cells.good(name)


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
    numbers = {one.name: number_array(table[one.name]) for one in wanted if one.unit != ""}
    return numbers, {one.name: text_array(table[one.name]) for one in wanted if one.unit == ""}


def number_array(column: pd.Series) -> NDArray[np.float64]:
    """Return a property as numbers: times in seconds since 1970, NaN where there is none."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        times = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
        return np.where(np.isnat(times), np.nan, times.astype(np.int64) / 1e9)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def text_array(column: pd.Series) -> NDArray[np.object_]:
    """Return a property as texts, None where there is none."""
    found = np.empty(len(column), dtype=object)
    found[:] = [None if missing else str(one) for one, missing in zip(column, column.isna(), strict=True)]
    return found
