"""The parcel demo with failures: its model and mappings have what the option adds, and the twin reads the files."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import twinlab as tl
from twinlab.demos import FailureRates, ParcelSize, parcel_files, parcel_size, recipes
from twinlab.demos.overlays import merged
from twinlab.errors import SchemaError

SIZE = ParcelSize(hubs=3, trucks=3, cold_rooms=3, forklifts=2, parcels_a_week=20, weeks=2, seed=3)


def test_the_twin_has_the_signals_and_the_failures_that_the_workshops_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINLAB_CACHE", str(tmp_path))
    with closing(tl.demo("parcel", size=SIZE, failures=FailureRates(compressor=30, battery=30))) as twin:
        for asset_type, signals in (
            ("cold_room", ["current"]),
            ("truck", ["brake_temperature", "coolant_temperature"]),
            ("forklift", ["voltage"]),
            ("hub", ["wind_gust", "precipitation"]),
        ):
            history = twin.history(asset_type, signals=signals)
            assert all(int(history[name].notnull().sum()) > 100 for name in signals)
        current = twin.history("cold_room", signals=["current", "compressor"])
        off = current["current"].where(current["compressor"] == 0)
        assert float(abs(off).max()) == 0.0
        truth = next(path for path in parcel_files(twin).truth if path.name == "failures.csv")
        wanted = pd.read_csv(truth, parse_dates=["log_begin", "log_end", "log_entered"])
        wanted = wanted[wanted["log_readable"] & (wanted["log_entered"] < pd.Timestamp(SIZE.stop).tz_localize(None))]
        found = pd.concat([twin.events(f"{name}_failure") for name in ("room", "forklift", "truck")])
        joined = found.merge(wanted, left_on="event_id", right_on="log_order", suffixes=("", "_truth"))
        assert len(joined) == len(found) == len(wanted) > 0
        assert (joined["asset"] == joined["asset_truth"]).all()
        assert (joined["component"] == joined["component_truth"]).all()
        assert (joined["start"] == joined["log_begin"]).all()
        assert (joined["end"] == joined["log_end"]).all()


def test_without_failures_the_recipe_is_the_one_in_the_package(tmp_path: Path) -> None:
    usual = recipes.write_recipe("parcel", SIZE, tmp_path / "no")
    assert not (tmp_path / "no").exists()
    worn = recipes.write_recipe("parcel", replace(SIZE, failures=FailureRates()), tmp_path / "yes")
    assert "brake_temperature" not in (usual / "twin.yaml").read_text(encoding="utf-8")
    assert "brake_temperature" in (worn / "twin.yaml").read_text(encoding="utf-8")
    names = {path.name for path in (worn / "mapping").iterdir()}
    assert names == {path.name for path in (usual / "mapping").iterdir()} | {"maintenance.yaml", "weather.yaml"}


def test_options_ask_for_failures() -> None:
    found = parcel_size(small=True, failures=True)
    assert found is not None
    assert found.failures == FailureRates()
    assert parcel_size(small=True) == ParcelSize.small()


def test_a_demo_of_one_size_has_no_failures() -> None:
    with pytest.raises(SchemaError, match="leave out size and failures"):
        tl.demo("nyc", failures=True)


def test_lists_are_merged_by_place_and_longer_ones_keep_their_rest() -> None:
    assert merged([{"a": 1}], [{"b": 2}, {"c": 3}]) == [{"a": 1, "b": 2}, {"c": 3}]
    assert merged({"a": [1, 2]}, {"a": [5]}) == {"a": [5, 2]}
    assert merged({"a": {"b": 1}}, {"a": "text"}) == {"a": "text"}
