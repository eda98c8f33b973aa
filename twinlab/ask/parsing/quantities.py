"""Read numbers with units, durations and comparisons: "above 8 °C", "longer than 10 minutes", "top 5"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twinlab.ask.parsing.items import Item
from twinlab.ask.parsing.vocabulary import Meaning
from twinlab.errors import UnitError
from twinlab.model.units import canonical_unit
from twinlab.model.units.spelling import is_known

if TYPE_CHECKING:
    from twinlab.ask.parsing.items import Items

__all__ = [
    "Comparison",
    "Quantity",
    "read_comparisons",
    "read_days",
    "read_lasting",
    "read_per",
    "read_top",
    "read_unit",
]

_OPERATORS = (">", ">=", "<", "<=")
_WINDOWS = {"d": "day", "week": "week", "month": "month", "weekday": "weekday", "hour": "hour"}
_SUPERLATIVES = ("highest", "lowest", "highest ", "lowest ")
_TIMES = {"s": "s", "min": "min", "h": "h", "d": "d", "week": "d"}


@dataclass(frozen=True)
class Quantity:
    """A number with its unit; without one if the question has none."""

    number: float
    unit: str | None = None

    @property
    def text(self) -> str:
        """As in a condition: ``8 degC``."""
        return f"{self.number:g}" + (f" {self.unit}" if self.unit else "")

    @property
    def duration(self) -> str | None:
        """As a duration such as ``10min``, if it is one."""
        return f"{self.number:g}{self.unit}" if self.unit in ("s", "min", "h", "d") and self.number > 0 else None


@dataclass(frozen=True)
class Comparison:
    """What a question compares with: above a number, or between two.

    Parameters
    ----------
    bounds : tuple of (operator, Quantity)
    hint : str
        Signal that the words imply ("warmer than"), else empty.
    place : int
        Of its first item.
    """

    bounds: tuple[tuple[str, Quantity], ...]
    hint: str
    place: int

    @property
    def duration(self) -> bool:
        """Whether it is about a time."""
        return all(quantity.duration is not None for _, quantity in self.bounds)


def read_comparisons(items: Items) -> list[Comparison]:
    """Read and use the comparisons of a question."""
    found: list[Comparison] = []
    for place in range(len(items)):
        operator = items.is_symbol(place, *_OPERATORS, "> ", "< ")
        lasting = items.is_symbol(place, "lasting >=", "lasting >")
        if operator is None and lasting is not None:
            # "Longer than 4000 km" is no time.
            operator = lasting.removeprefix("lasting ")
        if operator is not None:
            read = _quantity(items, place + 1)
            if read is not None and (lasting is None or (read[0].unit is not None and read[0].duration is None)):
                items.use(place, *range(place + 1, read[1]))
                sign, _, hint = operator.partition(" ")
                found.append(Comparison(((sign, read[0]),), hint, place))
        elif items.is_symbol(place, "raining") is not None and items.has("how_much"):
            # "How much did it rain" asks for the amount.
            items.all[place] = Item(items[place].text, "phrase", [Meaning("symbol", "hint precipitation")])
        elif items.is_symbol(place, "raining") is not None:
            items.use(place)
            found.append(Comparison(((">", Quantity(0.0, "mm")),), "precipitation", place))
        elif items.is_symbol(place, "freezing") is not None:
            items.use(place)
            found.append(Comparison((("<", Quantity(0.0, "degC")),), "temperature", place))
        elif items.is_symbol(place, "between") is not None:
            low = _quantity(items, place + 1)
            high = _quantity(items, low[1] + 1) if low and items.is_symbol(low[1], "and") else None
            if low is not None and high is not None:
                unit = low[0].unit or high[0].unit
                items.use(*range(place, high[1]))
                bounds = ((">=", Quantity(low[0].number, unit)), ("<=", Quantity(high[0].number, high[0].unit or unit)))
                found.append(Comparison(bounds, "", place))
    return _without_repeated(found)


def _without_repeated(found: list[Comparison]) -> list[Comparison]:
    """Return the comparisons without frost where its number is said, too: "frost (below 0 degrees)"."""
    frost = [one for one in found if one.hint == "temperature" and one.bounds == (("<", Quantity(0.0, "degC")),)]
    others = [one for one in found if one not in frost and one.bounds[0][1].unit in ("degC", "degF", "degree")]
    return others + [one for one in found if one not in frost and one not in others] if frost and others else found


def read_lasting(items: Items) -> tuple[str | None, bool]:
    """Read and use how long something lasted at least, as a duration; and whether longer than that is asked for."""
    for place in range(len(items)):
        symbol = items.is_symbol(place, "lasting >=", "lasting >")
        if symbol is None:
            continue
        read = _quantity(items, place + 1)
        if read is not None and read[0].duration is not None:
            items.use(place, *range(place + 1, read[1]))
            return read[0].duration, symbol == "lasting >"
    return None, False


def read_per(items: Items) -> tuple[str | None, bool]:
    """Read and use the windows that values are for, day, week or month; and whether they are asked for: "which month", not "per month"."""
    for place in range(len(items)):
        named = items.is_symbol(place, "every ")
        after = place
        if named is None and items.is_symbol(place, "by", "which", *_SUPERLATIVES):
            after = place + 1
            while items.is_symbol(after, "filler", *_SUPERLATIVES) and not items.is_symbol(after, "unit "):
                after += 1
            named = items.is_symbol(after, "unit ", "every weekday", "every hour")
        window = _WINDOWS.get((named or "").partition(" ")[2])
        if window is not None:
            by = items.is_symbol(place, "by") is not None
            items.use(after, *([place] if by else []))
            return window, named is not None and not by and after != place
    return None, False


def read_days(items: Items) -> bool:
    """Read and use "on how many days"; return whether it is asked."""
    for place in range(len(items)):
        after = place + 1
        while items.is_symbol(after, "filler"):
            after += 1
        if (
            items.is_symbol(place, "count")
            and items.is_symbol(after, "unit d")
            and not items.is_symbol(after + 1, "ago")
        ):
            items.use(place, after)
            return True
    return False


def read_top(items: Items) -> int | None:
    """Read and use how many of the highest or lowest are asked for: "top 5", "the 3 warmest"."""
    superlative = items.has("highest", "lowest", "highest ", "lowest ")
    for place in range(len(items)):
        if superlative and items.is_symbol(place, "which_of"):
            # "Which of the three airports" says how many there are, not how many are asked for.
            after = place + 1
            while items.is_symbol(after, "filler"):
                after += 1
            if _integer(items, after) is not None:
                items.use(after)
            continue
        if items.is_symbol(place, "highest", "lowest", "highest ", "lowest ") is None:
            count = _integer(items, place + 1)
            named = items.free(place + 2) and items[place + 2].of_kind("event_type", "asset_type")
            article = items.is_symbol(place, "filler", "lasting >=") is not None
            if superlative and count is not None and (items.is_symbol(place, "which") or (article and named)):
                items.use(place + 1)
                return count
            continue
        for beside in (place + 1, place - 1):
            count = _integer(items, beside)
            if count is not None:
                items.use(beside)
                return count
    return None


def read_unit(items: Items) -> str | None:
    """Read and use the unit that the answer is asked for in: "in km/h", "in minutes"."""
    for place in range(len(items) - 1):
        if items.is_symbol(place, "count", "how_much"):
            measure = items.is_symbol(place + 1, "measure ")
            if (
                measure is not None
                and measure != "measure degree"
                and not items[place + 1].of_kind("signal", "property")
            ):
                # "How many litres".
                items.all[place] = Item(items[place].text, "phrase", [Meaning("symbol", "how_much")])
                items.use(place + 1)
                return measure.split()[1]
        if not items.is_symbol(place, "at"):
            continue
        after = place + 1
        time = items.is_symbol(after, "unit ")
        if time is not None and time.split()[1] in ("s", "min", "h"):
            items.use(place, after)
            return time.split()[1]
        measure = items.is_symbol(after, "measure ")
        if measure is not None and measure != "measure degree":
            items.use(place, after)
            return measure.split()[1]
        if items.free(after) and items[after].kind == "unknown" and (unit := _unit(items[after].text)) is not None:
            items.use(place, after)
            return unit
    return None


def _integer(items: Items, place: int) -> int | None:
    if not items.free(place):
        return None
    named = items[place].symbol("number ")
    if named is not None:
        count = float(named.split()[1])
        return int(count) if count.is_integer() else None
    text = items[place].text
    return int(text) if items[place].kind == "number" and text.isdigit() and 1 <= int(text) <= 100 else None


def _quantity(items: Items, place: int) -> tuple[Quantity, int] | None:
    """Return the number with its unit at a place, and the place after it."""
    if not items.free(place):
        return None
    item = items[place]
    named = item.symbol("number ")
    if named is not None:
        number = float(named.split()[1])
    elif item.symbol("one") and items.is_symbol(place + 1, "unit "):
        number = 1.0
    elif item.kind == "number":
        number = float(item.text.replace("−", "-").replace(",", "."))
    else:
        return None
    time = items.is_symbol(place + 1, "unit ")
    if time is not None and time.split()[1] in _TIMES:
        name = time.split()[1]
        return Quantity(number * (7 if name == "week" else 1), _TIMES[name]), place + 2
    measure = items.is_symbol(place + 1, "measure ")
    if measure is not None:
        name, after = measure.split()[1], place + 2
        if name == "degree" and items.free(after) and items[after].text.casefold() in ("c", "f"):
            name, after = f"deg{items[after].text.upper()}", after + 1
        return Quantity(number, name), after
    for size in (3, 2, 1):
        if not all(items.free(one) for one in range(place + 1, place + 1 + size)):
            continue
        text = " ".join(items[one].text for one in range(place + 1, place + 1 + size))
        unit = _unit(text) if not items[place + 1].symbol("filler", "at") else None
        if unit is not None:
            return Quantity(number, unit), place + 1 + size
    return Quantity(number), place + 1


def _unit(text: str) -> str | None:
    try:
        return canonical_unit(text) if is_known(text) else None
    except UnitError:
        return None
