"""Clock changes: repeated and missing hours, resolved by the rules `ambiguous:` and `nonexistent:` of the mapping."""

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
    """The clock that each row's time was read from: usually one clock per asset (and tag)."""

    # int64[n] index into `names`.
    codes: Ints
    names: Sequence[str]
    # int64[n] order of arrival of the rows; None: as they are.
    rank: Ints | None = None

    def in_order(self, rows: Ints) -> Ints:
        """Return rows sorted by group, and within a group by arrival."""
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
    """Return the instants of wall times, and the rows that are refused.

    Parameters
    ----------
    wall : int64[n]
        Wall times in ns, NAT where there is none.
    found : Lookup
        Possible instants of ``wall``.
    ambiguous, nonexistent : str
        Rules of the mapping, see `twinlab.model.mapping.TimeRule`.
    groups : Groups
        The clock of each row; used by ``ambiguous="order"``.
    carry : dict
        Last time of each clock at the end of the previous frame; updated here.
    carry_key : tuple of str
        Prefix of this column's keys in ``carry``.

    Returns
    -------
    (utc, twice, missing) : int64[n] ns, bool[n], bool[n]
        The instants (NAT where refused); rows refused because their wall time occurs twice, or because it never occurs.
    """
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
    """Return which rows belong to the second pass through a repeated hour, judged by the order of rows.

    Within one group and one repeated hour, the second pass begins where the clock steps back; if it never steps back,
    where a time repeats (hourly rows: 00:00, 01:00, 01:00, 02:00). Rows in descending order (newest first) are read
    from the end. ``carry`` has the last time of each clock if the previous frame ended within a repeated hour; it is
    updated here.
    """
    result = np.zeros(len(wall), dtype=bool)
    rows = groups.in_order(np.flatnonzero(twice))
    group = groups.codes[rows]
    if len(rows):
        steps_back = _net_steps_back(wall, groups)
        # Two repeated hours of one zone are months apart; rows of the same one are within a day.
        apart = np.abs(np.diff(wall[rows])) > DAY_NS
        starts = np.flatnonzero(np.r_[True, (group[1:] != group[:-1]) | apart])
        for start, stop in zip(starts.tolist(), np.r_[starts[1:], len(rows)].tolist(), strict=True):
            run, code = rows[start:stop], int(group[start])
            reach = int(found.later[run[0]] - found.earlier[run[0]])
            if steps_back.get(code, 0) > reach:
                result[run[::-1]] = _in_second_pass(wall[run[::-1]], None, reach=reach)
            else:
                result[run] = _in_second_pass(wall[run], carry.get((*carry_key, groups.names[code])), reach=reach)
    _update_carry(wall, twice, result, groups=groups, carry=carry, carry_key=carry_key)
    return result


def _net_steps_back(wall: Ints, groups: Groups) -> dict[int, int]:
    """Return, per group, the first time of the frame minus its last time, in ns (positive if the rows descend)."""
    rows = groups.in_order(np.flatnonzero(wall != NAT))
    codes, first = np.unique(groups.codes[rows], return_index=True)
    last = np.r_[first[1:], len(rows)] - 1
    return dict(zip(codes.tolist(), (wall[rows[first]] - wall[rows[last]]).tolist(), strict=True))


def _in_second_pass(wall: Ints, before: tuple[int, int] | None, *, reach: int) -> Bools:
    if before is not None and abs(int(wall[0]) - before[0]) > reach:
        before = None
    if before is not None and before[1]:
        return np.ones(len(wall), dtype=bool)
    steps = np.diff(wall, prepend=wall[0] - 1 if before is None else before[0])
    back = steps < 0
    return np.maximum.accumulate(back if back.any() else steps <= 0)


def _update_carry(
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
