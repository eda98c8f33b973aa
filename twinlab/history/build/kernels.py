"""Kernels that turn claims into cells: identity, precedence, retraction and the signal's rule, for any order of arrival.

Two algorithms give the same numbers. *Scatter* reads the claims once and keeps the best of each cell. It applies to
``last`` of one source without keys and retractions, where the result is the maximum under a total order, which doesn't
depend on the order of arrival or on repetition. *Resolve* sorts the claims of every cell and applies to all other cases.
(``min`` is no such maximum: of two claims with one sequence the greater value is valid, see `resolve_cells`.)
"""

# ruff: noqa: PLR0917  (numba takes arrays by position)

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit

__all__ = [
    "LAST",
    "MAX",
    "MEAN",
    "MIN",
    "NOT_EVALUATED",
    "RULES",
    "SUM",
    "Rows",
    "mark_cells",
    "resolve_cells",
    "scatter",
]

LAST, MEAN, MIN, MAX, SUM = range(5)
#: `Signal.combine` -> number of the rule.
RULES: Final = {"last": LAST, "mean": MEAN, "min": MIN, "max": MAX, "sum": SUM}
_EARLIEST: Final = -(2**63)
#: Flag of a value of which the source states no status, see `twinlab.model.flags`.
NOT_EVALUATED: Final = np.uint8(2)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Rows(NamedTuple):
    """Claims of one signal with their cells: arrays with one element per claim."""

    # Cell number times number of assets + asset; -1 outside the window (needed for claims with keys).
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
    # Whether the claim is newer than the last build; only those are counted as duplicates.
    new: npt.NDArray[np.bool_]
    # The source's own flag of the value.
    flag: npt.NDArray[np.uint8]


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
    """Update the best claim of each cell; return how many claims from ordinal ``new_from`` on were repetitions.

    ``best_*`` have shape [signal, time, asset] and start as NaN and the least integer. A claim replaces the
    current one if it is greater by (time, epoch, rank, value). Arrays of one element are constant columns.
    """
    repeated = 0
    cells = best_value.shape[1]
    low, high = origin + k0 * cadence, origin + (k0 + cells) * cadence
    one_epoch, one_sequence = epoch.size == 1, sequence.size == 1
    # Neighbouring rows mostly have the same time: one division for all of them.
    known, k = low, 0
    for i in range(code.size):
        # Of most frames few claims are of the window.
        t = event_time[i]
        if t < low or t >= high:
            continue
        s = lut_signal[code[i]]
        if s < 0:
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
            current = best_epoch[s, k, a]
            if e < current or (e == current and n < best_rank[s, k, a]):
                continue
            if e == current and n == best_rank[s, k, a]:
                repeated += ordinal[i] >= new_from
                if v <= best_value[s, k, a]:
                    continue
            elif e == current and e == _EARLIEST + 1 and v == best_value[s, k, a]:
                # The same row again, from a source without sequences.
                repeated += ordinal[i] >= new_from
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
    """Mark the cells ``k0 + i`` with a claim of ``group``; ``marks`` must cover all of them."""
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
    """Return whether claim i sorts before claim j: by identity, then precedence, then content."""
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
    first = (rows.value[i], rows.priority[i], rows.flag[i])
    return first < (rows.value[j], rows.priority[j], rows.flag[j])


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
    """Return whether two claims have the same identity; rows with a key were resolved before."""
    same = rows.source[i] == rows.source[j] and rows.tag[i] == rows.tag[j] and rows.time[i] == rows.time[j]
    if not same or rows.kind[i] != rows.kind[j] or rows.kind[i] == 2:
        return False
    return rows.kind[i] == 0 or (rows.epoch[i] == rows.epoch[j] and rows.rank[i] == rows.rank[j])


@njit(cache=True, nogil=True)
def _valid_claims(order, base, n, rows, kept):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """Write the valid claims of a sorted cell into ``kept``; return their number and the number of superseded claims."""
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
            # A retraction with a sequence of its own withdraws the earlier claims for its tag and time.
            while count > 0 and _same_place(kept[count - 1], winner, rows):
                count -= 1
        i = j
    return count, lost


@njit(inline="always")
def _same_place(i, j, rows):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    return rows.source[i] == rows.source[j] and rows.tag[i] == rows.tag[j] and rows.time[i] == rows.time[j]


@njit(cache=True, nogil=True)
def _later(i, j, rows):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """Return whether claim i is after claim j for the rule ``last``: by event time, then precedence, then content."""
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
    """Return the combined value of the valid claims of one source and priority, and the worst of the source's flags.

    The rule ``last`` uses one claim, and its flag.
    """
    last = -1
    m = 0
    worst = NOT_EVALUATED
    for x in range(count):
        i = kept[x]
        if rows.priority[i] == priority and rows.source[i] == source:
            buffer[m] = rows.value[i]
            m += 1
            # Only suspect and fail, the numbers after "not evaluated", change a cell's flag.
            worst = max(worst, rows.flag[i])
            if last < 0 or _later(i, last, rows):
                last = i
    if rule == LAST:
        return rows.value[last], rows.flag[last]
    # Sorted by value: a sum of floats must not depend on the order of arrival.
    values = np.sort(buffer[:m])
    if rule == MIN:
        return values[0], worst
    if rule == MAX:
        return values[m - 1], worst
    total = 0.0
    for x in range(m):
        total += values[x]
    return (total / m if rule == MEAN else total), worst


@njit(cache=True, nogil=True)
def _choose(kept, count, rule, resolution, rows, buffer):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """Return the cell's value, its source, the source's flag, and whether another source disagrees.

    The highest priority wins; of sources of equal priority, the one whose last observation is the latest.
    """
    best = kept[0]
    several = False
    for x in range(1, count):
        i = kept[x]
        several |= rows.source[i] != rows.source[best]
        if rows.priority[i] > rows.priority[best] or (
            rows.priority[i] == rows.priority[best] and _later(i, best, rows)
        ):
            best = i
    chosen, flag = _combined(kept, count, rows.priority[best], rows.source[best], rule, rows, buffer)
    differs = False
    if several:
        for x in range(count):
            i = kept[x]
            # Two versions of a value in one source, such as raw and corrected, may differ.
            if rows.source[i] != rows.source[best]:
                other, _ = _combined(kept, count, rows.priority[i], rows.source[i], rule, rows, buffer)
                differs |= abs(other - chosen) > resolution * (1.0 + 1e-9)
                if differs:
                    break
    return chosen, rows.source[best], flag, differs


@njit(cache=True, nogil=True)
def resolve_cells(
    order: Ints,
    rows: Rows,
    rule: int,
    resolution: float,
    out: Floats,
    chosen: npt.NDArray[np.int16],
    flags: npt.NDArray[np.uint8],
) -> tuple[int, int]:
    """Resolve and combine the claims of each cell.

    Parameters
    ----------
    order : int64
        Positions in ``rows``, sorted by cell; those with a negative cell are ignored. Reordered within cells.
    out, chosen, flags : float64, int16, uint8 [cell]
        Receive value, source and the source's own flag; unchanged for cells without a valid claim.

    Returns
    -------
    (int, int)
        Number of superseded claims, and of cells in which sources disagree.
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
            count, lost = _valid_claims(order, i, j - i, rows, kept)
            superseded += lost
            if count:
                value, source, flag, differs = _choose(kept, count, rule, resolution, rows, buffer)
                out[cell] = value
                chosen[cell] = source
                flags[cell] = flag
                disagreements += differs
        i = j
    return superseded, disagreements
