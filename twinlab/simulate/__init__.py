"""WHAT IF: models whose whole state is arrays, so that a run starts from any state, is saved, forked and resumed.

In: a model and a state. Out: later states, signals in the schema of the history with dims scenario and replication, event tables.
Read in order: `protocol`, `registry`, `definition`, `states`, `network` (the description), `scenarios` (its changes), `kernel` (its simulation),
`timetable` (planned trips run forward), `adapters` (models of others), `experiments`, `cost`, `runs`, `catalogue`, `calibration`, `examples`.
Never: a random number that depends on anything but seed, replication, purpose and owner; a write to the twin's history.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Advanced": "protocol",
        "BudgetError": "cost.budget",
        "Calibrated": "calibration.calibrated",
        "Fidelity": "calibration.fidelity",
        "Catalogue": "catalogue.catalogue",
        "Comparison": "experiments.comparison",
        "Model": "protocol",
        "ModelKind": "registry",
        "Network": "network.network",
        "NetworkModel": "kernel.model",
        "Output": "adapters.outputs",
        "Progress": "runs.progress",
        "Rates": "cost.amounts",
        "Results": "runs.results",
        "Scenario": "scenarios.scenario",
        "ScenarioModel": "kernel.scenario_model",
        "calibrate": "calibration.calibrated",
        "compare": "experiments.comparing",
        "compare_all": "experiments.comparisons",
        "decide": "experiments.sequential",
        "decide_all": "experiments.sequential",
        "fidelity": "calibration.fidelity",
        "fit_distribution": "calibration.distributions",
        "factory_example": "examples.loading",
        "factory_scenarios": "examples.loading",
        "fork": "states.forks",
        "from_callable": "adapters.callables",
        "from_fmu": "adapters.fmus",
        "from_simpy": "adapters.processes",
        "latin_hypercube": "experiments.designs",
        "load_state": "states.files",
        "models_of": "experiments.designs",
        "morris": "experiments.sensitivity",
        "named_model": "registry",
        "open_results": "runs.run",
        "parcel_example": "examples.loading",
        "parcel_scenarios": "examples.loading",
        "parse_network": "network.reading",
        "quote": "runs.run",
        "read_network": "network.reading",
        "read_scenarios": "scenarios.reading",
        "responses": "experiments.designs",
        "run": "runs.run",
        "runner": "runs.runner",
        "save_state": "states.files",
        "select_best": "experiments.selection",
        "signals": "runs.results",
        "sobol": "experiments.sensitivity",
        "start_state": "calibration.start_state",
        "sweep": "experiments.designs",
        "warm": "kernel.warming",
    },
)
