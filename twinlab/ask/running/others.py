"""Run the other calls: a KPI, where an asset is, what needs attention."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.ask.plans.plan import instant_text
from twinlab.ask.running.result import MOST_EXPLAINED, Evidence, Result, cannot_tell, of_span
from twinlab.ask.running.windows import by_window, windows
from twinlab.events.kpis.compute import kpi as compute_kpi
from twinlab.events.present_state.whereabouts import where
from twinlab.events.rules.exceptions import exceptions

if TYPE_CHECKING:
    from twinlab.ask.plans.plan import AttentionCall, KpiCall, WhereCall
    from twinlab.model.reader import TwinReader

__all__ = ["run_attention", "run_kpi", "run_where"]


def run_kpi(twin: TwinReader, call: KpiCall) -> Result:
    """Return a KPI with its bounds, of each group."""
    if call.per is not None:
        return _kpi_by_window(twin, call)
    start, stop = of_span(call.span)
    data = compute_kpi(twin, call.kpi, by=call.by, every=call.every, start=start, stop=stop)
    table = data[["value", "low", "high", "coverage", "samples"]].to_dataframe().reset_index()
    if call.by is not None:
        table = table.drop(columns="time")
        wanted = [call.group] if call.group is not None else call.groups
        if wanted is not None:
            label = (
                call.by
                if call.by in table
                else next(name for name in table if name not in ("value", "low", "high", "coverage", "samples"))
            )
            table = table[table[label].astype(str).isin(wanted)]
    table = table[table["samples"] > 0] if call.by is not None else table
    if table.empty or not (table["samples"] > 0).any():
        cannot_tell("no_kpi", kpi=data.attrs.get("title", call.kpi), start=f"{start:%Y-%m-%d}", stop=f"{stop:%Y-%m-%d}")
    if call.order is not None:
        table = table.dropna(subset=["value"]).sort_values("value", ascending=call.order == "lowest", kind="stable")
        table = table.head(call.top) if call.top else table
    one = len(table) == 1 or call.order is not None
    best = table.iloc[0]
    settled = pd.to_datetime(data["settled_until"].item()) if "settled_until" in data else None
    names: dict[str, Any] = {
        "kpi": data.attrs.get("title", call.kpi), "groups": len(table), "target": data.attrs.get("target", ""), "span": call.span,
        "low": float(best["low"]), "high": float(best["high"]), "group": "",
    }  # fmt: skip
    if call.by is not None:
        label = next(
            name for name in table.columns if name not in ("value", "low", "high", "coverage", "samples", "time")
        )
        names["group"] = str(best[label]) if one else ""
    notes = []
    if settled is not None and settled < stop:
        notes.append(("unsettled", {"until": instant_text(settled)}))
    key = "kpi" if call.by is None else "kpi_group" if one else "kpi_groups"
    if one and not math.isfinite(names["high"] - names["low"]):
        key += "_unbounded"
    why: dict[str, Any] = {"what": call.kpi, "at": start, "step": call.every}
    if call.by is not None and one:
        why |= {"by": call.by, "group": names["group"]}
    each = {}
    if call.by is not None:
        groups = table[label].astype(str).head(MOST_EXPLAINED)
        each = {one: {"what": call.kpi, "at": start, "step": call.every, "by": call.by, "group": one} for one in groups}
    return Result(
        table.reset_index(drop=True), float(best["value"]) if one else None, data.attrs.get("units", ""), key, names,
        Evidence(int(table["samples"].sum()), float(table["coverage"].mean()), settled, why, each), notes,
    )  # fmt: skip


def _kpi_by_window(twin: TwinReader, call: KpiCall) -> Result:
    """Return a KPI of each day, week or month."""
    start, stop = of_span(call.span)
    parts, settled = [], None
    spans = [(start, stop)] if call.per == "day" else list(windows(start, stop, call.per or "day"))
    for low, high in spans:
        every = "1d" if call.per == "day" else f"{(high - low).days}d"
        data = compute_kpi(twin, call.kpi, by=call.by, every=every, start=low, stop=high)
        part = data[["value", "low", "high", "coverage", "samples"]].to_dataframe().reset_index()
        parts.append(part)
        settled = pd.to_datetime(data["settled_until"].item()) if "settled_until" in data else None
    table = pd.concat(parts, ignore_index=True)
    table = table[table["samples"] > 0].dropna(subset=["value"])
    label = next((name for name in table if name not in ("time", "value", "low", "high", "coverage", "samples")), None)
    if label is not None and (call.group or call.groups):
        table = table[table[label].astype(str).isin([call.group] if call.group else list(call.groups or ()))]
    if table.empty:
        cannot_tell("no_kpi", kpi=data.attrs.get("title", call.kpi), start=f"{start:%Y-%m-%d}", stop=f"{stop:%Y-%m-%d}")
    notes = [("unsettled", {"until": instant_text(settled)})] if settled is not None and settled < stop else []
    return by_window(
        table, unit=data.attrs.get("units", ""), per=call.per or "day", order=call.order, top=call.top, subject=data.attrs.get("title", call.kpi),
        span=call.span, evidence=Evidence(int(table["samples"].sum()), float(table["coverage"].mean()), settled, None), notes=notes,
    )  # fmt: skip


def run_where(twin: TwinReader, call: WhereCall) -> Result:
    """Return where an asset is."""
    if call.asset not in twin.assets(call.on).index:
        cannot_tell("no_asset", asset=call.asset, type=call.on)
    place = where(twin, call.on, call.asset, at=call.at)
    rows: list[dict[str, object]] = [{"in": kind, "asset": asset, "since": since} for kind, asset, since in place.steps]
    if place.near is not None:
        rows.append({"in": f"near {place.near[0]}", "asset": place.near[1], "since": pd.NaT})
    if not place.known:
        cannot_tell("no_place", asset=f"{call.on}/{call.asset}")
    value = rows[0]["asset"] if rows else f"{place.latitude:.4f}, {place.longitude:.4f}"
    names = {"text": str(place), "asset": call.asset, "time": pd.Timestamp(call.at)}
    table = pd.DataFrame(rows or [{"latitude": place.latitude, "longitude": place.longitude}])
    return Result(
        table, str(value), "", "where", names, Evidence(1, None, place.fix_time or pd.Timestamp(call.at), None)
    )


def run_attention(twin: TwinReader, call: AttentionCall) -> Result:
    """Return the exceptions of all rules at an instant."""
    found = exceptions(twin, at=call.at)
    if call.on is not None:
        found = found[(found["asset_type"] == call.on) | (found["event_type"] == call.on)]
    table = found[["severity", "title", "asset_type", "asset", "event_id", "since", "text"]].reset_index(drop=True)
    names = {
        "count": len(table),
        "time": pd.Timestamp(call.at),
        "worst": str(table.iloc[0]["text"]) if len(table) else "",
    }
    why = {"what": found.iloc[0]} if len(found) else None
    each = {str(row["text"]): {"what": row} for _, row in found.head(MOST_EXPLAINED).iterrows()}
    return Result(
        table,
        len(table),
        "",
        "attention" if len(table) else "attention_none",
        names,
        Evidence(len(table), None, pd.Timestamp(call.at), why, each),
    )
