"""The repeated hour of autumn and the missing hour of spring, resolved by the rule that the mapping states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinlab.harmonise.claims import NAT, Bools, Ints
from twinlab.harmonise.times.formats import DAY_NS
from twinlab.harmonise.times.zones import MISSING, TWICE, Lookup

__all__ = ["Groups", "localise", "second_pass"]


@dataclass(frozen=True, slots=True)
class Groups:
    """Which clock a row's time was read from: rows of one asset (and tag) step forward together."""

    # int64[n] index into names.
    codes: Ints
    names: Sequence[str]
    # int64[n]: the order in which the rows arrived, where they don't stand in it.
    rank: Ints | None = None

    def in_order(self, rows: Ints) -> Ints:
        """Return rows by group, and within a group as they arrived."""
        rank = rows if self.rank is None else self.rank[rows]
        return rows[np.lexsort((rank, self.codes[rows]))]


def localise(
    wall: Ints,
    found: Lookup,
    *,
    ambiguous: str,
    nonexistent: str,
    groups: Groups,
    carry: dict[tuple[str, ...], tuple[int, int]],
    carry_key: tuple[str, ...],
) -> tuple[Ints, Bools, Bools]:
    """Return UTC ns, and the rows refused because their wall time occurs twice, and because it never occurs."""
    utc = found.earlier.copy()
    twice, missing = (found.kind == TWICE) & (wall != NAT), (found.kind == MISSING) & (wall != NAT)
    none = np.zeros(len(wall), dtype=bool)
    if ambiguous == "order" and (twice.any() or carry):
        second = second_pass(wall, found, twice, groups=groups, carry=carry, carry_key=carry_key)
        utc[second] = found.later[second]
    elif ambiguous == "later":
        utc[twice] = found.later[twice]
    elif ambiguous == "refuse":
        utc[twice] = NAT
    if nonexistent == "refuse":
        utc[missing] = NAT
    return utc, (twice if ambiguous == "refuse" else none), (missing if nonexistent == "refuse" else none)


def second_pass(
    wall: Ints,
    found: Lookup,
    twice: Bools,
    *,
    groups: Groups,
    carry: dict[tuple[str, ...], tuple[int, int]],
    carry_key: tuple[str, ...],
) -> Bools:
    """Return which rows belong to the second pass through a repeated hour, going by the order of rows.

    Within one group and one repeated hour, the second pass begins where the clock steps back; if it never steps back,
    where it stands still (hourly rows: 00:00, 01:00, 01:00, 02:00). Where a group's rows run backwards (newest first),
    they are read from the end. ``carry`` holds where a group's clock stood if the
    frame before ended within a repeated hour, and is brought up to date.
    """
    result = np.zeros(len(wall), dtype=bool)
    rows = groups.in_order(np.flatnonzero(twice))
    group = groups.codes[rows]
    if len(rows):
        falls = _falls(wall, groups)
        # Two repeated hours of one zone are months apart; rows of one lie within a day.
        apart = np.abs(np.diff(wall[rows])) > DAY_NS
        starts = np.flatnonzero(np.r_[True, (group[1:] != group[:-1]) | apart])
        for start, stop in zip(starts.tolist(), np.r_[starts[1:], len(rows)].tolist(), strict=True):
            run, code = rows[start:stop], int(group[start])
            reach = int(found.later[run[0]] - found.earlier[run[0]])
            if falls.get(code, 0) > reach:
                result[run[::-1]] = _passes(wall[run[::-1]], None, reach=reach)
            else:
                result[run] = _passes(wall[run], carry.get((*carry_key, groups.names[code])), reach=reach)
    _carry_on(wall, twice, result, groups=groups, carry=carry, carry_key=carry_key)
    return result


def _falls(wall: Ints, groups: Groups) -> dict[int, int]:
    """Return by how much each group's clock stands earlier at the frame's end than at its start."""
    rows = groups.in_order(np.flatnonzero(wall != NAT))
    codes, first = np.unique(groups.codes[rows], return_index=True)
    last = np.r_[first[1:], len(rows)] - 1
    return dict(zip(codes.tolist(), (wall[rows[first]] - wall[rows[last]]).tolist(), strict=True))


def _passes(wall: Ints, before: tuple[int, int] | None, *, reach: int) -> Bools:
    if before is not None and abs(int(wall[0]) - before[0]) > reach:
        before = None
    if before is not None and before[1]:
        return np.ones(len(wall), dtype=bool)
    steps = np.diff(wall, prepend=wall[0] - 1 if before is None else before[0])
    back = steps < 0
    return np.maximum.accumulate(back if back.any() else steps <= 0)


def _carry_on(
    wall: Ints,
    twice: Bools,
    second: Bools,
    *,
    groups: Groups,
    carry: dict[tuple[str, ...], tuple[int, int]],
    carry_key: tuple[str, ...],
) -> None:
    rows = groups.in_order(np.flatnonzero(wall != NAT))
    present, first = np.unique(groups.codes[rows], return_index=True)
    last = rows[np.r_[first[1:], len(rows)] - 1] if len(rows) else rows
    for code, position in zip(present.tolist(), last.tolist(), strict=True):
        key = (*carry_key, groups.names[code])
        if twice[position]:
            carry[key] = (int(wall[position]), int(second[position]))
        else:
            carry.pop(key, None)
