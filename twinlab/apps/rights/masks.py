"""Parts of tables and datasets that a reader may see: rows of assets, and fields of each asset."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.model.flags import Flag

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["masked_columns", "masked_history", "signal_of"]


def masked_columns(table: pd.DataFrame, assets: pd.Series, seen: Mapping[str, Collection[str] | None]) -> pd.DataFrame:
    """Return a table without the values of columns in rows whose asset isn't in a list.

    Parameters
    ----------
    table : DataFrame
    assets : Series
        Asset of each row, with the table's index; missing where a row has none.
    seen : mapping of str to collection of str, or None
        Column -> assets whose value is seen; None: all.
    """
    out = table
    for column, allowed in seen.items():
        if allowed is None or column not in out:
            continue
        hidden = assets.notna() & ~assets.isin(list(allowed))
        if hidden.any():
            out = out.assign(**{column: out[column].mask(hidden)})
    return out


def masked_history(
    history: xr.Dataset, signals: Iterable[str], seen: Mapping[str, Collection[str] | None]
) -> xr.Dataset:
    """Return a history without the values of signals of assets that aren't in a list: they are missing.

    Parameters
    ----------
    history : Dataset
        Dims ``time, asset``, of cells or rollups.
    signals : iterable of str
        Names of the signals.
    seen : mapping of str to collection of str, or None
        Signal -> assets whose values are seen; None: all.
    """
    names, changed = list(signals), {}
    for variable in map(str, history.data_vars):
        allowed = seen.get(signal_of(variable, names))
        if allowed is None or "asset" not in history[variable].dims:
            continue
        values = history[variable]
        fill: object = np.nan
        if np.issubdtype(values.dtype, np.integer):
            fill = int(Flag.MISSING) if variable.endswith("_qc") else 0
        elif not np.issubdtype(values.dtype, np.floating):
            fill = None
        changed[variable] = values.where(history["asset"].isin(list(allowed)), fill).astype(values.dtype)
    return history.assign(changed) if changed else history


def signal_of(variable: str, signals: Iterable[str]) -> str:
    """Return the signal to which a variable belongs: the longest name that it is or starts with.

    >>> signal_of("fan_share", ["fan", "fan_speed"]), signal_of("fan_speed_qc", ["fan", "fan_speed"])
    ('fan', 'fan_speed')
    """
    fits = [name for name in signals if variable == name or variable.startswith(f"{name}_")]
    return max(fits, key=len, default=variable)
