"""The schema of predictions.

A Dataset of predictions has dims ``issue_time, lead_time, asset`` and, if it predicts a value, ``quantile``:

- ``issue_time`` (datetime64, UTC): when it was made; nothing that became known later is in it.
- ``lead_time`` (timedelta64): how far ahead; ``valid_time = issue_time + lead_time``. Of a signal it is the end of the cell that is predicted.
- ``quantile`` (float): levels between 0 and 1, rising.

Predictions of single events, such as flights, have the dim ``case`` in place of these three, and ``issue_time, lead_time, asset, event_id`` as
coordinates of each case (`of_events`).

Its first variable is what is predicted, named as the signal or outcome; attributes ``units`` and ``kind`` ("quantiles" or "probability"). The variable
``cant_tell`` (dims ``issue_time, lead_time, asset``; uint16) is 0 where there is a number; elsewhere the value is NaN and the code's text, in the
attribute ``reasons``, says why.

Attributes of the Dataset: ``target``, ``model``, ``model_hash``, ``training_start``, ``training_stop``, and where they are known ``twin_model``, ``mappings``
(hashes) and ``position`` (rows of each source).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.protocol.predictor import CantTell, Fitted
from twinlab.predict.protocol.state import State

__all__ = [
    "CANT_TELL",
    "CASES",
    "GRID",
    "attributes",
    "check_predictions",
    "encoded",
    "places_of",
    "predictions",
    "reasons",
    "target_of",
]

#: Dims of a value's place.
GRID: Final = ("issue_time", "lead_time", "asset")
#: The dim of predictions of events.
CASES: Final = ("case",)
CANT_TELL: Final = "cant_tell"
_ATTRS: Final = ("target", "model", "model_hash", "training_start", "training_stop")


def predictions(
    values: NDArray[np.float64],
    *,
    state: State,
    fitted: Fitted,
    target: str,
    units: str,
    lead_times: Sequence[np.timedelta64],
    quantiles: Sequence[float] = (),
    refused: Mapping[tuple[int, ...], CantTell] | None = None,
    assets: Sequence[str] | None = None,
    attrs: Mapping[str, object] | None = None,
) -> xr.Dataset:
    """Return predictions of one issue time.

    Parameters
    ----------
    values : array (lead_time, asset) or (lead_time, asset, quantile)
        Without ``quantiles`` a probability. NaN where it can't tell.
    state : State
        What they were made from.
    fitted : Fitted
        What made them.
    target, units : str
        Name and canonical unit of what is predicted.
    lead_times : sequence of timedelta64
    quantiles : sequence of float
        Levels; empty for a probability.
    refused : mapping of (lead, asset) to CantTell
        Reasons by place; a NaN without one gets a reason of its own.
    assets : sequence of str, optional
        By default those of the state.
    attrs : mapping, optional
        Further attributes.

    Raises
    ------
    SchemaError
        If the shape doesn't fit, levels don't rise, or quantiles cross.
    """
    ids = list(state.asset_ids if assets is None else assets)
    shape = (len(lead_times), len(ids)) + ((len(quantiles),) if quantiles else ())
    if values.shape != shape:
        msg = f"expected predictions of {target!r} of shape {shape} (lead_time, asset[, quantile]), got {values.shape}"
        raise SchemaError(msg)
    missing = np.asarray(np.isnan(values).any(axis=-1) if quantiles else np.isnan(values), bool)
    codes, texts = encoded(missing, refused or {}, fitted.name)
    values = np.where((codes > 0)[..., None] if quantiles else codes > 0, np.nan, values)
    dims: tuple[str, ...] = (*GRID, "quantile") if quantiles else GRID
    kind = "quantiles" if quantiles else "probability"
    coords: dict[str, Any] = {
        "issue_time": np.array([state.issue_time], "datetime64[ns]"),
        "lead_time": np.array(lead_times, "timedelta64[ns]"),
        "asset": np.array(ids, object),
    }
    if quantiles:
        coords["quantile"] = np.array(quantiles, float)
    out = xr.Dataset(
        {
            target: (dims, values[None], {"units": units, "kind": kind}),
            CANT_TELL: (GRID, codes[None], {"reasons": texts}),
        },
        coords=coords,
        attrs=attributes(state, fitted, target, attrs),
    )
    check_predictions(out)
    return out


def encoded(
    missing: NDArray[np.bool_], refused: Mapping[tuple[int, ...], CantTell], name: str
) -> tuple[NDArray[np.uint16], list[str]]:
    """Return codes of "can't tell" for places without a number, and the text of each code."""
    texts, codes = [""], np.zeros(missing.shape, "uint16")
    for place, answer in refused.items():
        if answer.reason not in texts:
            texts.append(answer.reason)
        codes[place] = texts.index(answer.reason)
    lacking = missing & (codes == 0)
    if bool(lacking.any()):
        texts.append(f"{name} gives no number: values that it needs are missing before the issue time")
        codes[lacking] = len(texts) - 1
    return codes, texts


def attributes(
    state: State, fitted: Fitted, target: str, attrs: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Return the attributes of predictions: what is predicted, by which model, trained on what, read where."""
    facts = {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for key, value in state.facts.items()
    }
    return {
        "target": target,
        "model": fitted.name,
        "model_hash": fitted.content_hash(),
        "training_start": str(fitted.training[0]),
        "training_stop": str(fitted.training[1]),
        "asset_type": fitted.inputs.asset_type,
        "step": fitted.inputs.step,
        **facts,
        **(attrs or {}),
    }


def places_of(data: xr.Dataset) -> tuple[str, ...]:
    """Return the dims of a value's place: those of a grid, or ``case``."""
    return CASES if "case" in data.dims else GRID


def target_of(data: xr.Dataset) -> xr.DataArray:
    """Return the variable that is predicted."""
    return data[str(data.attrs["target"])]


def reasons(data: xr.Dataset) -> xr.DataArray:
    """Return the reason of each place without a number, as text; empty where there is one."""
    codes = data[CANT_TELL]
    texts = np.array(list(codes.attrs["reasons"]), object)
    return xr.DataArray(texts[codes.values], dims=codes.dims, coords=codes.coords, name="reason")


def check_predictions(data: xr.Dataset) -> None:
    """Check that a Dataset follows the schema.

    Raises
    ------
    SchemaError
        If it doesn't; says what is missing or wrong.
    """
    missing = [name for name in _ATTRS if name not in data.attrs]
    if missing:
        msg = f"expected predictions with the attributes {', '.join(_ATTRS)}; {', '.join(missing)} missing"
        raise SchemaError(msg)
    name = str(data.attrs["target"])
    if name not in data.data_vars or CANT_TELL not in data.data_vars:
        msg = (
            f"expected the variables {name!r} and {CANT_TELL!r} in predictions, got {sorted(map(str, data.data_vars))}"
        )
        raise SchemaError(msg)
    values = data[name]
    kind = values.attrs.get("kind")
    grid = places_of(data)
    wanted = (*grid, "quantile") if kind == "quantiles" else grid
    if kind not in ("quantiles", "probability") or values.dims != wanted or "units" not in values.attrs:
        msg = (
            f"expected {name!r} with kind 'quantiles' or 'probability', units, and dims {wanted}, "
            f"got kind {kind!r}, units {values.attrs.get('units')!r} and dims {values.dims}"
        )
        raise SchemaError(msg)
    _check_coords(data)
    codes = data[CANT_TELL]
    if codes.dims != grid or len(codes.attrs.get("reasons", [])) <= int(codes.max() if codes.size else 0):
        msg = f"expected {CANT_TELL!r} with dims {grid} and a text in `reasons` for each code"
        raise SchemaError(msg)
    _check_values(name, values, codes)


def _check_coords(data: xr.Dataset) -> None:
    missing = [
        name
        for name in ("issue_time", "lead_time", "asset", *(("event_id",) if "case" in data.dims else ()))
        if name not in data.coords
    ]
    if missing:
        msg = f"expected the coordinate {missing[0]!r} in predictions"
        raise SchemaError(msg)
    issued, leads = data["issue_time"], data["lead_time"]
    if issued.dtype != "datetime64[ns]" or leads.dtype != "timedelta64[ns]":
        msg = f"expected issue_time as datetime64[ns] and lead_time as timedelta64[ns], got {issued.dtype} and {leads.dtype}"
        raise SchemaError(msg)
    cases = "case" in data.dims
    lacking = [name for name in ("issue_time", "lead_time", "asset", "event_id") if cases and data[name].dims != CASES]
    if lacking:
        msg = f"expected a coordinate {lacking[0]!r} of each case"
        raise SchemaError(msg)
    axes = () if cases else ("issue_time", "lead_time")
    for one in (*axes, *(("quantile",) if "quantile" in data.dims else ())):
        found = data[one].values
        if len(found) > 1 and not bool((found[1:] > found[:-1]).all()):
            msg = f"expected rising {one} in predictions, each once"
            raise SchemaError(msg)
    if bool((leads.values < np.timedelta64(0, "ns")).any()):
        msg = f"expected lead times of at least 0, got {leads.values.min()}"
        raise SchemaError(msg)
    if "quantile" in data.dims and not bool(((data["quantile"] > 0) & (data["quantile"] < 1)).all()):
        msg = f"expected quantiles between 0 and 1, got {data['quantile'].values.tolist()}"
        raise SchemaError(msg)
    ids = (
        [*zip(data["issue_time"].values.tolist(), data["event_id"].values, strict=True)]
        if cases
        else data["asset"].values.tolist()
    )
    if len(set(ids)) != len(ids):
        msg = f"expected each {'event once an issue time' if cases else 'asset once'} in predictions"
        raise SchemaError(msg)


def _check_values(name: str, values: xr.DataArray, codes: xr.DataArray) -> None:
    array = values.values
    if values.attrs["kind"] == "probability":
        if bool(((array < 0) | (array > 1)).any()):
            msg = f"expected probabilities of {name!r} between 0 and 1, got {np.nanmin(array)} to {np.nanmax(array)}"
            raise SchemaError(msg)
        empty = np.isnan(array)
    else:
        if bool((np.diff(array, axis=-1) < 0).any()):
            msg = f"expected quantiles of {name!r} that rise with their level; sort them along `quantile`"
            raise SchemaError(msg)
        empty = np.isnan(array).any(axis=-1)
    if not np.array_equal(empty, codes.values > 0):
        msg = f"expected a code in {CANT_TELL!r} exactly where {name!r} has no number"
        raise SchemaError(msg)
