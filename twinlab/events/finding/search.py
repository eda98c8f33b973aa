"""Search the cells of a window, in pieces of time, for spans in which a condition is true, and back for their beginnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinlab.events.algebra.spans import Spans, merged, together
from twinlab.events.finding.cells import CellSource
from twinlab.events.finding.evaluation.conditions import evaluate
from twinlab.events.finding.evaluation.reach import look_back_ns
from twinlab.events.finding.evaluation.truth import TRUE
from twinlab.events.finding.scanning.spans import stored_spans
from twinlab.events.rules.runs import runs_of
from twinlab.model.expressions import bound

__all__ = ["FURTHEST_CELLS", "FURTHEST_NS", "Searched", "evaluated_spans", "search", "true_spans"]

Integers = NDArray[np.int64]

_DAY = 86400 * 10**9
#: How far back the beginning of a span is searched.
FURTHEST_NS, FURTHEST_CELLS = 32 * _DAY, 10**6
#: Cells of one signal that are in memory at once.
_CELLS_AT_ONCE = 4_000_000
#: A piece of time is at least this many times as long as what is read before it.
_LEADS_AT_ONCE = 4


class Searched(NamedTuple):
    """Spans in which a condition is true, and from where on each asset was searched."""

    spans: Spans
    # Of spans that begin there, the beginning isn't known; the smallest integer where there was nothing before.
    since_ns: Integers


def search(
    source: CellSource,
    condition: bound.Condition,
    *,
    start_ns: int,
    stop_ns: int,
    gap_ns: int = 0,
    origin_ns: int,
    spans: Callable[..., Spans] | None = None,
) -> Searched:
    """Return the spans overlapping ``[start, stop)`` in which a condition is true, with their beginnings before it.

    Parameters
    ----------
    source : CellSource
    condition : bound.Condition
    start_ns, stop_ns : int
        A span that is true up to ``stop`` ends there.
    gap_ns : int
        Spans at most this far apart are one.
    origin_ns : int
        Nothing is searched before it, nor further than 32 days before ``start``.
    spans : callable, optional
        Searches as `true_spans` does, which is the default.
    """
    find_spans = spans or true_spans
    count, step = len(source.assets), source.steps_ns[0]
    low = max(origin_ns, source.cell_at(start_ns))
    found = find_spans(source, condition, low_ns=low, stop_ns=stop_ns, assets=np.arange(count))
    since = np.full(count, np.iinfo(np.int64).min)
    furthest = max(origin_ns, source.cell_at(start_ns - min(FURTHEST_NS, FURTHEST_CELLS * step)))
    back = max(_DAY // 4, gap_ns)
    while True:
        union, _ = merged(found, gap_ns=gap_ns)
        union = union.take(union.end > start_ns)
        # These may go on before what was searched.
        todo = np.unique(union.key[union.start - low <= gap_ns])
        if low <= furthest or not len(todo):
            break
        further = max(furthest, source.cell_at(low - back))
        earlier = find_spans(source, condition, low_ns=further, stop_ns=low, assets=todo)
        found = _joined([found, earlier], count)
        low, back = further, back * 4
    if furthest > origin_ns and low <= furthest:
        since[todo] = low
    return Searched(union, since)


def true_spans(source: CellSource, condition: bound.Condition, *, low_ns: int, stop_ns: int, assets: Integers) -> Spans:
    """Return the spans of cells that begin in ``[low, stop)`` in which a condition is true; from stored tiles where it can.

    The key is the asset's number in the source.
    """
    found = stored_spans(source, condition, low_ns=low_ns, stop_ns=stop_ns, assets=assets)
    if found is None:
        found = evaluated_spans(source, condition, low_ns=low_ns, stop_ns=stop_ns, assets=assets)
    return found


def evaluated_spans(
    source: CellSource, condition: bound.Condition, *, low_ns: int, stop_ns: int, assets: Integers
) -> Spans:
    """Return what `true_spans` does, from arrays of all cells."""
    lead = look_back_ns(condition, source.valid_ns, step_ns=source.steps_ns[0]) + source.steps_ns[1]
    parts: list[Spans] = []
    for first, stop in _pieces(source, low_ns, stop_ns, lead, len(assets)):
        block = source.block(first - lead, stop, assets)
        row = int(np.searchsorted(block.times, first))
        times = block.times[row:]
        if len(times):
            runs = runs_of(evaluate(condition, block)[row:] == TRUE)
            ends = np.append(times, stop)
            parts.append(Spans(assets[runs.column], times[runs.first], ends[runs.stop], len(source.assets)))
    return _joined(parts, len(source.assets))


def _pieces(source: CellSource, low: int, stop: int, lead: int, assets: int) -> Iterator[tuple[int, int]]:
    """Yield spans of time whose cells fit into memory, on the grid of the coarsest step."""
    step, coarse = source.steps_ns
    width = max(_CELLS_AT_ONCE // max(assets, 1) * step, _LEADS_AT_ONCE * lead, coarse)
    width = -(-width // coarse) * coarse
    first = low
    while first < stop:
        after = min((first // width + 1) * width, stop)
        yield first, after
        first = after


def _joined(parts: list[Spans], keys: int) -> Spans:
    """Return the spans of all pieces; one that goes on in the next piece is one span."""
    return merged(together(parts, keys))[0]
