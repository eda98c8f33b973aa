"""Conversions between the units that most sources write, known without pint, which takes a second to load.

The numbers are the definitions: the yard and pound agreement of 1959 (1 yd = 0.9144 m, 1 lb = 0.45359237 kg), the
international nautical mile of 1929 (1852 m), and 0 °C = 273.15 K. A test compares every pair with pint.
"""

from __future__ import annotations

from fractions import Fraction

__all__ = ["common_conversion"]

_FOOT = Fraction("0.3048")
_HOUR = 3600

#: For each quantity: canonical unit -> its multiple of the quantity's first unit.
_MULTIPLES: dict[str, dict[str, Fraction | int]] = {
    "length": {
        "m": 1,
        "km": 1000,
        "cm": Fraction(1, 100),
        "mm": Fraction(1, 1000),
        "inch": _FOOT / 12,
        "ft": _FOOT,
        "yd": 3 * _FOOT,
        "mile": 5280 * _FOOT,
        "nmi": 1852,
    },
    "speed": {
        "m/s": 1,
        "km/h": Fraction(1000, _HOUR),
        "mph": 5280 * _FOOT / _HOUR,
        "kn": Fraction(1852, _HOUR),
        "ft/s": _FOOT,
    },
    "pressure": {"Pa": 1, "hPa": 100, "kPa": 1000, "MPa": 10**6, "mbar": 100, "bar": 10**5},
    "share": {"1": 1, "%": Fraction(1, 100)},
    "time": {"s": 1, "ms": Fraction(1, 1000), "min": 60, "h": _HOUR, "d": 24 * _HOUR},
    "power": {"W": 1, "kW": 1000, "MW": 10**6},
    "energy": {"Wh": 1, "kWh": 1000, "MWh": 10**6},
    "volume": {
        "m³": 1,
        "L": Fraction(1, 1000),
        "mL": Fraction(1, 10**6),
        "gal": 231 * (_FOOT / 12) ** 3,
        "ft³": _FOOT**3,
    },
    "mass": {"g": 1, "kg": 1000, "lb": Fraction("453.59237")},
}
_ZERO_CELSIUS = Fraction("273.15")

#: Canonical unit -> quantity, slope and shift of first unit = slope * unit + shift.
_COMMON: dict[str, tuple[str, Fraction, Fraction]] = {
    unit: (quantity, Fraction(multiple), Fraction(0))
    for quantity, units in _MULTIPLES.items()
    for unit, multiple in units.items()
} | {
    "K": ("temperature", Fraction(1), Fraction(0)),
    "degC": ("temperature", Fraction(1), _ZERO_CELSIUS),
    "degF": ("temperature", Fraction(5, 9), _ZERO_CELSIUS - 32 * Fraction(5, 9)),
}


def common_conversion(one: str, other: str) -> tuple[Fraction, Fraction] | None:
    """Return slope and shift of ``other = slope * one + shift``, or None where pint must be asked.

    >>> common_conversion("km", "m"), common_conversion("degC", "m")
    ((Fraction(1000, 1), Fraction(0, 1)), None)
    """
    if one not in _COMMON or other not in _COMMON:
        return None
    quantity, slope, shift = _COMMON[one]
    wanted, other_slope, other_shift = _COMMON[other]
    if quantity != wanted:
        return None
    return slope / other_slope, (shift - other_shift) / other_slope
