"""Run a `FindCall` or a `RuleCall`: when something was so, how often, how long, of which assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from twinlab.ask.plans.plan import instant_text
from twinlab.ask.running.result import MOST_EXPLAINED, Evidence, Result, assets_of, cannot_tell, of_span
from twinlab.events.finding.finder import find
from twinlab.events.reading import duration_ns, read_cells
from twinlab.events.rules.exceptions import episodes
from twinlab.model.expressions import AssetContext, bind_condition, parse
from twinlab.model.expressions.walk import signals_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twinlab.ask.plans.plan import FindCall, RuleCall, Span
    from twinlab.model.reader import TwinReader

__all__ = ["run_find", "run_rule"]

#: Cells that are read at once.
_CELLS = 4_000_000
_HOUR = pd.Timedelta(hours=1)


class _Known(NamedTuple):
    """What is known of the signals of a condition: of how many assets, which share of the cells, until when."""

    assets: int
    coverage: float
    until: pd.Timestamp


def run_find(twin: TwinReader, call: FindCall) -> Result:
    """Return the events in which a condition was true."""
    start, stop = of_span(call.span)
    ids = assets_of(twin, call.on, assets=call.assets, where=call.where, related=call.related, at=stop)
    if ids is not None and not ids:
        cannot_tell("no_assets", type=call.on)
    signals = sorted(signals_of(bind_condition(parse(call.condition), AssetContext(twin.model, call.on))))
    known = _known(twin, (call.on, signals), ids, call.span)
    rows = find(twin, call.condition, on=call.on, lasting=call.lasting, start=start, stop=stop, assets=ids)
    table = _within(rows[["asset", "start", "end"]].copy(), call.span)
    if call.measure == "days":
        table = _in_days(twin, (call.on, signals[0]), table, call.span)
    return _result(call, table, rows, known, subject=call.condition)


def run_rule(twin: TwinReader, call: RuleCall) -> Result:
    """Return the exceptions that a rule found."""
    _start, stop = of_span(call.span)
    rule = twin.model.rules[call.rule]
    on = rule.on if rule.on in twin.model.asset_types else twin.model.event_types[rule.on].asset
    ids = None if on is None else assets_of(twin, on, assets=call.assets, where={}, related=call.related, at=stop)
    if ids is not None and not ids:
        cannot_tell("no_assets", type=str(on))
    if rule.on in twin.model.event_types:
        rows = _rows(twin, call, ids)
        known = _Known(int(rows["asset"].nunique()), 1.0, stop)
        return _result(call, _exceptions(call, rows), rows, known, subject=rule.title or call.rule)
    signals = list(twin.model.asset_types[rule.on].signals)[:1]
    if rule.when is not None:
        signals = sorted(signals_of(bind_condition(parse(rule.when), AssetContext(twin.model, rule.on))))
    known = _known(twin, (rule.on, signals), ids, call.span)
    rows = _rows(twin, call, ids)
    table = _exceptions(call, rows)
    if call.measure == "days":
        table = _in_days(twin, (rule.on, signals[0]), table, call.span)
    return _result(call, table, rows, known, subject=rule.title or call.rule)


def _rows(twin: TwinReader, call: RuleCall, ids: Sequence[str] | None) -> pd.DataFrame:
    """Return the exceptions of a rule of some assets."""
    start, stop = of_span(call.span)
    rows = episodes(twin, call.rule, start=start, stop=stop)
    return (rows if ids is None else rows[rows["asset"].isin(ids)]).reset_index(drop=True)


def _exceptions(call: RuleCall, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the exceptions of a rule with the part of their duration that is in the span."""
    table = rows[["asset", "since", "until", "value", "unit"]].set_axis(
        ["asset", "start", "end", "worst", "unit"], axis=1
    )
    table = _within(table, call.span)
    if call.lasting is not None:
        table = table[table["duration"] >= pd.Timedelta(duration_ns(call.lasting), unit="ns")]
    return table


def _known(twin: TwinReader, series: tuple[str, Sequence[str]], ids: Sequence[str] | None, span: Span) -> _Known:
    """Return what is known of the first signal of a condition in the span.

    Raises
    ------
    NotUnderstoodError
        If nothing is: then nothing was found because nothing is known.
    """
    on, signals = series
    start, stop = of_span(span)
    signal = signals[0]
    if ids is None:
        ids = [str(one) for one in twin.history(on, signals=[signal], start=start, stop=stop)["asset"].values]
    expected = max(1, round((stop - start).value / twin.model.asset_types[on].signals[signal].cadence_ns))
    size = max(1, _CELLS // expected)
    there, assets, until = 0, 0, None
    for place in range(0, len(ids), size):
        some = ids[place : place + size]
        for cells in read_cells(twin, on, signals=[signal], start_ns=start.value, stop_ns=stop.value, assets=some):
            good = cells.good(signal)
            there += int(good.sum())
            assets += int(good.any(axis=0).sum())
            if good.any():
                last = pd.Timestamp(cells.times[np.flatnonzero(good.any(axis=1))[-1]])
                until = last if until is None else max(until, last)
    if until is None:
        title = twin.model.asset_types[on].signals[signal].title or signal
        cannot_tell("no_data", signal=title, start=instant_text(start), stop=instant_text(stop))
    return _Known(assets, there / (expected * len(ids)), until)


def _within(table: pd.DataFrame, span: Span) -> pd.DataFrame:
    """Return the events with the part of their duration that is in the span."""
    start, stop = of_span(span)
    begins = np.maximum(table["start"].fillna(start).to_numpy(), start.to_datetime64())
    ends = np.minimum(table["end"].fillna(stop).to_numpy(), stop.to_datetime64())
    return table.assign(duration=np.maximum(ends - begins, np.timedelta64(0, "ns")))


def _result(
    call: FindCall | RuleCall, table: pd.DataFrame, rows: pd.DataFrame, known: _Known, *, subject: str
) -> Result:
    total = pd.Timedelta(table["duration"].sum())
    names: dict[str, Any] = {
        "count": len(table), "assets": int(table["asset"].nunique()), "duration": total, "of": known.assets, "subject": subject,
        "span": call.span,
    }  # fmt: skip
    shown, value, unit = _asked(call, table, known, total)
    key = f"episodes_{call.measure}" if len(table) else "episodes_none"
    if call.measure == "days":
        names["count"] = len(shown)
    elif call.order in ("first", "last") and len(shown):
        shown = shown.head(call.top or 1)
        value, unit, key = pd.Timestamp(shown.iloc[0]["start"]), "", f"episodes_{call.order}"
        names |= {"asset": str(shown.iloc[0]["asset"]), "time": value}
    elif call.top is not None and len(shown):
        shown = shown.head(call.top)
        longest = pd.Timedelta(shown.iloc[0]["longest" if call.measure == "assets" else "duration"])
        names |= {"longest": longest, "asset": str(shown.iloc[0]["asset"])}
        if call.measure == "list":
            key, value, unit = "episodes_longest", longest / _HOUR, "h"
        elif call.measure == "assets" and call.top == 1:
            key, value, unit = "episodes_most", str(shown.iloc[0]["asset"]), ""
            names |= {"count": int(shown.iloc[0]["count"]), "duration": pd.Timedelta(shown.iloc[0]["duration"])}
    why = None
    if len(shown) and "asset" in shown:
        of_first = rows[rows["asset"] == shown.iloc[0]["asset"]]
        why = {"what": of_first.iloc[0]}
    explained = shown.head(MOST_EXPLAINED) if "asset" in shown else shown.head(0)
    each = {_row_name(one): {"what": _row_of(rows, one)} for _, one in explained.iterrows()}
    notes = [("coverage", {"percent": f"{100 * known.coverage:.0f}"})] if known.coverage < 0.9 else []
    return Result(
        shown.reset_index(drop=True),
        value,
        unit,
        key,
        names,
        Evidence(len(table), known.coverage, known.until, why, each),
        notes,
    )


def _in_days(twin: TwinReader, series: tuple[str, str], table: pd.DataFrame, span: Span) -> pd.DataFrame:
    """Return the events cut at midnight, without the days on which no value is known: what was missing was bridged."""
    start, stop = of_span(span)
    parts: list[dict[str, Any]] = []
    on, signal = series
    for record in table.to_dict("records"):
        row = {str(name): value for name, value in record.items()}
        low = start if pd.isna(row["start"]) else max(start, row["start"])
        high = stop if pd.isna(row["end"]) else min(stop, row["end"])
        days = pd.date_range(low.floor("D"), high - pd.Timedelta(1, unit="ns"), freq="D")
        for day in days:
            part = {**row, "start": max(low, day), "end": min(high, day + pd.Timedelta(days=1))}
            if len(days) == 1 or _any_known(twin, on, signal, part):
                parts.append(part)
    return pd.DataFrame(parts, columns=table.columns).astype({"start": "datetime64[ns]", "end": "datetime64[ns]"})


def _any_known(twin: TwinReader, on: str, signal: str, part: dict[str, Any]) -> bool:
    width = pd.Timedelta(twin.model.asset_types[on].signals[signal].cadence_ns, unit="ns")
    low, high = part["start"].floor(width), part["end"]
    every = read_cells(twin, on, signals=[signal], start_ns=low.value, stop_ns=high.value, assets=[part["asset"]])
    return any(bool(cells.good(signal).any()) for cells in every)


def _days(table: pd.DataFrame, span: Span) -> pd.DatetimeIndex:
    """Return the days, UTC, on which some event was."""
    start, stop = of_span(span)
    begins = [max(start, one).floor("D") for one in table["start"].fillna(start)]
    ends = [(min(stop, one) - pd.Timedelta(1, unit="ns")).floor("D") for one in table["end"].fillna(stop)]
    days = [pd.date_range(low, high, freq="D") for low, high in zip(begins, ends, strict=True)]
    return pd.DatetimeIndex(sorted({one for some in days for one in some}))


def _row_name(shown: pd.Series) -> str:
    """Return the name of a row of the answer's table: its asset, and when the event began."""
    start = shown.get("start")
    return str(shown["asset"]) + ("" if start is None or pd.isna(start) else f", {instant_text(start)}")


def _row_of(rows: pd.DataFrame, shown: pd.Series) -> pd.Series:
    """Return the event behind a row of the answer's table; for a row that sums up an asset, its first one."""
    own = rows[rows["asset"] == shown["asset"]]
    begun = "since" if "since" in own else "start"
    same = own[own[begun] == shown["start"]] if "start" in shown.index and not pd.isna(shown["start"]) else own
    found: pd.Series = (same if len(same) else own).iloc[0]
    return found


def _asked(
    call: FindCall | RuleCall, table: pd.DataFrame, known: _Known, total: pd.Timedelta
) -> tuple[pd.DataFrame, float | str | pd.Timestamp, str]:
    """Return the table, the number that was asked for, and its unit."""
    if call.measure == "assets":
        groups = table.groupby("asset", sort=True)["duration"]
        shown = pd.DataFrame({"count": groups.size(), "duration": groups.sum(), "longest": groups.max()}).reset_index()
        return (
            shown.sort_values("count" if call.order == "most" else "duration", ascending=False, kind="stable"),
            len(shown),
            "",
        )
    if call.measure == "days":
        days = _days(table, call.span)
        return pd.DataFrame({"time": days}), len(days), ""
    shown = table.sort_values("duration", ascending=False, kind="stable") if call.top else table
    if call.order in ("first", "last"):
        shown = table.sort_values("start", ascending=call.order == "first", kind="stable")
    if call.measure == "duration":
        return shown, total / _HOUR, "h"
    if call.measure == "share":
        start, stop = of_span(call.span)
        return shown, 100 * (total / ((stop - start) * known.assets)), "%"
    return shown, len(table), ""
