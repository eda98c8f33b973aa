"""The neighbour test against a slow oracle."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from twinlab.errors import SchemaError
from twinlab.quality import peer_flags

# Whole numbers, so that the oracle and the kernel round alike; ties and missing values are frequent.
TABLES = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.integers(1, 9)),
    elements=st.one_of(st.integers(-4, 4).map(float), st.just(np.nan), st.just(1e6)),
)


def _slow(
    table: np.ndarray, groups: np.ndarray, suspect: float, fail: float, resolution: float, least: int
) -> np.ndarray:
    out = np.full(table.shape, 2, np.uint8)
    for i, row in enumerate(table):
        for j, value in enumerate(row):
            alike = row[(groups == groups[j]) & ~np.isnan(row)]
            others = np.delete(row, j)[np.delete(groups, j) == groups[j]]
            others = others[~np.isnan(others)]
            if np.isnan(value):
                out[i, j] = 9
            elif others.size >= least:
                sigma = max(1.482602218505602 * np.median(np.abs(alike - np.median(alike))), resolution)
                distance = abs(value - np.median(others))
                out[i, j] = 4 if distance > fail * sigma else 3 if distance > suspect * sigma else 1
    return out


@settings(max_examples=200, deadline=None)
@given(table=TABLES, seed=st.integers(0, 9), least=st.integers(2, 4))
def test_a_value_is_compared_with_the_median_of_the_others_of_its_group(
    table: np.ndarray, seed: int, least: int
) -> None:
    groups = np.random.default_rng(seed).integers(0, 2, table.shape[1])
    array = xr.DataArray(table, {"hub": ("asset", groups)}, ("time", "asset"))
    expected = _slow(table, groups, 2.0, 5.0, 0.3, least)
    options = {"resolution": 0.3, "suspect": 2.0, "fail": 5.0, "least": least}
    assert (peer_flags(array, group="hub", **options).to_numpy() == expected).all()
    assert (peer_flags(array.T, group="hub", **options).to_numpy() == expected.T).all()
    everyone = _slow(table, np.zeros_like(groups), 2.0, 5.0, 0.3, least)
    assert (peer_flags(array.chunk(time=2, asset=2), **options).to_numpy() == everyone).all()


def test_a_minority_of_wrong_sensors_doesnt_hide_itself() -> None:
    readings = np.concatenate([np.linspace(3.9, 4.1, 8), [7.2, 7.4, 7.1]])
    flags = peer_flags(xr.DataArray(readings[None], dims=("time", "asset")), resolution=0.1, suspect=5, fail=20)
    assert flags.to_numpy()[0].tolist() == [1] * 8 + [4] * 3


def test_infinite_readings_end_and_stay_alone() -> None:
    flags = peer_flags(xr.DataArray([[1.0, np.inf, 1, 1, 1, -np.inf, 1]], dims=("time", "asset")), resolution=0.1)
    assert flags.to_numpy()[0].tolist() == [1, 3, 1, 1, 1, 3, 1]


def test_wrong_arguments_are_refused() -> None:
    array = xr.DataArray(np.zeros((2, 3)), dims=("time", "asset"))
    with pytest.raises(SchemaError, match="dimension 'truck'"):
        peer_flags(array, resolution=0.1, across="truck")
    with pytest.raises(SchemaError, match="coordinate 'hub' along 'asset'"):
        peer_flags(array, resolution=0.1, group="hub")
    for wrong in ({"resolution": 0}, {"suspect": 0}, {"fail": 1}, {"least": 1}):
        with pytest.raises(SchemaError, match="0 < suspect <= fail"):
            peer_flags(array, **({"resolution": 0.1} | wrong))
