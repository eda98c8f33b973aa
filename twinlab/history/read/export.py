"""Export to plain Zarr, Parquet, CSV and Excel."""

from __future__ import annotations

import json
import warnings
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import dask.array as da
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr
import zarr
from zarr.buffer import cpu

from twinlab._spreadsheets import SHEET_ROWS, csv_header, csv_lines, write_csv_tables, write_workbook
from twinlab.errors import SchemaError
from twinlab.history.read.flat_tables import cells_at_once, flat_schema, flat_tables, spans_of_time

__all__ = ["ExportParts", "span_chunks", "span_lines", "to_csv", "to_excel", "to_frame", "to_parquet", "to_zarr"]

Span = tuple[int, int]

#: Cells of a chunk of the Zarr that is written: 8 MB of float64; and of its time axis at most.
_CHUNK_CELLS = 2**20
_CHUNK_TIMES = 8192


class ExportParts(Protocol):
    """What parts of the time axis of a Dataset are in a file, made elsewhere; in the order of the parts."""

    def tables(self, spans: Sequence[Span]) -> Iterator[Iterable[pa.Table]]:
        """Yield the tables of `flat_tables`."""

    def lines(self, spans: Sequence[Span]) -> Iterator[Iterable[bytes]]:
        """Yield the lines of a CSV file, as `span_lines`."""

    def chunks(self, spans: Sequence[Span], metadata: Mapping[str, bytes]) -> Iterator[Mapping[str, bytes]]:
        """Yield the chunks of Zarr arrays by their keys, as `span_chunks`."""


def to_zarr(ds: xr.Dataset, path: Path, parts: ExportParts | None = None) -> None:
    """Write a Dataset of `twinlab.history.read.datasets.dataset` as plain Zarr: codecs of the specification only, CF attributes.

    ``xr.open_zarr(path)`` opens it without twinlab. It is read and written a span of time at a time.

    Parameters
    ----------
    ds : Dataset
    path : Path
    parts : ExportParts, optional
        Reads and encodes elsewhere; by default it is done here.

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
    spans = [(first, min(first + step, ds.sizes["time"])) for first in range(0, ds.sizes["time"], step)]
    if parts is None:
        for span in spans:
            _write_span(arrays, ds, span)
        return
    metadata = {one.relative_to(target).as_posix(): one.read_bytes() for one in target.rglob("zarr.json")}
    for chunks in parts.chunks(spans, metadata):
        for key, data in chunks.items():
            place = target / key
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def _write_span(arrays: zarr.Group, ds: xr.Dataset, span: Span) -> None:
    part = ds.isel(time=slice(*span))
    values = {"time": part["time"].values.astype("datetime64[ns]").astype("int64")}
    values |= {str(name): variable.to_numpy() for name, variable in part.data_vars.items()}
    for name, cells in values.items():
        arrays[name][slice(*span)] = cells  # type: ignore[index]  # an array, not a group


def span_chunks(ds: xr.Dataset, span: Span, metadata: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the chunks of a part of a Dataset that `to_zarr` writes; ``metadata`` are the group's files ``zarr.json``."""
    memory: dict[str, Any] = {key: cpu.Buffer.from_bytes(data) for key, data in metadata.items()}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification.*")
        _write_span(zarr.open_group(zarr.storage.MemoryStore(memory), mode="r+"), ds, span)
    return {key: data.to_bytes() for key, data in memory.items() if key not in metadata}


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


def to_parquet(ds: xr.Dataset, path: Path, parts: ExportParts | None = None) -> None:
    """Write a Dataset as one Parquet file, zstd-compressed, a row group at a time.

    The schema's metadata has JSON under ``twinlab``: ``attributes`` of the Dataset, ``variables`` with the attributes of
    each, and ``units`` by variable. ``parts`` as in `to_zarr`.
    """
    made = (flat_tables(ds),) if parts is None else parts.tables(spans_of_time(ds))
    # Without Arrow's own schema in the file, text is read as text, not as categories.
    with pq.ParquetWriter(Path(path), flat_schema(ds), compression="zstd", store_schema=False) as writer:
        for tables in made:
            for table in tables:
                writer.write_table(table)
        writer.add_key_value_metadata({"twinlab": json.dumps(_about(ds))})


def to_csv(ds: xr.Dataset, path: Path, parts: ExportParts | None = None) -> None:
    """Write a Dataset as CSV in UTF-8: ISO times in UTC, empty cells where there is no value; ``parts`` as in `to_zarr`."""
    schema = _csv_schema(ds)
    if parts is None:
        write_csv_tables(schema, (table.cast(schema) for table in flat_tables(ds)), Path(path))
        return
    with Path(path).open("wb") as file:
        file.write(csv_header(schema))
        for texts in parts.lines(spans_of_time(ds)):
            file.writelines(texts)


def span_lines(ds: xr.Dataset, spans: Sequence[Span]) -> Iterator[memoryview]:
    """Yield lines of a CSV file for parts of a Dataset."""
    schema = _csv_schema(ds)
    for table in flat_tables(ds, spans):
        yield from csv_lines(table.cast(schema))


def _csv_schema(ds: xr.Dataset) -> pa.Schema:
    schema = flat_schema(ds)
    cadence = np.diff(ds["time"].values[:2]).astype("timedelta64[ns]").astype("int64")
    if (cadence % 10**9).any():
        # Cadences are whole milliseconds, and days begin with a cell.
        schema = schema.set(0, pa.field("time", pa.timestamp("ms")))
    return schema


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
