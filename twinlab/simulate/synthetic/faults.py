"""Faults and rare events that are planted in a gauge, with the truth about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.errors import UnitError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.model.units import convert

__all__ = ["FAULTS", "Planted", "check_kinds", "plant", "wrong_unit"]

Floats = npt.NDArray[np.float64]

#: Kinds of faults; "excursion" is a rare event: the value is right, the asset isn't well.
FAULTS = ("stuck", "drift", "spike", "gap", "wrong_unit", "excursion")
#: Another unit that sources take a unit for.
_WRONG = {
    "degC": "degF", "degF": "degC", "m/s": "mph", "km/h": "mph", "km": "mile", "mm": "inch", "hPa": "psi", "L": "gallon", "kg": "lb",
    "%": "1", "kW": "W", "m": "ft", "A": "mA", "V": "mV",
}  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """One fault: cells ``[start, stop)`` of an asset.

    Parameters
    ----------
    fault : str
    asset : int
        Number of the asset.
    start, stop : int
        Numbers of cells.
    size : float
        How far the values are off, in the signal's unit; of a factor, the factor.
    """

    fault: str
    asset: int
    start: int
    stop: int
    size: float


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise if a kind of fault isn't known.

    Raises
    ------
    UnknownTermError
        Shows the nearest.
    """
    for kind in kinds:
        if kind not in FAULTS:
            msg = f"there is no kind of fault {kind!r}{nearest(kind, FAULTS)}"
            raise UnknownTermError(msg)


def wrong_unit(unit: str | None) -> str | None:
    """Return the unit that a source may take a unit for; None if there is none.

    >>> wrong_unit("degC"), wrong_unit("V/m")
    ('degF', None)
    """
    return _WRONG.get(unit or "")


def plant(
    values: Floats,
    kind: str,
    *,
    cell_hours: float,
    unit: str | None,
    taken: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> Planted | None:
    """Change values in place to those of one fault, where none is yet, and return what was done; None if there is no room.

    Parameters
    ----------
    values : array, shape (time, asset)
    kind : str
        One of `FAULTS`.
    cell_hours : float
        Length of a cell.
    unit : str or None
        Of the values.
    taken : array of bool, shape (time, asset)
        Cells with a fault, which are extended.
    rng : Generator
    """
    hours = {"stuck": 36, "drift": 96, "spike": 0, "gap": 24, "wrong_unit": 24, "excursion": 4}[kind]
    length = max(round(hours / cell_hours), 1)
    spare = max(round(3 / cell_hours), 2)
    for _ in range(50):
        asset = int(rng.integers(values.shape[1]))
        start = int(rng.integers(spare, max(len(values) - length - spare, spare + 1)))
        around = slice(max(start - spare, 0), start + length + spare)
        series, there = values[:, asset], slice(start, start + length)
        whole = np.isfinite(series[around]).mean() > 0.9 and start + length + spare <= len(values)
        if taken[around, asset].any() or not whole:
            continue
        size = _change(series, there, kind, unit, rng)
        if size is None:
            return None
        taken[around, asset] = True
        return Planted(kind, asset, start, start + length, size)
    return None


def _change(series: Floats, there: slice, kind: str, unit: str | None, rng: np.random.Generator) -> float | None:
    spread = float(np.nanstd(series)) or 1.0
    sign = float(rng.choice([-1.0, 1.0]))
    many = there.stop - there.start
    if kind == "gap":
        series[there] = np.nan
        return 0.0
    if kind == "stuck":
        series[there] = series[there.start - 1] if np.isfinite(series[there.start - 1]) else np.nanmedian(series[there])
        return 0.0
    if kind == "spike":
        size = sign * spread * float(rng.uniform(8, 12))
        series[there] += size
        return size
    if kind == "drift":
        size = sign * spread * float(rng.uniform(4, 6))
        series[there] += np.linspace(0, size, many)
        return size
    if kind == "excursion":
        size = spread * float(rng.uniform(4, 6))
        series[there] += size * np.sin(np.linspace(0, np.pi, many + 2)[1:-1])
        return size
    other = wrong_unit(unit)
    if other is None or unit is None:
        return None
    try:
        series[there] = convert(series[there], unit, other)
    except UnitError:
        return None
    return float("nan")
