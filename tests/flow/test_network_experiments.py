"""Experiments on a simulated network: a model that conforms, a decision, a selection, a sensitivity."""

from __future__ import annotations

import numpy as np
import pytest

from twinlab import simulate
from twinlab.testing import check_model


def works(*, servers: int = 3, trucks: int = 3, speed: float = 60.0) -> simulate.NetworkModel:
    """A hub and a depot, 40 km apart, and trucks that wait for a load."""
    service = {"kind": "gamma", "mean": "4 min", "cv": 0.5}
    network = simulate.Network(
        name="works",
        nodes={
            "hub": {"type": "hub", "servers": servers, "service": service},
            "depot": {"type": "depot", "servers": 3, "service": "1 min"},
        },
        links=[{"from": "hub", "to": "depot", "both_ways": True, "distance": "40 km"}],
        transporters={
            "truck": {
                "type": "truck",
                "count": trucks,
                "route": ["hub", "depot"],
                "capacity": 20,
                "speed": f"{speed} km/h",
                "dispatch": {"at_least": 10, "wait_at_most": "30 min"},
                "first_ready": {"kind": "uniform", "low": "0 s", "high": "1 h"},
            }
        },
        demand={"parcels": {"kind": "parcel", "at": "hub", "rate": "35 /h", "to": {"depot": 1}, "due": "3 h"}},
    )
    return simulate.NetworkModel(network)


def ask(models: dict[str, simulate.NetworkModel]) -> object:
    return simulate.runner(models, start="2026-01-05", horizon="12h")


def test_a_network_conforms_to_what_runs_and_experiments_rely_on() -> None:
    check_model(works(), cells=6, cuts=(1, 4))


def test_a_third_server_shortens_the_time_in_the_network_and_a_few_replications_show_it() -> None:
    found = simulate.decide(ask({"two": works(servers=2), "three": works()}), "two", "three", kpi="sojourn", most=200)
    assert found.comparison.verdict == "better"
    assert found.comparison.units == "s"
    assert found.replications < 60
    apart = simulate.compare(
        simulate.run(works(servers=2), start="2026-01-05", horizon="12h", replications=20, seed=1, progress=False),
        simulate.run(works(servers=3), start="2026-01-05", horizon="12h", replications=20, seed=2, progress=False),
        kpi="sojourn",
    )
    assert not apart.paired


def test_the_best_of_a_sweep_is_selected() -> None:
    design = simulate.sweep({"servers": [2, 3], "trucks": [2, 4]})
    models = simulate.models_of(design, works)
    found = simulate.select_best(ask(models), list(design.index), kpi="sojourn", indifference=120.0)
    results = simulate.run(models, start="2026-01-05", horizon="12h", replications=20, progress=False)
    table = simulate.responses(design, results, kpi="sojourn")
    assert found.best == table["mean"].idxmin()
    assert found.guaranteed


def test_speed_matters_more_than_a_fourth_truck() -> None:
    pytest.importorskip("SALib")

    def respond(design):
        models = simulate.models_of(design, lambda speed, trucks: works(speed=speed, trucks=round(trucks)))
        return ask(models)(list(design.index), range(5))

    found = simulate.morris({"speed": (40.0, 80.0), "trucks": (4.0, 5.0)}, respond, trajectories=4, kpi="sojourn")
    assert found["signed"].sel(parameter="speed") < 0
    assert found["effect"].sel(parameter="speed") > found["effect"].sel(parameter="trucks")
    assert np.isfinite(found["effect_high"]).all()
