"""Find spans that overlap a window, and search back for the beginning of those that began before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from twinlab.events.rules.exception_table import concat, times
from twinlab.events.rules.runs import Runs, runs_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Evaluated", "Reach", "Spans", "look_back", "spans_of"]

_DAY = 86400 * 10**9
#: How far back the beginning of a span is searched; 46,080 cells of a minute.
_FURTHEST = 32 * _DAY
_MOST_CELLS = 10**6
_NAT = np.iinfo(np.int64).min
_OPEN = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Evaluated:
    """Where a rule is fulfilled (time, asset), and the value and the limit that are shown there."""

    times: NDArray[np.int64]
    assets: tuple[str, ...]
    fulfilled: NDArray[np.bool_]
    value: NDArray[np.float64]
    # One per asset.
    limit: NDArray[np.float64]


class Reach(NamedTuple):
    """How far before the window is read, nanoseconds."""

    # At first.
    back: int
    # Before that, since the first cells may depend on what was observed before them.
    lead: int
    # The finest cadence.
    cadence: int


@dataclass(frozen=True)
class Spans:
    """Spans in which a rule is fulfilled long enough, one for each exception."""

    runs: Runs
    #: Fulfilled up to the window's stop.
    not_over: NDArray[np.bool_]
    #: Began before the first cell; the start isn't known.
    before: NDArray[np.bool_]
    #: Nanoseconds, up to the window's stop if it isn't over.
    lasted: NDArray[np.int64]
    #: Columns ``asset``, ``since``, ``raised`` and ``until`` of the exceptions.
    columns: Mapping[str, object]


class MakeSpans(Protocol):
    """Returns the exceptions in evaluated cells; ``earlier``: a span from the first cell on began before it."""

    def __call__(self, found: Evaluated, *, earlier: bool) -> pd.DataFrame:
        """Return a table of exceptions."""


def look_back(
    read: Callable[[int, Sequence[str] | None], Evaluated | None],
    spans: MakeSpans,
    *,
    reach: Reach,
    origin_ns: int,
    start_ns: int,
) -> pd.DataFrame:
    """Return the exceptions of a window whose cells ``read(low, assets)`` evaluates from ``low`` on.

    Assets whose span may have begun before the first cell are read again from further back, up to 32 days.
    """
    parts: list[pd.DataFrame] = []
    todo: Sequence[str] | None = None
    back, furthest = reach.back, min(_FURTHEST, _MOST_CELLS * reach.cadence)
    while todo is None or todo:
        low = max(origin_ns, start_ns - back - reach.lead)
        found = read(low, todo)
        if found is None:
            break
        found = _from(found, low if low == origin_ns else low + reach.lead)
        last = low == origin_ns or back >= furthest
        begins_earlier = (
            found.fulfilled[0] if len(found.times) and not last else np.zeros(len(found.assets), dtype=bool)
        )
        earlier = back >= furthest and low != origin_ns
        parts.append(spans(_of_assets(found, ~begins_earlier), earlier=earlier))
        todo = [one for one, more in zip(found.assets, begins_earlier, strict=True) if more]
        back = min(max(back * 4, _DAY // 4), furthest)
    return concat(parts)


def spans_of(found: Evaluated, *, start_ns: int, stop_ns: int, lasting_ns: int, earlier: bool) -> Spans:
    """Return the spans overlapping ``[start, stop)`` in which a rule is fulfilled for longer than ``lasting``.

    ``earlier``: a span from the first cell on began before it.
    """
    runs = runs_of(found.fulfilled)
    size = len(found.times)
    since = found.times[runs.first]
    not_over = runs.stop == size
    until = np.where(not_over, _OPEN, found.times[np.minimum(runs.stop, max(size - 1, 0))])
    raised = since + lasting_ns
    keep = (raised < until) & (raised < stop_ns) & (until > start_ns)
    runs = Runs(runs.column[keep], runs.first[keep], runs.stop[keep])
    since, until, raised, not_over = since[keep], until[keep], raised[keep], not_over[keep]
    before = earlier & (runs.first == 0)
    columns = {
        "asset": np.array([found.assets[one] for one in runs.column], dtype=object),
        "since": times(np.where(before, _NAT, since)),
        "raised": times(np.where(before, _NAT, raised)),
        "until": times(np.where(not_over, _NAT, until)),
    }
    return Spans(runs, not_over, before, np.where(not_over, stop_ns - 1, until) - since, columns)


def _from(found: Evaluated, first_ns: int) -> Evaluated:
    row = int(np.searchsorted(found.times, first_ns))
    return Evaluated(found.times[row:], found.assets, found.fulfilled[row:], found.value[row:], found.limit)


def _of_assets(found: Evaluated, keep: NDArray[np.bool_]) -> Evaluated:
    assets = tuple(one for one, yes in zip(found.assets, keep, strict=True) if yes)
    return Evaluated(found.times, assets, found.fulfilled[:, keep], found.value[:, keep], found.limit[keep])
