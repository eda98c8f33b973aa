"""States read from a twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.history.build.mapping_context import content_hash
from twinlab.model.flags import Flag
from twinlab.model.terms import nearest
from twinlab.predict.known.knowledge import ByEventTime, ByIngest, Knowledge
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.state import State

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["default_knowledge", "facts_of", "read_state"]


def default_knowledge(twin: TwinReader) -> Knowledge:
    """Return the rule by ingest time for a twin with a ledger, else that by event time."""
    return ByIngest() if hasattr(twin, "as_of") else ByEventTime()


def read_state(
    twin: TwinReader,
    inputs: Inputs,
    issue_time: np.datetime64,
    *,
    knowledge: Knowledge | None = None,
    span: np.timedelta64 | None = None,
    future: xr.Dataset | None = None,
) -> State:
    """Return what was known of a twin at an instant.

    Parameters
    ----------
    twin : TwinReader
    inputs : Inputs
        What is read.
    issue_time : datetime64
        UTC, a multiple of the step unless ``inputs.on_grid`` is false.
    knowledge : Knowledge, optional
        What was known; by default the rule by ingest time if the twin has a ledger, else that by event time.
    span : timedelta64, optional
        Span before the issue time; by default the window of the inputs.
    future : Dataset, optional
        Inputs known ahead, see `State`.

    Raises
    ------
    SchemaError
        If the issue time isn't a multiple of the step although it must be, or nothing was known.
    UnknownTermError
        If the history has no such variable.
    """
    at, step = issue_time.astype("datetime64[ns]"), inputs.step_ns
    if inputs.on_grid and at.astype("int64") % step.astype("int64"):
        msg = f"expected an issue time that is a multiple of the step {inputs.step}, got {at}"
        raise SchemaError(msg)
    rule = default_knowledge(twin) if knowledge is None else knowledge
    view = rule.view(twin, at, columns=inputs.columns)
    # A lag as long as the window reads the cell before it.
    start = at - ((inputs.window_ns if span is None else span) + step)
    history = _cells(view, inputs.asset_type, inputs.variables, step=inputs.step, span=(start, at))
    if inputs.variables and not any(bool(one.count() > 0) for one in history.data_vars.values()):
        raise SchemaError(_nothing_known(inputs, rule, start, at))
    until = at + duration(inputs.ahead, what="Inputs.ahead")
    kinds = (inputs.asset_type, *inputs.others)
    return State(
        issue_time=at,
        history=history,
        step=step,
        others={
            kind: _cells(view, kind, names, step=inputs.step, span=(start, at)) for kind, names in inputs.others.items()
        },
        events={kind: _happened(view.events(kind, start=start, stop=until), at) for kind in inputs.events},
        assets={kind: view.assets(kind) for kind in kinds},
        relationships={name: view.relationships(name) for name in inputs.relationships},
        future=future,
        columns=inputs.columns,
        latency=rule.lag,
        facts=facts_of(view),
    )


def _nothing_known(inputs: Inputs, rule: Knowledge, start: np.datetime64, at: np.datetime64) -> str:
    """Return the message for a state without a cell."""
    text = f"nothing was known of {', '.join(inputs.variables)} of {inputs.asset_type!r} from {start} to {at}"
    if isinstance(rule, ByIngest):
        return (
            f"{text} by ingest time; of a twin that was loaded from files long after, use knowledge=predict.ByEventTime(latency=…), "
            "which takes values as known after the event time"
        )
    return f"{text}; predict a later issue time, or use a longer window"


def _cells(
    view: TwinReader, asset_type: str, names: Sequence[str], *, step: str, span: tuple[np.datetime64, np.datetime64]
) -> xr.Dataset:
    """Return variables of one asset type: regular cells that ended by an instant; values that failed a test are NaN."""
    (start, at), width = span, duration(step, what="step")
    if not names:
        empty = np.empty(0, "datetime64[ns]")
        ids = np.array(list(view.assets(asset_type).index), object)
        return xr.Dataset(coords={"time": empty, "asset": ids})
    spec = view.model.asset_types.get(asset_type)
    if spec is None:
        msg = f"unknown asset type {asset_type!r}{nearest(asset_type, view.model.asset_types)}"
        raise UnknownTermError(msg)
    signals = _signals(names, list(spec.signals), asset_type)
    raw = all(name in spec.signals for name in names) and all(
        np.timedelta64(spec.signals[name].cadence_ns, "ns") == width for name in names
    )
    data = view.history(asset_type, signals=signals, start=start, stop=at, step=None if raw else step)
    missing = [name for name in names if name not in data.data_vars]
    if missing:
        known = [str(name) for name in data.data_vars]
        msg = f"the history of {asset_type!r} at step {step} has no variable {missing[0]!r}{nearest(missing[0], known)}"
        raise UnknownTermError(msg)
    flags = [f"{name}_qc" for name in names if raw and f"{name}_qc" in data.data_vars]
    data = data[[*names, *flags]]
    data = data.isel(time=slice(0, int(np.searchsorted(data["time"].values, at - width, side="right")))).compute()
    for name in names:
        values = data[name].transpose("time", "asset").astype(float)
        if f"{name}_qc" in flags:
            values = values.where(~data[f"{name}_qc"].isin([int(Flag.FAIL), int(Flag.MISSING)]))
        data[name] = values.assign_attrs(data[name].attrs)
    return _regular(data[list(names)], width)


def _regular(data: xr.Dataset, step: np.timedelta64) -> xr.Dataset:
    """Return cells without gaps in time; cells that weren't there are NaN."""
    times = data["time"].values.astype("datetime64[ns]")
    data = data.assign_coords(time=times, asset=data["asset"].values.astype(object))
    if times.size < 2 or bool((np.diff(times) == step).all()):
        return data
    return data.reindex(time=np.arange(times[0], times[-1] + step, step))


def _signals(names: Sequence[str], signals: Sequence[str], asset_type: str) -> list[str]:
    """Return the signals that variables such as ``temperature_mean`` belong to."""
    out = []
    for name in names:
        fits = [signal for signal in signals if name == signal or name.startswith(f"{signal}_")]
        if not fits:
            msg = f"expected a variable of a signal of {asset_type!r}, got {name!r}{nearest(name, signals)}"
            raise UnknownTermError(msg)
        out.append(max(fits, key=len))
    return list(dict.fromkeys(out))


def _happened(table: pd.DataFrame, at: np.datetime64) -> pd.DataFrame:
    """Return events without starts and ends after an instant: a source may state them ahead."""
    return table.assign(**{name: table[name].where(table[name] <= at) for name in ("start", "end")})


def facts_of(twin: TwinReader) -> dict[str, object]:
    """Return where predictions come from: hashes of model and mappings, and rows of each source where there is a ledger."""
    reader = getattr(twin, "_twin", twin)
    facts: dict[str, object] = {"twin_model": content_hash(twin.model)}
    mappings = getattr(reader, "mappings", None)
    if mappings is not None:
        facts["mappings"] = {name: content_hash(one) for name, one in sorted(mappings.items())}
    position = getattr(getattr(reader, "reader", reader), "position", None)
    if position is not None:
        facts["position"] = {name: int(rows) for name, rows in position().items()}
    return facts
