"""Rows of tables as claims of signals: wide tables (one column per signal) and long tables (tag and value per row)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from twinlab.errors import UnitError
from twinlab.harmonise.cells import Cells, Rows, encode
from twinlab.harmonise.claims import NAT, Bools, Claims, Context, Ints, Series
from twinlab.harmonise.tables.row_assets import RowAssets, row_assets
from twinlab.harmonise.tables.statuses import RowStatus, status_of_rows
from twinlab.harmonise.tags import Meaning, TagTable
from twinlab.harmonise.times.clocks import corrected_times
from twinlab.harmonise.times.folds import Groups
from twinlab.harmonise.times.resolve import resolve_times, rule_columns, zone_columns
from twinlab.harmonise.values import convert_cells, reason
from twinlab.model.mapping import TableRule
from twinlab.model.schema import OBSERVE

__all__ = ["long_claims", "wide_claims"]


def wide_claims(
    rule: TableRule, rows: Rows, context: Context, table: TagTable, *, units: Mapping[str, str]
) -> list[Claims]:
    """Return the claims of a table with one column per signal; one `Claims` per column and rule."""
    columns = [name for name in rows.names if table.meanings(name)]
    if rule.time is None or not columns:
        return []
    assets = row_assets(rule.asset, rows)
    read = resolve_times(rule.time, rows, context, groups=_clock_groups(assets))
    _report_missing_times(rule, rows, read, columns)
    of_rows = corrected_times(rule.clocks, read, assets.names, assets.codes)
    parts = []
    for name in columns:
        left = read != NAT
        for meaning in table.meanings(name):
            times = of_rows if meaning.asset is None else _times_of(meaning.asset, rule, read)
            now = left if meaning.always else left & _fitting(meaning, times, assets.codes, assets.names)
            # A rule for all rows is beside those that follow: they are of other signals.
            left = left if meaning.always else left & ~now
            for unit, here in _units_of_rows(rule, rows, now, meaning):
                stated = units.get(name) if unit is None else unit
                status = status_of_rows(rule, meaning, rows)
                parts.append(
                    _column_claims(name, meaning, rows, assets, status=status, times=times, now=here, unit=stated)
                )
    return [part for part in parts if len(part)]


def _fitting(meaning: Meaning, times: Ints, codes: Ints, names: Sequence[str]) -> Bools:
    """Return the rows at whose time, and for whose asset (its place among the names), a rule is valid."""
    fits = (times >= meaning.start) & (times < meaning.stop)
    if meaning.rule.assets is not None:
        # The last place is that of rows without an asset.
        fits &= np.array([*map(meaning.covers, names), False])[codes]
    return fits


def _times_of(asset: str, rule: TableRule, read: Ints) -> Ints:
    """Return the times of rows by the clock of one asset that a rule of the mapping names."""
    if not rule.clocks:
        return read
    return corrected_times(rule.clocks, read, [asset], np.zeros(len(read), dtype=np.int64))


def _units_of_rows(rule: TableRule, rows: Rows, now: Bools, meaning: Meaning) -> list[tuple[str | None, Bools]]:
    """Return the rows of each unit that the table's unit column states, of the rows ``now``."""
    parts = _by_unit(rule, rows, np.flatnonzero(now), meaning) if now.any() else []
    if len(parts) == 1:
        return [(parts[0][0], now)]
    found = []
    for unit, at in parts:
        here = np.zeros(rows.count, dtype=bool)
        here[at] = True
        found.append((unit, here))
    return found


def _clock_groups(assets: RowAssets) -> Groups:
    return Groups(np.where(assets.codes < 0, len(assets.names), assets.codes), (*assets.names, ""))


def _report_missing_times(rule: TableRule, rows: Rows, times: Ints, columns: Sequence[str]) -> None:
    if rule.time is None or not (times == NAT).any():
        return
    named = [name for name in rule_columns(rule.time) if name not in zone_columns(rule.time)]
    untimed = times == NAT
    for name in named:
        untimed &= rows.without_codes(name, rule.time.missing).empty
    filled = np.zeros(rows.count, dtype=bool)
    for name in columns:
        filled |= ~rows.cells(name).empty
    rows.findings.problem_rows(untimed & filled, column=named[0], texts=None, reason="the row has values but no time")


def _column_claims(
    name: str,
    meaning: Meaning,
    rows: Rows,
    assets: RowAssets,
    *,
    status: RowStatus,
    times: Ints,
    now: Bools,
    unit: str | None,
) -> Claims:
    cells = rows.cells(name)
    try:
        converted = convert_cells(cells, meaning, unit=unit)
    except UnitError as error:
        rows.findings.unknown_term(f"unit {unit!r}", int(now.sum()), f"column {name!r}: {error}")
        return Claims.empty()
    gone = status.gone(rows.count)
    rows.findings.missing += int(((converted.missing | gone) & now).sum())
    bad = converted.bad & now & ~gone
    if bad.any():
        rows.findings.problem_rows(bad, column=name, texts=rows.texts(name), reason=lambda text: reason(meaning, text))
    good = now & ~np.isnan(converted.value) & ~gone
    if meaning.asset is None:
        nameless = good & (assets.codes < 0)
        if nameless.any():
            rows.findings.problem_rows(nameless, column=name, texts=rows.texts(name), reason="the row names no asset")
        good &= assets.codes >= 0
        names, codes = assets.names, assets.codes
    else:
        names, codes = (meaning.asset,), np.zeros(rows.count, dtype=np.int64)
    at = np.flatnonzero(good)
    code = codes[at].astype(np.int32)
    return make_claims(
        series=_series(meaning.asset_type, tuple(names), meaning.name),
        code=code,
        times=times[at],
        value=converted.value[at],
        rows=rows,
        at=at,
        tags=_tags(name, meaning.asset_type, tuple(names)),
        tag=code,
        priority=meaning.rule.priority,
        flag=status.of(at),
    )


@lru_cache(maxsize=64)
def _series(asset_type: str, assets: tuple[str, ...], signal: str) -> tuple[Series, ...]:
    """Return one signal of some assets; the same object for all frames with the same assets."""
    return tuple(Series(asset_type, asset, signal) for asset in assets)


@lru_cache(maxsize=64)
def _tags(column: str, asset_type: str, assets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{column}@{asset_type}/{asset}" for asset in assets)


def make_claims(
    *,
    series: tuple[Series, ...],
    code: npt.NDArray[np.int32],
    times: Ints,
    value: npt.NDArray[np.float64],
    rows: Rows,
    at: Ints,
    tags: tuple[str, ...],
    tag: npt.NDArray[np.int32],
    priority: int,
    flag: npt.NDArray[np.uint8] | None = None,
) -> Claims:
    """Return claims of the rows at positions ``at``; constant columns are broadcast, not copied."""
    count = len(at)
    return Claims(
        series=series,
        code=code,
        event_time=times,
        value=value,
        epoch=np.broadcast_to(np.int64(0), count),
        sequence=np.broadcast_to(np.int64(-1), count),
        ordinal=rows.ordinals[at],
        op=np.broadcast_to(np.int8(OBSERVE), count) if rows.retracts is None else rows.retracts[at].astype(np.int8),
        tag=tag,
        tags=tags,
        key=None if rows.keys is None else rows.keys[at],
        priority=np.broadcast_to(np.int16(priority), count),
        row_number=None if rows.row_numbers is None else rows.row_numbers[at],
        flag=flag,
    )


def long_claims(rule: TableRule, rows: Rows, context: Context, table: TagTable) -> list[Claims]:
    """Return the claims of a table with a tag and a value per row; one `Claims` per tag and rule."""
    if rule.time is None or rule.tag is None or rule.value is None:
        return []
    codes, terms = encode(rows.texts(rule.tag))
    assets = row_assets(rule.asset, rows)
    width = len(assets.names) + 1
    clocks = np.where(codes < 0, len(terms), codes) * width + np.where(assets.codes < 0, width - 1, assets.codes)
    present, groups = np.unique(clocks, return_inverse=True)
    of_tags, of_assets = [*terms, ""], [*assets.names, ""]
    names = [f"{of_tags[code // width]}@{of_assets[code % width]}" for code in present.tolist()]
    read = resolve_times(rule.time, rows, context, groups=Groups(groups.astype(np.int64), names))
    _report_missing_times(rule, rows, read, [rule.value])
    of_rows = corrected_times(rule.clocks, read, assets.names, assets.codes)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(terms) + 1))
    parts: list[Claims] = []
    for position, term in enumerate(terms):
        at = order[starts[position] : starts[position + 1]]
        if term in rule.ignore:
            continue
        if not table.meanings(term):
            rows.findings.unknown_term(f"tag {term!r}", len(at), table.message(term))
            continue
        parts += _tag_claims(term, at, rule, rows, assets, read=read, of_rows=of_rows, meanings=table.meanings(term))
    nameless = (codes < 0) & ~rows.cells(rule.value).empty
    rows.findings.problem_rows(nameless, column=rule.tag, texts=None, reason="the row has a value but no tag")
    return [part for part in parts if len(part)]


def _tag_claims(
    term: str,
    at: Ints,
    rule: TableRule,
    rows: Rows,
    assets: RowAssets,
    *,
    read: Ints,
    of_rows: Ints,
    meanings: tuple[Meaning, ...],
) -> list[Claims]:
    parts = []
    left = at[read[at] != NAT]
    for meaning in meanings:
        times = of_rows if meaning.asset is None else _times_of(meaning.asset, rule, read)
        # Of the rows of this tag alone: there may be thousands of tags.
        now = _fitting(meaning, times[left], assets.codes[left], assets.names)
        here, left = left[now], left if meaning.always else left[~now]
        for unit, rows_of_unit in _by_unit(rule, rows, here, meaning):
            parts.append(
                _long_part(term, meaning, rows_of_unit, rule=rule, rows=rows, assets=assets, times=times, unit=unit)
            )
    return parts


def _by_unit(rule: TableRule, rows: Rows, at: Ints, meaning: Meaning) -> list[tuple[str | None, Ints]]:
    if rule.unit_column is None or meaning.rule.unit is not None or meaning.signal.kind == "state":
        return [(None, at)]
    codes, terms = encode(rows.texts(rule.unit_column).take(at))
    return [(None if code < 0 else terms[code], at[codes == code]) for code in np.unique(codes).tolist()]


def _long_part(
    term: str,
    meaning: Meaning,
    at: Ints,
    *,
    rule: TableRule,
    rows: Rows,
    assets: RowAssets,
    times: Ints,
    unit: str | None,
) -> Claims:
    column = rule.value or ""
    try:
        converted = convert_cells(take(rows.cells(column), at), meaning, unit=unit)
    except UnitError as error:
        rows.findings.unknown_term(f"unit {unit!r}", len(at), f"tag {term!r}: {error}")
        return Claims.empty()
    status = status_of_rows(rule, meaning, rows)
    gone = status.gone(rows.count)[at]
    rows.findings.missing += int((converted.missing | gone).sum())
    bad = converted.bad & ~gone
    if bad.any():
        rows.findings.problem_rows(
            at[bad], column=column, texts=rows.texts(column), reason=lambda text: reason(meaning, text)
        )
    good = ~np.isnan(converted.value) & ~gone
    if meaning.asset is None:
        nameless = good & (assets.codes[at] < 0)
        if nameless.any():
            rows.findings.problem_rows(
                at[nameless], column=column, texts=rows.texts(column), reason="the row names no asset"
            )
        good &= ~nameless
    here = at[good]
    names = assets.names if meaning.asset is None else (meaning.asset,)
    codes = (assets.codes[here] if meaning.asset is None else np.zeros(len(here), dtype=np.int64)).astype(np.int32)
    return make_claims(
        series=_series(meaning.asset_type, tuple(names), meaning.name),
        code=codes,
        times=times[here],
        value=converted.value[good],
        rows=rows,
        at=here,
        tags=_tags(term, meaning.asset_type, tuple(names)) if meaning.asset is None else (term,),
        tag=codes,
        priority=meaning.rule.priority,
        flag=status.of(here),
    )


def take(cells: Cells, at: Ints) -> Cells:
    """Return the cells at positions ``at``."""
    return Cells(
        cells.number[at],
        None if cells.text is None else cells.text.take(at),
        None if cells.time is None else cells.time[at],
    )
