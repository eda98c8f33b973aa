"""Kernels that turn claims into cells: identity, precedence, retraction and the signal's rule, in any order of arrival.

Two ways lead to the same numbers. *Scatter* goes through the claims once and keeps the best of each cell; it serves
``last`` of one source without keys and retractions, because there the winner of a cell is a maximum under one total
order, which no order of arrival and no repetition can change. *Resolve* sorts the claims of every cell and serves all
else. (The least of a cell is no such maximum: of two claims of one sequence the greater stands, by `resolve_cells`.)
"""

# ruff: noqa: PLR0917  (numba takes arrays by position)

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["LAST", "MAX", "MEAN", "MIN", "RULES", "SUM", "Rows", "mark_cells", "resolve_cells", "scatter"]

LAST, MEAN, MIN, MAX, SUM = range(5)
#: `Signal.combine` -> the kernels' number.
RULES: Final = {"last": LAST, "mean": MEAN, "min": MIN, "max": MAX, "sum": SUM}
_EARLIEST: Final = -(2**63)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Rows(NamedTuple):
    """Claims of one signal, placed: one element a claim, all arrays of equal length."""

    # Cell number times assets + asset; -1 outside the window (kept only for the sake of keys).
    cell: Ints
    time: Ints
    value: Floats
    # 0 no sequence, 1 sequenced, 2 has a key.
    kind: npt.NDArray[np.int8]
    epoch: Ints
    # Sequence, or the ledger's ordinal where the source has no sequence of its own.
    rank: Ints
    op: npt.NDArray[np.int8]
    source: npt.NDArray[np.int16]
    tag: npt.NDArray[np.int32]
    priority: npt.NDArray[np.int16]
    # Whether the claim came since the last build; only those count as duplicates.
    new: npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def scatter(
    code: npt.NDArray[np.int32],
    event_time: Ints,
    value: Floats,
    epoch: Ints,
    sequence: Ints,
    ordinal: Ints,
    lut_signal: npt.NDArray[np.int32],
    lut_asset: npt.NDArray[np.int32],
    origin: int,
    cadence: int,
    k0: int,
    new_from: int,
    best_value: Floats,
    best_time: Ints,
    best_epoch: Ints,
    best_rank: Ints,
) -> int:
    """Fold claims into the best of each cell; return how many from ordinal ``new_from`` on were known already.

    ``best_*`` have shape [signal, time, asset] and start as NaN and the least integer. A claim replaces the standing
    one if it's greater under (time, epoch, rank, value). Arrays of one element stand for constant columns.
    """
    repeated = 0
    cells = best_value.shape[1]
    low, high = origin + k0 * cadence, origin + (k0 + cells) * cadence
    one_epoch, one_sequence = epoch.size == 1, sequence.size == 1
    # Neighbours mostly share an instant: one division for all of them.
    known, k = low, 0
    for i in range(code.size):
        s = lut_signal[code[i]]
        t = event_time[i]
        if s < 0 or t < low or t >= high:
            continue
        if t != known:
            known, k = t, (t - low) // cadence
        a = lut_asset[code[i]]
        v = value[i]
        n = sequence[0] if one_sequence else sequence[i]
        e = epoch[0] if one_epoch else epoch[i]
        if n < 0:
            n, e = ordinal[i], _EARLIEST + 1
        old = best_time[s, k, a]
        if t < old:
            continue
        if t == old:
            standing = best_epoch[s, k, a]
            if e < standing or (e == standing and n < best_rank[s, k, a]):
                continue
            if e == standing and n == best_rank[s, k, a]:
                repeated += ordinal[i] >= new_from
                if v <= best_value[s, k, a]:
                    continue
        best_value[s, k, a] = v
        best_time[s, k, a] = t
        best_epoch[s, k, a] = e
        best_rank[s, k, a] = n
    return repeated


@njit(cache=True, nogil=True)
def mark_cells(
    code: npt.NDArray[np.int32],
    event_time: Ints,
    lut_group: npt.NDArray[np.int32],
    group: int,
    origin: int,
    cadence: int,
    k0: int,
    marks: npt.NDArray[np.bool_],
) -> None:
    """Mark the cells ``k0 + i`` in which a claim of ``group`` lies; ``marks`` spans them all."""
    low = origin + k0 * cadence
    known, inside = low - 1, False
    for i in range(code.size):
        t = event_time[i]
        if t == known and inside:
            continue
        if lut_group[code[i]] == group:
            known, inside = t, True
            k = (t - low) // cadence
            if 0 <= k < marks.size:
                marks[k] = True


@njit(inline="always")
def _before(i, j, rows):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 (inlined by numba)
    """Identity first, then precedence, then content, so that equal sets sort equally."""
    if rows.source[i] != rows.source[j]:
        return rows.source[i] < rows.source[j]
    if rows.tag[i] != rows.tag[j]:
        return rows.tag[i] < rows.tag[j]
    if rows.time[i] != rows.time[j]:
        return rows.time[i] < rows.time[j]
    if rows.kind[i] != rows.kind[j]:
        return rows.kind[i] < rows.kind[j]
    if rows.epoch[i] != rows.epoch[j]:
        return rows.epoch[i] < rows.epoch[j]
    if rows.rank[i] != rows.rank[j]:
        return rows.rank[i] < rows.rank[j]
    if rows.op[i] != rows.op[j]:
        return rows.op[i] < rows.op[j]
    return rows.value[i] < rows.value[j]


@njit(cache=True, nogil=True)
def _sift(order, base, start, stop, rows):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    root = start
    while True:
        child = 2 * root + 1
        if child >= stop:
            return
        if child + 1 < stop and _before(order[base + child], order[base + child + 1], rows):
            child += 1
        if not _before(order[base + root], order[base + child], rows):
            return
        order[base + root], order[base + child] = order[base + child], order[base + root]
        root = child


@njit(cache=True, nogil=True)
def _sort_cell(order, base, n, rows):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    if n <= 24:
        for i in range(base + 1, base + n):
            x = order[i]
            j = i
            while j > base and _before(x, order[j - 1], rows):
                order[j] = order[j - 1]
                j -= 1
            order[j] = x
        return
    for start in range(n // 2 - 1, -1, -1):
        _sift(order, base, start, n, rows)
    for stop in range(n - 1, 0, -1):
        order[base], order[base + stop] = order[base + stop], order[base]
        _sift(order, base, 0, stop, rows)


@njit(inline="always")
def _one_claim(i, j, rows):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """Whether two claims have one identity; rows with a key are resolved before they get here."""
    same = rows.source[i] == rows.source[j] and rows.tag[i] == rows.tag[j] and rows.time[i] == rows.time[j]
    if not same or rows.kind[i] != rows.kind[j] or rows.kind[i] == 2:
        return False
    return rows.kind[i] == 0 or (rows.epoch[i] == rows.epoch[j] and rows.rank[i] == rows.rank[j])


@njit(cache=True, nogil=True)
def _survivors(order, base, n, rows, kept):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """Write the survivors of a sorted cell into ``kept``; return their number and how many claims were superseded."""
    count = lost = 0
    i = 0
    while i < n:
        j = i
        observed = fresh = 0
        while j < n and _one_claim(order[base + i], order[base + j], rows):
            observed += rows.op[order[base + j]] == 0
            fresh += rows.new[order[base + j]]
            j += 1
        j = max(j, i + 1)
        winner = order[base + j - 1]
        if rows.op[winner] == 0:
            lost += min(observed - 1, fresh) if rows.kind[winner] != 2 else 0
            kept[count] = winner
            count += 1
        elif rows.kind[winner] == 1 and observed == 0:
            # A retraction with a sequence of its own withdraws what was claimed for its tag and time before it.
            while count > 0 and _same_place(kept[count - 1], winner, rows):
                count -= 1
        i = j
    return count, lost


@njit(inline="always")
def _same_place(i, j, rows):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    return rows.source[i] == rows.source[j] and rows.tag[i] == rows.tag[j] and rows.time[i] == rows.time[j]


@njit(cache=True, nogil=True)
def _later(i, j, rows):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """Whether claim i comes after claim j for the rule ``last``: by event time, then by precedence, then by content."""
    if rows.time[i] != rows.time[j]:
        return rows.time[i] > rows.time[j]
    if rows.source[i] != rows.source[j]:
        return rows.source[i] > rows.source[j]
    first, second = rows.kind[i] != 0, rows.kind[j] != 0
    if first != second:
        return first
    if rows.epoch[i] != rows.epoch[j]:
        return rows.epoch[i] > rows.epoch[j]
    if rows.rank[i] != rows.rank[j]:
        return rows.rank[i] > rows.rank[j]
    return rows.value[i] > rows.value[j]


@njit(cache=True, nogil=True)
def _combined(kept, count, priority, source, rule, rows, buffer):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """Return the value of the survivors of one source at one priority, and the last of them."""
    last = -1
    m = 0
    for x in range(count):
        i = kept[x]
        if rows.priority[i] == priority and rows.source[i] == source:
            buffer[m] = rows.value[i]
            m += 1
            if last < 0 or _later(i, last, rows):
                last = i
    if rule == LAST:
        return rows.value[last], last
    # In the order of values: a float sum must not depend on the order of arrival.
    values = np.sort(buffer[:m])
    if rule == MIN:
        return values[0], last
    if rule == MAX:
        return values[m - 1], last
    total = 0.0
    for x in range(m):
        total += values[x]
    return (total / m if rule == MEAN else total), last


@njit(cache=True, nogil=True)
def _choose(kept, count, rule, resolution, rows, buffer):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """Return the cell's value, the source it comes from, and whether another source says something else.

    The highest priority wins; of sources of equal priority, the one whose last observation is the latest.
    """
    best = kept[0]
    several = False
    for x in range(1, count):
        i = kept[x]
        several |= rows.source[i] != rows.source[best] or rows.priority[i] != rows.priority[best]
        if rows.priority[i] > rows.priority[best] or (
            rows.priority[i] == rows.priority[best] and _later(i, best, rows)
        ):
            best = i
    chosen, _ = _combined(kept, count, rows.priority[best], rows.source[best], rule, rows, buffer)
    differs = False
    if several:
        for x in range(count):
            i = kept[x]
            if rows.source[i] != rows.source[best] or rows.priority[i] != rows.priority[best]:
                other, _ = _combined(kept, count, rows.priority[i], rows.source[i], rule, rows, buffer)
                differs |= abs(other - chosen) > resolution * (1.0 + 1e-9)
                if differs:
                    break
    return chosen, rows.source[best], differs


@njit(cache=True, nogil=True)
def resolve_cells(
    order: Ints, rows: Rows, rule: int, resolution: float, out: Floats, chosen: npt.NDArray[np.int16]
) -> tuple[int, int]:
    """Resolve and combine the claims of each cell.

    Parameters
    ----------
    order : int64
        Positions in ``rows``, sorted by cell; cells below zero aren't built. Reordered within cells.
    out, chosen : float64, int16 [cell]
        Take the value and the source; untouched where nothing survives.

    Returns
    -------
    (int, int)
        Superseded claims, and cells in which sources disagree.
    """
    superseded = disagreements = 0
    kept = np.empty(order.size, np.int64)
    buffer = np.empty(order.size, np.float64)
    i = 0
    while i < order.size:
        cell = rows.cell[order[i]]
        j = i + 1
        while j < order.size and rows.cell[order[j]] == cell:
            j += 1
        if cell >= 0:
            _sort_cell(order, i, j - i, rows)
            count, lost = _survivors(order, i, j - i, rows, kept)
            superseded += lost
            if count:
                value, source, differs = _choose(kept, count, rule, resolution, rows, buffer)
                out[cell] = value
                chosen[cell] = source
                disagreements += differs
        i = j
    return superseded, disagreements
