"""Selection of the best: the stated probability, and what is simulated."""

import numpy as np
import pytest
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate import select_best


class Runs:
    """Normal scenarios on common random numbers."""

    def __init__(self, means, *, seed=0, noise=1.0, common=1.0, size=4000):
        rng = np.random.default_rng(seed)
        self.names = list(means)
        shared = rng.normal(0, common, size)
        self.values = {name: mean + shared + rng.normal(0, noise, size) for name, mean in means.items()}
        self.asked = dict.fromkeys(means, 0)

    def __call__(self, names, replications):
        rows = []
        for name in names:
            assert replications[0] == self.asked[name]
            self.asked[name] = replications[-1] + 1
            rows.append(self.values[name][list(replications)])
        coords = {"scenario": list(names), "replication": list(replications)}
        return xr.DataArray(rows, dims=("scenario", "replication"), coords=coords, name="cost", attrs={"units": "EUR"})


def select(run, **more):
    return select_best(run, run.names, **({"better": "lower", "indifference": 0.5} | more))


def test_the_best_is_selected_at_least_as_often_as_stated():
    # The least favourable case: all others are worse by exactly the difference that matters.
    means = {"best": 0.0, "b": 0.5, "c": 0.5, "d": 0.5}
    found = [select(Runs(means, seed=seed), level=0.8, first=10).best == "best" for seed in range(100)]
    assert np.mean(found) >= 0.8 - 0.06


def test_clearly_worse_scenarios_are_eliminated_early_and_not_simulated_any_more():
    run = Runs({"a": 3.0, "b": 0.0, "c": 0.4, "d": 9.0})
    found = select(run, indifference=0.2)
    assert found.best == "b"
    assert found.guaranteed
    assert found.scenarios.index[0] == "b"
    table = found.scenarios
    assert table.loc["d", "replications"] == 20
    assert table.loc["b", "replications"] >= table.loc["c", "replications"] > table.loc["d", "replications"]
    assert table.loc["d", "eliminated_by"] == "b"
    assert run.asked["d"] == 20
    assert found.simulated == sum(run.asked.values())
    assert table.loc["b", "mean"] == pytest.approx(run.values["b"][: table.loc["b", "replications"]].mean())


def test_the_chunk_does_not_change_the_selection():
    means = {"a": 0.0, "b": 0.1, "c": 0.7, "d": 0.2}
    tables = [select(Runs(means, seed=4), chunk=chunk, indifference=0.2).scenarios for chunk in (9, 40, 100)]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


def test_common_random_numbers_need_fewer_replications():
    means = {"a": 0.0, "b": 0.5}
    paired = select(Runs(means, common=5.0, noise=0.5, seed=1))
    assert paired.simulated == 40
    apart = Runs(means, common=5.0, noise=0.5, seed=1)
    apart.values["b"] = np.random.default_rng(9).permutation(apart.values["b"])
    assert select(apart).simulated >= 5 * paired.simulated


def test_a_selection_that_is_cut_short_says_that_it_has_no_guarantee():
    found = select(Runs({"a": 0.0, "b": 0.01}), indifference=0.01, most=50)
    assert not found.guaranteed
    assert "without a guarantee" in repr(found)
    assert found.scenarios["replications"].max() == 50


def test_the_selection_states_its_guarantee_in_words():
    found = select(Runs({"a": 0.0, "b": 4.0}))
    assert (
        repr(found)
        .splitlines()[0]
        .startswith("cost: a is the best, or less than 0.5 EUR worse, with a probability of at least 95 %;")
    )
    assert "eliminated by a" in repr(found)
    assert "a is the best, or less than 0.5 EUR worse" in found._repr_html_()


@pytest.mark.parametrize(
    "change",
    [{"indifference": 0.0}, {"first": 1}, {"most": 5}, {"chunk": 0}, {"level": 0.3}, {"scenarios": ["a"]}],
)
def test_an_argument_that_does_not_fit_is_an_error(change):
    run = Runs({"a": 0.0, "b": 0.0, "c": 0.0})
    with pytest.raises(SchemaError, match="at least two scenarios, indifference > 0"):
        select_best(run, change.pop("scenarios", run.names), **({"better": "lower", "indifference": 1.0} | change))


def test_a_direction_and_all_values_are_needed():
    with pytest.raises(SchemaError, match="because the KPI doesn't state it"):
        select(Runs({"a": 0.0, "b": 0.0}), better=None)
    run = Runs({"a": 0.0, "b": 0.0})
    run.values["b"][3] = np.nan
    with pytest.raises(SchemaError, match="in each replication of 'b', got 1 missing"):
        select(run)
