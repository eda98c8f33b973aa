"""One look at a signal: what was asked for, what was read for it, and the code that reads the same again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.explore.reading import MAX_POINTS, Plan, Window, instant_text, plan_reading, read
from twinlab.explore.scale import axis_label, runs
from twinlab.explore.traces import Trace, raw_traces, rollup_traces
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import Signal

__all__ = ["Ask", "View", "look", "view_code"]

#: Stretches of failed samples that a rollup's chart looks up in the raw samples, to show their values.
_LOOK_UPS = 6


@dataclass(frozen=True)
class Ask:
    """What a chart is asked to show."""

    asset_type: str
    signal: str
    assets: tuple[str, ...]
    window: Window
    # Asset -> the name people use.
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """What a chart shows."""

    ask: Ask
    plan: Plan
    data: xr.Dataset
    traces: tuple[Trace, ...]
    y_label: str
    # State codes -> names where the value axis shows them.
    states: Mapping[int, str] | None = None

    @property
    def title(self) -> str:
        """Signal, step and span, in words."""
        start, stop = (instant_text(t) for t in self.ask.window)
        return f"{self.plan.title} · {start} to {stop} UTC"


def look(twin: TwinReader, ask: Ask) -> View:
    """Read what ``ask`` needs and turn it into traces.

    Raises
    ------
    UnknownTermError
        If the twin doesn't know an asset, a signal or an asset type.
    """
    spec = twin.model.asset_types[ask.asset_type].signals[ask.signal]
    span = int((ask.window[1] - ask.window[0]).astype("timedelta64[ns]").astype("int64"))
    plan = plan_reading(
        span,
        cadence_ns=spec.cadence_ns,
        steps=twin.steps(ask.asset_type, ask.signal),
        merge_raw=spec.kind == "gauge",
    )
    data = read(twin, asset_type=ask.asset_type, signal=ask.signal, assets=ask.assets, window=ask.window, plan=plan)
    name = spec.title or ask.signal.replace("_", " ")
    if plan.raw:
        traces = raw_traces(data[ask.signal], data[f"{ask.signal}_qc"], labels=ask.labels, step=spec.kind == "state")
        unit = "" if spec.kind == "state" else spec.unit
        return View(ask, plan, data, tuple(traces), axis_label(name, unit), spec.states)
    failed = _failed_samples(twin, ask, plan, data) if spec.kind == "gauge" else None
    traces = rollup_traces(data, ask.signal, failed=failed, labels=ask.labels)
    return View(ask, plan, data, tuple(traces), axis_label(_rolled_name(name, spec), _rolled_unit(spec)))


def _rolled_name(name: str, spec: Signal) -> str:
    return f"increase of {name}" if spec.kind == "counter" else name


def _rolled_unit(spec: Signal) -> str:
    return "% of time" if spec.kind == "state" else spec.unit


def _failed_samples(twin: TwinReader, ask: Ask, plan: Plan, data: xr.Dataset) -> xr.DataArray | None:
    """Look up the raw values of failed samples, where they stand in few stretches; a rollup leaves them out."""
    import xarray as xr  # noqa: PLC0415

    name = f"{ask.signal}_fail"
    if name not in data:
        return None
    spans = runs(np.asarray((data[name].values > 0).any(axis=1), bool))
    spec = twin.model.asset_types[ask.asset_type].signals[ask.signal]
    width = np.timedelta64(plan.cell_ns * plan.factor, "ns")
    cells = int((spans[:, 1] - spans[:, 0]).sum()) * plan.cell_ns * plan.factor // spec.cadence_ns if spans.size else 0
    if not 0 < len(spans) <= _LOOK_UPS or cells > 20 * MAX_POINTS:
        return None
    time = data.time.values
    found = []
    for first, last in spans:
        raw = twin.history(
            ask.asset_type,
            signals=[ask.signal],
            assets=list(ask.assets),
            start=time[first],
            stop=time[last - 1] + width,
        ).compute()
        bad = raw[f"{ask.signal}_qc"].values == Flag.FAIL
        found.append(raw[ask.signal].where(bad).isel(time=bad.any(axis=1)))
    failed = xr.concat(found, dim="time")
    return failed if failed.sizes["time"] <= MAX_POINTS else None


def view_code(view: View, *, opening: str) -> str:
    """Return Python that reads and draws the same view in a fresh kernel, its data under the name ``data``."""
    ask, plan = view.ask, view.plan
    width = np.timedelta64(plan.cell_ns * plan.factor, "ns")
    start = view.data.time.values[0] if view.data.sizes["time"] else ask.window[0]
    stop = view.data.time.values[-1] + width if view.data.sizes["time"] else ask.window[1]
    step = "" if plan.step is None else f"\n    step={plan.step!r},"
    lines = [
        "import holoviews as hv",
        "import twinlab.explore as explore",
        opening,
        "",
        'hv.extension("bokeh")',
        "data = twin.history(",
        f"    {ask.asset_type!r},",
        f"    signals=[{ask.signal!r}],",
        f"    assets={list(ask.assets)!r},",
        f"    start={_iso(start)!r},  # UTC",
        f"    stop={_iso(stop)!r},{step}",
        ").compute()",
    ]
    if plan.factor > 1:
        lines.append(f"data = explore.coarsen(data, {ask.signal!r}, factor={plan.factor}, cell_ns={plan.cell_ns})")
    if plan.raw:
        lines.append(f"explore.signal_curve(data[{ask.signal!r}], flags=data[{ask.signal + '_qc'!r}])")
    else:
        lines.append(f"explore.band_curve(data, {ask.signal!r})")
    return "\n".join(lines) + "\n"


def _iso(when: np.datetime64) -> str:
    return pd.Timestamp(when).isoformat()
