"""Models as JSON and arrays, so that a stored run can be computed again without the code that made its models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import xarray as xr

from twinlab.simulate.kernel.model import NetworkModel
from twinlab.simulate.kernel.scenario_model import ScenarioModel
from twinlab.simulate.network.network import Network
from twinlab.simulate.protocol import Model
from twinlab.simulate.scenarios.scenario import Scenario
from twinlab.simulate.timetable.model import TimetableModel
from twinlab.simulate.timetable.parameters import model_of, parameters_of

__all__ = ["described", "parameters", "rebuilt"]


def described(model: Model) -> dict[str, Any]:
    """Return what `rebuilt` needs to make a model again; empty for a model that is code, such as a function."""
    if isinstance(model, TimetableModel):
        return {"timetable": model.content_hash()}
    if isinstance(model, NetworkModel):
        return {"network": _stated(model.network)}
    if isinstance(model, ScenarioModel) and model.scenario.base is not None:
        return {"network": _stated(model.scenario.base), "scenario": model.scenario.stated()}
    return {}


def parameters(model: Model) -> xr.Dataset | None:
    """Return the arrays that a description names by their hash and doesn't contain; None for a model without any."""
    return parameters_of(model) if isinstance(model, TimetableModel) else None


def rebuilt(description: Mapping[str, Any], load: Callable[[str], xr.Dataset]) -> Model | None:
    """Return a model from its description; None if it was code.

    Parameters
    ----------
    description : mapping
        As `described` returns it.
    load : callable
        Returns the `parameters` of a model by its hash.
    """
    if "timetable" in description:
        return model_of(load(description["timetable"]))
    if "network" not in description:
        return None
    network = Network.model_validate(description["network"])
    if "scenario" not in description:
        return NetworkModel(network)
    stated = description["scenario"]
    return ScenarioModel(Scenario(stated["name"], network, stated["changes"], stated.get("title")))


def _stated(network: Network) -> dict[str, Any]:
    return network.model_dump(mode="json", by_alias=True, exclude_defaults=True)
