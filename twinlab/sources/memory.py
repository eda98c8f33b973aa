"""pandas DataFrames and xarray Datasets as sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from twinlab.errors import SchemaError
from twinlab.sources.base import BATCH_ROWS, RowBatch, unique_names
from twinlab.sources.columnar import plain_batch
from twinlab.sources.parsing.values import ValueColumns

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["DatasetSource", "FrameSource", "dataset", "frame"]


def frame(data: pd.DataFrame, *, mapping: str | Path | None = None, name: str = "frame") -> FrameSource:
    """Return a source that reads a pandas DataFrame; an index that has a name or contains times becomes columns.

    Parameters
    ----------
    data : DataFrame
        Columns of any type; columns of Python objects are read value by value.
    mapping : str or Path, optional
        Mapping file of the source.
    name : str
        Name of the source and of its table.

    Raises
    ------
    SchemaError
        If ``data`` is no DataFrame.

    Examples
    --------
    >>> import pandas as pd
    >>> next(frame(pd.DataFrame({"x": [1, 2]}), name="t").batches()).rows.num_rows
    2
    """
    if not hasattr(data, "itertuples"):
        msg = f"frame: got {type(data).__name__}; expected a pandas DataFrame: convert it, or use sources.dataset"
        raise SchemaError(msg)
    return FrameSource(data, name, Path(mapping) if mapping is not None else None)


def dataset(data: xr.Dataset, *, mapping: str | Path | None = None, name: str = "dataset") -> DatasetSource:
    """Return a source that reads an xarray Dataset, with one table per set of dimensions.

    Parameters
    ----------
    data : Dataset
        May be lazy; it is read in slices along each table's first dimension. ``units`` attributes are reported.
    mapping : str or Path, optional
        Mapping file of the source.
    name : str
        Name of the source and of its table; several tables have their dimensions in the name.

    Raises
    ------
    SchemaError
        If ``data`` is no Dataset.
    """
    if not hasattr(data, "data_vars"):
        msg = f"dataset: got {type(data).__name__}; expected an xarray Dataset: use to_dataset() or sources.frame"
        raise SchemaError(msg)
    return DatasetSource(data, name, Path(mapping) if mapping is not None else None)


@dataclass(frozen=True)
class FrameSource:
    """A pandas frame."""

    data: pd.DataFrame = field(repr=False)
    name: str
    mapping: Path | None

    def files(self) -> tuple[Path, ...]:
        """Return no files."""
        return ()

    def batches(self) -> Iterator[RowBatch]:
        """Yield the frame's rows in batches of at most 65,536."""
        yield from frame_batches([self.data], self.name, {})


@dataclass(frozen=True)
class DatasetSource:
    """An xarray Dataset."""

    data: xr.Dataset = field(repr=False)
    name: str
    mapping: Path | None

    def files(self) -> tuple[Path, ...]:
        """Return no files."""
        return ()

    def batches(self) -> Iterator[RowBatch]:
        """Yield one row per cell of each set of dimensions, in slices along the first of them."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for variable, array in self.data.data_vars.items():
            groups.setdefault(tuple(str(dim) for dim in array.dims), []).append(str(variable))
        units = {
            str(key): str(array.attrs["units"]) for key, array in self.data.variables.items() if "units" in array.attrs
        }
        for dims, variables in groups.items():
            table = self.name if len(groups) == 1 else "_".join([self.name, *dims])
            own = {key: unit for key, unit in units.items() if key in variables or key in dims}
            yield from frame_batches(self._slices(dims, variables), table, own)

    def _slices(self, dims: tuple[str, ...], variables: list[str]) -> Iterator[pd.DataFrame]:
        part = self.data[variables]
        if not dims:
            yield pd.DataFrame({name: [part[name].item()] for name in variables})
            return
        rest = int(np.prod([part.sizes[dim] for dim in dims[1:]]))
        step = max(1, BATCH_ROWS // max(1, rest))
        for start in range(0, max(1, part.sizes[dims[0]]), step):
            piece = part.isel({dims[0]: slice(start, start + step)})
            yield piece.to_dataframe(dim_order=list(dims)).reset_index()


def frame_batches(
    frames: Iterator[pd.DataFrame] | list[pd.DataFrame], table: str, units: dict[str, str]
) -> Iterator[RowBatch]:
    """Yield the rows of frames with the same columns, numbered consecutively."""
    columns = ValueColumns()
    first = 1
    for data in frames:
        whole = data.reset_index() if _index_matters(data.index) else data
        names = unique_names([str(name) for name in whole.columns])
        for start in range(0, max(1, len(whole)), BATCH_ROWS):
            rows, found = _rows(whole.iloc[start : start + BATCH_ROWS], names, columns)
            numbers = np.arange(first, first + rows.num_rows, dtype=np.int64)
            first += rows.num_rows
            yield RowBatch(table, rows, numbers, {**found, **units})


def _index_matters(index: pd.Index) -> bool:
    return index.nlevels > 1 or index.name is not None or isinstance(index, pd.DatetimeIndex) or index.dtype == object


def _rows(part: pd.DataFrame, names: list[str], columns: ValueColumns) -> tuple[pa.RecordBatch, dict[str, str]]:
    out_names: list[str] = []
    arrays: list[pa.Array] = []
    for position, name in enumerate(names):
        series = part.iloc[:, position]
        array = None if series.dtype == object else _array(series)
        if array is None:
            values = [None if value is None or value is pd.NaT or value is pd.NA else value for value in series]
            found, made = columns.convert({name: [None if _is_nan(value) else value for value in values]})
            out_names += found
            arrays += made
        else:
            out_names.append(name)
            arrays.append(array)
    schema = pa.schema([pa.field(name, array.type) for name, array in zip(out_names, arrays, strict=True)])
    return plain_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def _array(series: pd.Series[Any]) -> pa.Array | None:
    """Return a column as an Arrow array; None if Arrow has no such type (periods, complex numbers)."""
    if isinstance(series.dtype, pd.PeriodDtype | pd.IntervalDtype):
        return None
    try:
        array = pa.Array.from_pandas(series)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return None
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and value != value  # noqa: PLR0124 - NaN alone differs from itself
