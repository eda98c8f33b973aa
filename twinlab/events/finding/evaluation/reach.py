"""How far before a cell its truth depends on what was observed."""

from __future__ import annotations

from collections.abc import Mapping

from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import BoundNode, inner, signals_of

__all__ = ["look_back_ns", "valid_ns_of"]

_FOREVER = 2**62


def look_back_ns(node: BoundNode, valid_ns: Mapping[str, int | None], *, step_ns: int) -> int:
    """Return how long before a cell the cells must begin that its value or truth depends on.

    The last observation of a state before the first cell is assumed to be in the cells, as a twin's history gives it.

    Parameters
    ----------
    node : bound.Value or bound.Condition
    valid_ns : mapping of signal to int or None
        For how long an observation is valid; None: until the next.
    step_ns : int
        Step of the axis.

    >>> from twinlab.model.expressions.bound import Compare, Constant, ForAtLeast, Signal
    >>> warm = Compare(">", Signal("warmth", "degC"), Constant(8.0, "degC"))
    >>> look_back_ns(warm, {"warmth": 3600}, step_ns=60), look_back_ns(ForAtLeast(warm, 300), {"warmth": 3600}, step_ns=60)
    (3600, 3960)
    """
    below = max((look_back_ns(one, valid_ns, step_ns=step_ns) for one in inner(node)), default=0)
    if isinstance(node, bound.Signal):
        return valid_ns[node.name] or 0
    if isinstance(node, bound.Rate) and node.duration_ns is None:
        # The observation before the last one, which was valid until the last.
        valid = valid_ns_of(node.value, valid_ns)
        return below + 2 * (valid if valid < _FOREVER else 0) + step_ns
    if isinstance(node, (bound.Window, bound.Change, bound.Rate, bound.ForAtLeast, bound.WithinAfter)):
        return below + (node.duration_ns or 0) + step_ns
    return below


def valid_ns_of(node: BoundNode, valid_ns: Mapping[str, int | None]) -> int:
    """Return for how long an observation of a value is valid: the shortest of its signals; a very long time of states."""
    return min((found for name in signals_of(node) if (found := valid_ns[name]) is not None), default=_FOREVER)
