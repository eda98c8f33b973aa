"""Python functions as models: of a whole run, and of one step."""

import numpy as np
import pytest

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.simulate import Output, from_callable
from twinlab.testing import check_model

START, HOUR = np.datetime64("2026-01-05"), np.timedelta64(1, "h")


def arrivals(rng, edges, rate=60.0):
    """Poisson arrivals, drawn one by one, so that a longer run has the same past."""
    times, now = [], 0.0
    while now < edges[-1]:
        now += rng.exponential(3600 / rate)
        times.append(now)
    counts = np.histogram(times[:-1], edges)[0]
    return {"arrivals": counts, "busy": counts.max() > 70, "total": counts.sum()}


def shop(values, rng, elapsed, seconds, arrivals_per_hour=30.0):
    """Two queues, served at most once a minute."""
    values["waiting"] += rng.poisson(arrivals_per_hour / 3600 * seconds, 2)
    served = np.minimum(values["waiting"], 1)
    values["waiting"] -= served
    values["served"] = values["served"] + served.sum()
    return {"queue": values["waiting"], "served": values["served"]}


def run_model(**more):
    return from_callable(
        arrivals, signals={"arrivals": "1"}, kpis={"total": Output("1", better="higher"), "busy": "1"}, **more
    )


def step_model(**more):
    given = {
        "signals": {"queue": Output("1", on="till", assets=("a", "b"))},
        "kpis": {"served": "1"},
        "initial": {"waiting": np.zeros(2, int), "served": 0},
        "tick": "1min",
    }
    return from_callable(shop, **(given | more))


def test_a_function_of_a_whole_run_conforms_but_cannot_be_forked_after_its_start():
    model = run_model()
    check_model(model, forks=False)
    middle = model.advance(model.initial_state(start=START), until=START + 3 * HOUR, step=HOUR).state
    with pytest.raises(SchemaError, match="can't be forked after its start"):
        model.advance(middle.assign(replication=np.int64(5)), until=START + 4 * HOUR, step=HOUR)
    with pytest.raises(SchemaError, match="whole number of steps"):
        model.advance(middle, until=START + 4 * HOUR, step=2 * HOUR)


def test_a_function_of_one_step_conforms():
    check_model(step_model())


def test_a_function_whose_past_depends_on_the_length_of_the_run_does_not_conform():
    def rescaled(rng, edges):
        return {"share": rng.random(len(edges) - 1) / (len(edges) - 1)}

    with pytest.raises(AssertionError, match="after a stop at cell 1"):
        check_model(from_callable(rescaled, signals={"share": "1"}), forks=False)


def test_a_function_with_hidden_state_does_not_conform():
    calls = []

    def forgetful(values, rng, elapsed, seconds):
        calls.append(elapsed)
        return {"calls": float(len(calls))}

    with pytest.raises(AssertionError, match="the second time"):
        check_model(from_callable(forgetful, signals={"calls": "1"}, initial={"x": 0}, tick="1h"), random=False)


def test_a_signal_is_the_mean_of_its_steps_and_a_kpi_that_of_the_last_one():
    def count(values, rng, elapsed, seconds):
        values["n"] = values["n"] + 1
        return {"n": values["n"], "last": values["n"]}

    model = from_callable(count, signals={"n": "1"}, kpis={"last": "1"}, initial={"n": 0}, tick="15min")
    done = model.advance(model.initial_state(start=START), until=START + 2 * HOUR, step=HOUR)
    assert done.results["n"].values.tolist() == [2.5, 6.5]
    assert done.results["last"].item() == 8
    assert done.state["n"].item() == 8


def test_the_variable_of_an_asset_type_is_named_after_it():
    model = step_model()
    results = model.advance(model.initial_state(start=START), until=START + 2 * HOUR, step=HOUR).results
    assert results["till_queue"].dims == ("time", "till")
    assert results["till_queue"].attrs == {
        "units": "1",
        "asset_type": "till",
        "signal": "queue",
        "cell_methods": "time: mean",
    }
    assert results["till"].values.tolist() == ["a", "b"]


def test_the_hash_changes_with_the_parameters_the_outputs_and_the_version():
    hashes = {
        run_model().content_hash(),
        run_model(parameters={"rate": 61.0}).content_hash(),
        run_model(version="2").content_hash(),
        step_model().content_hash(),
        step_model(tick="2min").content_hash(),
        step_model(initial={"waiting": np.ones(2, int), "served": 0}).content_hash(),
    }
    assert len(hashes) == 6
    chosen = [run_model(parameters={"rule": rule}).content_hash() for rule in (arrivals, shop, arrivals)]
    assert chosen[0] == chosen[2] != chosen[1]
    assert run_model().content_hash() == run_model().content_hash()


def test_a_state_of_another_model_is_refused():
    state = run_model(parameters={"rate": 61.0}).initial_state(start=START)
    with pytest.raises(SchemaError, match="a state fits only the model, parameters and code that made it"):
        run_model().advance(state, until=START + HOUR, step=HOUR)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"signals": {}, "kpis": {}}, SchemaError, "got neither"),
        ({"tick": None}, SchemaError, "initial= and tick= together"),
        ({"initial": {"time": 0}}, SchemaError, "doesn't use itself, got time"),
        ({"kpis": {"queue": "1"}}, SchemaError, "both for queue"),
        ({"signals": {"queue": Output("1", on="till")}}, SchemaError, "on= and assets= together"),
        ({"kpis": {"served": Output("1", on="till", assets=("a",))}}, SchemaError, "make it a signal"),
    ],
)
def test_a_wrong_declaration_is_an_error(change, error, message):
    with pytest.raises(error, match=message):
        step_model(**change)


@pytest.mark.parametrize(
    ("found", "error", "message"),
    [
        ({"total": 1.0}, SchemaError, "'arrivals'"),
        ({"arrivals": [1.0], "total": 1.0}, SchemaError, r"shape \(2,\) \(time\), got \(1,\)"),
        ({"arrivals": [1.0, 2.0], "total": [1.0]}, SchemaError, "expected one number"),
        ({"arrivals": [1.0, 2.0], "totl": 1.0}, UnknownTermError, "did you mean 'total'"),
    ],
)
def test_what_a_function_returns_is_checked(found, error, message):
    model = from_callable(lambda rng, edges: found, signals={"arrivals": "1"}, kpis={"total": "1"}, name="wrong")
    with pytest.raises(error, match=message):
        model.advance(model.initial_state(start=START), until=START + 2 * HOUR, step=HOUR)


def test_an_empty_span_a_negative_replication_and_a_part_of_a_tick_are_errors():
    model = step_model()
    state = model.initial_state(start=START)
    with pytest.raises(SchemaError, match="expected until after the state's time"):
        model.advance(state, until=START, step=HOUR)
    with pytest.raises(SchemaError, match="a replication from 0 on"):
        model.initial_state(start=START, replication=-1)
    with pytest.raises(SchemaError, match="whole ticks of 60 s"):
        model.advance(state, until=START + HOUR, step=np.timedelta64(90, "s"))
