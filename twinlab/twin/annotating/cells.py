"""Annotations as a variable beside a signal: a code for each cell, as lazy as the signal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.events.annotations.codes import CODES, AnnotatedSpan, codes_of, spans_of_signal
from twinlab.history.read.direct import source_of, with_source
from twinlab.history.read.lazy import Lazy

__all__ = ["AnnotatedCells", "with_annotations"]


@dataclass(frozen=True)
class AnnotatedCells(Lazy):
    """The codes of the cells of a signal; nothing is read."""

    #: Spans by stored column.
    spans: tuple[tuple[int, tuple[AnnotatedSpan, ...]], ...]
    #: Start of cell 0, ns since 1970.
    origin_ns: int

    @property
    def dtype(self) -> np.dtype:
        """Type of the codes."""
        return np.dtype("uint8")

    @property
    def token(self) -> tuple[object, ...]:
        """What distinguishes it from any other."""
        return (*super().token, self.spans, self.origin_ns)

    def rectangle(self, first: int, stop: int, columns: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return cells, numbered from the origin, of stored columns."""
        out = np.zeros((stop - first, columns.size), dtype=np.uint8)
        by_column = dict(self.spans)
        times = self.origin_ns + np.arange(first, stop, dtype=np.int64) * self.reader.group.cadence_ns
        for place, column in enumerate(columns.tolist()):
            if column in by_column:
                out[:, place] = codes_of(times, by_column[column])
        return out


def with_annotations(
    data: xr.Dataset, annotations: pd.DataFrame, asset_type: str, signals: tuple[str, ...]
) -> xr.Dataset:
    """Return a Dataset of cells with ``<signal>_annotation`` of each of the signals that it has.

    Parameters
    ----------
    data : Dataset (time, asset)
        Cells as `twinlab.history.HistoryReader.history` returns them.
    annotations : DataFrame
        As `twinlab.events.annotations.annotations_table` returns them; those of spans count.

    Raises
    ------
    SchemaError
        If a variable of the name is there already, or the Dataset has windows.
    """
    out: dict[str, xr.DataArray] = {}
    for name in signals:
        if f"{name}_count" in data:
            msg = "expected cells, got windows: a window has no annotation; leave out `step`"
            raise SchemaError(msg)
        if name not in data:
            continue
        made = f"{name}_annotation"
        if made in data:
            msg = f"expected no variable {made!r} beside {name!r}: the model has a signal of this name; rename it"
            raise SchemaError(msg)
        out[made] = _codes(data[name], spans_of_signal(annotations, asset_type, name), name)
        beside = f"{data[name].attrs.get('ancillary_variables', '')} {made}".lstrip()
        out[name] = data[name].assign_attrs(ancillary_variables=beside)
    return data.assign(out)


def _codes(variable: xr.DataArray, spans: tuple[AnnotatedSpan, ...], name: str) -> xr.DataArray:
    source = source_of(variable.variable._data)  # noqa: SLF001  (`data` would load it)
    assert source is not None  # a signal of a history that was just opened
    times = variable["time"].values.astype("datetime64[ns]").astype(np.int64)
    origin = int(times[0]) - source.first * source.reader.group.cadence_ns if len(times) else 0
    columns = dict(zip(map(str, variable["asset"].values), source.reader.columns.tolist(), strict=True))
    by_column = {column: tuple(one for one in spans if one.asset == asset) for asset, column in columns.items()}
    lazy = AnnotatedCells(
        source.reader,
        source.name,
        source.first,
        source.length,
        tuple((column, found) for column, found in by_column.items() if found),
        origin,
    )
    out = with_source(variable, lazy)
    out.attrs = {
        "long_name": f"annotation of {variable.attrs.get('long_name', name)}",
        "flag_values": np.array(list(CODES.values()), dtype="uint8"),
        "flag_meanings": " ".join(CODES),
    }
    return out
