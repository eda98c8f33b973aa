"""Hypotheses of scale and offset: which other unit or decimal place a source may have written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab.model.units import canonical_unit, compatible, conversion

__all__ = ["Hypothesis", "hypotheses"]

#: Units that are mistaken for each other in practice, by quantity. Units of one quantity that nobody confuses
#: (electronvolts and therms) aren't here: each hypothesis costs certainty.
FAMILIES: Final[tuple[tuple[str, ...], ...]] = (
    ("degC", "degF", "K"),
    ("delta_degC", "delta_degF"),
    ("kPa", "bar", "psi", "Pa", "hPa", "MPa", "mbar", "mmHg", "inHg", "atm"),
    ("barg", "psig", "kPag"),
    ("km/h", "mph", "m/s", "kn", "ft/s"),
    ("kg", "lb", "g", "t"),
    ("mm", "inch", "cm", "m", "ft"),
    ("km", "mile", "m", "nmi"),
    ("L", "gal", "imp_gal", "m³", "ft³", "mL"),
    ("%", "1"),
    ("kWh", "Wh", "MWh", "kBtu", "MJ", "GJ", "kJ"),
    ("kW", "W", "MW", "hp"),
    ("s", "ms", "min", "h"),
    ("m³/h", "L/min", "L/s", "gal/min", "ft³/min"),
)
#: Pairs that every integrator has met; other units of a family are less probable.
_USUAL: Final = (
    {"degC", "degF"}, {"delta_degC", "delta_degF"}, {"degC", "K"}, {"kPa", "psi"}, {"bar", "psi"}, {"kPa", "bar"},
    {"kPa", "hPa"}, {"barg", "psig"}, {"barg", "kPag"}, {"km/h", "mph"}, {"km/h", "m/s"}, {"m/s", "mph"}, {"km/h", "kn"},
    {"m/s", "kn"}, {"kg", "lb"}, {"kg", "g"}, {"mm", "inch"}, {"mm", "cm"}, {"km", "mile"}, {"km", "m"}, {"m", "ft"},
    {"L", "gal"}, {"L", "m³"}, {"%", "1"}, {"kWh", "Wh"}, {"kWh", "kBtu"}, {"kWh", "MWh"}, {"kW", "W"}, {"s", "ms"},
    {"m³/h", "L/min"}, {"m³/h", "gal/min"},
)  # fmt: skip
_FACTORS: Final = (0.001, 0.01, 0.1, 10.0, 100.0, 1000.0)
#: Where zero is arbitrary, near zero is no evidence of a scale: water at 0 °C isn't at -10 °C in thousandths.
_TEMPERATURE_FACTORS: Final = (0.01, 0.1, 10.0)
#: Relative prior weights of a usual pair, another unit of the family, and a decimal place.
_WEIGHTS: Final = (1.0, 0.1, 0.2)


@dataclass(frozen=True)
class Hypothesis:
    """The source writes another unit, or a multiple of the declared one: ``right = slope * seen + shift``.

    ``seen`` and ``right`` are in the signal's unit; ``seen`` was converted from the declared unit.
    """

    written: str
    """The unit that the source really writes, canonical."""
    declared: str
    """The unit that the mapping states, canonical."""
    factor: float
    """Written number * factor = number in ``written``: 0.1 where tenths are written; 1 for another unit."""
    slope: float
    shift: float
    prior: float
    """Probability that a channel has this fault, before any data are seen."""

    @property
    def text(self) -> str:
        """The hypothesis as a phrase.

        >>> hypotheses("km/h")[0].text
        'written in mph, declared as km/h'
        """
        if self.factor == 1.0:
            return f"written in {self.written}, declared as {self.declared}"
        return f"written number times {self.factor:g} is {self.written}, declared as {self.declared}"

    def apply(self, seen: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return what the values are if the hypothesis is true."""
        return seen * self.slope + self.shift


def hypotheses(unit: str, declared: str | None = None, *, probability: float = 0.01) -> tuple[Hypothesis, ...]:
    """Return the hypotheses for a signal, most probable first.

    Parameters
    ----------
    unit : str
        Unit of the signal, in which the values are seen.
    declared : str, optional
        Unit that the mapping states for the source, ``unit`` by default.
    probability : float
        Probability that any of them is true of a channel, before any data are seen.

    Hypotheses with the same effect are one: a factor of 100 is left out where a percentage may be written as a fraction.

    Raises
    ------
    UnitError
        If a unit is unknown, or the two measure different things.

    >>> [(one.written, round(one.slope, 3)) for one in hypotheses("degC")[:2]]
    [('degF', 0.556), ('K', 1.0)]
    """
    signal = canonical_unit(unit)
    stated = signal if declared is None else canonical_unit(declared)
    back = conversion(stated, signal)
    family = next((units for units in FAMILIES if stated in units), ())
    if not family:
        family = next((units for units in FAMILIES if compatible(units[0], stated)), ())
    made: list[Hypothesis] = []
    for other in family:
        if other == stated or not compatible(other, signal):
            continue
        to = conversion(other, signal)
        slope = to.scale / back.scale
        shift = (to.pre - back.pre) * to.scale + to.post - back.post * slope
        usual = {stated, other} in _USUAL or {signal, other} in _USUAL
        _add(made, Hypothesis(other, stated, 1.0, slope, shift, _WEIGHTS[0] if usual else _WEIGHTS[1]))
    for factor in _TEMPERATURE_FACTORS if any(one.shift for one in made) else _FACTORS:
        # The number as written is (seen - post) / scale - pre; the factor applies to it.
        shift = (back.pre - back.pre * factor) * back.scale + back.post - back.post * factor
        _add(made, Hypothesis(stated, stated, factor, factor, shift, _WEIGHTS[2]))
    total = sum(one.prior for one in made)
    scaled = [
        Hypothesis(one.written, one.declared, one.factor, one.slope, one.shift, probability * one.prior / total)
        for one in made
    ]
    return tuple(sorted(scaled, key=lambda one: -one.prior))


def _add(made: list[Hypothesis], new: Hypothesis) -> None:
    same = any(np.isclose(new.slope, one.slope, rtol=1e-6) and np.isclose(new.shift, one.shift) for one in made)
    if not same and not (np.isclose(new.slope, 1.0, rtol=1e-6) and np.isclose(new.shift, 0.0)):
        made.append(new)
