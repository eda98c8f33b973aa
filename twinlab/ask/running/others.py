"""Run the other calls: a KPI, where an asset is, what needs attention, assets themselves."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.ask.plans.plan import instant_text
from twinlab.ask.running.result import MOST_EXPLAINED, Evidence, Result, assets_of, cannot_tell, of_span
from twinlab.ask.running.windows import by_window, windows
from twinlab.events.kpis.compute import kpi as compute_kpi
from twinlab.events.present_state.whereabouts import where
from twinlab.events.rules.exceptions import exceptions

if TYPE_CHECKING:
    from twinlab.ask.plans.plan import AssetCall, AttentionCall, KpiCall, WhereCall
    from twinlab.model.reader import TwinReader

_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}

__all__ = ["run_assets", "run_attention", "run_kpi", "run_where"]


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


def _counted_by(twin: TwinReader, call: AssetCall, table: pd.DataFrame) -> Result:
    """Return how many assets each group has: of a property's value, or of the asset at the end of a relationship."""
    by, at = str(call.by), pd.Timestamp(call.at)
    if by in table:
        groups = table[by].dropna().astype(str)
        groups = pd.Series(groups.to_numpy(), index=groups.index.astype(str))
    else:
        links = twin.relationships(by)
        valid = (links["valid_from"].isna() | (links["valid_from"] <= at)) & (
            links["valid_until"].isna() | (links["valid_until"] > at)
        )
        linked = links[valid & links["source"].isin(table.index)]
        groups = pd.Series(linked["target"].astype(str).to_numpy(), index=linked["source"].astype(str))
    if call.column is not None and call.measure not in ("count", "list"):
        return _statistic_by(twin, call, table, groups)
    counts = groups.value_counts()
    shown = pd.DataFrame({by: counts.index.astype(str), "value": counts.to_numpy()})
    names = {"type": call.on, "count": int(counts.sum()), "by": by, "groups": len(shown)}
    if call.order is not None and len(shown):
        shown = shown.sort_values("value", ascending=call.order == "lowest", kind="stable").head(call.top or 1)
    return Result(
        shown.reset_index(drop=True), None, "", "assets_groups", names, Evidence(len(table), None, None, None)
    )


def _statistic_by(twin: TwinReader, call: AssetCall, table: pd.DataFrame, groups: pd.Series) -> Result:
    """Return a statistic of a property for each group."""
    by, column = str(call.by), str(call.column)
    numbers = pd.to_numeric(table[column], errors="coerce")
    numbers = pd.Series(numbers.to_numpy(dtype=float), index=table.index.astype(str)).reindex(groups.index)
    values = numbers.groupby(groups.to_numpy()).agg(call.measure).dropna()
    shown = pd.DataFrame({by: values.index.astype(str), "value": values.to_numpy()})
    if shown.empty:
        cannot_tell("no_values", column=column, type=call.on)
    names = {"type": call.on, "count": int(numbers.notna().sum()), "by": by, "groups": len(shown)}
    if call.order is not None:
        shown = shown.sort_values("value", ascending=call.order == "lowest", kind="stable").head(call.top or 1)
    unit = twin.model.asset_types[call.on].properties[column].unit or ""
    evidence = Evidence(int(numbers.notna().sum()), float(numbers.notna().mean()), None, None)
    return Result(shown.reset_index(drop=True), None, unit, "assets_groups", names, evidence)


def _limited(table: pd.DataFrame, call: AssetCall, at: pd.Timestamp) -> pd.DataFrame:
    """Return the assets for which the limits are true, and that lack what they have to lack."""
    for limit in call.limits:
        numbers = pd.to_numeric(table[limit.column], errors="coerce")
        table = table[_COMPARE[limit.sign](numbers, limit.number)]
    if call.later is not None:
        table = table[_COMPARE[call.later.sign](table[call.later.column], table[call.later.than])]
    for name, lacking in ((call.lacking, True), (call.known, False)):
        if name is not None:
            values = table[name]
            later = values > at if pd.api.types.is_datetime64_any_dtype(values) else values.isna()
            table = table[(values.isna() | later) == lacking]
    return table


def run_assets(twin: TwinReader, call: AssetCall) -> Result:
    """Return assets themselves, how many there are, or a statistic of a property."""
    at = pd.Timestamp(call.at)
    table = twin.assets(call.on)
    ids = assets_of(twin, call.on, assets=call.assets, where=call.where, related=call.related, at=at)
    if ids is not None:
        table = table[table.index.isin(ids)]
    if call.span is not None and call.during is not None:
        start, stop = of_span(call.span)
        table = table[(table[call.during] >= start) & (table[call.during] < stop)]
    table = _limited(table, call, at)
    kind = twin.model.asset_types[call.on]
    unit = kind.properties[call.column].unit or "" if call.column is not None else ""
    names: dict[str, Any] = {"type": call.on, "count": len(table), "column": call.column or "", "measure": call.measure}
    if call.order is not None and call.column is not None:
        table = table.dropna(subset=[call.column]).sort_values(
            call.column, ascending=call.order == "lowest", kind="stable"
        )
    if call.by is not None:
        return _counted_by(twin, call, table)
    value: Any = len(table)
    key = "assets_count" if call.measure == "count" else "assets_list"
    if call.measure in ("mean", "median", "min", "max", "sum") and call.column is not None:
        numbers = pd.to_numeric(table[call.column], errors="coerce").dropna()
        if numbers.empty:
            cannot_tell("no_values", column=call.column, type=call.on)
        value, key = float(getattr(np, call.measure)(numbers.to_numpy(dtype=float))), "assets_statistic"
    elif call.column is not None and len(table) and (len(table) == 1 or call.order is not None):
        value, key = table.iloc[0][call.column], "assets_fact"
        value = value if isinstance(value, str | pd.Timestamp) else value.item() if hasattr(value, "item") else value
        names["asset"] = str(table.index[0])
    else:
        unit = ""
    shown = table.head(call.top) if call.top is not None else table
    return Result(shown.reset_index(), value, unit, key, names, Evidence(len(table), None, None, None))
