"""Convert numbers from one unit to another: exact, or an error.

pint does the arithmetic in exact fractions; `twinlab.model.units.common` has the usual pairs without loading it.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from twinlab.errors import UnitError
from twinlab.model.units.common import common_conversion
from twinlab.model.units.spelling import UNKNOWN, canonical_unit, pint_names, powers_of, registry
from twinlab.model.units.table import DELTAS, TEMPERATURES

if TYPE_CHECKING:
    import pint
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Conversion", "compatible", "conversion", "convert"]


class Conversion(NamedTuple):
    """``target = (source + pre) * scale + post``, each number the float nearest to the exact one."""

    pre: float
    scale: float
    post: float

    def apply(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return ``values`` converted, any shape, float64; NaN stays NaN."""
        return (np.asarray(values, dtype="float64") + self.pre) * self.scale + self.post


@cache
def conversion(source: str, target: str) -> Conversion:
    """Return the affine map from one unit to another.

    Parameters
    ----------
    source, target : str
        Any spelling that `canonical_unit` takes.

    Raises
    ------
    UnitError
        If a unit is unknown, or the two don't measure the same thing: also a temperature and a temperature difference,
        an angle and a bare number, revolutions and hertz, kvar and kW, gauge and absolute pressure, or a logarithmic
        scale (dB, dBm, pH) and anything but itself.

    >>> conversion("F", "degC")
    Conversion(pre=-32.0, scale=0.5555555555555556, post=0.0)
    """
    one, other = canonical_unit(source), canonical_unit(target)
    if one == other:
        return Conversion(0.0, 1.0, 0.0)
    if UNKNOWN in (one, other):
        msg = (
            f"expected two known units, got {one!r} and {other!r}: nobody has stated this unit; state it, then convert"
        )
        raise UnitError(msg)
    slope, shift = common_conversion(one, other) or _exact(one, other)
    pre = shift / slope
    # Where the two forms round differently, add the number that a float represents exactly: (F - 32) * 5/9, C * 9/5 + 32.
    if _digits(pre) <= _digits(shift):
        return Conversion(float(pre), float(slope), 0.0)
    return Conversion(0.0, float(slope), float(shift))


def convert(values: ArrayLike, source: str, target: str) -> NDArray[np.float64]:
    """Return ``values`` (any shape) converted from ``source`` to ``target`` as float64; see `conversion`.

    >>> convert([32.0, 212.0], "°F", "°C").tolist()
    [0.0, 100.0]
    """
    return conversion(source, target).apply(values)


def compatible(source: str, target: str) -> bool:
    """Return whether `conversion` between two units exists.

    >>> compatible("mph", "m/s"), compatible("degC", "delta_degC")
    (True, False)
    """
    try:
        conversion(source, target)
    except UnitError:
        return False
    return True


def _exact(one: str, other: str) -> tuple[Fraction, Fraction]:
    """Return slope and shift of other = slope * one + shift, by pint."""
    _refuse_mixed_temperatures(one, other)
    units = registry()
    source, target = _pint_unit(one), _pint_unit(other)
    if units.get_dimensionality(source) != units.get_dimensionality(target):
        msg = (
            f"can't convert {one!r} to {other!r}: they measure different things; write the source's own unit, or give "
            "the signal a unit that fits"
        )
        raise UnitError(msg)
    zero = units.Quantity(Fraction(0), source).to(target).magnitude
    unit = units.Quantity(Fraction(1), source).to(target).magnitude
    return Fraction(unit) - Fraction(zero), Fraction(zero)


def _pint_unit(canonical: str) -> pint.Unit:
    units = registry()
    powers = powers_of(canonical)
    names = pint_names()
    if len(powers) == 1 and next(iter(powers.values())) == 1:
        name = next(iter(powers))
        return units.Unit(names.get(name, name))
    made = units.Unit("dimensionless")
    for name, power in powers.items():
        part = TEMPERATURES.get(name, name)
        made *= units.Unit(names.get(part, part)) ** power
    return made


def _refuse_mixed_temperatures(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        if first in TEMPERATURES and second in DELTAS:
            msg = (
                f"can't convert {one!r} to {other!r}: {first!r} is a temperature and {second!r} a difference between "
                f"two; a difference in {first} is written {TEMPERATURES[first]!r}"
            )
            raise UnitError(msg)


def _digits(number: Fraction) -> int:
    """Return the length of a number as text: short ones are exact or nearly exact as floats."""
    return len(repr(float(number)).strip("-"))
