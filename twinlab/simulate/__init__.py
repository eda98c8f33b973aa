"""WHAT IF: models whose whole state is arrays, so that a run starts from any state, is saved, forked and resumed.

In: a model and a state. Out: later states, signals in the schema of the history with dims scenario and replication, event tables.
Read in order: `protocol`, `registry`, `states`, `network` (the description), `kernel` (its simulation), `adapters`, `experiments`, `cost`, `runs`, `catalogue`.
Read in order: `protocol`, `registry`, `states`, `network` (the description), `scenarios` (its changes), `kernel` (its simulation), `adapters`, `experiments`, `cost`, `runs`.
Never: a random number that depends on anything but seed, replication, purpose and owner; a write to the twin's history.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Advanced": "protocol",
        "Calibrated": "calibration.calibrated",
        "BudgetError": "cost.budget",
        "Catalogue": "catalogue.catalogue",
        "Comparison": "experiments.comparison",
        "Model": "protocol",
        "ModelKind": "registry",
        "Network": "network.network",
        "NetworkModel": "kernel.model",
        "Output": "adapters.outputs",
        "Progress": "runs.progress",
        "Rates": "cost.rates",
        "Results": "runs.results",
        "Scenario": "scenarios.scenario",
        "calibrate": "calibration.calibrated",
        "compare": "experiments.comparing",
        "compare_all": "experiments.comparisons",
        "decide": "experiments.sequential",
        "decide_all": "experiments.sequential",
        "fork": "states.forks",
        "from_callable": "adapters.callables",
        "from_fmu": "adapters.fmus",
        "from_simpy": "adapters.processes",
        "load_state": "states.files",
        "named_model": "registry",
        "open_results": "runs.run",
        "quote": "runs.run",
        "read_network": "network.reading",
        "read_scenarios": "scenarios.reading",
        "run": "runs.run",
        "save_state": "states.files",
        "fit_distribution": "calibration.distributions",
        "signals": "runs.results",
        "start_state": "calibration.start_state",
    },
)
