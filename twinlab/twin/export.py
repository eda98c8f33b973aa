"""Export data in the format of the target's suffix; the target is written completely or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from twinlab._files import write_atomically
from twinlab._spreadsheets import write_csv, write_workbook
from twinlab.errors import SchemaError
from twinlab.events.kpis.table import kpi_table
from twinlab.history.read import export
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["export_dataset", "export_kpi", "export_table"]

Data = TypeVar("Data")


def export_dataset(data: xr.Dataset, target: Path, parts: export.ExportParts | None = None) -> Path:
    """Write a history to ``.zarr``, ``.parquet``, ``.csv`` or ``.xlsx``.

    ``parts`` reads and encodes elsewhere, but for Excel.

    Raises
    ------
    SchemaError
        If the suffix is none of those, the target exists, the data don't fit an Excel sheet, or they have no signal.
    """
    if "time" not in data.dims:
        kind = data.attrs.get("asset_type", "this asset type")
        msg = f"expected signals to export, but {kind} has none; export its events, or add signals to the model"
        raise SchemaError(msg)
    writers: Mapping[str, Callable[[xr.Dataset, Path], None]] = {
        ".zarr": partial(export.to_zarr, parts=parts),
        ".parquet": partial(export.to_parquet, parts=parts),
        ".csv": partial(export.to_csv, parts=parts),
        ".xlsx": export.to_excel,
    }
    write = _writer(writers, target)
    return write_atomically(target, lambda path: write(data, path))


def export_table(table: pd.DataFrame, target: Path) -> Path:
    """Write a table of events to ``.parquet``, ``.csv`` or ``.xlsx``.

    Raises
    ------
    SchemaError
        If the suffix is none of those, the target exists, or the table doesn't fit an Excel sheet.
    """
    writers: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {
        ".parquet": _parquet,
        ".csv": write_csv,
        ".xlsx": _excel,
    }
    write = _writer(writers, target)
    return write_atomically(target, lambda path: write(table, path))


def export_kpi(data: xr.Dataset, target: Path) -> Path:
    """Write a KPI to ``.parquet``, ``.csv`` or ``.xlsx``; an Excel file has a second sheet with its definition.

    Raises
    ------
    SchemaError
        If the suffix is none of those, the target exists, or the table doesn't fit an Excel sheet.
    """

    def excel(table: pd.DataFrame, path: Path) -> None:
        about = {**data.attrs, "settled_until": str(data["settled_until"].values.astype("datetime64[s]"))}
        facts = pd.DataFrame({"key": list(about), "value": [str(one) for one in about.values()]})
        write_workbook(path, {"kpi": table, "definition": facts})

    writers: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {
        ".parquet": _parquet,
        ".csv": write_csv,
        ".xlsx": excel,
    }
    table = kpi_table(data)
    write = _writer(writers, target)
    return write_atomically(target, lambda path: write(table, path))


def _parquet(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path, index=False, compression="zstd")


def _excel(table: pd.DataFrame, path: Path) -> None:
    write_workbook(path, {"events": table})


def _writer(writers: Mapping[str, Callable[[Data, Path], None]], target: Path) -> Callable[[Data, Path], None]:
    if target.suffix not in writers:
        msg = f"expected a target ending in {', '.join(writers)}, got {target.name!r}{nearest(target.suffix, writers)}"
        raise SchemaError(msg)
    if target.exists():
        msg = f"{target} exists; choose another name, or remove it first"
        raise SchemaError(msg)
    return writers[target.suffix]
