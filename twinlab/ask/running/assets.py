"""Run an `AssetCall`: assets themselves, how many there are, or a number of each."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.ask.plans.plan import Span
from twinlab.ask.running.result import Evidence, Result, assets_of, cannot_tell, of_span
from twinlab.ask.running.windows import by_window, window_of

if TYPE_CHECKING:
    from twinlab.ask.plans.plan import AssetCall
    from twinlab.model.reader import TwinReader

__all__ = ["run_assets"]

_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_STATISTICS = ("mean", "median", "min", "max", "sum")
#: Column of the time between two times of an asset.
_ELAPSED = "elapsed"


def run_assets(twin: TwinReader, call: AssetCall) -> Result:
    """Return assets themselves, how many there are, or a statistic of a property."""
    at = pd.Timestamp(call.at)
    table = twin.assets(call.on)
    if call.elapsed is not None:
        spans = pd.to_timedelta(table[call.elapsed.until] - table[call.elapsed.since])
        table = table.assign(**{_ELAPSED: spans.dt.total_seconds() / 60})
    base = len(table)
    ids = assets_of(twin, call.on, assets=call.assets, where=call.where, related=call.related, at=at)
    if ids is not None:
        table = table[table.index.isin(ids)]
    table = _limited(table, call, at)
    if call.measure == "share":
        return _share(call, table, base)
    column = _ELAPSED if call.elapsed is not None else call.column
    unit = "min" if call.elapsed is not None else _unit_of(twin, call)
    if call.per is not None and call.during is not None:
        return _by_window(call, table)
    if call.order is not None and column is not None:
        table = table.dropna(subset=[column]).sort_values(column, ascending=call.order == "lowest", kind="stable")
    if call.by is not None:
        return _counted_by(twin, call, table)
    value, key, one = _asked(call, table, column)
    names: dict[str, Any] = {
        "type": call.on, "count": len(table), "column": column or "", "measure": call.measure, "asset": one or "",
    }  # fmt: skip
    if key in ("assets_count", "assets_list", "assets_distinct"):
        unit = ""
    shown = table.head(call.top) if call.top is not None else table
    if call.measure == "distinct" and column is not None:
        sizes = table[column].dropna().astype(str).value_counts()
        shown = pd.DataFrame({column: sizes.index.astype(str), "value": sizes.to_numpy()}).set_index(column)
    return Result(shown.reset_index(), value, unit, key, names, Evidence(len(table)))


def _asked(call: AssetCall, table: pd.DataFrame, column: str | None) -> tuple[Any, str, str | None]:
    """Return the number that was asked for, the sentence that says it, and the asset that it is of."""
    if call.measure == "distinct" and column is not None:
        return int(table[column].nunique()), "assets_distinct", None
    if call.measure in _STATISTICS and column is not None:
        numbers = pd.to_numeric(table[column], errors="coerce").dropna()
        if numbers.empty:
            cannot_tell("no_values", column=column, type=call.on)
        return float(getattr(np, call.measure)(numbers.to_numpy(dtype=float))), "assets_statistic", None
    if column is not None and len(table) and (len(table) == 1 or call.order is not None):
        value = table.iloc[0][column]
        if pd.isna(value):
            cannot_tell("no_values", column=column, type=call.on)
        value = value if isinstance(value, str | pd.Timestamp) else value.item() if hasattr(value, "item") else value
        return value, "assets_fact", str(table.index[0])
    return len(table), "assets_count" if call.measure == "count" else "assets_list", None


def _unit_of(twin: TwinReader, call: AssetCall) -> str:
    return "" if call.column is None else twin.model.asset_types[call.on].properties[call.column].unit or ""


def _limited(table: pd.DataFrame, call: AssetCall, at: pd.Timestamp) -> pd.DataFrame:
    """Return the assets for which the limits are true, in the span, and that lack what they have to lack."""
    if call.span is not None and call.during is not None:
        start, stop = of_span(call.span)
        table = table[(table[call.during] >= start) & (table[call.during] < stop)]
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


def _share(call: AssetCall, table: pd.DataFrame, base: int) -> Result:
    """Return the share of all assets of the type."""
    if not base:
        cannot_tell("no_assets", type=call.on)
    value = 100 * len(table) / base
    shown = pd.DataFrame({"value": [value], "assets": [base]})
    return Result(
        shown, value, "%", "assets_share", {"type": call.on, "count": len(table), "all": base}, Evidence(base)
    )


def _by_window(call: AssetCall, table: pd.DataFrame) -> Result:
    """Return how many assets have a time in each day, week or month."""
    per, during = str(call.per), str(call.during)
    times = table[during].dropna()
    if times.empty:
        cannot_tell("no_values", column=during, type=call.on)
    sizes = window_of(times, per).value_counts().sort_index()
    shown = pd.DataFrame({"time": sizes.index, "value": sizes.to_numpy()})
    span = call.span
    if span is None:
        stop = times.max() + pd.Timedelta(1, unit="min")
        span = Span(start=times.min().floor("1min").isoformat(), stop=stop.floor("1min").isoformat())
    return by_window(
        shown, unit="", per=per, order=call.order, top=call.top, subject=f"{call.on} ({during})", span=span,
        evidence=Evidence(len(times), float(table[during].notna().mean()), times.max()),
    )  # fmt: skip


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
    if (call.column is not None or call.elapsed is not None) and call.measure in _STATISTICS:
        return _statistic_by(twin, call, table, groups)
    counts = groups.value_counts()
    shown = pd.DataFrame({by: counts.index.astype(str), "value": counts.to_numpy()})
    return _groups(call, shown, int(counts.sum()), "", Evidence(len(table), None, None, None))


def _statistic_by(twin: TwinReader, call: AssetCall, table: pd.DataFrame, groups: pd.Series) -> Result:
    """Return a statistic of a property for each group."""
    by, column = str(call.by), _ELAPSED if call.elapsed is not None else str(call.column)
    numbers = pd.to_numeric(table[column], errors="coerce")
    numbers = pd.Series(numbers.to_numpy(dtype=float), index=table.index.astype(str)).reindex(groups.index)
    values = numbers.groupby(groups.to_numpy()).agg(call.measure).dropna()
    shown = pd.DataFrame({by: values.index.astype(str), "value": values.to_numpy()})
    if shown.empty:
        cannot_tell("no_values", column=column, type=call.on)
    unit = "min" if call.elapsed is not None else _unit_of(twin, call)
    evidence = Evidence(int(numbers.notna().sum()), float(numbers.notna().mean()), None, None)
    return _groups(call, shown, int(numbers.notna().sum()), unit, evidence)


def _groups(call: AssetCall, shown: pd.DataFrame, count: int, unit: str, evidence: Evidence) -> Result:
    """Return a row for each group, or those with the highest or lowest number."""
    names: dict[str, Any] = {"type": call.on, "count": count, "by": call.by, "groups": len(shown)}
    if call.order is None or shown.empty:
        return Result(shown.reset_index(drop=True), None, unit, "assets_groups", names, evidence)
    shown = shown.sort_values("value", ascending=call.order == "lowest", kind="stable").head(call.top or 1)
    best = shown.iloc[0]
    names |= {"group": str(best[str(call.by)]), "best": f"{best['value']:,.4g} {unit}".strip()}
    return Result(shown.reset_index(drop=True), str(best[str(call.by)]), "", "assets_group", names, evidence)
