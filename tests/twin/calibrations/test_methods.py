"""Calibrations of a twin: one line to apply, a file that people edit, a journal that knows who, when and why."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import twinlab as tl
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.calibration import Calibration


@pytest.fixture
def twin(cold_rooms):
    return cold_rooms("1", "2", value=lambda hour: hour / 10 + 5)


def differences(twin, **options):
    data = twin.history("room", signals=["temperature"], calibrated=True, **options)
    found = (data.temperature_calibrated - data.temperature).compute()
    return {str(asset): sorted(set(found.sel(asset=asset).values.round(3).tolist())) for asset in found.asset.values}


def fix(twin, asset="room/1", **keys):
    twin.calibrate(asset, "temperature", **{"reason": "0.5 degC too high", "author": "ann", **keys})


def test_a_calibration_is_applied_on_read_and_nothing_stored_changes(twin):
    before = twin.history("room").compute()
    assert twin.calibrations().empty
    assert differences(twin) == {"1": [0], "2": [0]}
    fix(twin, offset=-0.5, since="2026-01-05T12:00", interval=(-0.6, -0.4))
    assert differences(twin) == {"1": [-0.5, 0], "2": [0]}
    assert twin.history("room").compute().identical(before)
    table = twin.calibrations().loc[0].to_dict()
    assert [table[name] for name in ("asset", "signal", "offset", "gain", "low", "high", "reason", "author")] == [
        "room/1", "temperature", -0.5, 1, -0.6, -0.4, "0.5 degC too high", "ann",
    ]  # fmt: skip
    assert (str(table["since"]), str(table["until"]), table["points"]) == ("2026-01-05 12:00:00", "NaT", 0)
    day = twin.history("room", step="1d", calibrated=True).compute()
    np.testing.assert_allclose((day.temperature_calibrated_mean - day.temperature_mean).values, [[-0.25, 0]])
    again = tl.open(twin.folder)
    assert differences(again) == {"1": [-0.5, 0], "2": [0]}
    assert again.rebuild().notes is not None
    assert differences(again) == {"1": [-0.5, 0], "2": [0]}


def test_a_drift_is_stated_by_points_in_time(twin):
    fix(twin, offset={"2026-01-05": 0, "2026-01-05T10:00": -1}, until="2026-01-05T03:00")
    assert differences(twin)["1"] == [-0.2, -0.1, 0]
    assert twin.calibrations()["points"].tolist() == [2]


def test_a_second_calibration_of_a_span_needs_to_replace_the_first(twin):
    fix(twin, offset=-0.5)
    fix(twin, "room/2", offset=1)
    with pytest.raises(SchemaError, match=r"has one at all times \('0.5 degC too high'\).*replace=True"):
        fix(twin, offset=-0.7, since="2026-01-05T12:00")
    path = twin.folder / "calibration.yaml"
    path.write_text("# hall 2\n" + path.read_text().replace("room/1", "room/1  # by the door"))
    fix(twin, offset=-0.7, since="2026-01-05T12:00", until="2026-01-05T20:00", replace=True)
    assert differences(twin) == {"1": [-0.7, -0.5], "2": [1]}
    assert "# hall 2" in path.read_text()
    assert "room/1  # by the door" in path.read_text()
    fix(twin, replace=True)
    assert differences(twin)["1"] == [0]


def test_the_journal_knows_who_when_and_why_and_as_of_shows_what_was_applied_then(twin):
    start = pd.Timestamp.now("UTC")
    fix(twin, offset=-0.5)
    first = pd.Timestamp.now("UTC")
    fix(twin, offset=-0.7, reason="-0.7 after all", author="bob", replace=True)
    versions = twin.calibrations(history=True)
    assert versions[["author", "reason", "asset", "calibrations"]].to_numpy().tolist() == [
        ["ann", "0.5 degC too high", "room/1", 1],
        ["bob", "-0.7 after all", "room/1", 1],
    ]
    assert (versions["time"].dt.tz_localize("UTC") > start).all()
    assert differences(twin.as_of(first))["1"] == [-0.5]
    assert differences(twin.as_of(first, mapping="current"))["1"] == [-0.7]
    assert differences(twin.as_of(pd.Timestamp.now("UTC")))["1"] == [-0.7]
    assert "temperature_calibrated" not in twin.as_of(first).history("room")
    assert differences(twin.as_of(start))["1"] == [0]


def test_an_edit_by_hand_applies_and_is_named_until_it_is_recorded(twin):
    assert "calibration" not in repr(twin)
    fix(twin, offset=-0.5)
    assert "1 calibration: twin.calibrations() lists them" in repr(twin)
    assert "by hand" not in repr(twin)
    path = twin.folder / "calibration.yaml"
    path.write_text(path.read_text().replace("-0.5", "-0.6"))
    assert differences(twin)["1"] == [-0.6]
    for shown in (repr(twin), twin._repr_html_()):
        assert "calibration.yaml was edited by hand: twin.record_calibrations(" in shown
    assert twin.record_calibrations(author="eve", reason="read off again")
    assert not twin.record_calibrations(author="eve", reason="read off again")
    assert "by hand" not in repr(twin)
    path.write_text(path.read_text().replace("-0.6", "-0.8"))
    fix(twin, "room/2", offset=1)
    assert twin.calibrations(history=True)["author"].tolist() == ["ann", "eve", "edited by hand", "ann"]
    path.unlink()
    assert differences(twin) == {"1": [0], "2": [0]}
    assert "edited by hand" in repr(twin)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ("room/11", "calibration.yaml:2: calibrations.0..asset: there is no asset 'room/11'; did you mean '1'"),
        ("roon/1", "there is no asset type 'roon'; did you mean 'room'"),
        ("room", "calibration.yaml:2: .*expected an asset as type/id"),
    ],
)
def test_a_fault_in_the_file_is_named_with_its_place_and_the_nearest(twin, edit, words):
    fix(twin, offset=1)
    path = twin.folder / "calibration.yaml"
    path.write_text(path.read_text().replace("room/1", edit))
    with pytest.raises((SchemaError, UnknownTermError), match=words):
        twin.history("room", calibrated=True)
    with pytest.raises((SchemaError, UnknownTermError), match=words):
        fix(twin, "room/2")
    assert "calibrations can't be used: calibration.yaml:2: " in repr(twin)
    assert "temperature" in twin.history("room")


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"asset": "room/3"}, UnknownTermError, "asset: there is no asset 'room/3'"),
        ({"signal": "temprature"}, UnknownTermError, "signal: room has no signal 'temprature'; did you mean"),
        ({"signal": "door"}, SchemaError, "expected a signal of kind gauge, but door is a state"),
        ({"asset": "room"}, SchemaError, "asset: expected an asset as type/id"),
        ({"gain": 0}, SchemaError, "a gain of one sign and not zero"),
        ({"reason": " "}, SchemaError, "a reason in words"),
        ({"author": ""}, SchemaError, "who decides it"),
        ({"offset": {}}, SchemaError, "offset.*expected at least one point"),
        ({"since": "2026-01-06", "until": "2026-01-05"}, SchemaError, "`from` before `until`"),
        ({"since": "soon"}, SchemaError, "expected an instant"),
    ],
)
def test_what_cannot_be_applied_is_refused_and_nothing_is_written(twin, wrong, error, words):
    with pytest.raises(error, match=words):
        twin.calibrate(
            **{"asset": "room/1", "signal": "temperature", "offset": 1, "reason": "r", "author": "ann", **wrong}
        )
    assert not (twin.folder / "calibration.yaml").exists()
    assert twin.calibrations(history=True).empty


def test_two_processes_calibrate_at_once_and_neither_is_lost(twin):
    program = (
        "import sys, twinlab as tl\n"
        "twin = tl.open(sys.argv[1])\n"
        "for day in range(1, 4):\n"
        "    twin.calibrate('room/' + sys.argv[2], 'temperature', offset=day, since=f'2026-01-0{day}',\n"
        "                   until=f'2026-01-0{day + 1}', reason='r', author='a')\n"
    )
    command = [sys.executable, "-c", program, str(twin.folder)]
    running = [subprocess.Popen([*command, name], env={**os.environ}) for name in ("1", "2")]
    assert [one.wait(timeout=120) for one in running] == [0, 0]
    assert sorted(twin.calibrations()["asset"]) == ["room/1"] * 3 + ["room/2"] * 3
    assert twin.calibrations(history=True)["calibrations"].tolist() == [1, 2, 3, 4, 5, 6]


def test_a_calibration_is_tried_before_it_is_applied(twin):
    tried = Calibration(asset="room/1", signal="temperature", offset=-0.5, reason="r")
    data = twin.history("room", calibrated=tried).compute()
    assert np.allclose((data.temperature_calibrated - data.temperature).sel(asset="1"), -0.5)
    assert np.allclose((data.temperature_calibrated - data.temperature).sel(asset="2"), 0)
    assert twin.history("room", calibrated=[]).compute().temperature_calibrated.equals(data.temperature)
    assert twin.calibrations().empty


def test_calibrations_are_removed_with_who_and_why_and_comments_stay(twin):
    fix(twin, offset=-0.5, until="2026-01-05T12:00")
    fix(twin, offset=-0.7, since="2026-01-05T12:00")
    fix(twin, asset="room/2", offset=1)
    path = twin.folder / "calibration.yaml"
    path.write_text("# hall 2\n" + path.read_text())
    assert (
        twin.remove_calibrations("room/1", "temperature", at="2026-01-05T13:00", author="eva", reason="was fine") == 1
    )
    assert differences(twin) == {"1": [-0.5, 0], "2": [1]}
    assert twin.remove_calibrations("room/1", "temperature", author="eva", reason="replaced") == 1
    assert twin.remove_calibrations("room/2", "temperature", author="eva", reason="replaced") == 1
    assert differences(twin) == {"1": [0], "2": [0]}
    assert path.read_text() == "# hall 2\ncalibrations: []\n"
    versions = twin.calibrations(history=True)
    assert versions.calibrations.tolist() == [1, 2, 3, 2, 1, 0]
    assert versions.iloc[-1][["author", "reason", "asset"]].tolist() == ["eva", "replaced", "room/2"]
    with pytest.raises(
        SchemaError, match="expected a calibration of temperature of room/1 at 2026-01-05, but there is none"
    ):
        twin.remove_calibrations("room/1", "temperature", at="2026-01-05", author="eva", reason="r")
    with pytest.raises(SchemaError, match="expected a reason"):
        twin.remove_calibrations("room/1", "temperature", author="eva", reason=" ")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx", ".zarr"])
def test_exports_have_calibrated_values_and_annotations_if_wanted(twin, tmp_path, suffix):
    fix(twin, offset=-0.5)
    twin.annotate(asset="room/2", signal="temperature", start="2026-01-05T01:00", verdict="reject", author="eva")
    target = twin.export("room", tmp_path / f"rooms{suffix}", calibrated=True, annotated=True, signals=["temperature"])
    if suffix == ".zarr":
        data = xr.open_zarr(target)
        assert np.allclose((data.temperature_calibrated - data.temperature).sel(asset="1"), -0.5)
        assert int((data.temperature_annotation == 3).sum()) == 1
        return
    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".xlsx": pd.read_excel}[suffix]
    table = read(target)
    first = table[table.asset.astype(str) == "1"]
    assert np.allclose(first.temperature_calibrated - first.temperature, -0.5)
    assert int((table.temperature_annotation == 3).sum()) == 1
    with pytest.raises(SchemaError, match="expected an asset type to export calibrated or annotated, got 'visit'"):
        twin.export("visit", tmp_path / "visits.csv", calibrated=True)
