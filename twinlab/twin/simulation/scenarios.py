"""Scenarios of a twin as models and states by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.errors import SchemaError

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.simulate.timetable.model import TimetableModel

__all__ = ["BASE", "in_scenarios"]

#: Name of the scenario in which nothing is changed.
BASE = "base"


def in_scenarios(
    scenarios: object, model: TimetableModel, state: xr.Dataset
) -> tuple[dict[str, TimetableModel], dict[str, xr.Dataset]]:
    """Return the model and the state of each scenario, ``base`` first.

    Raises
    ------
    SchemaError
        If something isn't a scenario, or two have the same name.
    """
    models, states = {BASE: model}, {BASE: state}
    if scenarios is None:
        return models, states
    msg = f"expected scenarios, got {scenarios!r}"
    raise SchemaError(msg)
