"""What a bound expression is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TypeAlias

from twinlab.model.expressions import bound
from twinlab.model.expressions.syntax import ComparisonOperator

__all__ = [
    "BoundNode",
    "columns_of",
    "descendants",
    "first_comparison",
    "has_relation",
    "inner",
    "properties_of",
    "signals_of",
]

_MIRRORED: dict[ComparisonOperator, ComparisonOperator] = {
    ">": "<",
    ">=": "<=",
    "<": ">",
    "<=": ">=",
    "==": "==",
    "!=": "!=",
}

BoundNode: TypeAlias = bound.Value | bound.Condition


def inner(node: BoundNode) -> Iterator[BoundNode]:
    """Yield the nodes directly below a node; of another asset's condition nothing, since its names are another type's."""
    if isinstance(node, bound.Related):
        return
    for field in fields(node):
        found = getattr(node, field.name)
        for one in found if isinstance(found, tuple) else (found,):
            if hasattr(one, "__dataclass_fields__"):
                yield one


def descendants(node: BoundNode) -> Iterator[BoundNode]:
    """Yield a node and all below it, in the order in which they are written."""
    yield node
    for one in inner(node):
        yield from descendants(one)


def signals_of(node: BoundNode) -> list[str]:
    """Return the names of the signals in an expression, in order.

    >>> from twinlab.model.expressions.bound import Compare, Constant, Signal
    >>> signals_of(Compare(">", Signal("warmth", "degC"), Constant(8.0, "degC")))
    ['warmth']
    """
    return list(dict.fromkeys(one.name for one in descendants(node) if isinstance(one, bound.Signal)))


def properties_of(node: BoundNode) -> list[bound.Property]:
    """Return the properties in an expression, in order."""
    return list(dict.fromkeys(one for one in descendants(node) if isinstance(one, bound.Property)))


def columns_of(node: BoundNode) -> list[bound.Column]:
    """Return the columns of events in an expression, in order."""
    return list(dict.fromkeys(one for one in descendants(node) if isinstance(one, bound.Column)))


def has_relation(condition: bound.Condition) -> bool:
    """Return whether a condition is about other assets, too.

    >>> has_relation(bound.Not(bound.Related("truck", "within", None, bound.Truth(value=True))))
    True
    """
    return any(isinstance(one, bound.Related) for one in descendants(condition))


def first_comparison(condition: bound.Condition) -> bound.Compare | None:
    """Return the first comparison of something that changes, with that on its left side; None if there is none.

    >>> from twinlab.model.expressions.bound import Compare, Constant, Signal
    >>> first_comparison(Compare("<", Constant(8.0, "degC"), Signal("warmth", "degC"))).operator
    '>'
    """
    for one in descendants(condition):
        if isinstance(one, bound.Compare):
            if signals_of(one.left):
                return one
            if signals_of(one.right):
                return bound.Compare(_MIRRORED[one.operator], one.right, one.left)
    return None
