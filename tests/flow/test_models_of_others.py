"""Models of others in runs, stores and decisions: the same as a network's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twinlab import simulate

simpy = pytest.importorskip("simpy")


def counter(env, rng, clerks):
    """A counter; arrivals and services have random numbers of their own, so that more clerks face the same customers."""
    desk, waits = simpy.Resource(env, clerks), []

    def customer(service):
        came = env.now
        with desk.request() as turn:
            yield turn
            waits.append(env.now - came)
            yield env.timeout(service)

    def arrivals():
        while True:
            gap, service = rng.exponential(90.0), rng.exponential(80.0)
            yield env.timeout(gap)
            env.process(customer(service))

    env.process(arrivals())
    return {"queue": lambda: len(desk.queue), "wait": lambda: np.mean(waits) if waits else np.nan}


def counters() -> dict[str, simulate.Model]:
    kpis = {"wait": simulate.Output("s", better="lower", long_name="mean wait")}
    return {
        name: simulate.from_simpy(counter, signals={"queue": "1"}, kpis=kpis, parameters={"clerks": clerks})
        for name, clerks in (("one", 1), ("two", 2))
    }


def test_processes_run_on_threads_and_are_stored_and_extended_like_any_model(tmp_path: Path) -> None:
    options = {"start": "2026-01-05", "horizon": "8h", "progress": False}
    serial = simulate.run(counters(), replications=6, workers=1, **options)
    stored = simulate.run(counters(), replications=4, workers=3, store=tmp_path / "run", **options).extend(
        6, progress=False
    )
    assert stored.kpis["wait"].equals(serial.kpis["wait"])
    opened = simulate.open_results(tmp_path / "run")
    assert opened.data["queue"].load().equals(serial.data["queue"])
    found = opened.compare("one", "two", kpi="wait")
    assert (found.verdict, found.units) == ("better", "s")
    assert found.saved_by_pairing > 1


def test_processes_are_decided_about_with_few_replications() -> None:
    ask = simulate.runner(counters(), start="2026-01-05", horizon="8h")
    found = simulate.decide(ask, "one", "two", kpi="wait", most=100)
    assert found.comparison.verdict == "better"
    assert found.saved > 0.5
