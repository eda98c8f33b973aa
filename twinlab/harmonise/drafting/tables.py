"""Recognise what a table has: signals over time, events with a start and an end, or a list of assets."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.claims import NAT, Ints
from twinlab.harmonise.drafting.profiles import Profile, name_of, profiles_of
from twinlab.harmonise.drafting.samples import TAG, VALUE, Sample
from twinlab.harmonise.drafting.scans import scan_log
from twinlab.harmonise.drafting.times.columns import CLOCK_NAME, TimeColumn
from twinlab.harmonise.drafting.times.find import Times, times_of
from twinlab.harmonise.drafting.times.roles import clock_roles, duration_column, time_roles
from twinlab.harmonise.drafting.times.zones import StatedZone

__all__ = ["TablePlan", "cadence_of", "plan_table", "type_of"]

_IDS = re.compile(
    r"station|room|raum|device|sensor|logger|truck|asset|site|machine|fridge|tank|pump|line|zone|meter|vehicle|tail|trailer|lkw|fahrzeug|plate|origin|location|(^|[_\s])id$|^id|name|serial|code",
    re.IGNORECASE,
)
_MOVERS = re.compile(
    r"truck|vehicle|tail|trailer|lkw|fahrzeug|plate|machine|asset|device|vessel|aircraft|(^|[_\s])(car|van|ship)($|[_\s\d])",
    re.IGNORECASE,
)
_FAMILY = re.compile(
    r"room|raum|zone|line|tank|fridge|freezer|truck|pump|unit|station|machine|halle|hall|bay|cell|chamber|kühl|cold",
    re.IGNORECASE,
)
_CADENCES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400)
_FROM = r"from|orig\w*|von|source|ship from"
#: Minimal share of distinct ids in a list of assets.
_MIN_UNIQUE_SHARE = 0.99
#: Minimal share of rows at an instant of other rows, in a table of events.
_MIN_SHARED = 0.6


@dataclass
class TablePlan:
    """One table of a file, and the recognised content."""

    sample: Sample
    profiles: Mapping[str, Profile]
    times: Times
    # "signals", "long", "events", "assets" or "nothing".
    content: str = "nothing"
    time: TimeColumn | None = None
    # Column with the asset's id, or None: one asset for the whole file.
    asset_column: str | None = None
    # Columns of a family, one asset each: column -> (pattern, id in the column's name).
    family: dict[str, tuple[str, str]] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    # Columns of the key that are properties, too.
    also: tuple[str, ...] = ()
    # Role of an event's time ("planned_start", ...) -> column.
    roles: dict[str, TimeColumn | str] = field(default_factory=dict)
    # Column of an event's duration, where the table has no end.
    duration: str | None = None
    # Times of an event without a role: properties.
    other_times: tuple[TimeColumn, ...] = ()
    links: dict[str, str] = field(default_factory=dict)
    # Long tables: tag and value columns.
    tag: str | None = None
    value: str | None = None
    evidence: list[str] = field(default_factory=list)

    @property
    def known_columns(self) -> set[str]:
        """Columns that are no values: those of times, and those that the file's header explains."""
        return {*self.times.columns, *self.sample.facts, *self.sample.ignored}

    @property
    def rows(self) -> Rows:
        """The sample's rows."""
        return Rows(self.sample)


def plan_table(sample: Sample, *, zone: StatedZone | None = None) -> TablePlan:
    """Return the recognised content of a table, with the evidence; ``zone`` is the one stated above the table."""
    profiles = profiles_of(sample)
    rows = Rows(sample)
    plan = TablePlan(
        sample,
        profiles,
        times_of({name: one for name, one in profiles.items() if name not in sample.facts}, rows, zone=zone),
    )
    many = [time for time in plan.times.instants if "parts" not in time.rule]
    several = len(many) >= 2 or len(plan.times.clocks) >= 2 or plan.times.span is not None
    if len(many) == 1 and not plan.times.clocks and _unique_column(plan, sample.rows, named=True) is not None:
        plan.duration = duration_column(profiles, taken=plan.times.columns)
        several = several or plan.duration is not None
    if several and _as_events(plan, many, rows):
        return plan
    plan.duration = None
    times = plan.times.instants
    if not times and plan.times.unread and _unique_column(plan, sample.rows, ids=True) is None:
        # Without its times the table means nothing, so the column is drafted as the time, with a question.
        times = plan.times.unread
    if times:
        if plan.times.instants and _as_scans(plan, rows):
            return plan
        plan.time = times[0]
        plan.content = "signals"
        _find_tags(plan)
        plan.asset_column = _asset_column(plan, rows, plan.time.wall) or next(iter(sample.facts), None)
        if plan.content == "signals" and plan.asset_column is None:
            if plan.times.instants and _as_moments(plan, rows):
                return plan
            _find_family(plan)
        return plan
    unique = _unique_column(plan, sample.rows, share=_MIN_UNIQUE_SHARE)
    if unique is not None:
        plan.content, plan.key = "assets", (unique,)
        distinct = profiles[unique].distinct
        uniqueness = (
            f"is different in all {sample.rows} rows"
            if distinct == sample.rows
            else f"has {distinct} values in {sample.rows} rows (the last row of an id counts)"
        )
        plan.evidence.append(f"no column of times; {unique!r} {uniqueness}: a list of assets")
    return plan


def _unique_column(
    plan: TablePlan, count: int, *, share: float = 1.0, ids: bool = False, named: bool = False
) -> str | None:
    """Return a column that is different in every row: with ``named`` one that is named as an id, with ``ids`` of texts."""
    candidates = [p for p in plan.profiles.values() if p.kind == "text" or (p.kind == "number" and p.whole)]
    unique = [
        p for p in candidates if p.filled == count and p.distinct >= share * count and not p.missing and not p.odd
    ]
    unique = [p for p in unique if p.name not in plan.times.columns]
    unique = [p for p in unique if not (ids or named) or _IDS.search(p.name)]
    unique = [p for p in unique if not ids or p.kind == "text"]
    ranked = sorted(
        unique, key=lambda p: (p.kind != "text" and not _IDS.search(p.name), list(plan.profiles).index(p.name))
    )
    return ranked[0].name if ranked else None


def _as_events(plan: TablePlan, many: Sequence[TimeColumn], rows: Rows) -> bool:
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


def _as_scans(plan: TablePlan, rows: Rows) -> bool:
    """Plan a scan log as events of the id's asset, with a link to the place."""
    log = scan_log(plan.profiles, rows, times=plan.times.columns)
    time = plan.times.instants[0]
    if log is None or "parts" in time.rule:
        return False
    # Only a sample proves a key unique, so the time is part of it: a longer key can't merge two events.
    key = tuple(name for name in (log.thing, log.activity, *time.columns) if name is not None)
    key = key if _distinct(key, rows) == rows.count else (*key, *([log.place] if log.place else []))
    if _distinct(key, rows) < _MIN_UNIQUE_SHARE * rows.count:
        return False
    plan.also = (log.activity,) if log.activity else ()
    plan.content, plan.key, plan.asset_column = "events", key, log.thing
    plan.roles = {"start": time, "end": time}
    plan.links = {"place": log.place} if log.place else {}
    plan.evidence.append(f"few rows for each {log.thing!r}, with {log.activity!r} and no measured values: a scan log")
    return True


def _as_moments(plan: TablePlan, rows: Rows) -> bool:
    """Plan a table as events if most rows share their instant with others and a key identifies each row."""
    time = plan.times.instants[0]
    known = time.wall[time.wall != NAT]
    counts = np.unique(known, return_counts=True)[1]
    if not len(known) or counts[counts > 1].sum() < _MIN_SHARED * len(known) or "parts" in time.rule:
        return False
    key = _key(plan, rows)
    if not set(key) - set(plan.times.columns):
        _best_asset(plan, rows, time.wall)
        return False
    plan.content, plan.key, plan.time, plan.roles = "events", key, None, {"start": time, "end": time}
    plan.evidence.append(f"most rows share their instant with others; {' + '.join(key)} identifies each row: events")
    return True


def _best_asset(plan: TablePlan, rows: Rows, wall: Ints) -> None:
    """Choose the column of ids that leaves the fewest rows at one instant, if it leaves clearly fewer than no column."""
    instants = len(np.unique(wall))
    found = [
        (np.unique(np.stack([encode(rows.texts(name))[0], wall]), axis=1).shape[1], name)
        for name, p in plan.profiles.items()
        if p.kind == "text" and p.filled == rows.count and _IDS.search(name) and name not in plan.times.columns
    ]
    best, name = max(found, default=(0, ""))
    if name and (best > 1.2 * instants or plan.profiles[name].distinct == 1):
        plan.asset_column = name
        plan.evidence.append(f"{len(wall) - best} rows share their instant with another row of the same {name!r}")


def _key(plan: TablePlan, rows: Rows) -> tuple[str, ...]:
    """Return columns that together identify every row of the sample: one if possible, else as few as possible."""
    single = _unique_column(plan, rows.count)
    if single is not None:
        return (single,)
    day = tuple(plan.times.parts[part] for part in ("year", "month", "day") if part in plan.times.parts)
    if plan.times.span is not None:
        day = plan.times.span[0].columns
    names = [
        p.name for p in plan.profiles.values()
        if (p.kind == "text" or p.whole) and p.name not in {*day, *_no_key(plan)} and p.filled == rows.count and p.distinct > 1 and not p.missing
    ]  # fmt: skip
    names.sort(key=lambda name: (-bool(_IDS.search(name)), -plan.profiles[name].distinct))
    sizes = (0, 1, 2, 3) if plan.times.span is not None else (1, 2, 3)
    untimed = [name for name in names if name not in plan.times.columns]
    # A key without times, if there is one: a time may be corrected later.
    for size, among in [(size, among) for among in (untimed, names) for size in sizes]:
        for extra in itertools.islice(itertools.combinations(among[:8], size), 60):
            if _distinct([*day, *extra], rows) == rows.count:
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


def _distinct(names: Sequence[str], rows: Rows) -> int:
    codes = np.zeros(rows.count, dtype=np.int64)
    for name in names:
        each, terms = encode(rows.texts(name))
        codes = np.unique(codes * (len(terms) + 1) + each, return_inverse=True)[1]
    return int(codes.max()) + 1 if len(codes) else 0


def _find_tags(plan: TablePlan) -> None:
    tags = [p for p in plan.profiles.values() if p.kind == "text" and TAG.fullmatch(p.name.strip())]
    values = [p for p in plan.profiles.values() if p.kind == "number" and VALUE.fullmatch(p.name.strip())]
    if len(tags) == 1 and len(values) == 1:
        plan.content, plan.tag, plan.value = "long", tags[0].name, values[0].name
        plan.evidence.append(f"a tag ({plan.tag!r}) and a value ({plan.value!r}) a row: {tags[0].distinct} tags")


def _asset_column(plan: TablePlan, rows: Rows, wall: Ints) -> str | None:
    used = {*plan.times.columns, plan.tag, plan.value}
    known = wall[wall != NAT]
    repeated = len(np.unique(known)) < len(known)
    for name, profile in plan.profiles.items():
        few = profile.kind == "text" or (profile.whole and _IDS.search(name))
        if CLOCK_NAME.fullmatch(name.strip()):
            # A clock in a spelling that isn't known is no asset.
            continue
        if name in used or not few or profile.filled < rows.count or profile.distinct > max(2, rows.count // 2):
            continue
        if not repeated:
            if profile.distinct == 1 and _IDS.search(name):
                plan.evidence.append(f"column {name!r} has one id, {profile.terms[0]!r}")
                return name
            continue
        codes, terms = encode(rows.texts(name))
        if plan.tag is not None:
            tags, names = encode(rows.texts(plan.tag))
            codes = codes * (len(names) + 1) + tags
        pairs = np.unique(np.stack([codes, wall]), axis=1).shape[1]
        if (
            pairs >= 0.98 * len(wall)
            and (profile.distinct > 1 or plan.tag is not None)
            and (plan.tag is None or _IDS.search(name))
        ):
            plan.evidence.append(
                f"times repeat, but not within one {name!r} ({len(terms)} of them): it identifies the asset"
            )
            return name
    return None


def _find_family(plan: TablePlan) -> None:
    """Find headers such as "Room 1 temp", "Room 2 temp", in which the number identifies the asset."""
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, profile in plan.profiles.items():
        match = re.match(r"^(\D*?)(\d+)(\D*)$", name)
        if match and profile.kind in {"number", "text", "bool"} and _FAMILY.search(match[1]):
            groups.setdefault((match[1], match[3]), []).append((name, match[2]))
    prefixes = {prefix for (prefix, _), members in groups.items() if len(members) >= 2}
    for (prefix, suffix), members in groups.items():
        if prefix not in prefixes:
            continue
        pattern = f"/^{re.escape(prefix)}(?P<id>\\d+){re.escape(suffix)}$/".replace("\\ ", " ")
        plan.family |= {name: (pattern, text) for name, text in members}
        plan.evidence.append(
            f"columns {', '.join(repr(name) for name, _ in members[:3])} … differ by a number: one asset each"
        )


def cadence_of(wall: Ints, groups: Ints | None = None) -> tuple[str, float | None]:
    """Return the largest usual cadence up to the median step between rows, and this step in seconds.

    >>> cadence_of(np.arange(4) * 601 * 10**9)
    ('10min', 601.0)
    """
    known = wall != NAT
    order = np.lexsort((wall[known], groups[known])) if groups is not None else np.argsort(wall[known], kind="stable")
    times = wall[known][order]
    steps = np.diff(times)
    if groups is not None:
        steps = steps[np.diff(groups[known][order]) == 0]
    steps = steps[steps > 0]
    if not len(steps):
        return "1min", None
    step = float(np.median(steps)) / 1e9
    fitting = [seconds for seconds in _CADENCES if seconds <= step * 1.01]
    seconds = fitting[-1] if fitting else 1
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}", step
    return f"{seconds}s", step


def type_of(text: str) -> str:
    """Return the name of an asset type for a column, a table or a file: without numbers, singular.

    >>> type_of("fridge_7"), type_of("Stations")
    ('fridge', 'station')
    """
    words = [word for word in name_of(text, fallback="asset").split("_") if not word.isdigit()]
    name = "_".join(words) or "asset"
    name = name.removesuffix("_id").removesuffix("_name").removesuffix("_code").removesuffix("_no")
    name = name.removesuffix("s") if len(name) > 3 and not name.endswith(("ss", "series")) else name
    return (
        "asset"
        if name in {"data", "log", "export", "id", "name", "sheet", "table", "file", "id_number", "serial"}
        else name
    )
