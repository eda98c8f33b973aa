"""What simulations compile at their first use, compiled ahead."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from twinlab.simulate.kernel.scenario_model import ScenarioModel
from twinlab.simulate.network.network import Network
from twinlab.simulate.scenarios.scenario import Scenario

__all__ = ["warm"]


def warm() -> float:
    """Compile the simulation of networks and of scenarios, or load it if it is compiled; return how many seconds that took.

    A first run compiles by itself. An installation that serves users calls this once, or ``twinlab warm``, so that nobody waits.

    >>> warm() >= 0
    True
    """
    began = time.perf_counter()
    desk = Network(
        name="desk",
        nodes={"desk": {"type": "desk", "service": "1 min"}},
        demand={"all": {"at": "desk", "interval": "1 min"}},
    )
    changes: Any = [{"kind": "demand", "factor": 2, "start": "2min", "stop": "4min"}]
    model = ScenarioModel(Scenario("busy", desk, changes))
    start = np.datetime64("2026-01-05", "ns")
    model.advance(model.initial_state(start=start), until=start + np.timedelta64(5, "m"), step=np.timedelta64(1, "m"))
    return time.perf_counter() - began
