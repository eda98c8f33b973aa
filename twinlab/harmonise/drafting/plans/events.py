"""Tables whose rows are events: with a start and an end, scans, logs, and rows that share their instants."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np

from twinlab.harmonise.cells import Rows
from twinlab.harmonise.claims import NAT
from twinlab.harmonise.drafting.columns import row_numbers
from twinlab.harmonise.drafting.kinds.words import spaced
from twinlab.harmonise.drafting.plans.assets import best_asset
from twinlab.harmonise.drafting.plans.plan import IDS, MIN_UNIQUE_SHARE, TablePlan, distinct, unique_column
from twinlab.harmonise.drafting.scans import scan_log
from twinlab.harmonise.drafting.times.columns import TimeColumn
from twinlab.harmonise.drafting.times.roles import clock_roles, time_roles

__all__ = ["as_events", "as_log", "as_moments", "as_scans"]

_MOVERS = re.compile(
    r"truck|vehicle|tail|trailer|lkw|fahrzeug|plate|machine|asset|device|vessel|aircraft|(^|[_\s])(car|van|ship)($|[_\s\d])",
    re.IGNORECASE,
)
#: Words for what happens at an instant; a state or a mode lasts.
_HAPPENED = re.compile(
    r"error|fail|fault|alarm|alert|event|maint|repair|service|message|incident|ticket|trip|warning|st[oö]rung|fehler|panne|aver[ií]a|guasto|storing",
    re.IGNORECASE,
)
_FROM = r"from|orig\w*|von|source|ship from"
#: Minimal share of rows at an instant of other rows, in a table of events.
_MIN_SHARED = 0.6


def as_events(plan: TablePlan, many: Sequence[TimeColumn], rows: Rows) -> bool:
    """Plan a table as events if its times have roles and a key identifies each row."""
    plan.key = _key(plan, rows)
    if not plan.key:
        return False
    roles: dict[str, TimeColumn | str] = {}
    others: list[TimeColumn] = []
    if plan.times.span is not None:
        roles |= dict(zip(("start", "end"), plan.times.span, strict=True))
    elif len(plan.times.clocks) >= 2:
        roles |= clock_roles([clock.column for clock in plan.times.clocks])
        if "start" not in roles and "planned_start" not in roles:
            return False
    else:
        named, others = time_roles(many)
        roles |= named
    if not roles:
        return False
    if ("start" in roles) == ("end" in roles):
        plan.duration = None
    plan.other_times = tuple(others)
    plan.content, plan.roles = "events", roles
    plan.evidence.append(f"{len(roles)} columns of times, and rows identified by {' + '.join(plan.key)}: events")
    movers = [
        name
        for name, p in plan.profiles.items()
        if _MOVERS.search(name) and p.kind in {"text", "number"} and plan.key != (name,)
    ]
    plan.asset_column = movers[0] if movers else None
    texts = [
        name
        for name, p in plan.profiles.items()
        if p.kind == "text" and name not in {*plan.times.columns, plan.asset_column} and name not in plan.key[:1]
    ]
    for link, pattern in (("origin", _FROM), ("destination", r"to|dest\w*|nach|ziel|ship to")):
        found = [name for name in texts if re.fullmatch(pattern, name.strip(), re.IGNORECASE)]
        plan.links |= {link: found[0]} if found else {}
    return True


def as_scans(plan: TablePlan, rows: Rows) -> bool:
    """Plan a scan log as events of the id's asset, with a link to the place."""
    log = scan_log(plan.profiles, rows, times=plan.times.columns)
    time = plan.times.instants[0]
    if log is None or "parts" in time.rule:
        return False
    # Only a sample proves a key unique, so the time is part of it: a longer key can't merge two events.
    key = tuple(name for name in (log.thing, log.activity, *time.columns) if name is not None)
    key = key if distinct(key, rows) == rows.count else (*key, *([log.place] if log.place else []))
    if distinct(key, rows) < MIN_UNIQUE_SHARE * rows.count:
        return False
    plan.also = (log.activity,) if log.activity else ()
    plan.content, plan.key, plan.asset_column = "events", key, log.thing
    plan.roles = {"start": time, "end": time}
    plan.links = {"place": log.place} if log.place else {}
    plan.evidence.append(f"few rows for each {log.thing!r}, with {log.activity!r} and no measured values: a scan log")
    return True


def as_log(plan: TablePlan, rows: Rows) -> bool:
    """Plan a log of failures, alarms or repairs as events: rows of a time, an asset and what happened, without numbers."""
    time = plan.times.instants[0]
    taken = {*plan.known_columns, *row_numbers(plan.profiles, rows)}
    left = {name: p for name, p in plan.profiles.items() if name not in taken and p.kind != "empty"}
    texts = [name for name, p in left.items() if p.kind in {"text", "bool"}]
    happened = [name for name in texts if _HAPPENED.search(spaced(name))]
    named = happened or (_HAPPENED.search(spaced(rows.table)) is not None and texts)
    ids = [n for n, p in left.items() if n not in happened and (p.kind == "text" or p.whole) and IDS.search(spaced(n))]
    ids = [name for name in ids if left[name].filled == rows.count]
    if (
        not named
        or not ids
        or "parts" in time.rule
        or any(p.kind == "number" and n not in ids for n, p in left.items())
    ):
        return False
    others = [name for name in dict.fromkeys((*happened, *texts)) if name != ids[0]]
    # Only a sample proves a key unique: what happened is part of it, so that it can't merge two events of one instant.
    keys = [(ids[0], *others[:size], *time.columns) for size in range(1, len(others) + 1)] or [(ids[0], *time.columns)]
    key = next((key for key in keys if distinct(key, rows) == rows.count), keys[0])
    if distinct(key, rows) < MIN_UNIQUE_SHARE * rows.count:
        return False
    plan.content, plan.key, plan.asset_column = "events", key, ids[0]
    plan.also = tuple(name for name in key if name in others)
    plan.roles = {"start": time, "end": time}
    plan.evidence.append(
        f"a time, {ids[0]!r} and {', '.join(map(repr, happened or texts))}, without a measured value: events"
    )
    return True


def as_moments(plan: TablePlan, rows: Rows) -> bool:
    """Plan a table as events if most rows share their instant with others and a key identifies each row."""
    time = plan.times.instants[0]
    known = time.wall[time.wall != NAT]
    counts = np.unique(known, return_counts=True)[1]
    if not len(known) or counts[counts > 1].sum() < _MIN_SHARED * len(known) or "parts" in time.rule:
        return False
    key = _key(plan, rows)
    if not set(key) - set(plan.times.columns):
        best_asset(plan, rows, time.wall)
        return False
    plan.content, plan.key, plan.time, plan.roles = "events", key, None, {"start": time, "end": time}
    plan.evidence.append(f"most rows share their instant with others; {' + '.join(key)} identifies each row: events")
    return True


def _key(plan: TablePlan, rows: Rows) -> tuple[str, ...]:
    """Return columns that together identify every row of the sample: one if possible, else as few as possible."""
    single = unique_column(plan, rows.count)
    if single is not None:
        return (single,)
    day = tuple(plan.times.parts[part] for part in ("year", "month", "day") if part in plan.times.parts)
    if plan.times.span is not None:
        day = plan.times.span[0].columns
    if plan.times.day is not None:
        day = plan.times.day.columns
    names = [
        p.name for p in plan.profiles.values()
        if (p.kind == "text" or p.whole) and p.name not in {*day, *_no_key(plan)} and p.filled == rows.count and p.distinct > 1 and not p.missing
    ]  # fmt: skip
    names.sort(key=lambda name: (-bool(IDS.search(name)), -plan.profiles[name].distinct))
    sizes = (0, 1, 2, 3) if plan.times.span is not None else (1, 2, 3)
    untimed = [name for name in names if name not in plan.times.columns]
    # A key without times, if there is one: a time may be corrected later.
    for size, among in [(size, among) for among in (untimed, names) for size in sizes]:
        for extra in itertools.islice(itertools.combinations(among[:8], size), 60):
            if distinct([*day, *extra], rows) == rows.count:
                # Only a sample proves that the key is unique, so the origin is added: a longer key can't merge two events.
                more = [
                    name for name in names if re.fullmatch(_FROM, name.strip(), re.IGNORECASE) and name not in extra
                ]
                return (*day, *sorted((*extra, *more), key=list(plan.profiles).index))
    return ()


def _no_key(plan: TablePlan) -> set[str]:
    """Return the columns of times that are no part of a key: clock times, and what can't be read."""
    times = (*plan.times.unread, *(plan.times.span or ()))
    columns = {name for time in times for name in time.columns}
    return columns | {clock.column for clock in plan.times.clocks} | set(plan.times.unused)
