"""Run a `SummaryCall`: a statistic of a signal, of each asset and of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.ask.plans.plan import instant_text
from twinlab.ask.running.result import MOST_EXPLAINED, Evidence, Result, assets_of, cannot_tell, of_span
from twinlab.ask.running.windows import by_window, windows
from twinlab.events.reading import read_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from twinlab.ask.plans.plan import SummaryCall
    from twinlab.model.reader import TwinReader

__all__ = ["run_summary"]

#: Cells that are read at once.
_CELLS = 4_000_000
#: Values of which a median over several assets is taken at once.
_POOLED = 20_000_000
_COLUMNS = ("value", "mean", "median", "min", "max", "sum", "latest", "time", "cells", "coverage", "last")


def run_summary(twin: TwinReader, call: SummaryCall) -> Result:
    """Return the statistic of each asset, and of all of them."""
    start, stop = of_span(call.span)
    spec = twin.model.asset_types[call.on].signals[call.signal]
    ids = assets_of(twin, call.on, assets=call.assets, where=call.where, related=call.related, at=stop)
    if ids is not None and not ids:
        cannot_tell("no_assets", type=call.on)
    if call.per is not None:
        return _of_windows(twin, call, ids)
    if call.statistic == "increase":
        table = _increases(twin, call, ids, start, stop)
    else:
        table = _of_assets(twin, call, ids, start, stop)
    having = table[table["cells"] > 0]
    if having.empty:
        cannot_tell("no_data", signal=spec.title or call.signal, start=instant_text(start), stop=instant_text(stop))
    states = spec.states
    if states and call.statistic == "latest":
        table["value"] = table["latest"].map({float(code): name for code, name in states.items()})
        having = table[table["cells"] > 0]
    return _result(twin, call, table, having, spec.unit if spec.kind != "state" else "")


def _of_assets(
    twin: TwinReader, call: SummaryCall, ids: Sequence[str] | None, start: pd.Timestamp, stop: pd.Timestamp
) -> pd.DataFrame:
    spec = twin.model.asset_types[call.on].signals[call.signal]
    if ids is None:
        ids = [str(one) for one in twin.history(call.on, signals=[call.signal], start=start, stop=stop)["asset"].values]
    # Of the latest value only the newest cells are read, further back while an asset has none.
    begins = _look_backs(start, stop) if call.statistic == "latest" else [start]
    expected = max(1, round((stop - start).value / spec.cadence_ns))
    parts: list[pd.DataFrame] = []
    left = list(ids)
    for begin in begins:
        size = max(1, int(_CELLS / max(1, (stop - begin).value / spec.cadence_ns)))
        missing: list[str] = []
        for place in range(0, len(left), size):
            some = left[place : place + size]
            for cells in read_cells(
                twin, call.on, signals=[call.signal], start_ns=begin.value, stop_ns=stop.value, assets=some
            ):
                values = np.where(cells.good(call.signal), cells.values[call.signal], np.nan)
                part = _statistics(values, cells.times, cells.assets, expected)
                if call.statistic == "median":
                    part["median"] = _medians(values)
                empty = part["cells"] == 0
                missing += list(part.index[empty])
                parts.append(part[~empty])
        if begin == begins[-1] or not missing:
            parts.append(
                pd.DataFrame(index=pd.Index(missing, name="asset"), columns=list(_COLUMNS)).assign(
                    cells=0, coverage=0.0
                )
            )
            break
        left = missing
    table = pd.concat([part for part in parts if len(part)] or parts[:1])
    order = {one: place for place, one in enumerate(ids)}
    table = table.iloc[np.argsort([order[one] for one in table.index], kind="stable")]
    chosen = "mean" if call.statistic == "range" else call.statistic
    return table.assign(value=table[chosen])


def _medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each asset, NaN without values."""
    return np.array([np.median(one[~np.isnan(one)]) if (~np.isnan(one)).any() else np.nan for one in values.T])


def _of_windows(twin: TwinReader, call: SummaryCall, ids: Sequence[str] | None) -> Result:
    """Return the statistic of each asset in each day, week or month."""
    start, stop = of_span(call.span)
    spec = twin.model.asset_types[call.on].signals[call.signal]
    if ids is None:
        ids = [str(one) for one in twin.history(call.on, signals=[call.signal], start=start, stop=stop)["asset"].values]
    per = call.per or "day"
    parts = []
    if call.statistic == "increase":
        for low, high in windows(start, stop, per):
            parts.append(_increases(twin, call, ids, low, high).assign(time=low))
    else:
        chosen = "mean" if call.statistic == "range" else call.statistic
        size = max(1, int(_CELLS / max(1, (stop - start).value / spec.cadence_ns)))
        for place in range(0, len(ids), size):
            for cells in read_cells(
                twin, call.on, signals=[call.signal], start_ns=start.value, stop_ns=stop.value, assets=ids[place : place + size],
            ):  # fmt: skip
                values = np.where(cells.good(call.signal), cells.values[call.signal], np.nan)
                times = cells.times.astype("datetime64[ns]")
                for low, high in windows(start, stop, per):
                    rows = slice(*np.searchsorted(times, [low.to_datetime64(), high.to_datetime64()]))
                    if rows.start == rows.stop:
                        continue
                    expected = max(1, round((high - low).value / spec.cadence_ns))
                    part = _statistics(values[rows], times[rows], cells.assets, expected)
                    part["value"] = _medians(values[rows]) if chosen == "median" else part[chosen]
                    parts.append(part.assign(time=low))
    table = pd.concat(parts) if parts else pd.DataFrame({"cells": []})
    table = table[table["cells"] > 0]
    if table.empty:
        cannot_tell("no_data", signal=spec.title or call.signal, start=instant_text(start), stop=instant_text(stop))
    coverage = float(table["cells"].sum() / max(1, round((stop - start).value / spec.cadence_ns) * len(ids)))
    coverage = float(table["coverage"].mean()) if call.statistic == "increase" else min(coverage, 1.0)
    until = pd.Timestamp(table["last"].max())
    shown = table.rename_axis("asset").reset_index().sort_values(["time", "asset"], kind="stable")
    shown = shown[["time", "asset", "value", "cells", "coverage"]]
    notes = [("coverage", {"percent": f"{100 * coverage:.0f}"})] if coverage < 0.9 else []
    evidence = Evidence(int(table["cells"].sum()), coverage, until, None)
    return by_window(
        shown, unit=spec.unit, per=per, order=call.order, top=call.top, subject=spec.title or call.signal, span=call.span,
        evidence=evidence, notes=notes,
    )  # fmt: skip


def _look_backs(start: pd.Timestamp, stop: pd.Timestamp) -> list[pd.Timestamp]:
    spans = [pd.Timedelta(hours=6), pd.Timedelta(days=3), pd.Timedelta(days=60)]
    return [*(stop - span for span in spans if stop - span > start), start]


def _statistics(
    values: NDArray[np.float64], times: NDArray[np.datetime64], assets: Sequence[str], expected: int
) -> pd.DataFrame:
    """Return statistics of (time, asset) values by asset; ``time`` is that of the greatest value."""
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    some = count > 0
    width = len(assets)
    table = pd.DataFrame(index=pd.Index(list(assets), name="asset"))
    filled = np.where(there, values, 0.0)
    total = filled.sum(axis=0)
    table["sum"] = np.where(some, total, np.nan)
    table["mean"] = np.where(some, total / np.maximum(count, 1), np.nan)
    high, low = np.where(there, values, -np.inf), np.where(there, values, np.inf)
    columns = np.arange(width)
    if len(times):
        rows = {
            "max": high.argmax(axis=0),
            "min": low.argmin(axis=0),
            "last": len(times) - 1 - there[::-1].argmax(axis=0),
        }
        table["max"] = np.where(some, values[rows["max"], columns], np.nan)
        table["min"] = np.where(some, values[rows["min"], columns], np.nan)
        table["latest"] = np.where(some, values[rows["last"], columns], np.nan)
        for name, row in rows.items():
            table["last" if name == "last" else f"time_of_{name}"] = np.where(
                some, times[row].astype("datetime64[ns]"), np.datetime64("NaT")
            )
    table["cells"] = count
    table["coverage"] = np.minimum(count / expected, 1.0)
    return table


def _increases(
    twin: TwinReader, call: SummaryCall, ids: Sequence[str] | None, start: pd.Timestamp, stop: pd.Timestamp
) -> pd.DataFrame:
    step = twin.steps(call.on, call.signal)[0]
    width = pd.Timedelta(step)
    if start != start.floor(width) or stop != stop.ceil(width):
        cannot_tell("whole_steps", step=step)
    data = twin.history(call.on, signals=[call.signal], assets=ids, start=start, stop=stop, step=step)
    increase, count = (data[f"{call.signal}_{name}"].values for name in ("increase", "count"))
    table = pd.DataFrame(index=pd.Index([str(one) for one in data["asset"].values], name="asset"))
    table["value"] = np.nansum(increase, axis=0)
    table["cells"] = count.sum(axis=0)
    table["coverage"] = (count > 0).mean(axis=0) if len(count) else 0.0
    times = data["time"].values.astype("datetime64[ns]")
    last = len(times) - 1 - (count > 0)[::-1].argmax(axis=0) if len(times) else np.zeros(len(table), dtype=int)
    table["last"] = times[last] + np.timedelta64(width.value, "ns") if len(times) else pd.NaT
    return table


def _result(twin: TwinReader, call: SummaryCall, table: pd.DataFrame, having: pd.DataFrame, unit: str) -> Result:
    statistic = call.statistic
    spec = twin.model.asset_types[call.on].signals[call.signal]
    if call.order is not None:
        having = having.sort_values("value", ascending=call.order == "lowest", kind="stable")
    shown = having.head(call.top) if call.top is not None else having
    value, at, asset = _value(statistic, having, call)
    if statistic == "median" and asset is None:
        value = _pooled_median(twin, call, [str(one) for one in having.index], int(having["cells"].sum()))
    columns = {
        "range": ["mean", "min", "time_of_min", "max", "time_of_max"],
        "max": ["value", "time_of_max"],
        "min": ["value", "time_of_min"],
        "latest": ["value", "last"],
    }.get(statistic, ["value"])
    tidy = shown[[*columns, "cells", "coverage"]].rename(columns={"last": "time", "time_of_max": "time" if statistic == "max" else "time_of_max",
                                                                   "time_of_min": "time" if statistic == "min" else "time_of_min"})  # fmt: skip
    until = pd.Timestamp(having["last"].max())
    coverage = float(table["coverage"].mean())
    names = {
        "signal": spec.title or call.signal, "assets": len(having), "asset": asset or "", "time": at, "statistic": statistic,
        "low": having["min"].min() if statistic == "range" else None, "high": having["max"].max() if statistic == "range" else None,
        "type": call.on, "span": call.span,
    }  # fmt: skip
    silent = len(table) - len(having)
    notes = [("silent_assets", {"count": str(silent)})] if silent else []
    if statistic != "latest" and coverage < 0.9:
        notes.append(("coverage", {"percent": f"{100 * coverage:.0f}"}))
    why = {"what": f"{call.on}/{asset}", "signal": call.signal, "at": at} if asset and at is not None else None
    newest = shown["time_of_max" if statistic == "max" else "time_of_min" if statistic == "min" else "last"]
    each = {
        str(one): {"what": f"{call.on}/{one}", "signal": call.signal, "at": pd.Timestamp(when)}
        for one, when in newest.head(MOST_EXPLAINED).items()
    }
    sentence = {"range": "summary_range", "latest": "summary_latest"}.get(statistic, f"summary_{statistic}")
    if asset:
        sentence += "_of_one"
    return Result(
        tidy.reset_index(),
        value,
        unit,
        sentence,
        names,
        Evidence(int(having["cells"].sum()), coverage, until, why, each),
        notes,
    )


def _pooled_median(twin: TwinReader, call: SummaryCall, ids: Sequence[str], count: int) -> float | None:
    """Return the median of the values of several assets; None if they are too many to be sorted at once."""
    if count > _POOLED:
        return None
    start, stop = of_span(call.span)
    every = read_cells(twin, call.on, signals=[call.signal], start_ns=start.value, stop_ns=stop.value, assets=ids)
    found = [cells.values[call.signal][cells.good(call.signal)] for cells in every]
    return float(np.median(np.concatenate(found)))


def _value(
    statistic: str, having: pd.DataFrame, call: SummaryCall
) -> tuple[float | str | None, pd.Timestamp | None, str | None]:
    """Return the number of all assets together, when it was, and of which asset."""
    if statistic in ("max", "min"):
        best = having["value"].astype(float)
        asset = str(best.idxmax() if statistic == "max" else best.idxmin())
        return float(best[asset]), pd.Timestamp(having[f"time_of_{statistic}"][asset]), asset
    if call.order is not None or len(having) == 1:
        asset = str(having.index[0])
        found = having.iloc[0]
        value = found["value"] if isinstance(found["value"], str) else float(found["value"])
        return value, pd.Timestamp(found["last"]), asset
    if statistic == "latest":
        return None, None, None
    if statistic in ("increase", "sum"):
        return float(having["value"].sum()), None, None
    cells = having["cells"].astype(float)
    return float((having["mean"].astype(float) * cells).sum() / cells.sum()), None, None
