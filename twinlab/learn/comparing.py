"""Compare an answer with what the twin says, and say what to look at again without giving the answer away."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from twinlab.errors import TwinlabError
from twinlab.model.units import convert

__all__ = ["Slip", "Solution", "first_fault"]

#: Units between which people confuse numbers.
_CONFUSED = (
    ("degC", "degF", "K"), ("m/s", "km/h", "mph", "kn"), ("min", "h", "s"), ("m", "km", "mi"), ("hPa", "inHg"), ("1", "%"),
)  # fmt: skip
_LONGEST = 60


@dataclass(frozen=True)
class Slip:
    """A wrong answer that a known mistake gives, computed from the same twin."""

    answer: object
    """What somebody gets who makes the mistake."""
    hint: str
    """What to look at again."""


@dataclass(frozen=True)
class Solution:
    """What is right, computed from the twin when the answer is checked."""

    expected: object
    """A text, a number, or a frozenset of texts."""
    look: str
    """What to look at again if no known mistake gives the answer."""
    slips: tuple[Slip, ...] = ()
    """Known mistakes, the most likely first."""
    tolerance: float = 0.0
    """By how much a number may differ."""
    unit: str = ""
    """Unit of a number."""
    faults: tuple[str, ...] = ()
    """What has yet to be done to the twin, whatever the answer is."""


def first_fault(solution: Solution, answer: object) -> str:
    """Return what to look at again; empty if the answer is right.

    Parameters
    ----------
    solution : Solution
        What is right.
    answer : object
        A text, a number or several texts; NumPy's and pandas' values too.

    >>> first_fault(Solution("T005", "Look at the start."), "truck/T005")
    ''
    >>> first_fault(Solution(19.0, "Leave out what failed.", tolerance=0.01, unit="m/s"), 25.0)
    'Leave out what failed.'
    >>> first_fault(Solution(10.0, "Leave out what failed.", tolerance=0.01, unit="m/s"), 36)
    "That is the right value in km/h. The answer is in m/s: see the signal's attribute `units`."
    """
    if solution.faults:
        return " ".join(solution.faults)
    given = _plain(answer)
    expected = solution.expected
    wanted = _wrong_kind(expected, given)
    if wanted:
        return wanted
    if _same(expected, given, solution.tolerance):
        return ""
    for slip in solution.slips:
        # A mistake that gives the right answer isn't one in this twin.
        if not _same(slip.answer, expected, solution.tolerance) and _same(slip.answer, given, solution.tolerance):
            return slip.hint
    if isinstance(expected, frozenset):
        return f"{_counted(expected, _texts(given))} {solution.look}"
    return _other_unit(solution, given) or solution.look


def _plain(answer: Any) -> object:  # noqa: ANN401  (whatever somebody gives)
    """Return a value of Python for one of NumPy, pandas or xarray; several values as a list."""
    if hasattr(answer, "to_list"):
        return list(answer.to_list())
    if hasattr(answer, "compute"):
        answer = answer.compute()
    if getattr(answer, "ndim", 0) == 0 and hasattr(answer, "item"):
        return answer.item()
    if hasattr(answer, "tolist"):
        return answer.tolist()
    return answer


def _wrong_kind(expected: object, given: object) -> str:
    """Return what kind of answer is expected, if this is another."""
    shown = repr(given)
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    if given is None:
        return "No answer came: give it as the second argument."
    if isinstance(expected, frozenset):
        return (
            "" if isinstance(given, str | list | tuple | set | frozenset) else f"Expected several names, got {shown}."
        )
    if isinstance(expected, int | float):
        return "" if _number(given) is not None else f"Expected a number, got {shown}."
    return "" if isinstance(given, str) else f"Expected a text, got {shown}."


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _texts(value: object) -> frozenset[str]:
    many: Iterable[object] = value.split(",") if isinstance(value, str) else value  # type: ignore[assignment]
    return frozenset(_folded(one) for one in many)


def _folded(text: object) -> str:
    """Return a name as it's compared: an asset with or without its type."""
    return str(text).strip().rpartition("/")[2].casefold()


def _same(expected: object, given: object, tolerance: float) -> bool:
    if isinstance(expected, frozenset):
        return isinstance(given, str | list | tuple | set | frozenset) and _texts(expected) == _texts(given)
    if isinstance(expected, int | float):
        number = _number(given)
        return number is not None and abs(number - expected) <= tolerance
    return isinstance(given, str) and _folded(expected) == _folded(given)


def _counted(expected: frozenset[str], given: frozenset[str]) -> str:
    wanted = _texts(expected)
    parts = [f"{len(given & wanted)} of your {len(given)} belong there"]
    parts += ["some are missing"] if wanted - given else []
    return f"{', '.join(parts)}."


def _other_unit(solution: Solution, given: object) -> str:
    number, expected = _number(given), solution.expected
    if number is None or not isinstance(expected, int | float):
        return ""
    for group in _CONFUSED:
        for unit in group if solution.unit in group else ():
            if unit == solution.unit:
                continue
            try:
                inside = float(convert(number, unit, solution.unit))
            except TwinlabError:
                continue
            if abs(inside - expected) <= max(solution.tolerance, 1e-3 * abs(expected)):
                return (
                    f"That is the right value in {unit}. The answer is in {solution.unit}: see the signal's "
                    "attribute `units`."
                )
    return ""
