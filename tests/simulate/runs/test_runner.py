"""Replications on demand are those of a run."""

import numpy as np
import pytest

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.simulate import decide, from_callable, run, runner, select_best


def stay(rng, edges, rate):
    """Mean stay in an M/M/1 queue, by Lindley's recursion."""
    gaps, services = rng.exponential(1 / rate, 200), rng.exponential(1.0, 200)
    wait, total = 0.0, 0.0
    for gap, service in zip(gaps, services, strict=True):
        wait = max(wait - gap, 0.0)
        total += wait + service
        wait += service
    return {"stay": total / 200, "queue": np.full(len(edges) - 1, wait)}


def models(**rates):
    return {
        name: from_callable(stay, signals={"queue": "1"}, kpis={"stay": "min"}, parameters={"rate": rate}, name=name)
        for name, rate in rates.items()
    }


@pytest.mark.parametrize("workers", [1, 3])
def test_replications_on_demand_are_those_of_a_run(workers):
    given = models(a=0.5, b=0.6)
    whole = run(given, start="2026-01-05", horizon="4h", replications=12, seed=3, progress=False).kpis["stay"]
    ask = runner(given, start="2026-01-05", horizon="4h", seed=3, workers=workers)
    for names, numbers in ((["a"], [0, 1, 2]), (["b", "a"], [5, 6, 7, 11]), (["a", "b"], range(12))):
        found = ask(names, numbers)["stay"]
        assert found["scenario"].values.tolist() == names
        assert found.equals(whole.sel(scenario=names, replication=list(numbers)))


def test_decisions_and_selections_take_it():
    given = models(slow=0.9, medium=0.5, fast=0.2)
    ask = runner(given, start="2026-01-05", horizon="4h", workers=2)
    found = decide(ask, "slow", "fast", better="lower", most=200)
    assert (found.comparison.verdict, found.comparison.paired) == ("better", True)
    assert found.comparison.units == "min"
    assert select_best(ask, list(given), better="lower", indifference=0.2).best == "fast"


def test_unknown_scenarios_and_models_without_kpis_are_errors():
    with pytest.raises(UnknownTermError, match="did you mean 'slow'"):
        runner(models(slow=0.9), start="2026-01-05", horizon="4h")(["slo"], [0, 1])
    silent = from_callable(lambda rng, edges: {"x": edges[:-1]}, signals={"x": "1"}, name="silent")
    with pytest.raises(SchemaError, match="got 'silent' with signals only: x"):
        runner(silent, start="2026-01-05", horizon="4h")(["silent"], [0, 1])
