"""When there is no number: too few past failures, too short a history, values that are missing, constant, or unlike those that were learnt from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab.predict.failure.deviations import LEAST_ROWS
from twinlab.predict.failure.features import Rows
from twinlab.predict.failure.settings import FailureSettings
from twinlab.predict.protocol.durations import text_of

__all__ = ["Learnt", "asset_refusals", "training_refusal", "unit_refusal", "units_of"]

Floats = NDArray[np.float64]
#: Past failures below which nothing is learnt, and assets that they must be of.
LEAST_FAILURES: Final = 5
_LEAST_ASSETS: Final = 2
#: Values may be outside of those that were learnt from by this share of their span.
_BEYOND: Final = 0.5


@dataclass(frozen=True)
class Learnt:
    """Values of the training span that those of a prediction are compared with.

    Parameters
    ----------
    low, high : array (indicator,)
        Span of the values of all assets.
    units : mapping of str to str
        Unit of each variable.
    """

    low: Floats
    high: Floats
    units: Mapping[str, str]

    @classmethod
    def of(cls, values: Floats, history: xr.Dataset) -> Learnt:
        """Return the spans of indicators (row, asset, indicator)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return cls(np.nanmin(values, axis=(0, 1)), np.nanmax(values, axis=(0, 1)), units_of(history))


def units_of(history: xr.Dataset) -> dict[str, str]:
    """Return the unit of each variable."""
    return {str(name): str(one.attrs.get("units", "unknown")) for name, one in history.data_vars.items()}


def unit_refusal(learnt: Mapping[str, str], history: xr.Dataset) -> str:
    """Return why a history can't be compared with the one that was learnt from; empty if it can."""
    changed = [
        f"{name} was in {learnt[name]} and is in {unit}"
        for name, unit in units_of(history).items()
        if learnt.get(name, unit) != unit
    ]
    return f"units have changed since the fit: {', '.join(changed)}; fit it again" if changed else ""


def training_refusal(settings: FailureSettings, failures: pd.DataFrame, values: Floats) -> str:
    """Return why nothing can be learnt from past failures and indicators (row, asset, indicator); empty if something can."""
    assets = values.shape[1]
    if assets < _LEAST_ASSETS:
        return f"{assets} asset of {settings.asset_type!r}; what one fails of isn't learnt from itself: at least {_LEAST_ASSETS} are needed"
    rows = int((~np.isnan(values)).any(axis=(1, 2)).sum())
    if not rows:
        return f"no value of {', '.join(settings.inputs.variables)} in the {settings.training} before the fit"
    needed = settings.spans[-1] + int(np.ceil(settings.longest_ns / settings.every_ns))
    if rows < needed:
        return (
            f"{rows} rows of {text_of(settings.every_ns)} of history; at least {needed} are needed for spans of {settings.spans[-1]} rows and lives of up to "
            f"{settings.longest}"
        )
    if not _varies(values).any():
        return f"{', '.join(settings.inputs.variables)} didn't change in the {settings.training} before the fit"
    begun = failures[failures["start"].notna()]
    if len(begun) < LEAST_FAILURES:
        return f"{len(begun)} past failures ({settings.event_type}); at least {LEAST_FAILURES} are needed"
    if begun["asset"].nunique() < _LEAST_ASSETS:
        return f"all past failures ({settings.event_type}) are of {begun['asset'].iloc[0]}; those of at least {_LEAST_ASSETS} assets are needed"
    return ""


def _varies(values: Floats) -> NDArray[np.bool_]:
    """Return which indicators (.., indicator) have more than one value."""
    flat = values.reshape(-1, values.shape[-1])
    known = ~np.isnan(flat)
    return np.asarray(np.where(known, flat, -np.inf).max(axis=0) > np.where(known, flat, np.inf).min(axis=0))


def asset_refusals(
    settings: FailureSettings, rows: Rows, learnt: Learnt, *, assets: Sequence[str], failed: Mapping[str, pd.Timestamp]
) -> dict[int, str]:
    """Return the reason of each asset that gets no number, by its place.

    Parameters
    ----------
    settings : FailureSettings
    rows : Rows
        Those before the issue time.
    learnt : Learnt
    assets : sequence of str
    failed : mapping of str to Timestamp
        Assets that have failed and aren't repaired, and since when.
    """
    out: dict[int, str] = {}
    newest = slice(-settings.spans[-1], None)
    names = [one.name for one in settings.indicators]
    for place, asset in enumerate(assets):
        values = rows.values[:, place]
        count = int((~np.isnan(values)).any(axis=1).sum())
        if asset in failed:
            out[place] = f"it has failed on {failed[asset]:%Y-%m-%d %H:%M} and isn't repaired"
        elif not count:
            out[place] = (
                f"no value of {', '.join(settings.inputs.variables)} in the {settings.inputs.window_ns.astype('timedelta64[D]')} before"
            )
        elif np.isnan(values[newest]).all():
            out[place] = f"no value in the last {settings.spans[-1]} rows of {settings.every}"
        elif count < LEAST_ROWS:
            out[place] = (
                f"{count} rows of {settings.every} of history; at least {LEAST_ROWS} are needed to know what is usual for it"
            )
        elif not _varies(values).any():
            out[place] = "all its values are constant: are its sensors still read?"
        else:
            beyond = _beyond(values[newest], learnt)
            if beyond is not None:
                out[place] = (
                    f"{names[beyond]} is far outside of what was learnt from ({learnt.low[beyond]:.3g} to {learnt.high[beyond]:.3g}): "
                    "has its unit or its sensor changed?"
                )
    return out


def _beyond(values: Floats, learnt: Learnt) -> int | None:
    """Return the first indicator whose values (row, indicator) are far outside of those that were learnt from."""
    margin = _BEYOND * (learnt.high - learnt.low)
    with np.errstate(invalid="ignore"):
        outside = (values < learnt.low - margin) | (values > learnt.high + margin)
    found = np.flatnonzero(outside.any(axis=0))
    return int(found[0]) if len(found) else None
