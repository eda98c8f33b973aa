"""Read how much changes: "20 % more", "twice", "to 80 %", "2 fewer", "by 3 degrees"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlab.ask.parsing.items import Items

__all__ = ["UP", "Amount", "read_amount"]

UP = ("do more", "do longer", "do faster", "do warmer", "do open")
DOWN = ("do less", "do shorter", "do slower", "do colder", "do close", "do fail")
_TIMES = {"s": "s", "min": "min", "h": "h", "d": "d", "week": "d"}


@dataclass(frozen=True)
class Amount:
    """How much changes, as it is said.

    Parameters
    ----------
    percent : float or None
        By how many percent, with its sign if it is written or a word says it.
    absolute : bool
        Whether it is "to 80 %": what is left.
    factor : float or None
        "twice", "half", "3 times".
    count : int or None
        A whole number without a unit.
    kelvin : float or None
        Degrees.
    duration : str or None
        Such as "90 min".
    direction : int
        1 for more, -1 for less, 0 if no word says it.
    """

    percent: float | None = None
    absolute: bool = False
    factor: float | None = None
    count: int | None = None
    kelvin: float | None = None
    duration: str | None = None
    direction: int = 0

    def multiplier(self, direction: int | None = None) -> float | None:
        """Return it as a factor; None if it is none, or nothing says whether it is more or less.

        Parameters
        ----------
        direction : int, optional
            1 or -1 instead of its own.
        """
        if self.factor is not None:
            return self.factor
        if self.percent is None:
            return None
        if self.absolute:
            return self.percent / 100
        sign = self.direction if direction is None else direction
        if self.percent < 0 or sign == 0:
            return None if self.percent >= 0 else 1 + self.percent / 100
        return 1 + sign * self.percent / 100


def read_amount(items: Items) -> Amount:
    """Read and use the amounts of a clause; the words that say more or less stay for what they are said of."""
    percent = factor = kelvin = None
    count: int | None = None
    duration: str | None = None
    absolute = plus = False
    for place in range(len(items)):
        named = items.is_symbol(place, "factor ")
        if named is not None and named != "factor times":
            factor = float(named.split()[1]) * (factor or 1.0)
            items.use(place)
            continue
        number = _number(items, place)
        if number is None:
            continue
        measure, unit = items.is_symbol(place + 1, "measure "), items.is_symbol(place + 1, "unit ")
        if measure == "measure %":
            percent, absolute = number, items.is_symbol(place - 1, "to") is not None
            plus = items[place].text[:1] == "+"
            items.use(place, place + 1)
        elif items.is_symbol(place + 1, "factor times"):
            factor = number
            items.use(place, place + 1)
        elif items.is_symbol(place - 1, "factor times"):
            factor = number
            items.use(place - 1, place)
        elif measure in ("measure degC", "measure degree", "measure K"):
            kelvin = number
            items.use(place, place + 1)
            if items.free(place + 2) and items[place + 2].text.casefold() == "c":
                items.use(place + 2)
        elif unit is not None and unit.split()[1] in _TIMES:
            duration = f"{number * (7 if unit == 'unit week' else 1):g} {_TIMES[unit.split()[1]]}"
            items.use(place, place + 1)
        elif number == int(number) and count is None:
            count = int(number)
            plus = items[place].text[:1] == "+"
            items.use(place)
    up, down = (any(item.symbol(*names) for item in items.all) for names in (UP, DOWN))
    direction = 1 if plus or (up and not down) else -1 if down and not up else 0
    return Amount(percent, absolute, factor, count, kelvin, duration, direction)


def _number(items: Items, place: int) -> float | None:
    if not items.free(place):
        return None
    named = items[place].symbol("number ")
    if named is not None:
        return float(named.split()[1])
    if items[place].kind != "number":
        return None
    try:
        return float(items[place].text.replace("−", "-").replace(",", "."))
    except ValueError:
        return None
