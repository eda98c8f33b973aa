"""A Dataset as flat tables, a row per time and asset, made one piece at a time: memory doesn't grow with the time span."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod

import numpy as np
import pyarrow as pa
import xarray as xr

__all__ = ["cells_at_once", "flat_schema", "flat_tables", "spans_of_time"]

#: Bytes of the values that are read at once, and rows of a table.
_READ_BYTES = 16 * 2**20
_TABLE_ROWS = 2**19
#: Stored tiles end at multiples of this number of cells of the year (`twinlab.history.layout.grid.cold_layout`), so
#: that a tile isn't decoded for two pieces.
_TILE_CELLS = 4096


def flat_tables(ds: xr.Dataset, spans: Sequence[tuple[int, int]] | None = None) -> Iterator[pa.Table]:
    """Yield tables with a row per time and asset, sorted by both; rows without any value are included.

    Columns: ``time`` (timestamp[ns]), ``asset`` (dictionary of text), and one for each variable; a variable with another
    dimension has one for each label, ``<variable>_<label>``, at the end. NaN is null.

    Parameters
    ----------
    ds : Dataset
        Dims ``time, asset`` and possibly others, lazy or not.
    spans : sequence of (int, int), optional
        Only these parts of the time axis, of those of `spans_of_time`; all by default.
    """
    assets = ds.sizes["asset"]
    if not assets:
        return
    names = pa.array([str(one) for one in ds["asset"].values], pa.string())
    for first, stop in spans_of_time(ds) if spans is None else spans:
        part = ds.isel(time=slice(first, stop))
        times = part["time"].values.astype("datetime64[ns]")
        columns = dict(_arrays(part))
        step = max(1, _TABLE_ROWS // assets)
        for a in range(0, stop - first, step):
            b = min(a + step, stop - first)
            order = np.tile(np.arange(assets, dtype=np.int32), b - a)
            arrays = {
                "time": pa.array(np.repeat(times[a:b], assets)),
                "asset": pa.DictionaryArray.from_arrays(pa.array(order), names),
                # Values that were read are contiguous by asset.
                **{name: pa.array(values[a:b].ravel(), from_pandas=True) for name, values in columns.items()},
            }
            yield pa.table(arrays)


def flat_schema(ds: xr.Dataset) -> pa.Schema:
    """Return the schema of a Dataset's flat tables."""
    columns = [(name, pa.from_numpy_dtype(values.dtype)) for name, values in _arrays(ds.isel(time=slice(0, 0)))]
    return pa.schema(
        [("time", pa.timestamp("ns")), ("asset", pa.dictionary(pa.int32(), pa.string())), *columns],
    )


def spans_of_time(ds: xr.Dataset) -> list[tuple[int, int]]:
    """Return the spans ``(first, stop)`` of the time axis that are read one after another; they end where stored tiles do."""
    cells, length = ds.sizes["time"], cells_at_once(ds)
    if length > _TILE_CELLS:
        length -= length % _TILE_CELLS
    else:
        length = 1 << (length.bit_length() - 1)
    edges = {0, cells}
    years = _first_cells_of_years(ds["time"])
    for january, december in zip(years, [*years[1:], cells], strict=True):
        edges |= {cell for cell in range(january, december, length) if cell > 0}
    return list(pairwise(sorted(edges)))


def cells_at_once(ds: xr.Dataset) -> int:
    """Return how many cells of the time axis are read at once, at least one."""
    one = sum(v.dtype.itemsize * prod(v.sizes[d] for d in v.dims if d != "time") for v in ds.data_vars.values())
    return max(1, _READ_BYTES // max(1, one))


def _first_cells_of_years(time: xr.DataArray) -> list[int]:
    """Return the place of the first cell of each year on a regular axis; that of the first year can be negative."""
    if time.size < 2:
        return [0]
    first, second, last = (time.values[place].astype("datetime64[ns]") for place in (0, 1, -1))
    years = np.arange(first.astype("datetime64[Y]"), last.astype("datetime64[Y]") + 1)
    return [int(-((first - year.astype("datetime64[ns]")) // (second - first))) for year in years]


def _arrays(ds: xr.Dataset) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the values (time, asset) of each column; those of variables with another dimension last."""
    extra = [str(dim) for dim in ds.dims if dim not in ("time", "asset")]
    for name, variable in ds.data_vars.items():
        if not set(extra) & set(variable.dims):
            yield str(name), variable.transpose("time", "asset").to_numpy()
    for dim in extra:
        for name, variable in ds.data_vars.items():
            if dim in variable.dims:
                values = variable.transpose("time", "asset", dim).to_numpy()
                for place, label in enumerate(ds[dim].values):
                    yield f"{name}_{label}", values[:, :, place]
