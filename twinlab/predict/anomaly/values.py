"""Arrays from histories: values of good and suspect cells, with the names and units of their signals; which of them are angles."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError, UnitError

__all__ = ["Columns", "Floats", "columns_of", "full_turns", "signal_names", "units_of", "values_of"]

Floats = npt.NDArray[np.float64]

#: Names of signals that are angles, if their unit is degree or rad; and a full turn in these units.
_ANGLES = re.compile(r"(^|_)(direction|heading|bearing|course|azimuth)(_|$)")
_TURNS = {"degree": 360.0, "rad": 2 * np.pi}
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


def full_turns(
    signals: Sequence[str], units: Sequence[str], given: Mapping[str, float] | None = None
) -> tuple[float, ...]:
    """Return a full turn of each signal in its unit; 0 for those that aren't angles.

    A signal in degrees or radians whose name has the word direction, heading, bearing, course or azimuth is an angle.

    Parameters
    ----------
    given : mapping of str to float, optional
        Signal -> full turn, 0 for none; replaces what the name and the unit say.

    Raises
    ------
    SchemaError
        If a turn is of no signal or negative.

    Examples
    --------
    >>> full_turns(["wind_direction", "latitude", "phase"], ["degree", "degree", "h"], {"phase": 24})
    (360.0, 0.0, 24.0)
    """
    turns = {
        name: _TURNS.get(unit, 0.0) if _ANGLES.search(name) else 0.0 for name, unit in zip(signals, units, strict=True)
    }
    for name, turn in (given or {}).items():
        if name not in turns or not 0 <= turn < float("inf"):
            msg = f"angles: expected a turn of at least 0 for one of {', '.join(signals)}, got {name!r}: {turn!r}"
            raise SchemaError(msg)
        turns[name] = float(turn)
    return tuple(turns.values())


@dataclass(frozen=True)
class Columns:
    """What detectors see of signals: a signal itself; of an angle its cosine and its sine, which is the cosine a quarter turn later."""

    place: npt.NDArray[np.int64]
    """Of each column's signal."""
    turn: Floats
    """Factor from the signal's unit to radians; 0 for signals that aren't angles."""
    shift: Floats
    """Taken off the angle, radians."""

    def of_values(self, values: Floats) -> Floats:
        """Return [time, asset, column] of values [time, asset, signal]."""
        every = values[:, :, self.place]
        return np.where(self.turn > 0, np.cos(every * self.turn - self.shift), every)

    def of_signals(self, parts: Floats, signals: int) -> Floats:
        """Return the sums of parts [row, column] over the columns of each signal, [row, signal]."""
        found = np.zeros((len(parts), signals))
        for column, place in enumerate(self.place):
            found[:, place] += parts[:, column]
        return found


def columns_of(turns: Sequence[float]) -> Columns:
    """Return the columns of signals with these full turns, 0 for those that aren't angles."""
    rows = [
        (place, 2 * np.pi / turn if turn else 0.0, shift)
        for place, turn in enumerate(turns)
        for shift in ((0.0, np.pi / 2) if turn else (0.0,))
    ]
    place, turn, shift = zip(*rows, strict=True)
    return Columns(np.array(place), np.array(turn), np.array(shift))


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
