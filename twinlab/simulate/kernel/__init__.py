"""The network as arrays, advanced by numba: from any state, for any replication, bit for bit the same.

In: a `Network` or a `Scenario`, a state. Out: a later state, signals and KPIs.
Read in order: `records` (layout of the arrays), `loops` (what numba compiles), `plan_records`, `pool_plan`, `plan`, `horizon`, `spans`, `arrays`, `start`, `results`, `events`, `compiling`, `model`, `scenario_model`, `warming`.
Never: a random number from anything but seed, replication, purpose, owner and count; a result that depends on the size of an array.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(__name__, {"NetworkModel": "model", "ScenarioModel": "scenario_model"})
