"""Find spans that overlap a window, and search back for the beginning of those that began before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from twinlab.events.rules.exception_table import concat

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Evaluated", "Reach", "look_back"]

_DAY = 86400 * 10**9
#: How far back the beginning of a span is searched; 46,080 cells of a minute.
_FURTHEST = 32 * _DAY
_MOST_CELLS = 10**6


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


def _from(found: Evaluated, first_ns: int) -> Evaluated:
    row = int(np.searchsorted(found.times, first_ns))
    return Evaluated(found.times[row:], found.assets, found.fulfilled[row:], found.value[row:], found.limit)


def _of_assets(found: Evaluated, keep: NDArray[np.bool_]) -> Evaluated:
    assets = tuple(one for one, yes in zip(found.assets, keep, strict=True) if yes)
    return Evaluated(found.times, assets, found.fulfilled[:, keep], found.value[:, keep], found.limit[keep])
