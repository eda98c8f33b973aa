"""Predictions in a folder."""

import numpy as np
import pytest
import xarray as xr

from tests.predict.conftest import INPUTS, TARGET
from twinlab.errors import CorruptionError, SchemaError, UnknownTermError
from twinlab.predict.baselines.seasonal import SeasonalNaive
from twinlab.predict.known.running import fit_on, predict_at
from twinlab.predict.predictions.store import PredictionStore


@pytest.fixture
def issued(twin):
    fitted = fit_on(SeasonalNaive(INPUTS, TARGET, ("1h", "6h")), twin, known="2026-01-20")
    return [predict_at(fitted, twin, issue_time=f"2026-01-{day}") for day in (22, 23)]


def test_predictions_are_read_as_they_were_stored(tmp_path, issued):
    store = PredictionStore(tmp_path / "predictions")
    assert len(store) == 0
    for one in issued:
        store.add("rooms/a", one)
    found = store.open("rooms/a")
    assert found.sizes["issue_time"] == 2
    first = found.isel(issue_time=[0])
    xr.testing.assert_identical(first.temperature, issued[0].temperature)
    assert found.attrs["model_hash"] == issued[0].attrs["model_hash"]
    assert store.names == ["rooms/a"]
    row = store.table().iloc[0]
    assert (row["issued"], row["lead_times"], row["assets"], row["fault"]) == (2, 2, 2, "")


def test_what_was_issued_is_never_changed(tmp_path, issued):
    store = PredictionStore(tmp_path)
    store.add("rooms", issued[0])
    changed = issued[0].assign(temperature=issued[0].temperature + 1)
    with pytest.raises(SchemaError, match="same issue time"):
        store.add("rooms", changed)
    xr.testing.assert_identical(store["rooms"].temperature, issued[0].temperature)


def test_predictions_of_something_else_need_another_name(tmp_path, issued):
    store = PredictionStore(tmp_path)
    store.add("rooms", issued[0])
    with pytest.raises(SchemaError, match="same lead_time at all issue times"):
        store.add("rooms", issued[1].isel(lead_time=[0]))


def test_an_unknown_name_shows_the_nearest(tmp_path, issued):
    store = PredictionStore(tmp_path)
    store.add("rooms", issued[0])
    with pytest.raises(UnknownTermError, match="did you mean 'rooms'"):
        store.open("roms")
    store.delete("rooms")
    assert store.names == []


def test_a_damaged_part_is_named(tmp_path, issued):
    store = PredictionStore(tmp_path)
    store.add("rooms", issued[0])
    (tmp_path / "rooms" / "000000.zarr" / "zarr.json").write_text("{")
    with pytest.raises(CorruptionError, match=r"000000\.zarr can't be read"):
        store.open("rooms")
    assert "can't be read" in store.table()["fault"].item()


def test_the_folder_opens_with_xarray_alone(tmp_path, issued):
    PredictionStore(tmp_path).add("rooms", issued[0])
    plain = xr.open_zarr(str(tmp_path / "rooms" / "000000.zarr"), consolidated=False, decode_timedelta=True)
    assert np.array_equal(plain.temperature.values, issued[0].temperature.values)
