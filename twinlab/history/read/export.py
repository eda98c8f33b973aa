"""Export to plain Zarr, Parquet, CSV and Excel."""

from __future__ import annotations

import json
import warnings
from collections.abc import Hashable, Mapping
from pathlib import Path

import dask.array as da
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr
import zarr

from twinlab._spreadsheets import SHEET_ROWS, write_csv_tables, write_workbook
from twinlab.errors import SchemaError
from twinlab.history.read.flat_tables import cells_at_once, flat_schema, flat_tables

__all__ = ["to_csv", "to_excel", "to_frame", "to_parquet", "to_zarr"]

#: Cells of a chunk of the Zarr that is written: 8 MB of float64; and of its time axis at most.
_CHUNK_CELLS = 2**20
_CHUNK_TIMES = 8192


def to_zarr(ds: xr.Dataset, path: Path) -> None:
    """Write a Dataset of `twinlab.history.read.datasets.dataset` as plain Zarr: codecs of the specification only, CF attributes.

    ``xr.open_zarr(path)`` opens it without twinlab. It is read and written a span of time at a time.

    Raises
    ------
    SchemaError
        If ``path`` exists.
    """
    target = Path(path)
    if target.exists():
        msg = f"expected nothing at {target} yet; choose another path or remove it"
        raise SchemaError(msg)
    # A chunk isn't written twice: what is read at once is whole chunks.
    length = min(_CHUNK_TIMES, 1 << (cells_at_once(ds).bit_length() - 1))
    with warnings.catch_warnings():
        # Variable-length text has no final Zarr v3 specification yet, but all current readers support it.
        warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification.*")
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part.*")
        template, encoding = _template(ds, {"time": length, "asset": _CHUNK_CELLS // length})
        template.to_zarr(
            target, "w-", encoding=encoding, compute=False, consolidated=True, safe_chunks=False, zarr_format=3
        )
        arrays = zarr.open_group(target, mode="r+")
    step = max(1, cells_at_once(ds) // length) * length
    for first in range(0, ds.sizes["time"], step):
        part = ds.isel(time=slice(first, first + step))
        values = {"time": part["time"].values.astype("datetime64[ns]").astype("int64")}
        values |= {str(name): variable.to_numpy() for name, variable in part.data_vars.items()}
        for name, cells in values.items():
            arrays[name][first : first + step] = cells  # type: ignore[index]  # an array, not a group


def _template(ds: xr.Dataset, chunks: Mapping[str, int]) -> tuple[xr.Dataset, dict[str, dict[str, object]]]:
    """Return a Dataset of which only shapes, attributes and labels are written, and its encoding."""
    variables: dict[str, xr.Variable] = {}
    encoding: dict[str, dict[str, object]] = {}
    for name, variable in {**ds.data_vars, "time": ds["time"]}.items():
        sizes = [max(1, min(chunks.get(str(dim), size), size)) for dim, size in variable.sizes.items()]
        encoding[str(name)] = {"chunks": tuple(sizes)}
        dtype = np.dtype("int64") if name == "time" else variable.dtype
        units = {"units": "nanoseconds since 1970-01-01", "calendar": "proleptic_gregorian"} if name == "time" else {}
        empty = da.zeros(variable.shape, dtype=dtype, chunks=-1)
        variables[str(name)] = xr.Variable(variable.dims, empty, _plain(variable.attrs) | units)
    labels = {
        str(name): one.variable.astype("str").astype(np.dtypes.StringDType()) if one.dtype == object else one.variable
        for name, one in ds.coords.items()
        if name != "time"
    }
    coords = xr.Coordinates({**labels, "time": variables.pop("time")}, indexes={})
    return xr.Dataset(variables, coords, ds.attrs), encoding


def to_frame(ds: xr.Dataset) -> pd.DataFrame:
    """Return a Dataset as a table with a row per time and asset, sorted by both; rows without any value are included."""
    table = pa.concat_tables([flat_schema(ds).empty_table(), *flat_tables(ds)])
    frame: pd.DataFrame = table.to_pandas()
    return frame.assign(asset=frame["asset"].astype("str"))


def to_parquet(ds: xr.Dataset, path: Path) -> None:
    """Write a Dataset as one Parquet file, zstd-compressed, a row group at a time.

    The schema's metadata has JSON under ``twinlab``: ``attributes`` of the Dataset, ``variables`` with the attributes of
    each, and ``units`` by variable.
    """
    # Without Arrow's own schema in the file, text is read as text, not as categories.
    with pq.ParquetWriter(Path(path), flat_schema(ds), compression="zstd", store_schema=False) as writer:
        for table in flat_tables(ds):
            writer.write_table(table)
        writer.add_key_value_metadata({"twinlab": json.dumps(_about(ds))})


def to_csv(ds: xr.Dataset, path: Path) -> None:
    """Write a Dataset as CSV in UTF-8: ISO times in UTC, empty cells where there is no value."""
    schema = flat_schema(ds)
    cadence = np.diff(ds["time"].values[:2]).astype("timedelta64[ns]").astype("int64")
    if (cadence % 10**9).any():
        # Cadences are whole milliseconds, and days begin with a cell.
        schema = schema.set(0, pa.field("time", pa.timestamp("ms")))
    write_csv_tables(schema, (table.cast(schema) for table in flat_tables(ds)), Path(path))


def _about(ds: xr.Dataset) -> dict[str, object]:
    variables = {str(name): _plain(one.attrs) for name, one in ds.data_vars.items()}
    units = {name: attributes["units"] for name, attributes in variables.items() if "units" in attributes}
    return {"units": units, "variables": variables, "attributes": _plain(ds.attrs)}


def _plain(attributes: Mapping[Hashable, object]) -> dict[str, object]:
    """Return attributes as JSON has them: arrays of flag values become lists."""
    return {str(k): v.tolist() if isinstance(v, np.ndarray) else v for k, v in attributes.items()}


def to_excel(ds: xr.Dataset, path: Path) -> None:
    """Write a Dataset as an Excel sheet.

    Raises
    ------
    SchemaError
        If it has more rows than a sheet.
    SourceError
        If the package xlsxwriter isn't installed.
    """
    rows = ds.sizes["time"] * ds.sizes["asset"]
    if rows >= SHEET_ROWS:
        # Before the table is made, which may not fit into memory.
        msg = f"expected fewer than {SHEET_ROWS:,} rows for one Excel sheet, got {rows:,}; ask for less, or use step="
        raise SchemaError(msg)
    write_workbook(Path(path), {"data": to_frame(ds)})
