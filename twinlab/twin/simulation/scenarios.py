"""Scenarios of a twin as models and states by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.model.basics import parse_duration
from twinlab.simulate.scenarios.scenario import Scenario
from twinlab.simulate.timetable.plans.changes import changed_plan

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.simulate.calibration.calibrated import Calibrated
    from twinlab.simulate.timetable.model import TimetableModel

__all__ = ["BASE", "in_scenarios"]

#: Name of the scenario in which nothing is changed.
BASE = "base"


def in_scenarios(
    scenarios: object, calibrated: Calibrated, state: xr.Dataset, *, horizon: str
) -> tuple[dict[str, TimetableModel], dict[str, xr.Dataset]]:
    """Return the model and the state of each scenario, ``base`` first.

    Raises
    ------
    SchemaError
        If something isn't a scenario, two have the same name, or a change doesn't fit the twin; each fault with its path.
    """
    models, states = {BASE: calibrated.model}, {BASE: state}
    begin = pd.Timestamp(state["start"].item()).to_datetime64()
    until = begin + np.timedelta64(parse_duration(horizon), "ns")
    listed = [scenarios] if not isinstance(scenarios, list | tuple) else scenarios
    for scenario in [] if scenarios is None else listed:
        if not isinstance(scenario, Scenario):
            msg = f"expected scenarios (twinlab.simulate.scenarios.Scenario), got {scenario!r}"
            raise SchemaError(msg)
        if scenario.name in models:
            msg = f"expected scenarios with different names, and none named {BASE!r}, got {scenario.name!r} again; rename it"
            raise SchemaError(msg)
        scenario.check(calibrated.network, run=(begin, until))
        model, changed = changed_plan(scenario.changes, calibrated.model, state, calibrated.network, until=until)
        models[scenario.name] = model
        states[scenario.name] = changed.assign_attrs(model_hash=model.content_hash())
    return models, states
