"""Results that are computed once for the same objects, such as the series that all frames of a source share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

__all__ = ["by_identity"]

P = ParamSpec("P")
R = TypeVar("R")
_SIZE = 64


def by_identity(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that remembers its last results by the identity of its arguments, which must not change.

    Comparing dictionaries of thousands of series for each frame costs more than what is computed from them.

    >>> @by_identity
    ... def total(numbers):
    ...     return [sum(numbers)]
    >>> one = (1, 2)
    >>> total(one) is total(one), total((1, 2, 3))
    (True, [6])
    """
    # The arguments are kept beside their result, so that Python doesn't reuse their ids.
    kept: OrderedDict[tuple[int, ...], tuple[tuple[object, ...], R]] = OrderedDict()

    @wraps(function)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> R:
        key = tuple(map(id, args))
        found = kept.get(key)
        if found is None:
            found = kept[key] = (args, function(*args, **kwargs))
            while len(kept) > _SIZE:
                kept.popitem(last=False)
        return found[1]

    return remembered
