"""Comparisons of one signal with numbers, as ranges of its stored integers in which they are true, false or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.truth import FALSE, TRUE, UNKNOWN
from twinlab.events.finding.scanning.static import Static
from twinlab.history.layout.encoding import decode, divisor
from twinlab.model.expressions import bound
from twinlab.model.twinmodel import Signal

__all__ = ["Ranges", "ranges_of", "signal_of"]

#: Every integer up to here is a double.
_EXACT = 2**53
_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True)
class Ranges:
    """Truth of the stored integers of a signal, for each asset."""

    #: Rising integers [asset, edge].
    edges: NDArray[np.int64]
    #: Truth below the first edge, from it to the next, …: [asset, edge + 1].
    codes: NDArray[np.uint8]

    def intervals(self, dtype: np.dtype) -> tuple[NDArray[np.signedinteger], NDArray[np.signedinteger]]:
        """Return first and last integer of the intervals [asset, interval] in which it is true; empty ones are reversed."""
        info = np.iinfo(dtype)
        most = min(int(info.max), _EXACT)
        ends = np.full((len(self.edges), 1), most + 1, np.int64)
        low = np.concatenate([np.full_like(ends, -most), self.edges], axis=1)
        high = np.concatenate([self.edges, ends], axis=1) - 1
        wanted = (self.codes == TRUE) & (low <= high)
        # Intervals that are true for no asset aren't looked at.
        some = np.flatnonzero(wanted.any(axis=0)) if wanted.any() else np.array([0])
        low, high = np.where(wanted, low, info.max)[:, some], np.where(wanted, high, info.min)[:, some]
        return low.astype(dtype), high.astype(dtype)


def signal_of(condition: bound.Condition, static: Static) -> str | None:
    """Return the signal that a condition compares with static values alone; None if it is of another form."""
    if isinstance(condition, bound.Compare):
        sides = {type(one): one for one in (condition.left, condition.right)}
        one = sides.get(bound.Signal)
        other = condition.right if condition.left is one else condition.left
        return one.name if isinstance(one, bound.Signal) and static.value(other) is not None else None
    if isinstance(condition, bound.All | bound.Any):
        names = {signal_of(part, static) for part in condition.parts}
        return names.pop() if len(names) == 1 else None
    if isinstance(condition, bound.Not):
        return signal_of(condition.part, static)
    return None


def ranges_of(condition: bound.Condition, signal: Signal, static: Static) -> Ranges:
    """Return the ranges of a condition of which `signal_of` names the signal."""
    leaves = {leaf: _bounds(leaf, signal, static) for leaf in _leaves(condition)}
    found = [bounds for low, high, _ in leaves.values() for bounds in (low, high)]
    edges = np.sort(np.stack(np.broadcast_arrays(*found), axis=1), axis=1)
    # A comparison has one result in each range: one integer of it is compared.
    some = np.concatenate([edges[:, :1] - 1, edges], axis=1)
    return Ranges(np.ascontiguousarray(edges), np.ascontiguousarray(_codes(condition, leaves, some)))


_Bounds = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]


def _leaves(condition: bound.Condition) -> list[bound.Compare]:
    if isinstance(condition, bound.Compare):
        return [condition]
    if isinstance(condition, bound.Not):
        return _leaves(condition.part)
    assert isinstance(condition, bound.All | bound.Any)
    return [leaf for part in condition.parts for leaf in _leaves(part)]


def _codes(condition: bound.Condition, leaves: Mapping[bound.Compare, _Bounds], at: NDArray[Any]) -> NDArray[np.uint8]:
    if isinstance(condition, bound.Compare):
        low, high, known = leaves[condition]
        inside = (at >= low[:, None]) & (at < high[:, None])
        if condition.operator == "!=":
            inside = ~inside
        return np.where(known[:, None], np.where(inside, TRUE, FALSE), UNKNOWN).astype(np.uint8)
    if isinstance(condition, bound.Not):
        return (TRUE - _codes(condition.part, leaves, at)).astype(np.uint8)
    assert isinstance(condition, bound.All | bound.Any)
    join = np.minimum if isinstance(condition, bound.All) else np.maximum
    return reduce(join, [_codes(part, leaves, at) for part in condition.parts])


def _bounds(leaf: bound.Compare, signal: Signal, static: Static) -> _Bounds:
    """Return the first integer for which a comparison is true and the first one after them ("!=": false), and if they're known."""
    left = isinstance(leaf.left, bound.Signal)
    number = static.value(leaf.right if left else leaf.left)
    assert number is not None
    operator = leaf.operator if left else _SWAPPED[leaf.operator]
    most = min(int(np.iinfo(signal.storage_dtype).max), _EXACT)
    known = ~np.isnan(number)
    number = np.where(known, number, 0.0)
    from_, beyond = (np.clip(_first(number, signal, above=above), -most, most + 1) for above in (False, True))
    first, after = np.full_like(from_, -most), np.full_like(from_, most + 1)
    low, high = {
        ">": (beyond, after), ">=": (from_, after), "<": (first, from_), "<=": (first, beyond),
        "==": (from_, beyond), "!=": (from_, beyond),
    }[operator]  # fmt: skip
    return low, high, known


def _first(number: NDArray[np.float64], signal: Signal, *, above: bool) -> NDArray[np.int64]:
    """Return the first integer whose value is at least a number, or above it."""
    scale = divisor(signal)
    with np.errstate(over="ignore"):
        about = number * scale if scale is not None else number / (signal.resolution or 1.0)
    # The integers beside the rounded one, since neither product nor quotient is exact.
    some = np.clip(np.floor(about), -_EXACT, _EXACT).astype(np.int64)[:, None] + np.arange(-2, 4)
    value = decode(some, signal)
    before = value <= number[:, None] if above else value < number[:, None]
    return np.asarray(some[:, 0] + before.sum(axis=1))
