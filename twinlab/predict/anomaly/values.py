"""Arrays from histories: values of good and suspect cells, with the names and units of their signals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError, UnitError

__all__ = ["Floats", "signal_names", "units_of", "values_of"]

Floats = npt.NDArray[np.float64]

#: QARTOD's flags fail and missing: such cells have no value.
_WITHOUT_VALUE = (4, 9)


def signal_names(history: xr.Dataset) -> tuple[str, ...]:
    """Return the names of a history's signals: its numeric variables with dims time and asset, without flags."""
    return tuple(
        str(name)
        for name, values in history.data_vars.items()
        if set(values.dims) == {"time", "asset"} and not str(name).endswith("_qc") and values.dtype.kind in "fiu"
    )


def units_of(history: xr.Dataset, signals: Sequence[str]) -> tuple[str, ...]:
    """Return the units of signals, empty where none is stated."""
    return tuple(str(history[name].attrs.get("units", "")) for name in signals)


def values_of(
    history: xr.Dataset,
    signals: Sequence[str],
    *,
    assets: Sequence[str] | None = None,
    units: Sequence[str] | None = None,
) -> Floats:
    """Return a history's values as [time, asset, signal]; NaN where a cell is missing or its flag is fail.

    Parameters
    ----------
    history : Dataset
        Dims time and asset.
    signals : sequence of str
        The last axis.
    assets : sequence of str, optional
        The second axis; by default the history's.
    units : sequence of str, optional
        What the signals' units have to be.

    Raises
    ------
    SchemaError
        If a signal or an asset is missing.
    UnitError
        If a signal has another unit.
    """
    missing = [name for name in signals if name not in signal_names(history)]
    if missing:
        msg = f"expected the signals {', '.join(signals)} with dims time and asset; {', '.join(missing)} isn't among {', '.join(signal_names(history)) or 'none'}"
        raise SchemaError(msg)
    for name, found, wanted in zip(
        signals, units_of(history, signals), units or units_of(history, signals), strict=True
    ):
        if found != wanted:
            msg = f"{name}: the unit is {found or 'not stated'}, the model was trained on {wanted or 'no unit'}: convert the values or train again"
            raise UnitError(msg)
    known = [str(one) for one in history["asset"].values]
    chosen = known if assets is None else list(assets)
    absent = [one for one in chosen if one not in known]
    if absent:
        msg = f"expected the assets that the model was trained on; {', '.join(absent[:5])} isn't in the history"
        raise SchemaError(msg)
    places = [known.index(one) for one in chosen]
    every = np.empty((history.sizes["time"], len(chosen), len(signals)))
    for place, name in enumerate(signals):
        values = history[name].transpose("time", "asset").values[:, places].astype(float)
        if f"{name}_qc" in history:
            flags = history[f"{name}_qc"].transpose("time", "asset").values[:, places]
            values = np.where(np.isin(flags, _WITHOUT_VALUE), np.nan, values)
        every[:, :, place] = values
    return every
