"""Forecasts of parts and totals that add up."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import twinlab as tl
from twinlab.predict.hierarchies.structure import parts_of, summing_matrix
from twinlab.predict.hierarchies.weights import projection, shrunk_covariance

P = tl.predict
PARTS = ["A", "B", "C", "D"]
TOTALS = {"north": ["A", "B"], "all": ["north", "C", "D"]}


@pytest.fixture(scope="module")
def load():
    """Four parts with a daily course and their totals, for thirty days and a day to come."""
    rng = np.random.default_rng(5)
    hour = np.arange(24 * 31)[:, None]
    shared = rng.normal(0, 0.3, (24 * 31, 1))
    values = 20 + np.arange(4) + 5 * np.sin(hour * np.pi / 12) + shared + rng.normal(0, 2, (24 * 31, 4))
    time = np.datetime64("2026-01-01", "ns") + np.arange(24 * 31) * np.timedelta64(1, "h")
    parts = xr.DataArray(np.maximum(values, 0), {"time": time, "asset": PARTS}, ("time", "asset"), "power")
    return P.add_totals(parts, TOTALS)


@pytest.fixture(scope="module")
def base(load):
    return P.forecast(load.isel(time=slice(0, -24)), horizon="24h")


@pytest.mark.parametrize("method", ["mint", "wls", "ols", "bottom_up"])
def test_medians_of_totals_are_the_sums_of_those_of_their_parts(load, base, method):
    before = base.power.sel(quantile=0.5)
    assert abs(before.sel(asset=PARTS).sum("asset") - before.sel(asset="all")).max() > 0.1
    found = P.reconcile(base, TOTALS, history=load.isel(time=slice(0, -24)), method=method)
    median = found.power.sel(quantile=0.5)
    assert np.allclose(median.sel(asset=PARTS).sum("asset"), median.sel(asset="all"), rtol=0, atol=1e-9)
    assert np.allclose(median.sel(asset=["A", "B"]).sum("asset"), median.sel(asset="north"), rtol=0, atol=1e-9)
    assert found.attrs["reconciled"] == method
    if method == "bottom_up":
        assert median.sel(asset=PARTS).equals(before.sel(asset=PARTS))


def test_outer_quantiles_do_not_add_up_since_parts_are_rarely_high_at_once(load, base):
    found = P.reconcile(base, TOTALS, history=load.isel(time=slice(0, -24))).power.sel(quantile=0.95)
    assert (found.sel(asset=PARTS).sum("asset") > found.sel(asset="all")).all()


def test_most_of_what_comes_is_inside_the_intervals_of_totals(load):
    inside = []
    for day in range(24, 30):
        history = load.isel(time=slice(0, 24 * day))
        found = P.reconcile(P.forecast(history, horizon="24h"), TOTALS, history=history).power.sel(
            asset=["north", "all"]
        )
        true = load.isel(time=slice(24 * day, 24 * day + 24)).sel(asset=["north", "all"]).values
        inside.append((true >= found.values[0, ..., 0]) & (true <= found.values[0, ..., 2]))
    assert 0.8 <= np.mean(inside) <= 0.98


def test_a_part_without_a_number_leaves_its_totals_without_one_and_says_so(load):
    history = load.isel(time=slice(0, -24)).copy()
    history.loc[{"asset": "A"}] = 3.0
    found = P.reconcile(P.forecast(history, horizon="2h"), TOTALS, method="ols")
    reasons = P.reasons(found).isel(issue_time=0, lead_time=0)
    assert "constant" in reasons.sel(asset="A").item()
    assert reasons.sel(asset="north").item() == "A, which north is a total of, can't be forecast"
    assert reasons.sel(asset="all").item() == "A, which all is a total of, can't be forecast"
    assert reasons.sel(asset=["B", "C", "D"]).values.tolist() == ["", "", ""]


def test_counts_stay_at_least_zero_and_add_up(load):
    small = (load - 18).clip(0)
    history = P.add_totals(small.sel(asset=PARTS), TOTALS)
    found = P.reconcile(P.forecast(history, horizon="24h", span=(0, np.inf)), TOTALS, method="ols", span=(0, np.inf))
    assert float(found.power.min()) >= 0
    median = found.power.sel(quantile=0.5)
    assert np.allclose(median.sel(asset=PARTS).sum("asset"), median.sel(asset="all"), rtol=0, atol=1e-9)


def test_what_does_not_fit_is_named(load, base):
    with pytest.raises(tl.SchemaError, match="needs history="):
        P.reconcile(base, TOTALS)
    with pytest.raises(tl.SchemaError, match="'north' is missing"):
        P.reconcile(base, TOTALS, history=load.sel(asset=[*PARTS, "all"]))
    with pytest.raises(tl.SchemaError, match="up to the first issue time"):
        P.reconcile(base, TOTALS, history=load)
    with pytest.raises(tl.SchemaError, match="a median"):
        P.reconcile(base.isel(quantile=[0, 2]), TOTALS)
    with pytest.raises(tl.SchemaError, match="expected method="):
        P.reconcile(base, TOTALS, method="best")
    with pytest.raises(tl.UnknownTermError, match="'south' among the assets"):
        P.reconcile(base, {"south": ["C", "D"]})
    with pytest.raises(tl.UnknownTermError, match="'E' among the assets"):
        P.add_totals(load.sel(asset=PARTS), {"east": ["E"]})
    with pytest.raises(tl.SchemaError, match="aren't assets, got 'A'"):
        P.add_totals(load, {"A": ["B"]})


@pytest.mark.parametrize(
    ("totals", "message"),
    [
        ({"all": []}, "got none"),
        ({"all": ["A", "A"]}, "'A' twice"),
        ({"a": ["b"], "b": ["a"]}, "a part of itself: a of b of a"),
    ],
)
def test_totals_that_make_no_sense_are_refused(totals, message):
    with pytest.raises(tl.SchemaError, match=message):
        parts_of(totals)


@given(
    arrays(float, (12, 6), elements=st.floats(-1e3, 1e3)),
    arrays(float, 4, elements=st.floats(-1e3, 1e3)),
)
def test_a_projection_keeps_forecasts_that_add_up_already(errors, parts):
    ids = [*PARTS, "north", "all"]
    _, summing = summing_matrix(ids, TOTALS)
    covariance = shrunk_covariance(errors)
    assert np.allclose(covariance, covariance.T)
    matrix = projection(
        summing, np.diag(np.diag(covariance)) + 1e-6 * np.diag(covariance).max() * np.eye(6) + np.eye(6)
    )
    assert np.allclose(matrix @ (summing @ parts), parts, atol=1e-4 * (1 + np.abs(parts).max()))
