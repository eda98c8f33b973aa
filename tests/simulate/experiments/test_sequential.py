"""Sequential stopping: boundaries against published ones, the stated error, and what run() is asked for."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr, stdtrit

from twinlab.errors import SchemaError
from twinlab.simulate import compare, decide, decide_all
from twinlab.simulate.experiments.boundaries import (
    boundaries,
    crossing_probability,
    look_times,
    verdict_probability,
)


class Runs:
    """Scenarios with given effects on common random numbers; remembers what it was asked for."""

    def __init__(self, noise=1.0, seed=0, **effects):
        self.effects, self.noise, self.seed, self.asked = effects, noise, seed, []

    def __call__(self, names, replications):
        self.asked.append((list(names), list(replications)))
        rows = []
        for name in names:
            number = list(self.effects).index(name)
            draws = [np.random.default_rng([self.seed, r]).normal(size=1 + len(self.effects)) for r in replications]
            rows.append([5 * d[0] + self.noise * d[1 + number] + self.effects[name] for d in draws])
        return xr.DataArray(
            rows,
            dims=("scenario", "replication"),
            coords={"scenario": list(names), "replication": list(replications)},
            name="delay",
            attrs={"units": "min", "better": "lower"},
        )


@pytest.mark.parametrize(
    ("bounds", "error"),
    # Jennison and Turnbull, "Group Sequential Methods", 2000, tables 2.1 and 2.3: constants of Pocock and of O'Brien and Fleming.
    [
        ([2.413] * 5, 0.05),
        ([2.178] * 2, 0.05),
        ([2.555] * 10, 0.05),
        ([2.040 * np.sqrt(5 / look) for look in range(1, 6)], 0.05),
        ([1.977 * np.sqrt(2 / look) for look in (1, 2)], 0.05),
    ],
)
def test_published_boundaries_have_their_published_error(bounds, error):
    assert crossing_probability(range(1, len(bounds) + 1), bounds) == pytest.approx(error, abs=2e-4)


def test_all_looks_together_have_the_stated_error():
    for looks in (tuple(look_times(20, 1000)), (10, 500), (100,)):
        for error in (0.1, 0.05, 0.001):
            assert crossing_probability(looks, boundaries(looks, error)) == pytest.approx(error, rel=1e-6)
    assert boundaries((100,), 0.05)[0] == pytest.approx(1.959964)


def test_looks_grow_from_the_first_to_the_most():
    looks = look_times(20, 1000)
    assert (looks[0], looks[-1]) == (20, 1000)
    assert all(a < b for a, b in zip(looks[:-1], looks[1:], strict=True))
    assert look_times(50, 50) == [50]
    assert look_times(49, 50) == [49, 50]


def test_a_verdict_stops_early_and_says_what_it_saved():
    run = Runs(base=0.0, reroute=-1.0)
    found = decide(run, "base", "reroute")
    assert (found.comparison.verdict, found.stopped) == ("better", "verdict")
    assert found.replications < 100
    assert found.saved == 1 - found.replications / 1000
    assert f"{found.replications} of at most 1,000 replications" in repr(found)
    assert "stopped at a verdict" in found._repr_html_()
    # Each replication is asked for once, in order.
    assert [number for _, asked in run.asked for number in asked] == list(range(found.replications))
    assert found.looks["replications"].tolist() == look_times(20, 1000)[: len(found.looks)]
    assert (found.looks["verdict"][:-1] == "can't tell").all()


def test_scenarios_that_do_not_differ_are_given_up_after_half_of_the_replications_at_the_earliest():
    found = [decide(Runs(base=0.0, same=0.0, seed=seed), "base", "same", most=200) for seed in range(8)]
    hopeless = [each for each in found if each.stopped == "hopeless"]
    assert hopeless
    assert all(100 <= each.replications < 200 for each in hopeless)
    assert all(each.comparison.verdict == "can't tell" for each in hopeless)
    same = decide(Runs(base=0.0, same=0.0, seed=3), "base", "same", most=400, indifference=1.0)
    assert (same.comparison.verdict, same.stopped) == ("no difference", "verdict")
    assert same.replications < 200


def test_all_replications_are_used_where_the_verdict_stays_open():
    open_until_the_end = [
        decide(Runs(base=0.0, other=0.15, seed=seed), "base", "other", most=100) for seed in range(10)
    ]
    assert "all used" in {each.stopped for each in open_until_the_end}


def test_the_last_look_is_almost_a_test_of_a_fixed_number():
    agree = 0
    for seed in range(40):
        run = Runs(base=0.0, other=-0.05 * (seed % 10), seed=seed)
        fixed = compare(*(run([name], range(200)).squeeze("scenario") for name in ("base", "other")))
        agree += decide(run, "base", "other", most=200).comparison.verdict == fixed.verdict
    assert agree >= 39


def test_wrong_verdicts_are_as_rare_as_stated():
    looks = np.array(look_times(20, 300))
    bounds = np.array(boundaries(tuple(looks), 0.05))
    differences = np.random.default_rng(5).normal(size=(20_000, looks[-1]))
    sizes = np.arange(1, looks[-1] + 1)
    mean = differences.cumsum(axis=1) / sizes
    variance = ((differences**2).cumsum(axis=1) - sizes * mean**2)[:, looks - 1] / (looks - 1)
    scores = mean[:, looks - 1] / np.sqrt(variance / looks)
    wrong = (abs(scores) > -stdtrit(looks - 1, ndtr(-bounds))).any(axis=1)
    assert wrong.mean() == pytest.approx(0.05, abs=0.005)
    # What decide() returns for one of them is what this formula says.
    row = int(np.flatnonzero(wrong)[0])

    def run(names, replications):
        values = np.array([np.zeros(looks[-1]), differences[row]])[:, list(replications)]
        coords = {"scenario": ["a", "b"], "replication": list(replications)}
        return xr.DataArray(values, dims=("scenario", "replication"), coords=coords, name="x").sel(scenario=names)

    first = looks[(abs(scores[row]) > -stdtrit(looks - 1, ndtr(-bounds))).argmax()]
    assert decide(run, "a", "b", most=300).replications == first


def test_a_scenario_that_is_decided_is_not_simulated_any_more():
    run = Runs(base=0.0, good=-2.0, near=-0.2, bad=2.0)
    found = decide_all(run, ["base", "good", "near", "bad"], against="base", most=500)
    assert [row.comparison.verdict for row in found][0] == "better"
    assert found[2].comparison.verdict == "worse"
    assert found[1].replications > found[0].replications
    assert all("good" not in names for names, asked in run.asked if asked[0] >= found[0].replications)
    assert found.simulated == sum(len(names) * len(asked) for names, asked in run.asked) < 4 * 500
    assert found.table()["replications"].tolist() == [row.replications for row in found]
    assert "good against base: better" in repr(found)
    assert "good against base" in found._repr_html_()
    assert len(decide_all(run, ["base", "good", "bad"], most=100)) == 3


def test_the_predicted_probability_of_a_verdict_is_that_of_simulated_continuations():
    rng = np.random.default_rng(1)
    now, most, last = 100, 400, 2.0
    # With a flat prior, the true difference is distributed around the estimate.
    difference, deviation = 0.12, 1.0
    truth = rng.normal(difference, deviation / np.sqrt(now), 20_000)
    later = rng.normal(truth, deviation / np.sqrt(most - now))
    final = (now * difference + (most - now) * later) / most
    for indifference in (0.0, 0.3):
        reach = last * deviation / np.sqrt(most)
        verdicts = (abs(final) > reach) | (abs(final) < indifference - reach)
        found = verdict_probability(difference, deviation, now=now, most=most, last=last, indifference=indifference)
        assert found == pytest.approx(verdicts.mean(), abs=0.015)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"first": 1}, "2 <= first <= most"), ({"first": 30, "most": 20}, "2 <= first <= most"), ({"level": 2}, "level")],
)
def test_an_argument_that_does_not_fit_is_an_error(change, message):
    with pytest.raises(SchemaError, match=message):
        decide(Runs(a=0.0, b=1.0), "a", "b", **change)


def test_what_run_returns_is_checked():
    run = Runs(a=0.0, b=1.0)
    with pytest.raises(
        SchemaError, match="replications 0 to 19 of 'a', as labels of the dim 'replication', got none for 19"
    ):
        decide(lambda names, replications: run(names, replications).isel(replication=slice(0, -1)), "a", "b")
    with pytest.raises(SchemaError, match="a base among them"):
        decide_all(run, ["a", "b"], against="c")
