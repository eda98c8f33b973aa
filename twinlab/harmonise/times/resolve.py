"""Apply the time rule of a mapping to the columns of a frame: instants in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from twinlab.harmonise.cells import Rows
from twinlab.harmonise.claims import NAT, Bools, Context, Ints
from twinlab.harmonise.times.days import fixed_day
from twinlab.harmonise.times.folds import Groups, localise
from twinlab.harmonise.times.formats import (
    DAY_NS,
    clock_from_format,
    from_format,
    from_parts,
    parse_clock,
    parse_iso,
)
from twinlab.harmonise.times.row_zones import row_zones
from twinlab.harmonise.times.zones import MISSING, TWICE, Zones
from twinlab.model.mapping import TimeRule
from twinlab.model.twinmodel import parse_duration
from twinlab.model.units import conversion

__all__ = ["resolve_times", "rule_columns", "zone_columns"]

# Avoids loading the unit registry for the usual units of delays.
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_REFUSED = (
    ("ambiguous", "this wall time occurs twice in {}; state `ambiguous:` as earlier, later or order"),
    ("nonexistent", "this wall time never occurs in {}; state `nonexistent: shift_forward` or correct the source"),
)


def rule_columns(rule: TimeRule | None) -> tuple[str, ...]:
    """Return the columns that a time rule reads.

    >>> rule_columns(TimeRule(column="when", zone="UTC"))
    ('when',)
    """
    if rule is None:
        return ()
    named = [rule.column, rule.clock, rule.date_column, rule.elapsed, rule.plus, *zone_columns(rule)]
    date = rule.date if isinstance(rule.date, dict) else {}
    return tuple(dict.fromkeys([*(n for n in named if n), *(rule.parts or {}).values(), *date.values()]))


def zone_columns(rule: TimeRule) -> tuple[str, ...]:
    """Return the columns that state the zone of a row: none or one.

    >>> zone_columns(TimeRule(column="when", zone_column="tz_cd"))
    ('tz_cd',)
    """
    column = rule.zone_of.column if rule.zone_of is not None else rule.zone_column
    return () if column is None else (column,)


def resolve_times(
    rule: TimeRule,
    rows: Rows,
    context: Context,
    *,
    others: Mapping[str, Ints] | None = None,
    groups: Groups | None = None,
) -> Ints:
    """Return the instants of all rows, int64[n] ns UTC; NAT where a row has none or it can't be determined.

    Parameters
    ----------
    rule : TimeRule
        How the columns are combined into an instant.
    rows : Rows
        The frame; times that can't be determined are added to its findings.
    context : Context
        Properties for ``zone_of``; the state of ``ambiguous: order``, which is updated.
    others : mapping of str to int64[n], optional
        Times of the same events that are already resolved, for ``after`` and ``near``.
    groups : Groups, optional
        The clock of each row, for ``ambiguous: order``; one clock for all rows by default.
    """
    zones = row_zones(rule, rows, context)
    if rule.clock is not None and (rule.after or rule.near):
        utc = _near_other_time(rule, rows, zones, others or {})
    elif rule.elapsed is not None:
        utc = _elapsed(rule, rows, context, zones)
    else:
        wall, fixed = _local_times(rule, rows)
        utc = _to_utc(rule, rows, context, zones, wall=wall, fixed=fixed, groups=groups)
    if rule.shift is not None:
        utc = np.where(utc == NAT, NAT, utc + rule.shift_sign * parse_duration(rule.shift))
    return utc


def _local_times(rule: TimeRule, rows: Rows) -> tuple[Ints, Bools]:
    """Return times on the source's clock, and a mask of those that are UTC already."""
    none = np.zeros(rows.count, dtype=bool)
    if rule.parts is not None and (rule.date is not None or rule.date_pattern is not None):
        day = fixed_day(rule, rows)
        return _on_day(day, _clock_parts({str(part): name for part, name in rule.parts.items()}, rule, rows)), none
    if rule.parts is not None:
        return _from_columns({str(part): name for part, name in rule.parts.items()}, rule, rows), none
    if rule.column is not None:
        return _from_column(rule.column, rule, rows)
    clock = _clock(rule, rows)
    if rule.date_column is not None:
        day, _ = _from_column(rule.date_column, rule, rows)
        day = np.where(day == NAT, NAT, day - day % DAY_NS)
    elif isinstance(rule.date, dict):
        day = _from_columns({str(part): name for part, name in rule.date.items()}, rule, rows)
    else:
        day = fixed_day(rule, rows)
    return _on_day(day, clock), none


def _on_day(day: Ints, clock: Ints) -> Ints:
    good = (clock != NAT) & (day != NAT)
    return np.where(good, np.where(good, day, 0) + np.where(good, clock, 0), NAT)


def _clock_parts(parts: dict[str, str], rule: TimeRule, rows: Rows) -> Ints:
    """Return columns of hour, minute and second as ns since midnight."""
    day = {"year": np.full(rows.count, 1970.0), "month": np.ones(rows.count), "day": np.ones(rows.count)}
    columns = tuple(parts.values())
    clock = from_parts({**day, **{part: rows.without_codes(name, rule.missing).number for part, name in parts.items()}})
    bad = (clock == NAT) & ~_empty(rows, rule, columns)
    if bad.any():
        reason = "these columns (" + ", ".join(columns) + ") are no valid clock time"
        rows.findings.problem_rows(bad, column=columns[0], texts=rows.joined(columns), reason=reason)
    return clock


def _clock(rule: TimeRule, rows: Rows) -> Ints:
    column = rule.clock or ""
    cells = rows.without_codes(column, rule.missing)
    forms = [rule.clock_format] if isinstance(rule.clock_format, str) else rule.clock_format or []
    clock = np.full(rows.count, NAT) if forms else parse_clock(cells)
    for form in forms:
        left = (clock == NAT) & ~cells.empty
        if left.any():
            clock = np.where(left, clock_from_format(cells, lambda: rows.texts(column), form), clock)
    bad = (clock == NAT) & ~cells.empty
    if bad.any():
        known = " or ".join(map(repr, forms))
        reason = f"expected a clock time as {known}" if forms else "expected a clock time such as 517, 0517 or 05:17"
        rows.findings.problem_rows(bad, column=column, texts=rows.texts(column), reason=reason)
    return clock


def _elapsed(rule: TimeRule, rows: Rows, context: Context, zones: Zones | None) -> Ints:
    """Return the instants of a column that counts from a start; the start alone is read on the source's clock."""
    column = rule.elapsed or ""
    cells = rows.without_codes(column, rule.missing)
    if rule.since is not None:
        since, aware = parse_iso(rule.since)
        start, fixed = np.full(rows.count, since), np.full(rows.count, aware)
    else:
        start, fixed = fixed_day(rule, rows), np.zeros(rows.count, dtype=bool)
    utc = _to_utc(rule, rows, context, zones, wall=start, fixed=fixed, groups=None)
    count, step = cells.number, parse_duration(rule.step)
    with np.errstate(invalid="ignore"):
        whole = np.floor(count)
        good = np.isfinite(count) & (np.abs(count) * step < 2.0**62)
    bad = ~good & ~cells.empty
    if bad.any():
        reason = f"expected a number of steps of {rule.step} since the start"
        rows.findings.problem_rows(bad, column=column, texts=rows.texts(column), reason=reason)
    # The whole part is multiplied as an integer, so that long series stay exact.
    fraction = np.rint(np.where(good, count - np.where(good, whole, 0), 0.0) * step).astype(np.int64)
    passed = np.where(good, whole, 0).astype(np.int64) * step + fraction
    good &= utc != NAT
    return np.where(good, np.where(good, utc, 0) + passed, NAT)


def _from_columns(parts: Mapping[str, str], rule: TimeRule, rows: Rows) -> Ints:
    columns = tuple(parts.values())
    wall = from_parts({part: rows.without_codes(column, rule.missing).number for part, column in parts.items()})
    bad = (wall == NAT) & ~_empty(rows, rule, columns)
    if bad.any():
        reason = "these columns (" + ", ".join(columns) + ") are no valid date between 1678 and 2261"
        rows.findings.problem_rows(bad, column=columns[0], texts=rows.joined(columns), reason=reason)
    return wall


def _empty(rows: Rows, rule: TimeRule, columns: tuple[str, ...]) -> Bools:
    empty = np.ones(rows.count, dtype=bool)
    for column in columns:
        empty &= rows.without_codes(column, rule.missing).empty
    return empty


def _from_column(column: str, rule: TimeRule, rows: Rows) -> tuple[Ints, Bools]:
    cells, array = rows.without_codes(column, rule.missing), rows.array(column)
    formats = [rule.format] if isinstance(rule.format, str) else rule.format
    empty = cells.empty
    aware = pa.types.is_timestamp(array.type) and array.type.tz is not None
    wall = np.full(rows.count, NAT) if cells.time is None else cells.time
    fixed = np.full(rows.count, aware, dtype=bool) & (wall != NAT)
    for form in formats:
        left = (wall == NAT) & ~empty
        if not left.any():
            break
        times, utc = from_format(cells, lambda: rows.texts(column), form, column=array)
        wall, fixed = np.where(left, times, wall), np.where(left, utc, fixed)
    bad = (wall == NAT) & ~empty
    if bad.any():
        hint = _format_hint(bad, cells.number, formats)
        reason = f"expected a time as {' or '.join(map(repr, formats))}{hint}"
        rows.findings.problem_rows(bad, column=column, texts=rows.texts(column), reason=reason)
    return wall, fixed


def _format_hint(bad: Bools, numbers: np.ndarray, formats: list[str]) -> str:
    written = numbers[bad]
    if "iso" not in formats or np.isnan(written).all():
        return ""
    return "; these are numbers: if they are Excel's dates, state format: excel1900, if seconds since 1970, epoch_s"


def _to_utc(
    rule: TimeRule,
    rows: Rows,
    context: Context,
    zones: Zones | None,
    *,
    wall: Ints,
    fixed: Bools,
    groups: Groups | None,
) -> Ints:
    local = np.where(fixed, NAT, wall)
    columns = list(rule_columns(rule))
    if rule.zone_column is not None:
        nowhere = (local != NAT) & rows.cells(rule.zone_column).empty
        reason = "the row states no zone, so its time is unknown"
        rows.findings.problem_rows(nowhere, column=rule.zone_column, texts=rows.joined(columns), reason=reason)
    if zones is None:
        bare = local != NAT
        if bare.any():
            reason = "expected an offset (Z or +02:00) in the value, because the mapping has `zone: offset`; add the offset or state the clock's zone"
            rows.findings.problem_rows(bare, column=columns[0], texts=rows.joined(columns), reason=reason)
        return np.where(fixed, wall, NAT)
    if zones.names == ("UTC",) and zones.codes is None:
        return wall
    found = zones.lookup(local)
    known = found.earlier != NAT
    local = np.where(known, local, NAT)
    groups = groups or Groups(np.zeros(rows.count, dtype=np.int64), ("",))
    utc, *refused = localise(
        local,
        found,
        ambiguous=rule.ambiguous,
        nonexistent=rule.nonexistent,
        groups=replace(groups, rank=rows.ordinals),
        carry=context.carry,
        carry_key=(rows.table, *columns),
    )
    for mask, (_, reason) in zip(refused, _REFUSED, strict=True):
        if mask.any():
            name = zones.name_of(int(np.flatnonzero(mask)[0]))
            rows.findings.problem_rows(mask, column=columns[0], texts=rows.joined(columns), reason=reason.format(name))
    return np.where(fixed, wall, np.where(known, utc, NAT))


def _near_other_time(rule: TimeRule, rows: Rows, zones: Zones | None, others: Mapping[str, Ints]) -> Ints:
    """Resolve a clock time to the first instant after, or the nearest to, another time of the same event.

    In a repeated hour both instants are candidates, so the other time decides between them too.
    """
    clock = _clock(rule, rows)
    anchor = others.get(rule.after or rule.near or "", np.full(rows.count, NAT))
    target = anchor if rule.plus is None else _plus(rule, rows, anchor, wanted=clock != NAT)
    usable = (clock != NAT) & (target != NAT)
    zones = zones or Zones(["UTC"])
    here = zones.to_local(np.where(usable, target, NAT))
    usable &= here != NAT
    midnight = np.where(usable, here - here % DAY_NS, 0)
    time_of_day = np.where(usable, clock % DAY_NS, 0)
    best, cost = np.full(rows.count, NAT), np.full(rows.count, np.iinfo(np.int64).max)
    never = np.zeros(rows.count, dtype=bool)
    for days in (0, 1) if rule.after else (-1, 0, 1):
        found = zones.lookup(np.where(usable, midnight + days * DAY_NS + time_of_day, NAT))
        for candidate, valid in ((found.earlier, usable), (found.later, usable & (found.kind == TWICE))):
            away = np.where(valid, candidate - np.where(usable, target, 0), 0)
            better = valid & (np.abs(away) < cost) & ((away >= 0) | (rule.after is None))
            best, cost = np.where(better, candidate, best), np.where(better, np.abs(away), cost)
            never = np.where(better, found.kind == MISSING, never)
    if rule.nonexistent == "shift_forward" or not never.any():
        return best
    reason = _REFUSED[1][1].format(zones.name_of(int(np.flatnonzero(never)[0])))
    rows.findings.problem_rows(never, column=rule.clock, texts=rows.texts(rule.clock or ""), reason=reason)
    return np.where(never, NAT, best)


def _plus(rule: TimeRule, rows: Rows, anchor: Ints, *, wanted: Bools) -> Ints:
    cells = rows.without_codes(rule.plus or "", rule.missing)
    scale = _SECONDS.get(rule.plus_unit) or conversion(rule.plus_unit, "s").scale
    seconds = cells.number * scale
    none = ~np.isfinite(seconds)
    rows.findings.problem_rows(
        none & wanted & (anchor != NAT),
        column=rule.plus,
        texts=rows.texts(rule.plus or ""),
        reason=f"{rule.plus!r} has no number, so the day of the clock time in {rule.clock!r} can't be determined",
    )
    with np.errstate(invalid="ignore"):
        step = np.where(none, 0, np.rint(seconds * 1e9)).astype(np.int64)
    return np.where(none | (anchor == NAT), NAT, anchor + step)
