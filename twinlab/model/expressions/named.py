"""The asset type or event type that an expression is about, if it names one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from twinlab.model.expressions import syntax
from twinlab.model.expressions.contexts import Model
from twinlab.model.expressions.syntax import Node

__all__ = ["named_type"]


def named_type(node: Node, model: Model) -> str | None:
    """Return the asset type or event type before a full stop or before "in"; else the only asset type; None otherwise.

    >>> from twinlab.model import parse_model
    >>> from twinlab.model.expressions import parse
    >>> model = parse_model("{twin: x, asset_types: {room: {}, truck: {}}}")
    >>> named_type(parse("room.temperature > 8 degC"), model), named_type(parse("temperature > 8 degC"), model)
    ('room', None)
    """
    named = next((name for name in _owners(node) if name in model.asset_types or name in model.event_types), None)
    if named is None and len(model.asset_types) == 1:
        return next(iter(model.asset_types))
    return named


def _owners(node: Node) -> Iterator[str]:
    if isinstance(node, syntax.Name) and node.owner is not None:
        yield node.owner
    if isinstance(node, syntax.Related):
        # What is after "where" is about another asset.
        if node.subject is not None:
            yield node.subject
        return
    for field in fields(node):
        found = getattr(node, field.name)
        for one in found if isinstance(found, tuple) else (found,):
            if hasattr(one, "__dataclass_fields__"):
                yield from _owners(one)
