"""Tables and settings of a view of signals, for exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.explore.charts.reading import shown_instant
from twinlab.explore.charts.scale import axis_label
from twinlab.explore.views.signals.view import PERIOD, SHOWN
from twinlab.languages import mark, tr
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.explore.views.signals.view import Part, View
    from twinlab.model.twinmodel import Signal, TwinModel

__all__ = ["view_settings", "view_tables"]

_PARTS = {
    "mean": mark("mean of {}"),
    "min": mark("smallest {}"),
    "max": mark("largest {}"),
    "increase": mark("increase of {}"),
}
_COUNTS = {
    "count": "samples",
    "suspect": mark("suspect samples"),
    "fail": mark("failed samples"),
    "missing": mark("missing samples"),
}
_FLAG_NAMES = {int(flag): flag.name.lower().replace("_", " ") for flag in Flag}


def view_tables(view: View, model: TwinModel) -> dict[str, pd.DataFrame]:
    """Return one table per signal: one row per time and asset, units in the column titles."""
    specs = model.asset_types[view.request.asset_type].signals
    return {
        (specs[signal].title or signal.replace("_", " ")): _signal_table(view, part, signal, specs[signal])
        for part in view.parts
        for signal in part.signals
    }


def _signal_table(view: View, part: Part, signal: str, spec: Signal) -> pd.DataFrame:
    frames = []
    labels = [SHOWN, *(period.label for period in view.request.periods)]
    for number, (data, label) in enumerate(zip(part.periods, labels, strict=True)):
        frame = _period_table(data, view, signal, spec)
        if view.request.periods:
            own = data["time"].values if number == 0 else part.own[number - 1]
            frame.insert(0, PERIOD, label)
            frame.insert(2, tr("own time (UTC)"), np.repeat(own, data.sizes["asset"]))
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _period_table(data: xr.Dataset, view: View, signal: str, spec: Signal) -> pd.DataFrame:
    name = spec.title or signal.replace("_", " ")
    assets = [view.request.labels.get(str(a), str(a)) for a in data["asset"].values]
    columns: dict[str, object] = {
        "time (UTC)": np.repeat(data["time"].values, len(assets)),
        "asset": np.tile(np.array(assets, object), data.sizes["time"]),
    }
    if signal in data:
        values = _flat(data[signal])
        columns[axis_label(name, "" if spec.kind == "state" else spec.unit)] = values
        if spec.kind == "state" and spec.states:
            columns["state"] = [spec.states.get(int(v), "") if np.isfinite(v) else "" for v in values.astype("float64")]
        columns["flag"] = [_FLAG_NAMES.get(int(f), str(f)) for f in _flat(data[f"{signal}_qc"])]
        return pd.DataFrame(columns)
    for part, title in _PARTS.items():
        if f"{signal}_{part}" in data:
            columns[axis_label(title.format(name), spec.unit)] = _flat(data[f"{signal}_{part}"])
    if f"{signal}_share" in data:
        share = data[f"{signal}_share"].transpose("time", "asset", f"{signal}_state")
        for place, state in enumerate(share[f"{signal}_state"].values):
            columns[f"{state} (% of time)"] = 100 * share.values[:, :, place].ravel()
    for part, title in _COUNTS.items():
        if f"{signal}_{part}" in data:
            columns[title] = _flat(data[f"{signal}_{part}"])
    return pd.DataFrame(columns)


def _flat(array: xr.DataArray) -> NDArray[np.generic]:
    flat: NDArray[np.generic] = array.transpose("time", "asset").values.ravel()
    return flat


def view_settings(view: View, model: TwinModel) -> dict[str, str]:
    """Return the settings as text: label -> value."""
    request, kind = view.request, model.asset_types[view.request.asset_type]
    start, stop = (shown_instant(t) for t in request.window)
    out = {
        tr("Kind of asset"): kind.title or request.asset_type.replace("_", " "),
        tr("Signals"): ", ".join(kind.signals[s].title or s.replace("_", " ") for s in request.signals),
        tr("Assets"): ", ".join(request.labels.get(a, a) for a in request.assets),
        tr("From (UTC)"): start,
        tr("To (UTC)"): stop,
        tr("Read as"): tr(" and ").join(dict.fromkeys(part.plan.title for part in view.parts)),
    }
    if request.periods:
        out["Compared with"] = "; ".join(period.label for period in request.periods)
        zone = request.periods[0].shift.zone or "UTC"
        out["Aligned by"] = (
            tr("the events' starts") if request.since is not None else tr("the clock of {zone}", zone=zone)
        )
    return out
