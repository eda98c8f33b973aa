"""The syntax tree of an expression: what was written, before names and units are looked up.

Each node has `at`, the columns ``(first, stop)`` of its text, counted from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "ARITHMETIC",
    "COMPARISONS",
    "CONDITIONS",
    "And",
    "Arithmetic",
    "Boolean",
    "Call",
    "Comparison",
    "ForAtLeast",
    "Name",
    "Negative",
    "Node",
    "Not",
    "Number",
    "Or",
    "Related",
    "Text",
    "WithinAfter",
]

ArithmeticOperator = Literal["+", "-", "*", "/"]
ComparisonOperator = Literal["<", "<=", ">", ">=", "==", "!="]
ARITHMETIC: tuple[ArithmeticOperator, ...] = ("+", "-", "*", "/")
COMPARISONS: tuple[ComparisonOperator, ...] = ("<", "<=", ">", ">=", "==", "!=")

At: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Number:
    """A number, with the unit as it is spelt; None for a bare number. A minus before a number belongs to it."""

    at: At
    value: float
    unit: str | None = None


@dataclass(frozen=True)
class Name:
    """A name such as ``temperature``, or with its owner ``truck.temperature``."""

    at: At
    name: str
    owner: str | None = None


@dataclass(frozen=True)
class Text:
    """A text in quotes."""

    at: At
    value: str


@dataclass(frozen=True)
class Boolean:
    """``true`` or ``false``."""

    at: At
    value: bool


@dataclass(frozen=True)
class Negative:
    """A minus before something other than a number."""

    at: At
    part: Node


@dataclass(frozen=True)
class Arithmetic:
    """A sum, difference, product or quotient."""

    at: At
    operator: ArithmeticOperator
    left: Node
    right: Node


@dataclass(frozen=True)
class Comparison:
    """A comparison of two values."""

    at: At
    operator: ComparisonOperator
    left: Node
    right: Node


@dataclass(frozen=True)
class Not:
    """``not part``."""

    at: At
    part: Node


@dataclass(frozen=True)
class And:
    """``part and part and …``: two parts or more."""

    at: At
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """``part or part or …``: two parts or more."""

    at: At
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class ForAtLeast:
    """``part for at least duration``."""

    at: At
    part: Node
    duration_ns: int


@dataclass(frozen=True)
class WithinAfter:
    """``part within duration after earlier``."""

    at: At
    part: Node
    duration_ns: int
    earlier: Node


@dataclass(frozen=True)
class Call:
    """``function(argument, … where condition) over duration``. Any function name can be parsed."""

    at: At
    function: str
    arguments: tuple[Node, ...]
    where: Node | None = None
    over_ns: int | None = None


@dataclass(frozen=True)
class Related:
    """``subject in other via link where condition``; the subject may be left out."""

    at: At
    subject: str | None
    other: str
    via: str | None
    condition: Node


Node: TypeAlias = (
    Number
    | Name
    | Text
    | Boolean
    | Negative
    | Arithmetic
    | Comparison
    | Not
    | And
    | Or
    | ForAtLeast
    | WithinAfter
    | Call
    | Related
)

#: Nodes that are true or false, whatever names mean.
CONDITIONS = (Comparison, And, Or, Not, ForAtLeast, WithinAfter, Related, Boolean)
