"""The spans whose cells stay at full rate: around suspect and failed values, and those that are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.spans import spans_of_marks
from twinlab.history.store.view import View
from twinlab.history.write.removal import Kept, end_of_removal
from twinlab.model.flags import Flag

__all__ = ["flagged_spans", "joined"]

#: Cells that are read at once.
_CELLS = 4_000_000

Spans = tuple[Sequence[str], NDArray[np.int64], NDArray[np.int64]]


def flagged_spans(
    view: View, columns: Mapping[str, Sequence[str]], *, before_ns: int
) -> dict[str, tuple[list[str], NDArray[np.int64], NDArray[np.int64]]]:
    """Return the spans [start, stop) ns of suspect and failed values of gauges before an instant, by asset type."""
    out: dict[str, tuple[list[str], NDArray[np.int64], NDArray[np.int64]]] = {}
    for group in view.groups():
        entry = view.catalog.entry(group)
        names = [name for name, signal in entry.signals.items() if signal.kind == "gauge"]
        ids = list(columns.get(group.asset_type, ()))
        low, high = entry.extent or (0, 0)
        high = min(high, end_of_removal(entry, before_ns))
        found: list[tuple[str, int, int]] = []
        long = max(1, _CELLS // max(1, entry.n_assets))
        for first in range(low, high, long):
            stop = min(high, first + long)
            marks = np.zeros((stop - first, entry.n_assets), dtype=np.bool_)
            for name in names:
                flags = view.flags(group, name, first, stop)
                marks[(flags == Flag.SUSPECT) | (flags == Flag.FAIL)] = True
            for column in np.flatnonzero(np.count_nonzero(marks[:, : len(ids)], axis=0)).tolist():
                found += [(ids[column], a, b) for a, b in spans_of_marks(marks[:, column], first)]
        edges = np.array([(a, b) for _, a, b in found], dtype=np.int64).reshape(-1, 2)
        times = entry.axis.origin_ns + edges * entry.axis.cadence_ns
        known = out.get(group.asset_type, ([], np.empty(0, np.int64), np.empty(0, np.int64)))
        out[group.asset_type] = (
            [*known[0], *(one for one, _, _ in found)],
            np.concatenate([known[1], times[:, 0]]),
            np.concatenate([known[2], times[:, 1]]),
        )
    return out


def joined(parts: Iterable[Spans], *, margin_ns: int, before_ns: int) -> Kept:
    """Return spans widened by a margin and cut off at an instant; those of one asset that touch become one.

    >>> some = (["b", "a", "b"], np.array([10, 0, 16]), np.array([12, 1, 18]))
    >>> joined([some], margin_ns=2, before_ns=19).to_json()
    {'assets': ['a', 'b'], 'starts': [-2, 8], 'stops': [3, 19]}
    """
    given = list(parts)
    ids = np.array([str(one) for names, _, _ in given for one in names], dtype=object)
    starts = np.concatenate([np.empty(0, np.int64), *(low for _, low, _ in given)]) - margin_ns
    stops = np.minimum(np.concatenate([np.empty(0, np.int64), *(high for _, _, high in given)]) + margin_ns, before_ns)
    mine = starts < stops
    names, code = np.unique(ids[mine].astype(str), return_inverse=True)
    order = np.lexsort((starts[mine], code))
    code, starts, stops = code[order], starts[mine][order], stops[mine][order]
    if not len(code):
        return Kept((), starts, stops)
    # Latest stop so far of the same asset: a shift by asset keeps those of others apart.
    shift = code * (int(stops.max() - starts.min()) + 1)
    reached = np.maximum.accumulate(stops + shift)
    fresh = np.flatnonzero(np.concatenate([[True], (starts + shift)[1:] > reached[:-1]]))
    ends = np.append(fresh[1:], len(code)) - 1
    return Kept(tuple(names[code[fresh]].tolist()), starts[fresh], reached[ends] - shift[fresh])
