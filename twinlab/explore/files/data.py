"""Export of a view's data to Parquet, CSV or Excel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from twinlab._files import write_atomically
from twinlab._spreadsheets import write_csv
from twinlab.errors import SchemaError
from twinlab.explore.files.exportable import check_suffix
from twinlab.languages import tr

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.explore.files.exportable import Exportable

__all__ = ["tidy_table", "write_data"]

SUFFIXES = (".parquet", ".csv", ".xlsx")


def write_data(view: Exportable, path: Path) -> Path:
    """Write the data of a view to ``.parquet``, ``.csv`` or ``.xlsx`` (the last with `write_excel`).

    Raises
    ------
    SchemaError
        If the suffix is another, or there is nothing to write.
    """
    suffix = check_suffix(path, SUFFIXES, "a file")
    if suffix == ".xlsx":
        from twinlab.explore.files.excel import write_excel  # noqa: PLC0415  (loaded when needed)

        return write_excel(view, path)
    data = view.data()
    if data is None:
        msg = tr("nothing is shown, so there are no data to write; choose something first")
        raise SchemaError(msg)
    table = tidy_table(data)
    if suffix == ".csv":
        return write_atomically(path, lambda draft: write_csv(table, draft))
    units = {} if isinstance(data, pd.DataFrame) else _units(data)
    about = {"twinlab": {"settings": view.settings(), "code": view.code(), "units": units}}
    return write_atomically(path, lambda draft: _parquet(table, draft, about))


def tidy_table(data: xr.Dataset | pd.DataFrame) -> pd.DataFrame:
    """Return data as a tidy table: one row per time and asset, one column per variable, without empty rows.

    >>> import numpy as np, xarray as xr
    >>> cube = xr.Dataset({"speed": (("time", "asset"), [[1.0, np.nan]])}, coords={"time": [0], "asset": ["a", "b"]})
    >>> tidy_table(cube).to_dict("records")
    [{'time': 0, 'asset': 'a', 'speed': 1.0}]
    """
    if isinstance(data, pd.DataFrame):
        named = data.index.name is not None or data.index.nlevels > 1
        return data.reset_index() if named else data.reset_index(drop=True)
    table = data.to_dataframe(dim_order=[str(dim) for dim in data.dims]).reset_index()
    floats = [str(name) for name in data.data_vars if data[name].dtype.kind == "f"]
    if floats:
        table = table[table[floats].notna().any(axis=1)]
    return table.reset_index(drop=True)


def _units(data: xr.Dataset) -> dict[str, str]:
    return {str(name): str(one.attrs["units"]) for name, one in data.data_vars.items() if "units" in one.attrs}


def _parquet(table: pd.DataFrame, path: Path, about: Mapping[str, object]) -> None:
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    metadata = dict(arrow.schema.metadata or {}) | {
        key.encode(): json.dumps(value).encode() for key, value in about.items()
    }
    pq.write_table(arrow.replace_schema_metadata(metadata), path, compression="zstd")
