"""Models as JSON, so that a stored run can be computed again without the code that made its models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinlab.simulate.kernel.model import NetworkModel
from twinlab.simulate.network.network import Network
from twinlab.simulate.protocol import Model

__all__ = ["described", "rebuilt"]


def described(model: Model) -> dict[str, Any]:
    """Return what `rebuilt` needs to make a model again; empty for a model that is code, such as a function."""
    if isinstance(model, NetworkModel):
        return {"network": model.network.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
    return {}


def rebuilt(description: Mapping[str, Any]) -> Model | None:
    """Return a model from its description; None if it was code."""
    if "network" in description:
        return NetworkModel(Network.model_validate(description["network"]))
    return None
