"""Predictions in a folder."""

import numpy as np
import pytest
import xarray as xr

from tests.predict.conftest import INPUTS, TARGET
from twinlab.errors import CorruptionError, SchemaError, UnknownTermError
from twinlab.predict.baselines.seasonal import SeasonalNaive
from twinlab.predict.known.running import fit_on, predict_at
from twinlab.predict.predictions.files import load_predictions
from twinlab.predict.predictions.joining import join
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


def of_minute(data, minute, **attrs):
    return data.assign_coords(issue_time=data["issue_time"] + np.timedelta64(minute, "m")).assign_attrs(attrs)


def test_many_additions_become_few_parts_and_nothing_changes(tmp_path, issued, monkeypatch):
    monkeypatch.setattr("twinlab.predict.predictions.parts.MOST_SMALL", 4)
    store = PredictionStore(tmp_path)
    each = [of_minute(issued[0], minute, model_hash=f"m{minute // 3}") for minute in range(11)]
    each = [
        one.assign(temperature=one["temperature"].copy(data=one["temperature"].values + place))
        for place, one in enumerate(each)
    ]
    for place, one in enumerate(each):
        store.add("rooms", one)
        now = one["issue_time"].values[0]
        assert store.last_issue("rooms") == now
        xr.testing.assert_identical(store.newest("rooms", at=now), one)
        # One of an earlier part, which is merged meanwhile.
        before = each[place // 2]
        xr.testing.assert_identical(store.newest("rooms", at=before["issue_time"].values[0]), before)
    assert sorted(one.name for one in (tmp_path / "rooms").glob("*.zarr")) == [
        "000000-000002.zarr", "000003-000005.zarr", "000006-000008.zarr", "000009.zarr", "000010.zarr",
    ]  # fmt: skip
    xr.testing.assert_identical(store.open("rooms"), join(each))
    with pytest.raises(SchemaError, match="same issue time"):
        store.add("rooms", each[1])
    (tmp_path / "rooms" / "issued.json").write_text("{")
    assert store.last_issue("rooms") == each[-1]["issue_time"].values[0]
    assert store.last_issue("others") is None


def test_what_a_killed_merge_leaves_is_ignored_and_removed(tmp_path, issued, monkeypatch):
    monkeypatch.setattr("twinlab.predict.predictions.parts.MOST_SMALL", 3)
    monkeypatch.setattr("twinlab.predict.predictions.parts.shutil.rmtree", lambda *_, **__: None)
    store, each = PredictionStore(tmp_path), [of_minute(issued[0], minute) for minute in range(4)]
    for one in each[:3]:
        store.add("rooms", one)
    assert len(list((tmp_path / "rooms").glob("*.zarr"))) == 4
    xr.testing.assert_identical(store.open("rooms"), join(each[:3]))
    monkeypatch.undo()
    store.add("rooms", each[3])
    assert [one.name for one in sorted((tmp_path / "rooms").glob("*.zarr"))] == [
        "000000-000001.zarr",
        "000002.zarr",
        "000003.zarr",
    ]
    xr.testing.assert_identical(store.open("rooms"), join(each))


def test_a_reader_whose_part_is_merged_meanwhile_reads_again(tmp_path, issued, monkeypatch):
    store = PredictionStore(tmp_path)
    for minute in range(3):
        store.add("rooms", of_minute(issued[0], minute))
    whole, reads = store.open("rooms"), []

    def load(path):
        if not reads:
            monkeypatch.setattr("twinlab.predict.predictions.parts.MOST_SMALL", 3)
            reads.append(path)
            store.add("rooms", of_minute(issued[0], 3))
        return load_predictions(path)

    monkeypatch.setattr("twinlab.predict.predictions.store.load_predictions", load)
    found = store.open("rooms")
    assert reads
    xr.testing.assert_identical(found.isel(issue_time=slice(0, 3)), whole)


def test_the_cost_of_an_addition_does_not_grow(tmp_path, issued, monkeypatch):
    store, loads = PredictionStore(tmp_path), []
    monkeypatch.setattr(
        "twinlab.predict.predictions.store.load_predictions", lambda path: loads.append(path) or load_predictions(path)
    )
    for minute in range(12):
        store.add("rooms", of_minute(issued[0], minute))
    assert len(loads) == 11
