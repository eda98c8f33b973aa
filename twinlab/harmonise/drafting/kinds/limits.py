"""Recognise properties of assets that are the limits of a signal: "temp_min" and "temp_max"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product

from twinlab.errors import UnitError
from twinlab.harmonise.drafting.kinds.words import spaced
from twinlab.model.quantities.names import name_parts
from twinlab.model.units import conversion
from twinlab.model.units.spelling import UNKNOWN

__all__ = ["limits_among", "signal_of_limits"]

_LOW = re.compile(r"min|minimum|low|lower|lowest|lo", re.IGNORECASE)
_HIGH = re.compile(r"max|maximum|high|higher|highest|upper|hi", re.IGNORECASE)
#: Words that say that a number is a limit, and nothing about the quantity.
_LIMIT = re.compile(r"limits?|threshold|bound|setpoint|set|point|allowed|permitted|alarm|spec", re.IGNORECASE)


def limits_among(names: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return the pairs of a lowest and a highest value among properties (name -> title): both names, and the rest of them.

    >>> limits_among({"temp_min": "temp_min", "temp_max": "temp_max", "max_load": "max_load"})
    [('temp_min', 'temp_max', 'temp')]
    >>> limits_among({"low_limit": "low limit", "high_limit": "high limit"})
    [('low_limit', 'high_limit', '')]
    """
    found: dict[str, dict[str, list[str]]] = {}
    for name, title in names.items():
        words = [word for word in re.split(r"[\W_]+", spaced(title)) if word]
        ends = {end for word in words for end, known in (("low", _LOW), ("high", _HIGH)) if known.fullmatch(word)}
        rest = [word for word in words if not (_LOW.fullmatch(word) or _HIGH.fullmatch(word) or _LIMIT.fullmatch(word))]
        if len(ends) == 1:
            found.setdefault(" ".join(rest), {}).setdefault(ends.pop(), []).append(name)
    return [
        (low, high, rest)
        for rest, ends in found.items()
        if len(ends) == 2 and all(len(one) == 1 for one in ends.values())
        for low, high in product(*(ends[end] for end in ("low", "high")))
    ]


def signal_of_limits(rest: str, unit: str | None, signals: Mapping[str, str | None]) -> str | None:
    """Return the only signal (name -> unit) that limits can be about: by the quantity they name, or as the only signal.

    Limits without a unit are about a signal whose unit is stated; others need a unit that converts to the signal's.

    >>> signal_of_limits("temp", "degF", {"temperature": "degC", "humidity": "%"})
    'temperature'
    >>> signal_of_limits("", "kg", {"temperature": "degC"}), signal_of_limits("temp", None, {"a": "degC", "b": "degC"})
    (None, None)
    """
    known = {name: one for name, one in signals.items() if one not in (None, UNKNOWN)}
    wanted = name_parts(rest).quantity if rest else None
    if wanted is not None:
        known = {name: one for name, one in known.items() if name_parts(name, unit=one).quantity == wanted}
    elif rest and rest.casefold() not in known:
        return None
    elif rest:
        known = {rest.casefold(): known[rest.casefold()]}
    fitting = [name for name, one in known.items() if unit is None or _converts(unit, str(one))]
    return fitting[0] if len(fitting) == 1 and (rest or len(signals) == 1) else None


def _converts(unit: str, wanted: str) -> bool:
    try:
        conversion(unit, wanted)
    except UnitError:
        return False
    return True
