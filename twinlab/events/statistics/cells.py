"""The cells of one signal that events need, read in tiles: each tile once, and only tiles with an event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.algebra.spans import Integers, Spans, intersections
from twinlab.events.reading import known
from twinlab.history.read.direct import source_of
from twinlab.model.flags import Flag
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["SignalCells", "Tile", "cells_of", "tiles"]


@dataclass(frozen=True)
class SignalCells:
    """A signal's cells of all assets, not read yet: dims ``time, asset``, on a regular axis."""

    data: xr.Dataset
    signal: str
    cadence_ns: int

    @property
    def assets(self) -> pd.Index:
        """Ids of the assets."""
        return pd.Index([str(one) for one in self.data["asset"].values])

    @property
    def unit(self) -> str:
        """Unit of the values; "1" if none is stated."""
        return str(self.data[self.signal].attrs.get("units", "1"))

    @property
    def first_ns(self) -> int:
        """Begin of the first cell."""
        return int(self.data["time"].values[0].astype("datetime64[ns]").astype(np.int64)) if self.size else 0

    @property
    def size(self) -> int:
        """Number of cells of an asset."""
        return int(self.data.sizes["time"])

    @property
    def stop_ns(self) -> int:
        """End of the last cell."""
        return self.first_ns + self.size * self.cadence_ns

    def read(self, time: slice, asset: slice) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Return values and flags of a rectangle; without flags values pass and NaN is missing."""
        values = np.asarray(_rectangle(self.data[self.signal], time, asset), dtype=np.float64)
        name = f"{self.signal}_qc"
        if name in self.data:
            return values, np.asarray(_rectangle(self.data[name], time, asset), dtype=np.uint8)
        return values, np.where(np.isnan(values), Flag.MISSING, Flag.PASS).astype(np.uint8)


def _rectangle(variable: xr.DataArray, time: slice, asset: slice) -> NDArray[Any]:
    # `data` would load arrays that aren't Dask's.
    source = source_of(variable.variable._data)  # noqa: SLF001
    if source is not None:
        return np.asarray(source[time, asset])
    return np.asarray(variable.isel(time=time, asset=asset).transpose("time", "asset").values)


def cells_of(
    source: TwinReader | xr.Dataset, events: pd.DataFrame, signal: str, *, on: str | None, asset: str
) -> SignalCells:
    """Return the cells of a signal of a twin or of a Dataset.

    Parameters
    ----------
    on : str, optional
        Asset type; by default the one that the events' type or link says, or else the only one with the signal.
    asset : str
        Column of ``events`` with the assets.

    Raises
    ------
    UnknownTermError
        If there is no such signal, or column.
    SchemaError
        If it isn't clear which asset type is meant, the signal is a state, or the axis isn't regular.
    """
    if asset not in events:
        msg = f"events have no column {asset!r} with assets{nearest(asset, map(str, events.columns))}"
        raise UnknownTermError(msg)
    if isinstance(source, xr.Dataset):
        known(signal, {str(name): one for name, one in source.data_vars.items()}, "variable")
        data = _by_asset(source, signal)
        cadence = _cadence(data["time"].values)
    else:
        kind = _asset_type(source, events, signal, on, asset)
        known(signal, source.model.asset_types[kind].signals, f"signal of {kind!r}")
        data = source.history(kind, signals=[signal])
        cadence = source.model.asset_types[kind].signals[signal].cadence_ns
    if "flag_values" in data[signal].attrs:
        msg = f"expected a signal with numbers, got the state {signal!r}, of whose codes a mean says nothing"
        raise SchemaError(msg)
    return SignalCells(data, signal, cadence)


def _by_asset(source: xr.Dataset, signal: str) -> xr.Dataset:
    """Return a signal and its flags with the dims ``time, asset``: the other dimensions count as assets, as in `find`."""
    if "time" not in source[signal].dims:
        msg = f"expected {signal!r} with the dim time, got {', '.join(map(str, source[signal].dims)) or 'none'}"
        raise SchemaError(msg)
    names = [name for name in (signal, f"{signal}_qc") if name in source]
    dims = [str(dim) for dim in source[signal].dims if dim != "time"]
    data = source[names].drop_vars([name for name in source.coords if name not in {"time", *dims}])
    if not dims:
        return data.expand_dims(asset=[""])
    ids = ["/".join(map(str, one)) for one in product(*(data[dim].values for dim in dims))]
    data = data.drop_vars(dims, errors="ignore")
    # Another name first, since one of several dimensions may have it.
    data = data.rename({dims[0]: "_asset"}) if len(dims) == 1 else data.stack(_asset=dims, create_index=False)  # noqa: PD013
    return data.rename(_asset="asset").assign_coords(asset=ids)


def _asset_type(twin: TwinReader, events: pd.DataFrame, signal: str, on: str | None, asset: str) -> str:
    model = twin.model
    if on is not None:
        known(on, model.asset_types, "asset type")
        return on
    types = [str(one) for one in events["type"].dropna().unique()] if "type" in events else []
    specs = [model.event_types[one] for one in types if one in model.event_types]
    stated = {spec.asset if asset == "asset" else spec.links.get(asset) for spec in specs}
    having = {name for name, spec in model.asset_types.items() if signal in spec.signals}
    found = having & {one for one in stated if one} or having
    if len(found) == 1:
        return found.pop()
    if not found:
        signals = [name for spec in model.asset_types.values() for name in spec.signals]
        msg = f"no asset type has a signal {signal!r}{nearest(signal, signals)}"
        raise UnknownTermError(msg)
    msg = f"expected on=, the asset type: {', '.join(sorted(found))} have a signal {signal!r}"
    raise SchemaError(msg)


def _cadence(times: NDArray[np.datetime64]) -> int:
    steps = np.diff(times.astype("datetime64[ns]").astype(np.int64))
    if not steps.size or steps[0] <= 0 or (steps != steps[0]).any():
        msg = "expected a regular time axis of at least two cells; make one with data.resample(time=...).mean()"
        raise SchemaError(msg)
    return int(steps[0])


@dataclass(frozen=True)
class Tile:
    """Rows of events that have cells in a tile, and the tile's values and flags (time, asset)."""

    rows: Integers
    #: Numbers of its first cell and of its first asset.
    first: int
    first_column: int
    values: NDArray[np.float64]
    flags: NDArray[np.uint8]


def tiles(cells: SignalCells, column: Integers, first: Integers, stop: Integers) -> Iterator[Tile]:
    """Yield what is stored of the cells ``[first, stop)`` that each event needs, of the assets in ``column`` (negative: none).

    Tiles are the chunks in which Dask reads the data, cut down to what their events need.
    """
    chunks = cells.data[cells.signal].transpose("time", "asset").chunks or ((cells.size,), (len(cells.assets),))
    times, assets = (np.cumsum((0, *sizes)) for sizes in chunks)
    band = np.where(column >= 0, np.searchsorted(assets, column, side="right") - 1, -1)
    # An event has a pair for each chunk of its band of assets in which it has cells.
    bands, parts = len(assets) - 1, len(times) - 1
    events = Spans(band, first, np.maximum(stop, first), bands)
    chunk = Spans(np.repeat(np.arange(bands), parts), np.tile(times[:-1], bands), np.tile(times[1:], bands), bands)
    row, place = intersections(events, chunk)
    order = np.argsort(place, kind="stable")
    row, place = row[order], place[order]
    edges = np.flatnonzero(np.diff(place, prepend=-1, append=-1)) if len(place) else np.empty(0, dtype=np.int64)
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows, one = row[begin:end], int(place[begin])
        low = max(int(first[rows].min()), int(chunk.start[one]))
        high = min(int(stop[rows].max()), int(chunk.end[one]))
        left, right = int(column[rows].min()), int(column[rows].max()) + 1
        values, flags = cells.read(slice(low, high), slice(left, right))
        yield Tile(rows, low, left, values, flags)
