"""A relation between signals is learnt from data some of which are wrong."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.quality import learn_relation, multivariate_flags


def data(*, wrong: float = 0.0, slope: float = 2.5, seed: int = 0, far: float = 100.0) -> xr.Dataset:
    """Return power, speed and a flow that follows from both; a share of it is far off, to one side."""
    rng = np.random.default_rng(seed)
    time = np.datetime64("2026-01-01", "ns") + np.arange(3000) * np.timedelta64(10, "m")
    power, speed = rng.uniform(10, 20, 3000), rng.normal(1500, 50, 3000)
    flow = slope * power + 0.02 * speed - 7 + rng.normal(0, 0.3, 3000)
    bad = rng.random(3000) < wrong
    flow[bad] += far + 3 * power[bad]
    values = {"flow": flow, "power": power, "speed": speed}
    return xr.Dataset({name: ("time", one) for name, one in values.items()} | {"bad": ("time", bad)}, {"time": time})


@given(
    wrong=st.floats(0, 0.3),
    slope=st.floats(-5, 5),
    far=st.sampled_from([-500.0, 20.0, 100.0, 1e6]),
    seed=st.integers(0, 9),
)
def test_a_third_of_wrong_values_leaves_the_relation_as_it_is(
    wrong: float, slope: float, far: float, seed: int
) -> None:
    ds = data(wrong=wrong, slope=slope, seed=seed, far=far)
    found = learn_relation(ds.flow, ds[["power", "speed"]])
    assert abs(found.coefficients["power"] - slope) < 0.02
    assert abs(found.coefficients["speed"] - 0.02) < 0.001
    assert 1.5 < found.suspect < 3.2
    flags = multivariate_flags(ds.flow, ds[["power", "speed"]], **found.options())
    assert bool((flags[ds.bad.to_numpy()] == 3).all())
    assert float((flags[~ds.bad.to_numpy()] == 3).mean()) < 0.001


def test_the_evidence_says_what_it_comes_from() -> None:
    ds = data(wrong=0.1)
    found = learn_relation(ds.flow, ds[["power", "speed"]])
    assert "learnt from 3,000 rows, 2026-01-01 to 2026-01-21, by robust regression" in found.evidence
    assert abs(found.share_outside - float(ds.bad.mean())) < 0.002
    assert found.explained > 0.99


def test_flagged_values_are_not_learnt_from_and_an_exact_relation_has_a_threshold() -> None:
    ds = data(wrong=0.6)
    flags = xr.where(ds.bad, 4, 1).astype("uint8")
    assert abs(learn_relation(ds.flow, ds[["power", "speed"]], flags=flags).coefficients["power"] - 2.5) < 0.02
    exact = learn_relation(2 * ds.power + 1, ds[["power"]])
    assert (exact.coefficients, exact.intercept) == ({"power": 2.0}, 1.0)
    assert exact.suspect > 0


@pytest.mark.parametrize("names", [[], ["power", "again"], ["still"]])
def test_signals_that_say_nothing_are_refused(names: list[str]) -> None:
    ds = data().assign(again=lambda one: 3 * one.power + 1, still=("time", np.full(3000, 4.0)))
    with pytest.raises(SchemaError, match=r"other signals|change independently"):
        learn_relation(ds.flow, ds[names])


def test_too_few_rows_are_refused() -> None:
    ds = data().isel(time=slice(50))
    with pytest.raises(SchemaError, match="at least 100 rows with a value of all signals, got 50"):
        learn_relation(ds.flow, ds[["power"]])
