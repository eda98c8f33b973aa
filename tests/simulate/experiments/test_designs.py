"""Designs: sweeps, Latin hypercubes, models and responses."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.simulate import latin_hypercube, models_of, responses, sweep


@given(
    st.dictionaries(
        st.sampled_from("abc"), st.lists(st.integers(-5, 5), min_size=1, max_size=4, unique=True), min_size=1
    )
)
def test_a_sweep_has_each_combination_once(values):
    design = sweep(values)
    assert len(design) == np.prod([len(each) for each in values.values()])
    assert not design.duplicated().any()
    assert design.index.is_unique
    assert {name: set(design[name]) for name in design} == {name: set(each) for name, each in values.items()}


@given(st.integers(1, 60), st.integers(0, 9), st.integers(-3, 3), st.integers(1, 8))
def test_a_latin_hypercube_has_one_value_in_each_part_of_a_range(samples, seed, low, width):
    design = latin_hypercube(
        {"x": (low, low + width), "n": (low, low + width)}, samples=samples, seed=seed, whole=["n"]
    )
    part = np.floor((design["x"] - low) / width * samples)
    assert sorted(part) == list(range(samples))
    assert design["n"].between(low, low + width).all()
    assert design["n"].dtype == np.int64
    counts = design["n"].value_counts().reindex(range(low, low + width + 1), fill_value=0)
    # A whole number has its share of the parts, but for one that it has in part at each end.
    assert (abs(counts - samples / (width + 1)) < 2).all()
    pd.testing.assert_frame_equal(
        design,
        latin_hypercube({"x": (low, low + width), "n": (low, low + width)}, samples=samples, seed=seed, whole=["n"]),
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sweep({}), "at least one parameter"),
        (lambda: sweep({"a": [1, 1]}), "parameter 'a': expected a list of different values"),
        (lambda: sweep({"a": "day"}), "parameter 'a': expected a list"),
        (lambda: sweep({"a": []}), "parameter 'a': expected a list"),
        (lambda: latin_hypercube({}, samples=3), "the range of at least one parameter"),
        (lambda: latin_hypercube({"a": (2, 2)}, samples=3), r"parameter 'a': expected \(low, high\)"),
        (lambda: latin_hypercube({"a": (0, np.inf)}, samples=3), "parameter 'a'"),
        (lambda: latin_hypercube({"a": (0, 1)}, samples=0), "samples from 1 on"),
        (lambda: latin_hypercube({"a": (0, 1)}, samples=3, whole=["b"]), r"whole=\['b'\]"),
    ],
)
def test_a_design_that_cannot_be_is_an_error(call, message):
    with pytest.raises(SchemaError, match=message):
        call()


def test_models_and_responses_belong_to_the_rows_of_a_design():
    design = sweep({"trucks": [4, 5], "shift": ["day", "night"]})
    models = models_of(design, lambda trucks, shift: (trucks, shift))
    assert models["trucks=5, shift=night"] == (5, "night")
    rng = np.random.default_rng(0)
    names = list(models)[::-1]
    values = xr.DataArray(
        [rng.normal(models[name][0], 0.1, 30) for name in names],
        dims=("scenario", "replication"),
        coords={"scenario": names},
        name="delay",
    )
    values[0, 3] = np.nan
    found = responses(design, values)
    assert found["mean"].round().tolist() == [4, 4, 5, 5]
    assert (found["low"] < found["mean"]).all()
    assert found["replications"].tolist() == [30, 30, 30, 29]
    assert responses(design, values.isel(replication=[0]))["low"].isna().all()
    with pytest.raises(UnknownTermError, match="expected the name of a scenario"):
        responses(design, values.isel(scenario=slice(0, 3)))
    with pytest.raises(SchemaError, match="expected a value of delay in scenario 'trucks=5, shift=night', got none"):
        responses(design, values.isel(replication=[3]))
