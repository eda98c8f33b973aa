"""The accessor ``.twin`` of xarray data, for plots and flags without a twin; registered at import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

import xarray as xr

from twinlab.errors import SchemaError, UnitError

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.explore.dataset_reader import DatasetReader
    from twinlab.explore.views.signals.explorer import SignalExplorer

__all__ = ["TwinArray", "TwinDataset"]

Span = tuple[float, float]
_Data = TypeVar("_Data", xr.DataArray, xr.Dataset)
_UNNAMED = "value"


class _Accessor(Generic[_Data]):
    def __init__(self, data: _Data) -> None:
        self._data = data

    def _dataset(self) -> xr.Dataset:
        if isinstance(self._data, xr.Dataset):
            return self._data
        return self._data.to_dataset(name=self._data.name or _UNNAMED)

    @property
    def reader(self) -> DatasetReader:
        """A `TwinReader` over the data, for explorers.

        Raises
        ------
        SchemaError
            If there is no time axis, more than one other dimension, or nothing numeric.
        """
        from twinlab.explore.dataset_reader import DatasetReader  # noqa: PLC0415  (the accessor is light to import)

        return DatasetReader(self._dataset())

    def explore(self) -> SignalExplorer:
        """Return a signal explorer of the data; the same object works in JupyterLab and in a served page.

        Raises
        ------
        SchemaError
            As `reader`.
        """
        from twinlab.explore.views.signals.explorer import SignalExplorer  # noqa: PLC0415

        return SignalExplorer(self.reader)


@xr.register_dataset_accessor("twin")
class TwinDataset(_Accessor[xr.Dataset]):
    """Accessor of a Dataset with a time axis: ``explore``."""


@xr.register_dataarray_accessor("twin")
class TwinArray(_Accessor[xr.DataArray]):
    """Accessor of a DataArray with a time axis: ``explore``, ``plot``, ``flags``."""

    def plot(
        self, *, flags: xr.DataArray | None = None, full_range: bool = False, title: str = "", height: int = 360
    ) -> hv.Overlay:
        """Return the array as curves; many samples are drawn as means with a band from minimum to maximum.

        Parameters
        ----------
        flags : DataArray like this one, optional
            QARTOD numbers, as returned by `flags`.
        full_range : bool
            Include failed samples in the value range.
        title : str
        height : int
            Pixels.

        Raises
        ------
        SchemaError
            If the array or its flags have wrong dims or shapes.
        """
        import holoviews.plotting.bokeh  # noqa: F401, PLC0415  (options are accepted only for a loaded backend)

        from twinlab.explore.charts.plots import band_curve, signal_curve  # noqa: PLC0415
        from twinlab.explore.charts.reading import MAX_POINTS, coarsen  # noqa: PLC0415
        from twinlab.explore.dataset_reader import DatasetReader  # noqa: PLC0415

        data = self._dataset()
        name = str(self._data.name or _UNNAMED)
        if flags is not None:
            if flags.dims != self._data.dims or flags.shape != self._data.shape:
                msg = f"expected flags of dims {self._data.dims} and shape {self._data.shape}, got {flags.dims}, {flags.shape}"
                raise SchemaError(msg)
            data = data.assign({f"{name}_qc": flags})
        cube = DatasetReader(data)
        signal = next(iter(cube.model.asset_types["series"].signals))
        read = cube.history("series")
        read[signal].attrs.setdefault("long_name", name.replace("_", " "))
        if read.sizes["time"] <= MAX_POINTS:
            return signal_curve(
                read[signal], flags=read[f"{signal}_qc"], full_range=full_range, title=title, height=height
            )
        times = read.time.values.astype("int64")
        # Bins are multiples of their width, so that one more may overlap the span.
        cell = int(times[-1] - times[0]) // (MAX_POINTS - 2) + 1
        merged = coarsen(read, signal, factor=1, cell_ns=cell)
        return band_curve(merged, signal, full_range=full_range, title=title, height=height)

    def flags(
        self,
        *,
        sensor_span: Span | None = None,
        expected_span: Span | None = None,
        spike: Span | None = None,
        max_rate: Span | None = None,
        flat_line: str | None = None,
        **tests: Mapping[str, object],
    ) -> xr.DataArray:
        """Return a QARTOD flag for each value; only the tests with a parameter are run.

        Parameters
        ----------
        sensor_span, expected_span : (float, float), optional
            In the unit of the array; values outside the first are *fail*, outside the second *suspect*.
        spike : (float, float), optional
            Largest difference from the mean of both neighbours: (suspect, fail).
        max_rate : (float, float), optional
            Largest change per second: (suspect, fail).
        flat_line : str, optional
            A value that is constant for this long (``"2h"``) is suspect.
        **tests : mapping of str to object
            Tests of the registry (`twinlab.quality.QUALITY_TESTS`) by name, each with its options. Their numbers with a
            unit are converted to ``attrs["units"]``.

        Returns
        -------
        DataArray, uint8, same shape
            1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing; see `twinlab.quality.signal_flags`.

        Raises
        ------
        SchemaError
            If there is no time axis, a span is empty, or a test or one of its options doesn't exist.

        >>> import numpy as np
        >>> hours = np.datetime64("2026-01-01T00", "ns") + np.arange(3) * np.timedelta64(1, "h")
        >>> array = xr.DataArray([7.0, 99.0, np.nan], {"time": hours}, "time")
        >>> array.twin.flags(sensor_span=(0, 50)).values.tolist()
        [1, 4, 9]
        >>> array.twin.flags(range={"fail_span": [0, 50]}).values.tolist()
        [1, 4, 9]
        """
        from pydantic import ValidationError  # noqa: PLC0415

        from twinlab.explore.dataset_reader import cadence_of  # noqa: PLC0415
        from twinlab.model.twinmodel import Signal  # noqa: PLC0415
        from twinlab.quality import signal_flags  # noqa: PLC0415

        if "time" not in self._data.dims or "time" not in self._data.coords:
            msg = f"expected a dimension 'time' with times, got {', '.join(map(str, self._data.dims)) or 'none'}"
            raise SchemaError(msg)
        try:
            signal = Signal(
                unit=_unit(self._data),
                resolution=1e-9,
                cadence=cadence_of(self._data.time.values),
                sensor_span=sensor_span,
                expected_span=expected_span,
                spike=spike,
                max_rate=max_rate,
                flat_line=flat_line,
                tests={name: dict(options) for name, options in tests.items()},
            )
        except ValidationError as error:
            first = error.errors()[0]
            msg = f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"
            raise SchemaError(msg) from error
        return signal_flags(self._data, signal=signal)


def _unit(data: xr.DataArray) -> str:
    """Return the unit of an array in its canonical spelling; "1" where it states none, or one that isn't known."""
    from twinlab.model.units import canonical_unit  # noqa: PLC0415

    try:
        return canonical_unit(str(data.attrs.get("units", "1")))
    except UnitError:
        return "1"
