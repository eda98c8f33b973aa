"""Exceptions that raise an alert: those of a rule, events of a finder, windows in which a KPI misses its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.events.alerts.security import security_exceptions
from twinlab.events.finding.finder import find
from twinlab.events.kpis.compute import kpi
from twinlab.events.rules.exception_table import concat, duration_text, exception_rows
from twinlab.events.rules.exceptions import episodes
from twinlab.events.rules.runs import runs_of
from twinlab.model.alerts.alert import Alert
from twinlab.model.basics import parse_duration
from twinlab.model.rules import Severity

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.model.reader import TwinReader
    from twinlab.model.rules import Rule

__all__ = ["caused"]

#: How many windows back the beginning of a run of missed targets is searched.
_FURTHEST = 30
_COMPARE = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
_NAT = np.datetime64("NaT", "ns")


def caused(twin: TwinReader, alert: Alert, *, start_ns: int, stop_ns: int) -> pd.DataFrame:
    """Return the exceptions of an alert that overlap ``[start, stop)``; columns as `twinlab.events.episodes` returns them.

    A KPI's exception lasts from the beginning of the first window that misses the target until the end of the last one, and is
    raised at the end of the first. Only windows count that ended by the stop and of which nothing more is expected.

    Parameters
    ----------
    twin : TwinReader
    alert : Alert
    start_ns, stop_ns : int
        Nanoseconds since 1970, UTC.
    """
    if alert.rule is not None:
        rules: dict[str, Rule] = {alert.rule: twin.model.rules[alert.rule]}
        return episodes(twin, rules, start=np.datetime64(start_ns, "ns"), stop=np.datetime64(stop_ns, "ns"))
    if alert.security is not None:
        return security_exceptions(twin, alert, start_ns, stop_ns)
    if alert.finder is not None:
        return _found(twin, alert, start_ns, stop_ns)
    assert alert.kpi is not None  # exactly one of them is set
    definition = twin.model.kpis[alert.kpi]
    width = parse_duration(definition.period)
    # Windows begin at multiples of their width.
    low, high = start_ns // width * width - _FURTHEST * width, stop_ns // width * width
    found = kpi(twin, alert.kpi, by=alert.by, start=np.datetime64(low, "ns"), stop=np.datetime64(high, "ns"))
    return _missed(found, alert, definition.on, width, start_ns)


@dataclass(frozen=True)
class _Described:
    on: str
    title: str | None
    severity: Severity


def _found(twin: TwinReader, alert: Alert, start_ns: int, stop_ns: int) -> pd.DataFrame:
    """Return the events of a finder as exceptions."""
    name = str(alert.finder)
    finder = twin.model.events[name]
    start, stop = (np.datetime64(at, "ns") for at in (start_ns, stop_ns))
    found = find(twin, finder.when, on=finder.on, lasting=finder.lasting, gap=finder.gap, start=start, stop=stop)
    since, until = (found[one].to_numpy(dtype="datetime64[ns]") for one in ("start", "end"))
    lasted = np.where(np.isnat(until), stop, until) - since
    columns = {
        "asset": found["asset"].to_numpy(dtype=object),
        "since": since,
        "raised": since + np.timedelta64(finder.lasting_ns, "ns"),
        "until": until,
        "text": [f"{finder.when}, for {duration_text(span)}" for span in lasted.astype(np.int64).tolist()],
    }
    described = _Described(finder.on, alert.title or finder.title, alert.severity or "medium")
    return exception_rows(columns, name=name, rule=described)


def _missed(found: xr.Dataset, alert: Alert, on: str, width: int, start_ns: int) -> pd.DataFrame:
    """Return the runs of windows that miss the target and end after the start."""
    value, low, high = (_table(found[name]) for name in ("value", "low", "high"))
    times = found["time"].values.astype("datetime64[ns]")
    settled = times + np.timedelta64(width, "ns") <= found["settled_until"].values
    target = float(found.attrs["target_value"])
    with np.errstate(invalid="ignore"):
        missed = ~_COMPARE[found.attrs["target_operator"]](value, target) & ~np.isnan(value) & settled[:, None]
    runs = runs_of(missed)
    last_settled = int(settled.nonzero()[0][-1]) + 1 if settled.any() else 0
    until = np.append(times, times[-1:] + np.timedelta64(width, "ns"))[runs.stop] if len(times) else times
    ended = runs.stop < last_settled
    keep = np.flatnonzero(~ended | (until > np.datetime64(start_ns, "ns")))
    if not keep.size:
        return concat([])
    column, first, stop = runs.column[keep], runs.first[keep], runs.stop[keep]
    groups = np.array([""] if alert.by is None else found[alert.by].values.astype(str), dtype=object)
    last = stop - 1
    shown = value[last, column]
    unit = str(found.attrs.get("units", ""))
    texts = [
        _text(found.attrs, *numbers)
        for numbers in zip(shown, low[last, column], high[last, column], (stop - first).tolist(), strict=True)
    ]
    columns = {
        "asset_type": alert.by or on,
        "asset": groups[column],
        "since": np.where(first == 0, _NAT, times[first]),
        "raised": times[first] + np.timedelta64(width, "ns"),
        "until": np.where(ended[keep], until[keep], _NAT),
        "value": shown,
        "limit": np.full(len(keep), target),
        "unit": unit,
        "text": texts,
        "beyond": np.abs(shown - target) / max(abs(target), 1e-9),
    }
    described = _Described(on, alert.title or str(found.attrs["title"]), alert.severity or "medium")
    return exception_rows(columns, name=str(alert.kpi), rule=described)


def _table(array: xr.DataArray) -> NDArray[np.float64]:
    """Return an array (window, group)."""
    numbers = array.to_numpy().astype(np.float64)
    return numbers if numbers.ndim == 2 else numbers[:, None]


def _text(attributes: dict[str, object], value: float, low: float, high: float, windows: int) -> str:
    unit = str(attributes.get("units", ""))
    shown = "" if unit in ("1", "") else f" {unit}"
    bounds = "" if low == high else f", between {low:.6g} and {high:.6g}"
    often = "" if windows == 1 else f", for {windows} windows of {attributes['every']}"
    return f"{attributes['title']} {value:.6g}{shown}{bounds} (target {attributes['target']}){often}"
