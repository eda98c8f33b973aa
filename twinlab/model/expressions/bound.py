"""The bound tree of an expression: names are known, and all numbers are in the unit of what they are compared with.

All nodes are frozen and can be compared and hashed. A `Value` is a number at each cell (or of each event), NaN where it is
unknown. A `Condition` is true, false or unknown (Kleene logic): a comparison is unknown where a side is unknown.

Which numbers a value is made of:

- A signal outside of `Window`, `Rate` and `Change` has its last good value while that is valid (an hour, at least three
  cells; a state until its next observation). Inside `Window` it has a value only in the cells with a good observation; a
  condition inside `Window` is evaluated as outside.
- `Window`, `Rate`, `Change`, `ForAtLeast` and `WithinAfter` look back from a cell, never ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from twinlab.model.expressions.syntax import ArithmeticOperator, ComparisonOperator

__all__ = [
    "TIME",
    "Absolute",
    "All",
    "Any",
    "Arithmetic",
    "Change",
    "Column",
    "Compare",
    "Condition",
    "Constant",
    "ForAtLeast",
    "Indicator",
    "Not",
    "Property",
    "Rate",
    "Related",
    "Scaled",
    "Signal",
    "TextEquals",
    "Truth",
    "Value",
    "Window",
    "WithinAfter",
]

Statistic = Literal["mean", "min", "max", "sum", "count"]

#: Unit of an instant: seconds since 1970, UTC. The difference of two instants is in seconds, unit "s".
TIME = "time"


@dataclass(frozen=True)
class Signal:
    """A signal of the asset, in the signal's own unit; of a state, the number of its name."""

    name: str
    unit: str


@dataclass(frozen=True)
class Property:
    """A property of the asset, in the property's own unit: a number, a time (unit `TIME`), or a boolean as 0 or 1."""

    name: str
    unit: str


@dataclass(frozen=True)
class Column:
    """A column of an event table: times in unit `TIME`; ``duration``, ``start_delay`` and ``end_delay`` in seconds."""

    name: str
    unit: str


@dataclass(frozen=True)
class Constant:
    """A number, already in the unit of what it is compared with or added to."""

    value: float
    unit: str


@dataclass(frozen=True)
class Arithmetic:
    """``left operator right``; the right side of a sum is already in the unit of the left one. A division by 0 is unknown."""

    operator: ArithmeticOperator
    left: Value
    right: Value
    unit: str


@dataclass(frozen=True)
class Scaled:
    """``(value + pre) * factor + offset``: a conversion between units, exactly as `twinlab.model.units.convert` does it."""

    value: Value
    pre: float
    factor: float
    offset: float
    unit: str


@dataclass(frozen=True)
class Window:
    """A statistic of the good values in ``(t - duration, t]``, unknown if there is none (`count`: 0)."""

    statistic: Statistic
    value: Value
    duration_ns: int
    unit: str


@dataclass(frozen=True)
class Change:
    """How much a value has changed since ``t - duration``: unknown unless it is known at both instants.

    Of a counter, by how much it has risen, over new starts from 0 and, at `wraps_at`, over wraps.
    """

    value: Value
    duration_ns: int
    unit: str
    counter: bool = False
    wraps_at: float | None = None


@dataclass(frozen=True)
class Rate:
    """Change of a value per second.

    Without a duration, between the last two good observations, if the first of them was still valid at the second.
    """

    value: Value
    duration_ns: int | None
    unit: str
    counter: bool = False
    wraps_at: float | None = None


@dataclass(frozen=True)
class Absolute:
    """The size of a value, without its sign."""

    value: Value
    unit: str


@dataclass(frozen=True)
class Indicator:
    """1 where a condition is true, 0 where it is false, unknown where it is unknown; inside of `Window`.

    Its mean is the share of the known cells in which the condition is true, its least value is 1 where it always was.
    """

    condition: Condition
    unit: str = "1"


Value: TypeAlias = (
    Signal | Property | Column | Constant | Arithmetic | Scaled | Window | Change | Rate | Absolute | Indicator
)


@dataclass(frozen=True)
class Truth:
    """Always true, or always false."""

    value: bool


@dataclass(frozen=True)
class Compare:
    """A comparison: both sides are in the same unit. Unknown where a side is."""

    operator: ComparisonOperator
    left: Value
    right: Value


@dataclass(frozen=True)
class TextEquals:
    """A property or column that is a text is this one. Unknown where it has no value."""

    value: Property | Column
    text: str


@dataclass(frozen=True)
class All:
    """All parts are true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Any:
    """A part is true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The part is false."""

    part: Condition


@dataclass(frozen=True)
class ForAtLeast:
    """The part is true at each instant from ``t - duration`` to ``t``: it has been true for at least this long."""

    part: Condition
    duration_ns: int


@dataclass(frozen=True)
class WithinAfter:
    """The part is true, and `earlier` is true at an instant from ``t - duration`` to ``t``."""

    part: Condition
    duration_ns: int
    earlier: Condition


@dataclass(frozen=True)
class Related:
    """The asset is in another asset of a type, and a condition of that other asset is true.

    `via` is the relationship's name, or the event type's, whose `link` then names the other asset.
    """

    asset_type: str
    via: str
    link: str | None
    condition: Condition


Condition: TypeAlias = Truth | Compare | TextEquals | All | Any | Not | ForAtLeast | WithinAfter | Related
