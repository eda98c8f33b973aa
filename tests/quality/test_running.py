"""The tests of a model, each by itself: which are run, on what, and what doesn't rebuild a history."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.history.build.mapping_context import content_hash
from twinlab.model import AssetType, Options, QualityTest, TwinModel, parse_model
from twinlab.quality import QUALITY_TESTS, flag_cells, run_observation_tests, run_tests

MINUTES = np.datetime64("2026-01-01", "ns") + np.arange(30) * np.timedelta64(1, "m")


class OtherOptions(Options):
    """Options of `above`."""

    other: str


def above(values: xr.DataArray, others: xr.Dataset, *, other: str) -> xr.DataArray:
    """Flag values above those of another signal: suspect."""
    flags = xr.where(values > others[other], 3, 1)
    return flags.where(values.notnull(), 9).astype("uint8").transpose(*values.dims)


ABOVE = QualityTest("above", above, OtherOptions, lazy=True, scope="asset", others=lambda options: (options.other,))


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(QUALITY_TESTS._built_in, "above", "")
    monkeypatch.setitem(QUALITY_TESTS._loaded, "above", ABOVE)


def _room(**tests: object) -> AssetType:
    signals = {
        "air": {"unit": "degC", "resolution": 0.1, "sensor_span": [-50, 50], "tests": tests},
        "wall": {"unit": "degC", "resolution": 0.1, "sensor_span": [-50, 50]},
    }
    return AssetType.model_validate({"signals": signals, "properties": {"hub": {}}})


def _data() -> xr.Dataset:
    random = np.random.default_rng(3)
    air, wall = np.round(random.normal(4, 0.2, (2, 30, 8)), 1)
    air[10:, 2] = 9
    air[5, 0], wall[6, 1], air[7, 1] = 300, 400, np.nan
    coords = {"time": MINUTES, "asset": [f"r{i}" for i in range(8)]}
    return xr.Dataset({name: (("time", "asset"), data) for name, data in (("air", air), ("wall", wall))}, coords)


def test_each_test_has_its_own_flags() -> None:
    room = _room(peers={"resolution": 0.1, "suspect": 6}, above={"other": "wall"}, spike={"suspect": 3, "fail": 90})
    data = _data()
    flags = run_tests(data.chunk(time=11), room)
    assert list(flags) == ["air_peers_qc", "air_above_qc", "air_spike_qc"]
    assert all(one.chunks is not None and one.dtype == np.uint8 for one in flags.values())
    assert flags.air_peers_qc.attrs["signal"] == "air" and flags.air_peers_qc.attrs["test"] == "peers"
    peers = flags.air_peers_qc.to_numpy()
    assert (peers[10:, 2] == 3).all() and (peers == 3).sum() <= 22
    # 300 degC is outside the sensor's span: missing to every test, as to the build's.
    assert peers[5, 0] == peers[7, 1] == 9
    shown = data.where(abs(data) <= 50)
    expected = np.where(shown.air.isnull(), 9, np.where(shown.air > shown.wall, 3, 1))
    assert (flags.air_above_qc.to_numpy() == expected).all()
    assert set(run_tests(data, room, ["above"])) == {"air_above_qc"}


def test_peers_are_grouped_by_a_property() -> None:
    room = _room(peers={"resolution": 0.1, "least": 2, "group": "hub"})
    data = _data()
    hubs = {f"r{i}": {"hub": "north" if i in (0, 2, 5, 6) else "south"} for i in range(8)}
    flags = run_tests(data, room, properties=hubs).air_peers_qc
    alone = data.isel(asset=[0, 2, 5, 6])
    assert flags.isel(asset=[0, 2, 5, 6]).equals(run_tests(alone, room, properties=hubs).air_peers_qc)
    assert "hub" not in flags.coords


def test_a_span_of_each_asset_hides_what_its_sensor_cant_report() -> None:
    signals = {"air": {"resolution": 0.1, "sensor_span": {"assets": {"r1": [0, 5]}, "default": [0, 90]}}}
    signals["air"]["tests"] = {"range": {"fail_span": [-999, 999]}}
    data = xr.Dataset({"air": (("time", "asset"), [[9.0, 9.0]])}, {"time": MINUTES[:1], "asset": ["r1", "r2"]})
    assert run_tests(data, AssetType.model_validate({"signals": signals})).air_range_qc.values.tolist() == [[9, 1]]


def test_what_isnt_there_is_named() -> None:
    room = _room(above={"other": "wall"})
    with pytest.raises(UnknownTermError, match="no signal names the quality test 'abov'.*did you mean 'above'"):
        run_tests(_data(), room, ["abov"])
    with pytest.raises(SchemaError, match=r"signal 'wall' in the data.*'above' of 'air' needs; got \['air'\]"):
        run_tests(_data()[["air"]], room)
    assert not run_tests(_data()[["wall"]], room)


TEXT = """twin: x
asset_types:
  room:
    signals:
      air: {resolution: 0.1, tests: {above: {other: wall}}}
      wall: {resolution: 0.1}
      door: {resolution: 0.1, cadence: 1h}
"""


def test_the_model_knows_the_other_signals_of_a_test() -> None:
    parse_model(TEXT)
    with pytest.raises(UnknownTermError, match=r"twin.yaml:5: .*tests.above: .*no other signal 'wal'.*mean 'wall'"):
        parse_model(TEXT.replace("other: wall", "other: wal"))
    with pytest.raises(UnknownTermError, match="no other signal 'air'"):
        parse_model(TEXT.replace("other: wall", "other: air"))
    with pytest.raises(SchemaError, match="same cadence, got 'door' at '1h' beside '1min'"):
        parse_model(TEXT.replace("other: wall", "other: door"))


def test_a_test_that_needs_more_than_one_signal_changes_neither_a_history_nor_its_hash() -> None:
    def model(**tests: object) -> TwinModel:
        return TwinModel.model_validate(
            {"twin": "x", "asset_types": {"room": _room(**tests).model_dump(by_alias=True)}}
        )

    plain, spike = model(), model(spike={"suspect": 1, "fail": 2})
    assert content_hash(model(above={"other": "wall"})) == content_hash(plain)
    assert content_hash(model(above={"other": "wall"}, spike={"suspect": 1, "fail": 2})) == content_hash(spike)
    assert content_hash(spike) != content_hash(plain)
    signal = _room(above={"other": "wall"}).signals["air"]
    assert flag_cells(np.array([[9.0], [4.0]]), signal=signal).ravel().tolist() == [1, 1]


def test_a_test_of_several_series_must_take_lazy_arrays() -> None:
    fault = QUALITY_TESTS._check("above", replace(ABOVE, lazy=False))
    assert "expected lazy=True, since its scope is 'asset'" in fault


def test_observations_are_judged_by_exact_times_and_status_in_any_order() -> None:
    tests = {
        "cadence": {"expected": "10min", "tolerance": "1min"},
        "status": {},
        "summer_time": {"zone": "Europe/Berlin"},
    }
    room = _room(**tests, spike={"suspect": 1, "fail": 2})
    times = pd.date_range("2026-03-01", periods=6, freq="10min", tz="UTC").insert(
        3, pd.Timestamp("2026-03-01T00:20:05Z")
    )
    frame = pd.DataFrame(
        {"time": times, "value": [1, 2, "?", 3, 4, 5, 6], "status": [0, None, 0, 2**31, "Bad", "Good", 2**30]}
    )
    shuffled = frame.sample(frac=1, random_state=3)
    flags = run_observation_tests(shuffled, room, "air")
    assert list(flags) == list(tests) and (flags.index == shuffled.index).all() and (flags.dtypes == np.uint8).all()
    flags = flags.sort_index()
    # "?" is no number, so that the value five seconds after it isn't early.
    assert flags.cadence.tolist() == [2, 1, 9, 1, 1, 1, 1]
    assert flags.status.tolist() == [1, 2, 9, 4, 4, 1, 3]
    assert set(flags.summer_time) == {1, 9}
    with pytest.raises(SchemaError, match="column 'value' in the observations"):
        run_observation_tests(frame.drop(columns="value"), room, "air")
    assert run_observation_tests(frame, _room(), "air").shape == (7, 0)
