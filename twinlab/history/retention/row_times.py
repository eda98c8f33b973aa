"""The latest time of each range of rows of tables, as their mapping reads it: a ledger doesn't know what its columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from twinlab.harmonise.claims import NAT, EventClaims

if TYPE_CHECKING:
    from twinlab.history.build.mapping_context import Sources

__all__ = ["latest_times"]

_TIMES = ("start", "end", "planned_start", "planned_end")


def latest_times(sources: Sources, position: Mapping[str, int]) -> dict[str, dict[int, int]]:
    """Return the latest time, ns, of rows of signals and of events, by source and first ordinal of their frame.

    Frames without a time have none, nor have those with rows of assets or relationships: each change of these tables reads all of
    their rows.
    """
    sources.prepare(position)
    out: dict[str, dict[int, int]] = {}
    for name, view in sources.views.items():
        index = view.index
        first, latest = index["first"], index["latest"].copy()
        known = index["earliest"] <= latest
        events = {int(n) for table in index.tables if table.startswith("event:") for n in index.of_table(table)}
        stay = {int(n) for table in index.tables if not table.startswith("event:") for n in index.of_table(table)}
        numbers = {int(first[n]): n for n in sorted(events - stay)}
        for frame, found in view.harmonised(numbers.values(), stop=position[name], withdrawn=True):
            n = numbers[frame.first]
            times = [_latest(one) for one in found.events] + ([int(latest[n])] if known[n] else [])
            latest[n] = max(times, default=NAT)
            known[n] = latest[n] != NAT
        known[sorted(stay)] = False
        out[name] = dict(zip(first[known].tolist(), latest[known].tolist(), strict=True))
    return out


def _latest(events: EventClaims) -> int:
    """Return the latest time of events, `NAT` if none has one."""
    found = [pc.max(events.table[name].cast("int64")).as_py() for name in _TIMES if name in events.table.column_names]
    return max((one for one in found if one is not None), default=NAT)
