"""Data of an asset card: last values, curves of the last day, exceptions and events of one asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.events import events_at, present, where
from twinlab.events.present_state.stories import events_of
from twinlab.explore.charts.reading import Plan, coarsen, plan_reading
from twinlab.explore.kit.arrivals.hints import why_no_arrivals
from twinlab.explore.kit.arrivals.predicted import arrivals_at, arrivals_of
from twinlab.explore.kit.exception_text import records
from twinlab.explore.kit.live.live_twins import has_live_sources
from twinlab.explore.kit.present import now_at
from twinlab.history.read.direct import computed
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.events import Place
    from twinlab.explore.kit.session import Shared
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import Signal

__all__ = ["CardData", "Curve", "read_card"]

#: Span of the curves, and their number of cells.
_SPAN, _CELLS = np.timedelta64(24, "h"), 96
_EVENTS = 8
_TIMES = ("start", "end", "planned_start", "planned_end")


@dataclass(frozen=True)
class Curve:
    """One signal over the last day, evenly spaced."""

    values: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class CardData:
    """One asset at an instant."""

    asset_type: str
    asset: str
    label: str
    at: np.datetime64 | None
    properties: dict[str, object] = field(default_factory=dict)
    #: None if the location is unknown.
    place: Place | None = None
    #: One row of `twinlab.events.present`: value, ``_qc`` and ``_time`` of each signal; None without observations.
    last: pd.Series | None = None
    curves: dict[str, Curve] = field(default_factory=dict)
    exceptions: pd.DataFrame = field(default_factory=pd.DataFrame)
    #: Newest first: event_type, event_id, start, end, planned_start, planned_end.
    events: pd.DataFrame = field(default_factory=pd.DataFrame)
    #: Row of ``twin.freshness()``; None for another instant than the present, and without live rows.
    fresh: Mapping[str, Any] | None = None
    #: As `twinlab.explore.kit.arrivals.predicted.arrivals_of` returns them.
    arrivals: pd.DataFrame = field(default_factory=pd.DataFrame)
    #: Why there are none, if that isn't because the asset does nothing.
    no_arrivals: str = ""


def read_card(shared: Shared, asset_type: str, asset: str, *, at: np.datetime64 | None) -> CardData:
    """Return the data of an asset card.

    Raises
    ------
    UnknownTermError
        If the twin doesn't know the asset type.
    """
    twin = shared.reader
    now = now_at(shared, at)
    when = now.at
    label = shared.labels(asset_type).get(asset, asset)
    frame = twin.assets(asset_type)
    properties = {} if asset not in frame.index else {str(k): v for k, v in frame.loc[asset].items()}
    if when is None:
        return CardData(asset_type, asset, label, None, properties)
    signals = twin.model.asset_types[asset_type].signals
    observed = bool(signals) and asset in set(shared.choices.assets(asset_type).values())
    found = now.exceptions
    if len(found):
        found = found[(found["asset_type"] == asset_type) & (found["asset"].astype(str) == asset)]
    arrivals = arrivals_at(shared, when)
    return CardData(
        asset_type,
        asset,
        label,
        when,
        properties,
        place=where(twin, asset_type, asset, at=when) if asset in frame.index else None,
        last=present(twin, asset_type, at=when, assets=[asset]).iloc[0] if observed else None,
        curves=_curves(twin, asset_type, asset, when) if observed else {},
        exceptions=found,
        events=recent_events(twin, asset_type, asset, at=when),
        fresh=_fresh(shared, asset_type, asset) if at is None else None,
        arrivals=arrivals_of(arrivals, twin.model, asset_type, asset),
        no_arrivals=why_no_arrivals(shared, when, asset_type=asset_type) if arrivals.empty else "",
    )


def _fresh(shared: Shared, asset_type: str, asset: str) -> Mapping[str, Any] | None:
    if not has_live_sources(shared.twin):
        return None
    found = shared.twin.freshness()
    rows = records(found[found.index == (asset_type, asset)])
    return rows[0] if rows else None


def _curves(twin: TwinReader, asset_type: str, asset: str, at: np.datetime64) -> dict[str, Curve]:
    """Return the last day of each signal; signals with the same plan are read together."""
    spec = twin.model.asset_types[asset_type]
    groups: dict[Plan, list[str]] = {}
    for name, signal in spec.signals.items():
        if name in (spec.position or ()):
            continue
        plan = plan_reading(
            int(_SPAN.astype("timedelta64[ns]").astype("int64")),
            cadence_ns=signal.cadence_ns,
            steps=twin.steps(asset_type, name),
            merge_raw=signal.kind == "gauge",
            bins=_CELLS,
            limit=2 * _CELLS,
        )
        groups.setdefault(plan, []).append(name)
    out: dict[str, Curve] = {}
    for plan, names in groups.items():
        data = twin.history(
            asset_type,
            signals=names,
            assets=[asset],
            start=at - _SPAN,
            stop=at + np.timedelta64(1, "ns"),
            step=plan.step,
        )
        data = computed(data)
        for name in names:
            merged = data if plan.factor == 1 else coarsen(data, name, factor=plan.factor, cell_ns=plan.cell_ns)
            out[name] = _curve(merged, name, spec.signals[name])
    return out


def _curve(data: xr.Dataset, name: str, signal: Signal) -> Curve:
    def column(part: str) -> NDArray[np.float64]:
        return np.asarray(data[f"{name}{part}"].values[:, 0], dtype=float)

    if f"{name}_mean" in data:
        return Curve(column("_mean"), column("_min"), column("_max"))
    if f"{name}_increase" in data:
        return Curve(column("_increase"))
    if f"{name}_share" in data:
        share = np.nan_to_num(data[f"{name}_share"].values[:, 0, :])
        return Curve(np.where(share.sum(axis=1) > 0, share.argmax(axis=1), np.nan).astype(float))
    if name not in data:
        return Curve(np.empty(0))
    # One outlier would flatten the curve.
    values = np.where(data[f"{name}_qc"].values[:, 0] == Flag.FAIL, np.nan, column(""))
    return Curve(np.diff(values, prepend=np.nan) if signal.kind == "counter" else values)


def recent_events(twin: TwinReader, asset_type: str, asset: str, *, at: np.datetime64) -> pd.DataFrame:
    """Return the last events of an asset, newest first, as known at the instant.

    Returns
    -------
    DataFrame
        ``event_type, event_id, start, end, planned_start, planned_end``.
    """
    parts = [
        events_at(found, at)[["event_id", *_TIMES]].assign(event_type=kind)
        for kind in twin.model.event_types
        if len(found := events_of(twin, kind, asset_type, asset))
    ]
    if not parts:
        return pd.DataFrame(columns=["event_id", *_TIMES, "event_type"])
    events = pd.concat(parts, ignore_index=True)
    begin = events["start"].fillna(events["planned_start"])
    begin = begin[begin <= pd.Timestamp(at)]
    return events.loc[begin.sort_values(ascending=False, kind="stable").index].head(_EVENTS).reset_index(drop=True)
