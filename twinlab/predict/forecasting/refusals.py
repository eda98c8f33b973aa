"""Where a forecast has no number, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.forecasting.seasons import CYCLES
from twinlab.predict.protocol.durations import text_of

__all__ = ["asset_reasons", "lead_reasons", "least_cells", "unit_reason"]

Floats = NDArray[np.float64]
#: Cells that an asset must be known for, and seasons beside the horizon.
_CELLS, _SEASONS = 24, 3
#: How many ranges of the values of the fit later values may be away from them; where more than half of the newest are further, it isn't the same quantity.
_RANGES: Final = 3.0


def least_cells(seasons: Sequence[int], horizon: int) -> int:
    """Return for how many cells an asset must be known."""
    long = seasons[-1] if seasons else 0
    return max(CYCLES * long, max(_CELLS, _SEASONS * long) + horizon)


def asset_reasons(
    values: Floats, seasons: Sequence[int], *, horizon: int, step: np.timedelta64, bounds: Floats | None = None
) -> dict[int, str]:
    """Return the reason of each asset (by place) that can't be forecast from values (asset, time).

    Parameters
    ----------
    values : array (asset, time)
    seasons : sequence of int
    horizon : int
        In cells.
    step : timedelta64
    bounds : array (2, asset), optional
        Least and greatest value of the fit.
    """
    out: dict[int, str] = {}
    needed, recent = least_cells(seasons, horizon), seasons[0] if seasons else _CELLS // 3
    season = f"a season of {text_of(seasons[-1] * step)}" if seasons else "no season"
    known = ~np.isnan(values)
    for place in range(len(values)):
        cells = np.flatnonzero(known[place])
        if not len(cells):
            out[place] = "all values are missing"
            continue
        first, last = int(cells[0]), int(cells[-1])
        span, count = values.shape[1] - first, len(cells)
        if span < needed or count < needed // 2:
            out[place] = (
                f"history too short: {count} values in the {text_of(span * step)} before the issue time; at least {text_of(needed * step)} with half of the "
                f"cells are needed for {season} and a horizon of {text_of(horizon * step)}"
            )
        elif values.shape[1] - 1 - last >= recent:
            out[place] = (
                f"no value in the {text_of((values.shape[1] - 1 - last) * step)} before the issue time; at most {text_of(recent * step)} may be missing"
            )
        elif np.nanmin(values[place]) == np.nanmax(values[place]):
            out[place] = (
                f"constant: all {count} known values are {values[place, last]:g}, so nothing shows how it changes"
            )
        elif bounds is not None:
            text = _moved(values[place, -recent:], bounds[:, place])
            if text:
                out[place] = text
    return out


def _moved(newest: Floats, bounds: Floats) -> str:
    """Return the reason if the newest values are far from those of the fit."""
    low, high = bounds
    width = _RANGES * (high - low)
    found = newest[~np.isnan(newest)]
    outside = (found < low - width) | (found > high + width)
    if not len(found) or outside.mean() <= 0.5:
        return ""
    return (
        f"values have moved far away since the fit: {np.median(found):g} in the median lately, {low:g} to {high:g} in training; if the unit or the sensor has "
        "changed, correct the mapping, else fit again"
    )


def unit_reason(fitted: str, now: str) -> str:
    """Return the reason if the unit of the values isn't that of the fit, else an empty text.

    >>> unit_reason("degC", "degF")
    "the unit has changed since training: 'degC' then, 'degF' now; fit again, or correct the mapping"
    """
    if fitted == now:
        return ""
    return f"the unit has changed since training: {fitted!r} then, {now!r} now; fit again, or correct the mapping"


def lead_reasons(cases: NDArray[np.intp], needed: int, leads: Sequence[np.timedelta64]) -> dict[int, str]:
    """Return the reason of each lead time (by place) of which too few errors are known for an interval."""
    return {
        place: f"the horizon is beyond what the data support: {cases[place]} past errors {text_of(lead)} ahead; at least {needed} are needed"
        for place, lead in enumerate(leads)
        if cases[place] < needed
    }
