"""Events in the rows of a table of signals: rows of another kind, and a logger's columns of its own events."""

from __future__ import annotations

import re

import numpy as np

from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.drafting.kinds.words import spaced
from twinlab.harmonise.drafting.plans.plan import EventsBeside, TablePlan
from twinlab.harmonise.drafting.profiles import Profile

__all__ = ["find_events_beside"]

_KIND = re.compile(
    r"((record|row|event|message|msg|entry|log|line)_)?(type|kind|class|category|art|typ)|record|event|satzart|zeilenart|(event|msg|message)_?id",
    re.IGNORECASE,
)
_MAX_KINDS = 12


def find_events_beside(plan: TablePlan, rows: Rows) -> None:
    """Plan the events that are among the rows of a table of signals."""
    time = plan.time
    if time is None or not time.read or plan.content != "signals":
        return
    asset = plan.asset_column
    at = (*time.columns, *([asset] if asset is not None and asset in plan.profiles else []))
    for name in plan.sample.events:
        plan.beside.append(EventsBeside(name, at, name))
    if plan.sample.events:
        plan.evidence.append(f"events of the logger itself: {', '.join(plan.sample.events)}")
    others = [p for n, p in plan.profiles.items() if n not in {*at, *plan.known_columns} and p.kind != "empty"]
    for kind in others:
        if kind.kind == "text" and 2 <= kind.distinct <= _MAX_KINDS and _KIND.fullmatch(spaced(kind.name)):
            _add_kinds(plan, rows, kind, [other for other in others if other is not kind], at)
            return


def _add_kinds(plan: TablePlan, rows: Rows, kind: Profile, others: list[Profile], at: tuple[str, ...]) -> None:
    """Add the kinds of rows that have no number, if other kinds have some."""
    codes, terms = encode(rows.texts(kind.name))
    numbers = [one for one in others if one.kind == "number"]
    if not numbers or (codes < 0).any():
        return
    filled = {one.name: np.bincount(codes[~rows.cells(one.name).empty], minlength=len(terms)) for one in others}
    measured = np.sum([filled[one.name] for one in numbers], axis=0) > 0
    if measured.all() or not measured.any():
        return
    texts = [one.name for one in others if one.kind != "number" and not filled[one.name][measured].any()]
    counts = np.bincount(codes, minlength=len(terms))
    named = []
    for place in np.flatnonzero(~measured).tolist():
        mine = tuple(name for name in texts if filled[name][place])
        plan.beside.append(EventsBeside(terms[place], at, kind.name, terms[place], mine))
        named.append(f"{terms[place]!r} ({counts[place]} rows)")
    plan.evidence.append(f"rows of {kind.name!r} {', '.join(named)} have no measured value: events")
