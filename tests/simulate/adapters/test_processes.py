"""SimPy processes as models."""

import pickle
import sys

import numpy as np
import pytest

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.simulate import from_simpy
from twinlab.testing import check_model

START, HOUR = np.datetime64("2026-01-05"), np.timedelta64(1, "h")
simpy = pytest.importorskip("simpy")


def counter(env, rng, rate=40.0, service=80.0):
    """A counter with one clerk, and a clock that ticks exactly at the borders of the cells."""
    clerk, waits, ticks = simpy.Resource(env), [], []

    def customer():
        came = env.now
        with clerk.request() as turn:
            yield turn
            waits.append(env.now - came)
            yield env.timeout(rng.exponential(service))

    def arrivals():
        while True:
            yield env.timeout(rng.exponential(3600 / rate))
            env.process(customer())

    def clock():
        while True:
            ticks.append(env.now)
            yield env.timeout(3600 / 7)

    env.process(arrivals())
    env.process(clock())
    return {
        "queue": lambda: len(clerk.queue),
        "ticks": lambda: len(ticks),
        "wait": lambda: np.mean(waits) if waits else np.nan,
    }


def model(**more):
    return from_simpy(counter, signals={"queue": "1", "ticks": "1"}, kpis={"wait": "s"}, **more)


def test_processes_conform_though_they_cannot_be_saved():
    check_model(model())


def test_a_copy_in_another_process_repeats_the_past_and_ends_the_same():
    one = model()
    half = one.advance(one.initial_state(start=START, seed=2), until=START + 5 * HOUR, step=HOUR).state
    other = pickle.loads(pickle.dumps(one))
    assert other._kept == {}
    there = other.advance(half, until=START + 9 * HOUR, step=HOUR)
    here = one.advance(half, until=START + 9 * HOUR, step=HOUR)
    assert here.state.identical(there.state)
    assert here.results.identical(there.results)


def test_only_the_state_that_was_made_last_is_continued_without_repeating():
    builds = []

    def counted(env, rng):
        builds.append(env)
        return counter(env, rng)

    one = from_simpy(counted, signals={"queue": "1", "ticks": "1"}, kpis={"wait": "s"})
    state = one.initial_state(start=START)
    first = one.advance(state, until=START + HOUR, step=HOUR).state
    one.advance(first, until=START + 2 * HOUR, step=HOUR)
    assert len(builds) == 1
    one.advance(first, until=START + 2 * HOUR, step=HOUR)
    assert len(builds) == 2


def test_forks_of_forks_keep_each_their_past():
    one = model()
    state = one.advance(one.initial_state(start=START), until=START + 2 * HOUR, step=HOUR).state
    fork = one.advance(state.assign(replication=np.int64(8)), until=START + 4 * HOUR, step=HOUR).state
    fork = one.advance(fork.assign(replication=np.int64(9)), until=START + 6 * HOUR, step=HOUR).state
    assert fork["past_replication"].values.tolist() == [0, 8, 9]
    assert fork["past_seed"].values.tolist() == [0, 0, 0]
    assert (fork["past_until"].values // (3600 * 10**9)).tolist() == [2, 4, 6]
    here = one.advance(fork, until=START + 8 * HOUR, step=HOUR)
    assert here.results.identical(model().advance(fork, until=START + 8 * HOUR, step=HOUR).results)


def test_the_mean_wait_is_that_of_the_queue_in_the_books():
    # M/M/1 with 40 arrivals and 60 services an hour: the mean wait in the queue is rho / (mu - lambda).
    one = from_simpy(counter, signals={"queue": "1", "ticks": "1"}, kpis={"wait": "s"}, parameters={"service": 60.0})
    waits = []
    for replication in range(8):
        state = one.initial_state(start=START, replication=replication)
        waits.append(float(one.advance(state, until=START + 400 * HOUR, step=400 * HOUR).results["wait"]))
    expected = (40 / 60) / (60 - 40) * 3600
    error = np.std(waits, ddof=1) / np.sqrt(len(waits))
    assert abs(np.mean(waits) - expected) < 5 * error < 0.3 * expected


def test_what_build_returns_is_checked():
    with pytest.raises(SchemaError, match="a function for each output, got dict"):
        one = from_simpy(lambda env, rng: {"queue": 3}, signals={"queue": "1"})
        one.advance(one.initial_state(start=START), until=START + HOUR, step=HOUR)
    with pytest.raises(UnknownTermError, match="did you mean 'queue'"):
        one = from_simpy(lambda env, rng: {"queu": lambda: 3}, signals={"queue": "1"})
        one.advance(one.initial_state(start=START), until=START + HOUR, step=HOUR)
    with pytest.raises(SchemaError, match="got none for 'queue'"):
        one = from_simpy(lambda env, rng: {}, signals={"queue": "1"})
        one.advance(one.initial_state(start=START), until=START + HOUR, step=HOUR)


def test_without_simpy_the_error_names_the_extra(monkeypatch):
    from twinlab.simulate.adapters import processes

    processes._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "simpy", None)
    monkeypatch.setattr(processes.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"twinlab-kit\[simpy\]"):
        model()
    monkeypatch.undo()
    processes._environment.cache_clear()
