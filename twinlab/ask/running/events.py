"""Run an `EventCall`: counts, shares and statistics of recorded events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.ask.plans.faults import EVENT_NUMBERS
from twinlab.ask.plans.plan import instant_text
from twinlab.ask.running.result import MOST_EXPLAINED, Evidence, Result, cannot_tell, of_span
from twinlab.ask.running.windows import by_window, window_of, windows
from twinlab.events.finding.finder import find
from twinlab.events.tables import delays
from twinlab.events.tables_as_of import called_off

if TYPE_CHECKING:
    from twinlab.ask.plans.plan import EventCall
    from twinlab.model.reader import TwinReader

__all__ = ["run_events"]

#: How far outside of the span an event may have begun or ended that was planned in it.
_MARGIN = pd.Timedelta(days=31)
_TIMES = ["event_id", "asset", "start", "end", "planned_start", "planned_end"]


def run_events(twin: TwinReader, call: EventCall) -> Result:
    """Return counts, shares or statistics of the events of a type."""
    start, stop = of_span(call.span)
    kind = twin.model.event_types[call.on]
    low, high = start - _MARGIN, stop + _MARGIN
    table = twin.events(call.on, start=low, stop=high)
    when = table["planned_start" if call.at == "between" else call.at]
    when = when if call.at in ("start", "end") else when.fillna(table["start"])
    inside = (when >= start) & (when < stop)
    if call.at == "between":
        inside = (table["start"] < stop) & ~(table["end"] <= start)
    table = table.assign(_when=when)[inside].copy()
    if call.events is not None:
        table = table[table["event_id"].isin(call.events)]
        if table.empty:
            cannot_tell("no_event", event=", ".join(call.events), type=call.on)
    for name, wanted in {**call.links, **call.where}.items():
        table = table[table[name].astype("string") == wanted]
    if call.groups is not None and call.by is not None:
        table = table[table[call.by].astype("string").isin(call.groups)]
    if table.empty:
        _refuse_without_data(twin, call, start, stop)
    late = delays(table)
    numbers = {
        "start_delay": late["start_delay"], "end_delay": late["end_delay"],
        "duration": table["end"] - table["start"],
    }  # fmt: skip
    for name, spans in numbers.items():
        table[name] = pd.to_timedelta(spans) / pd.Timedelta(minutes=1)
    table = table.assign(_true=True)
    if call.condition is not None:
        true = set(find(twin, call.condition, on=call.on, start=low, stop=high)["event_id"])
        table = table.assign(_true=table["event_id"].isin(true))
    column = call.column or _column_of(call.condition)
    if column in _TIMES:
        return _in_time(call, table[table["_true"]])
    known = (
        table[column].notna()
        if column is not None and call.measure != "count"
        else pd.Series(data=True, index=table.index)
    )
    unit = _unit(call, kind.properties[call.column].unit if call.column in kind.properties else "min")
    if call.measure == "list":
        return _list(call, table[table["_true"]], unit)
    return _statistic(call, table, known, unit)


def _of_groups(call: EventCall, table: pd.DataFrame, known: pd.Series, groups: pd.Series) -> pd.DataFrame:
    """Return the number of each group that has one, and its events."""
    fits = table["_true"]
    values: pd.Series
    if call.measure == "count":
        values = fits.astype(int).groupby(groups).sum()
    elif call.measure == "share":
        values = 100 * fits[known].astype(float).groupby(groups[known]).mean()
    else:
        values = table.loc[fits, call.column].groupby(groups[fits]).agg(call.measure).dropna()
    return pd.DataFrame({"value": values, "events": table.groupby(groups).size().reindex(values.index)})


def _by_window(call: EventCall, table: pd.DataFrame, known: pd.Series, unit: str) -> Result:
    """Return the number of each day, week or month."""
    per = call.per or "day"
    shown = _of_groups(call, table, known, window_of(table["_when"], per)).rename_axis("time").reset_index()
    if shown.empty:
        cannot_tell("no_values", column=call.column or "", type=call.on)
    if call.average:
        return _average(call, shown)
    unknown = len(table) - int(known.sum())
    notes = (
        [("unknown_events", {"count": str(unknown), "all": str(len(table))})]
        if unknown and call.measure != "count"
        else []
    )
    subject = " ".join(
        one for one in (call.on, call.column or "", f"({call.condition})" if call.condition else "") if one
    )
    evidence = Evidence(len(table), float(known.mean()), table["start"].max(), None)
    return by_window(
        shown,
        unit=unit,
        per=per,
        order=call.order,
        top=call.top,
        subject=subject,
        span=call.span,
        evidence=evidence,
        notes=notes,
    )


def _average(call: EventCall, shown: pd.DataFrame) -> Result:
    """Return the mean number of events of a window of the span; windows without any count."""
    start, stop = of_span(call.span)
    count = sum(1 for _ in windows(start, stop, call.per or "day"))
    value = float(shown["value"].sum() / max(1, count))
    names: dict[str, Any] = {"type": call.on, "per": call.per, "span": call.span, "condition": call.condition or ""}
    evidence = Evidence(int(shown["events"].sum()), None, None, None)
    return Result(shown, value, "", "events_average", names, evidence)


def _refuse_without_data(twin: TwinReader, call: EventCall, start: pd.Timestamp, stop: pd.Timestamp) -> None:
    """Raise if the span has no events at all, of any link: then none is known, rather than none happened."""
    every = twin.events(call.on, start=start, stop=stop)
    if every.empty:
        cannot_tell("no_events", type=call.on, start=instant_text(start), stop=instant_text(stop))


def _column_of(condition: str | None) -> str | None:
    name = (condition or "").split(" ")[0]
    return name if name in EVENT_NUMBERS else None


def _unit(call: EventCall, unit: str | None) -> str:
    if call.measure in ("count", "days", "distinct"):
        return ""
    return "%" if call.measure == "share" else (unit or "")


def _in_time(call: EventCall, table: pd.DataFrame) -> Result:
    """Return the events in order of one of their times: the first, or the last."""
    column = str(call.column)
    table = table.dropna(subset=[column]).sort_values(column, ascending=call.order != "highest", kind="stable")
    if table.empty:
        cannot_tell("no_values", column=column, type=call.on)
    shown = _columns(table).head(call.top or 1)
    first = shown.iloc[0]
    names: dict[str, Any] = {
        "type": call.on, "column": column, "event": first["event_id"], "asset": first["asset"], "span": call.span, "count": len(table),
    }  # fmt: skip
    evidence = Evidence(
        len(table), None, table["start"].max(), {"what": f"{call.on}/{first['event_id']}"}, _each(call, shown)
    )
    return Result(shown.reset_index(drop=True), pd.Timestamp(first[column]), "", "events_extreme", names, evidence)


def _columns(table: pd.DataFrame, *more: str) -> pd.DataFrame:
    """Return the columns of a list of events: their times, links and properties."""
    links = [name for name in table.columns if name not in (*_TIMES, "type", "_true", "_when", *EVENT_NUMBERS)]
    return table[[*_TIMES, *links, *more]]


def _each(call: EventCall, shown: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return what explains the first rows of a list of events."""
    return {str(one): {"what": f"{call.on}/{one}"} for one in shown["event_id"].head(MOST_EXPLAINED)}


def _list(call: EventCall, table: pd.DataFrame, unit: str) -> Result:
    column = call.column or _column_of(call.condition)
    if column is not None:
        ascending = call.order == "lowest"
        if call.order is not None:
            table = table.dropna(subset=[column]).sort_values(column, ascending=ascending, kind="stable")
    else:
        table = table.sort_values("start" if call.at == "between" else call.at, kind="stable")
    shown = _columns(table, *([column] if column in EVENT_NUMBERS else []))
    count = len(shown)
    if call.top is not None:
        shown = shown.head(call.top)
    value: Any = count
    key = "events_list"
    names: dict[str, Any] = {"type": call.on, "count": count, "column": column or "", "span": call.span}
    if call.order is not None and column is not None and len(shown):
        value, key = float(shown.iloc[0][column]), "events_extreme"
        names |= {"event": shown.iloc[0]["event_id"], "asset": shown.iloc[0]["asset"]}
    why = {"what": f"{call.on}/{shown.iloc[0]['event_id']}"} if len(shown) else None
    until = None if table.empty else table["start"].max()
    return Result(
        shown.reset_index(drop=True),
        value,
        unit if key == "events_extreme" else "",
        key,
        names,
        Evidence(count, None, until, why, _each(call, shown)),
    )


def _statistic(call: EventCall, table: pd.DataFrame, known: pd.Series, unit: str) -> Result:
    def number(part: pd.DataFrame) -> float | int | None:
        fits = part[part["_true"]]
        if call.measure == "count":
            return len(fits)
        if call.measure == "days":
            return int(fits["_when"].dt.floor("D").nunique())
        if call.measure == "distinct":
            return int(fits[call.by].nunique())
        if call.measure == "share":
            base = part[known.loc[part.index]]
            return float(100 * base["_true"].sum() / len(base)) if len(base) else None
        values = fits[call.column].dropna()
        return float(getattr(values, call.measure)()) if len(values) else None

    cancelled = int(called_off(table).sum()) if len(table) else 0
    value = number(table)
    names: dict[str, Any] = {
        "type": call.on, "count": int(table["_true"].sum()), "all": len(table), "column": call.column or "", "measure": call.measure,
        "condition": call.condition or "", "span": call.span, "cancelled": cancelled, "known": int(known.sum()), "by": call.by or "",
    }  # fmt: skip
    if call.per is not None:
        return _by_window(call, table, known, unit)
    key = f"events_{call.measure}" if call.measure in ("count", "days", "distinct", "share") else "events_statistic"
    if call.by is not None and call.measure != "distinct":
        shown = _of_groups(call, table, known, table[call.by].astype("string")).rename_axis(call.by).reset_index()
        shown = shown.sort_values("value", ascending=call.order == "lowest", kind="stable") if len(shown) else shown
        if call.order is not None and len(shown):
            shown = shown.head(call.top or 1)
            value, key = shown.iloc[0]["value"], "events_group"
            names["group"] = shown.iloc[0][call.by]
        else:
            key = "events_groups"
            names |= {"by": call.by, "groups": len(shown), "column": call.column or call.on}
    else:
        shown = pd.DataFrame({"value": [value], "events": [len(table)]})
    if value is None:
        cannot_tell("no_values", column=call.column or "", type=call.on)
    notes = []
    unknown = len(table) - int(known.sum())
    if unknown and call.measure not in ("count", "days"):
        notes.append(("unknown_events", {"count": str(unknown), "all": str(len(table))}))
    until = table["start"].max() if len(table) else None
    first = table[table["_true"]]
    why = {"what": f"{call.on}/{first.iloc[0]['event_id']}"} if len(first) else None
    coverage = float(known.mean()) if len(known) else None
    return Result(
        shown.reset_index(drop=True), value, unit, key, names, Evidence(len(table), coverage, until, why), notes
    )
