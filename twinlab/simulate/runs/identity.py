"""What a run is a run of: models, states, span, step and seed, and whether a stored run is the same one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.basics import parse_duration
from twinlab.simulate.kernel.model import NetworkModel
from twinlab.simulate.kernel.scenario_model import ScenarioModel
from twinlab.simulate.network.network import Network
from twinlab.simulate.protocol import Model
from twinlab.simulate.runs.chunks import Job, instant
from twinlab.simulate.runs.descriptions import described
from twinlab.simulate.runs.digests import dataset_digest
from twinlab.simulate.scenarios.scenario import Scenario
from twinlab.simulate.scenarios.windows import nanoseconds
from twinlab.simulate.states.forks import fork

__all__ = ["about_run", "check_same", "duration", "jobs_of", "named_models"]

_FORMAT = 1
#: What must agree for a run to go on, and how it is called in a message.
_SAME = {"start": "start", "until": "end", "step": "step", "seed": "seed", "trace": "number of traced replications"}


def named_models(models: Any) -> dict[str, Model]:  # noqa: ANN401  (checked here)
    """Return models by scenario.

    Raises
    ------
    SchemaError
        If something isn't a model, or two have the same name.
    """
    if isinstance(models, (Model, Network, Scenario)):
        models = [models]
    if not isinstance(models, Mapping):
        listed = list(models) if isinstance(models, Iterable) and not isinstance(models, str) else [models]
        names = [getattr(one, "name", "?") for one in listed]
        if len(set(names)) < len(names):
            msg = f"expected models with different names, got {names}; name them by a dict"
            raise SchemaError(msg)
        models = dict(zip(names, listed, strict=True))
    models = {name: _model(one) for name, one in models.items()}
    for name, one in models.items():
        if not isinstance(one, Model) or not isinstance(name, str) or not name:
            msg = f"expected a model (name, content_hash, initial_state, advance) by its name, got {one!r} by {name!r}"
            raise SchemaError(msg)
    if not models:
        msg = "expected at least one model, got none"
        raise SchemaError(msg)
    return dict(models)


def _model(one: object) -> object:
    """Return the model of a description; anything else as it is."""
    if isinstance(one, Network):
        return NetworkModel(one)
    return ScenarioModel(one) if isinstance(one, Scenario) else one


def jobs_of(
    models: Mapping[str, Model],
    *,
    start: Any,  # noqa: ANN401  (what pandas reads as a time)
    state: xr.Dataset | Mapping[str, xr.Dataset] | None,
    horizon: Any,  # noqa: ANN401  (what pandas reads as a duration)
    step: Any,  # noqa: ANN401
    seed: int | None,
    trace: int,
) -> dict[str, Job]:
    """Return the job of each scenario.

    Raises
    ------
    SchemaError
        If start, horizon or step can't be read or don't fit, or a state isn't of its model.
    """
    length, width = _duration(horizon, "horizon"), _duration(step, "step")
    if length % width:
        msg = f"expected a horizon of whole steps, got {horizon!r} and a step of {step!r}; change one of them"
        raise SchemaError(msg)
    if (start is None) == (state is None):
        msg = (
            "expected either start= or state=, got both" if state is not None else "expected start= or state=, got none"
        )
        raise SchemaError(msg)
    states = {
        name: _state(
            name,
            model,
            start,
            state[name] if isinstance(state, Mapping) and not isinstance(state, xr.Dataset) else state,
            seed,
        )
        for name, model in models.items()
    }
    ends = {name: instant(one) for name, one in states.items()}
    for name, model in models.items():
        if isinstance(model, ScenarioModel):
            model.scenario.check(run=(nanoseconds(states[name]["start"].values), ends[name] + length))
    if len(set(ends.values())) > 1:
        msg = f"expected states of one instant, got {ends}; advance them to the same one"
        raise SchemaError(msg)
    return {name: Job(name, model, states[name], ends[name] + length, width, trace) for name, model in models.items()}


def _state(name: str, model: Model, start: Any, state: xr.Dataset | None, seed: int | None) -> xr.Dataset:  # noqa: ANN401
    if state is None:
        try:
            begin = pd.Timestamp(start)
        except (ValueError, TypeError) as error:
            msg = f"expected start= as a time such as '2026-03-01T06:00' (UTC), got {start!r}"
            raise SchemaError(msg) from error
        if begin.tzinfo is not None:
            begin = begin.tz_convert("UTC").tz_localize(None)
        return model.initial_state(start=begin.to_datetime64().astype("datetime64[ns]"), seed=seed or 0, replication=0)
    stated = state.attrs.get("model_hash")
    if stated is not None and stated != model.content_hash():
        msg = (
            f"expected a state of the model {model.name!r} (hash {model.content_hash()}) for scenario {name!r}, got one of "
            f"{state.attrs.get('model')!r} (hash {stated}); make it with this model"
        )
        raise SchemaError(msg)
    return fork(state, replication=0, seed=seed)


def _duration(text: Any, name: str) -> np.timedelta64:  # noqa: ANN401
    try:
        found = pd.Timedelta(parse_duration(text) if isinstance(text, str) else text)
    except (ValueError, TypeError):
        found = pd.Timedelta(0)
    # Neither what is negative nor what is missing (NaT).
    if not found > pd.Timedelta(0):
        msg = f"expected {name}= as a duration above zero such as '7d' or '1h', got {text!r}"
        raise SchemaError(msg)
    return np.timedelta64(found.value, "ns")


def duration(text: str) -> np.timedelta64:
    """Return a duration as `about_run` writes it."""
    return np.timedelta64(pd.Timedelta(text).value, "ns")


def about_run(jobs: Mapping[str, Job], *, replications: int, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run is a run of, as JSON has it."""
    one = next(iter(jobs.values()))
    return {
        "format": _FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": version("twinlab-kit"),
        "start": pd.Timestamp(instant(one.state)).isoformat(),
        "until": pd.Timestamp(one.until).isoformat(),
        "step": pd.Timedelta(one.step).isoformat(),
        "seed": int(one.state["seed"]),
        "trace": one.trace,
        "replications": replications,
        "attrs": dict(attrs),
        "scenarios": {
            name: {
                "model": job.model.name,
                "model_hash": job.model.content_hash(),
                "state_hash": dataset_digest(job.state.assign(replication=np.int64(0))),
                "description": described(job.model),
            }
            for name, job in jobs.items()
        },
    }


def check_same(stored: Mapping[str, Any], wanted: Mapping[str, Any], *, where: str) -> None:
    """Refuse to go on with a run that is another one.

    Raises
    ------
    SchemaError
        If a scenario, a model, a state, the span, the step or the seed differ; names it with both values.
    """
    differences = [
        f"the {text} is {stored.get(key)} there and {wanted[key]} here"
        for key, text in _SAME.items()
        if stored.get(key) != wanted[key]
    ]
    here, there = wanted["scenarios"], stored["scenarios"]
    if set(here) != set(there):
        differences.append(f"the scenarios are {sorted(there)} there and {sorted(here)} here")
    for name in sorted(set(here) & set(there)):
        differences += [
            f"the {text} of scenario {name!r} is {there[name][key]} there and {here[name][key]} here"
            for key, text in (("model_hash", "model"), ("state_hash", "state at the start"))
            if here[name][key] != there[name][key]
        ]
    if differences:
        msg = f"expected the same run as the one stored at {where}, but {'; '.join(differences)}; choose another store"
        raise SchemaError(msg)
