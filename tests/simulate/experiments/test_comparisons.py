"""Comparisons: pairing, verdicts in words, many scenarios with one error rate."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.simulate.experiments import compare, compare_all
from twinlab.simulate.experiments.comparison import verdict_of


def kpi(values, *, name="delay", labels=None, **attrs) -> xr.DataArray:
    values = np.asarray(values)
    labels = np.arange(len(values)) if labels is None else labels
    return xr.DataArray(values, dims="replication", coords={"replication": labels}, name=name, attrs=attrs)


def noisy(size=40, effect=0.3, seed=5):
    rng = np.random.default_rng(seed)
    common = rng.normal(20.0, 5.0, size)
    return kpi(common, units="min", better="lower"), kpi(common - effect + rng.normal(0, 0.2, size), units="min")


def test_common_random_numbers_decide_what_independent_seeds_leave_open():
    a, b = noisy()
    paired = compare(a, b)
    assert (paired.verdict, paired.paired, paired.more_replications) == ("better", True, 0)
    assert paired.saved_by_pairing > 100
    apart = compare(a.assign_attrs(seed=1), b.assign_attrs(seed=2))
    assert (apart.verdict, apart.paired) == ("can't tell", False)
    assert apart.more_replications > 1000
    assert np.isnan(apart.saved_by_pairing)
    assert "independent (not paired)" in repr(apart)
    assert f"about {apart.more_replications:,} more replications would separate a from b" in repr(apart)


def test_the_seed_may_be_that_of_a_whole_dataset():
    a, b = noisy()
    one, two = xr.Dataset({"delay": a}, attrs={"seed": 1}), xr.Dataset({"delay": b}, attrs={"seed": 2})
    assert not compare(one, two).paired
    assert compare(one, two.assign_attrs(seed=1)).paired


def test_replications_are_paired_by_number_whatever_their_order():
    a, b = noisy()
    rng = np.random.default_rng(0)
    shuffled = b.isel(replication=rng.permutation(40))
    assert compare(a, shuffled) == compare(a, b)
    fewer = compare(a.isel(replication=slice(0, 30)), shuffled)
    assert (fewer.replications, fewer.left_out) == (30, 10)
    assert "10 values left out" in repr(fewer)
    missing = b.copy()
    missing[3] = np.nan
    assert compare(a, missing).difference == compare(a.drop_isel(replication=3), b.drop_isel(replication=3)).difference
    assert not compare(a, b.assign_coords(replication=np.arange(100, 140))).paired


@given(st.floats(-10, 10), st.floats(0, 10), st.floats(0, 5), st.sampled_from(["higher", "lower"]))
def test_a_verdict_turns_around_with_the_direction_and_with_the_scenarios(low, width, indifference, better):
    found = verdict_of(low, low + width, better=better, indifference=indifference)
    turned = {"better": "worse", "worse": "better"}
    other = "lower" if better == "higher" else "higher"
    assert verdict_of(low, low + width, better=other, indifference=indifference) == turned.get(found, found)
    assert verdict_of(-low - width, -low, better=better, indifference=indifference) == turned.get(found, found)
    if found == "no difference":
        assert max(abs(low), abs(low + width)) < indifference
    if found in turned:
        assert low > 0 or low + width < 0


def test_a_difference_smaller_than_what_matters_is_no_difference():
    a, b = noisy()
    assert compare(a, b, indifference=1.0).verdict == "no difference"
    assert "differ by less than 1 min" in repr(compare(a, b, indifference=1.0))
    assert compare(a, b, indifference=0.1).verdict == "better"


def test_without_a_direction_the_verdict_says_higher_or_lower():
    a, b = noisy()
    found = compare(a.drop_attrs().assign_attrs(units="min"), b)
    assert found.verdict == "lower"
    assert "it isn't stated whether higher or lower is better" in repr(found)
    assert compare(a, b, better="higher").verdict == "worse"


def test_outcomes_that_are_true_or_false_are_compared_as_rates():
    rng = np.random.default_rng(3)
    common = rng.random(200)
    a, b = kpi(common < 0.3, better="higher"), kpi(common < 0.4)
    found = compare(a, b)
    assert (found.method, found.verdict) == ("rate", "better")
    assert 0 <= found.low_a < found.mean_a < found.high_a <= 1
    with pytest.raises(SchemaError, match="true or false"):
        compare(kpi([0.0, 2.0]), kpi([1.0, 0.0]), method="rate")


def test_the_kpi_is_taken_from_datasets_and_from_results():
    a, b = noisy()
    one, two = xr.Dataset({"delay": a, "other": a}), xr.Dataset({"delay": b})
    results = type("Results", (), {"kpis": one})()
    assert compare(results, two, kpi="delay") == compare(a, b)
    with pytest.raises(UnknownTermError, match="did you mean 'delay'"):
        compare(one, two, kpi="dely")
    with pytest.raises(SchemaError, match="expected kpi= with the name of a KPI"):
        compare(one, two)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level": 95}, "level between 0 and 1"),
        ({"method": "z"}, "'t', 'bootstrap' or 'rate'"),
        ({"better": "more"}, "better='higher' or 'lower'"),
        ({"indifference": -1.0}, "indifference of 0 or more"),
    ],
)
def test_an_argument_that_does_not_fit_is_an_error(change, message):
    with pytest.raises(SchemaError, match=message):
        compare(*noisy(), **change)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (kpi([1.0]), kpi([2.0]), "at least 2 replications"),
        (kpi([1.0, np.nan]), kpi([2.0, 1.0]), "at least 2 replications"),
        (kpi([1.0, 2.0], units="h"), kpi([2.0, 1.0], units="min"), "the same unit"),
        (kpi([1.0, 2.0], labels=[1, 1]), kpi([2.0, 1.0]), "each replication once"),
        (xr.DataArray([1.0, 2.0], dims="time"), kpi([2.0, 1.0]), "dim 'replication'"),
        ([1.0, 2.0], kpi([2.0, 1.0]), "got list"),
    ],
)
def test_samples_that_do_not_fit_are_an_error(a, b, message):
    with pytest.raises(SchemaError, match=message):
        compare(a, b)


def scenarios(*effects, size=20, seed=0, noise=1.0) -> xr.DataArray:
    rng = np.random.default_rng(seed)
    common = rng.normal(20.0, 5.0, size)
    values = [common + effect + rng.normal(0, noise, size) for effect in effects]
    names = ["base", *(f"s{number}" for number in range(1, len(effects)))]
    return xr.DataArray(
        values, dims=("scenario", "replication"), coords={"scenario": names}, name="delay", attrs={"better": "lower"}
    )


def test_several_scenarios_are_compared_with_wider_intervals_than_two():
    data = scenarios(0.0, -2.0, 0.1, 1.5)
    found = compare_all(data, against="base")
    assert [(row.a, row.b, row.verdict) for row in found] == [
        ("base", "s1", "better"),
        ("base", "s2", "can't tell"),
        ("base", "s3", "worse"),
    ]
    alone = compare(data.sel(scenario="base"), data.sel(scenario="s1"))
    assert (alone.a, alone.b) == ("base", "s1")
    assert found[0].low < alone.low < alone.high < found[0].high
    assert found[0].p_value == pytest.approx(3 * alone.p_value)
    assert len(compare_all(data)) == 6
    assert list(found.table()["verdict"]) == [row.verdict for row in found]
    assert "s1 against base: better" in repr(found)
    with pytest.raises(UnknownTermError, match="did you mean 'base'"):
        compare_all(data, against="bas")
    with pytest.raises(SchemaError, match="at least two scenarios"):
        compare_all(data.isel(scenario=[0]))
    with pytest.raises(SchemaError, match="'bonferroni' or 'holm'"):
        compare_all(data, correction="none")
    with pytest.raises(SchemaError, match="use compare_all"):
        compare(data, data)


def test_holm_s_p_values_are_the_step_down_ones():
    data = scenarios(0.0, -2.0, -0.6, 0.1, seed=2)
    raw = np.array([compare(data.sel(scenario="base"), data.sel(scenario=s)).p_value for s in ("s1", "s2", "s3")])
    order = np.argsort(raw)
    expected, highest = np.empty(3), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (3 - rank) * raw[at]))
        expected[at] = highest
    found = compare_all(data, against="base", correction="holm")
    assert [row.p_value for row in found] == pytest.approx(expected)
    assert all((row.p_value < 0.05) == (row.verdict != "can't tell") for row in found)


@pytest.mark.parametrize("correction", ["bonferroni", "holm"])
def test_all_verdicts_together_are_wrong_as_seldom_as_stated(correction):
    truth = {"s1": 0.0, "s2": 0.0, "s3": -1.0, "s4": 0.0}
    wrong = 0
    for seed in range(300):
        found = compare_all(
            scenarios(0.0, *truth.values(), size=10, seed=seed), against="base", level=0.9, correction=correction
        )
        wrong += any(row.verdict == "worse" or (row.verdict == "better" and truth[row.b] == 0.0) for row in found)
    assert wrong / 300 <= 0.1 + 0.035


def test_a_comparison_is_shown_as_html_and_as_a_table():
    a, b = noisy()
    found = compare(a.assign_coords(scenario="<base>"), b)
    assert "&lt;base&gt;" in found._repr_html_()
    assert "<base>" not in found._repr_html_()
    assert "<th>95 % interval</th>" in found._repr_html_()
    assert found.table().loc[0, "verdict"] == "better"
    assert "s1" in compare_all(scenarios(0.0, -2.0))._repr_html_()
