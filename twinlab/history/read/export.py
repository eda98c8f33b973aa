"""Export to plain Zarr, Parquet, CSV and Excel."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from twinlab._spreadsheets import SHEET_ROWS, write_csv, write_workbook
from twinlab.errors import SchemaError

__all__ = ["to_csv", "to_excel", "to_frame", "to_parquet", "to_zarr"]


def to_zarr(ds: xr.Dataset, path: Path) -> None:
    """Write a Dataset of `twinlab.history.read.datasets.dataset` as plain Zarr: codecs of the specification only, CF attributes.

    ``xr.open_zarr(path)`` opens it without twinlab; gauges are packed as integers of their resolution where that is exact.

    Raises
    ------
    SchemaError
        If ``path`` exists.
    """
    target = Path(path)
    if target.exists():
        msg = f"expected nothing at {target} yet; choose another path or remove it"
        raise SchemaError(msg)
    plain = ds.copy()
    encoding: dict[str, dict[str, object]] = {"time": {"units": "nanoseconds since 1970-01-01", "dtype": "int64"}}
    for name, variable in plain.data_vars.items():
        chunks = tuple(max(sizes) for sizes in variable.chunks) if variable.chunks else variable.shape
        encoding[str(name)] = {"chunks": tuple(max(1, size) for size in chunks)}
        # Attributes must be JSON: arrays of flag values are written as lists.
        variable.attrs = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in variable.attrs.items()}
        if variable.chunks:
            plain[name] = variable.chunk(dict(zip(variable.dims, chunks, strict=True)))
    for name in plain.coords:
        if plain[name].dtype == object:
            plain[name] = plain[name].astype("str").astype(np.dtypes.StringDType())
    with warnings.catch_warnings():
        # Variable-length text has no final Zarr v3 specification yet, but all current readers support it.
        warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification.*")
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part.*")
        plain.to_zarr(target, mode="w-", encoding=encoding, consolidated=True, zarr_format=3)


def to_frame(ds: xr.Dataset) -> pd.DataFrame:
    """Return a Dataset as a table with a row per time and asset, sorted by both; rows without any value are included."""
    extra = [dim for dim in ds.dims if dim not in ("time", "asset")]
    flat = ds
    for dim in extra:
        for name in [n for n, v in ds.data_vars.items() if dim in v.dims]:
            parts = {f"{name}_{label}": ds[name].sel({dim: label}, drop=True) for label in ds[dim].values}
            flat = flat.drop_vars([name]).assign(parts)
        flat = flat.drop_vars([dim])
    return flat.to_dataframe(dim_order=["time", "asset"]).reset_index()


def to_parquet(ds: xr.Dataset, path: Path) -> None:
    """Write a Dataset as one Parquet file, zstd-compressed."""
    to_frame(ds).to_parquet(Path(path), index=False, compression="zstd")


def to_csv(ds: xr.Dataset, path: Path) -> None:
    """Write a Dataset as CSV in UTF-8: ISO times in UTC, empty cells where there is no value."""
    write_csv(to_frame(ds), Path(path))


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
