"""Cuts of retention: cells before one are as they were at the position of the ledger at which it was made.

From then on no row changes them. A rebuild gives the same cells, since it reads the rows of that position for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from twinlab.history.build.group_spec import GroupPlan, GroupSpec
from twinlab.history.layout.spans import Span, clip
from twinlab.model.signal import Signal

__all__ = ["Cut", "Segment", "after_cut", "cut_ns_of", "cuts_of", "retention_attributes", "segment_cuts", "segments"]

_END = 2**62


@dataclass(frozen=True)
class Cut:
    """Cells before ``time_ns``, a UTC midnight, don't change any more."""

    id: str
    time_ns: int
    # Position vector of the ledger that they are of, sorted by source.
    position: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {"id": self.id, "cut": self.time_ns, "position": dict(self.position)}

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> Cut:
        """Read plain data."""
        return cls(
            str(body["id"]), int(body["cut"]), tuple(sorted((str(n), int(at)) for n, at in body["position"].items()))
        )


class Segment(NamedTuple):
    """A span of time [low, high) ns whose cells are of one position vector; None is open."""

    low: int | None
    high: int | None
    position: Mapping[str, int]

    def cells(self, spec: GroupSpec, window: Span) -> Span | None:
        """Return the cells of a window in this segment, None if there are none."""
        low = window[0] if self.low is None else max(window[0], spec.axis.cell_ceil(self.low))
        high = window[1] if self.high is None else min(window[1], spec.axis.cell_ceil(self.high))
        return (low, high) if low < high else None


def cuts_of(meta: Mapping[str, Any]) -> tuple[Cut, ...]:
    """Return the cuts of a state of the history, in the order in which they were made."""
    return tuple(Cut.of_json(one) for one in meta.get("retention", ()))


def cut_ns_of(meta: Mapping[str, Any]) -> int | None:
    """Return the instant before which the cells of a state don't change any more; None if all may."""
    return max((one.time_ns for one in cuts_of(meta)), default=None)


def retention_attributes(meta: Mapping[str, Any], signals: Iterable[Signal], first_ns: int) -> dict[str, str]:
    """Return the attributes of a Dataset some of whose older cells aren't as they were observed.

    ``removed_before`` is the instant before which cells of gauges are removed, but for spans that were kept; a removed cell has
    no value and the flag "not evaluated". ``removed_since`` is the first cell that was stored, at ``first_ns``.
    """
    made = list(meta.get("retention", ()))
    if not made or all(signal.kind != "gauge" for signal in signals):
        return {}
    out = {}
    for key, older in (("removed_before", "rollups"), ("rounded_before", "rounded")):
        cut = max((int(one["cut"]) for one in made if one["older"] == older), default=None)
        if cut is not None:
            out[key] = str(np.datetime64(cut, "ns").astype("datetime64[s]")) + "Z"
    what = {"removed_before": "exist only as rollups", "rounded_before": "are rounded"}
    says = [f"values of gauges before {at} {what[key]}, but for spans that were kept" for key, at in out.items()]
    if "removed_before" in out:
        out["removed_since"] = str(np.datetime64(first_ns, "ns").astype("datetime64[s]")) + "Z"
    return {**out, "retention": "; ".join(says)}


def segments(cuts: Sequence[Cut], position: Mapping[str, int]) -> list[Segment]:
    """Return the segments of time, ascending; the last one is of ``position``.

    >>> cuts = [Cut("a", 10, (("s", 1),)), Cut("b", 30, (("s", 5),)), Cut("c", 20, (("s", 7),))]
    >>> [(one.low, one.high, dict(one.position)) for one in segments(cuts, {"s": 9})]
    [(None, 10, {'s': 1}), (10, 30, {'s': 5}), (30, None, {'s': 9})]
    """
    out: list[Segment] = []
    low: int | None = None
    for one in segment_cuts(cuts):
        # A source that came later has no rows in these cells.
        at = dict.fromkeys(position, 0) | {name: row for name, row in one.position if name in position}
        out.append(Segment(low, one.time_ns, at))
        low = one.time_ns
    return [*out, Segment(low, None, position)]


def segment_cuts(cuts: Sequence[Cut]) -> list[Cut]:
    """Return the cuts that are later than all those made before them: each ends a segment."""
    out: list[Cut] = []
    for one in cuts:
        if not out or one.time_ns > out[-1].time_ns:
            out.append(one)
    return out


def after_cut(plans: Sequence[GroupPlan], cut_ns: int | None) -> list[GroupPlan]:
    """Return plans without the cells before a cut."""
    if cut_ns is None:
        return list(plans)
    out = []
    for plan in plans:
        span = (plan.spec.axis.cell_ceil(cut_ns), _END)
        kept = replace(plan, fresh=clip(plan.fresh, span), write=clip(plan.write, span), vacant=clip(plan.vacant, span))
        out += [kept] if kept.covered else []
    return out
