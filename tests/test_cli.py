"""The command: examples that run, errors in one line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from twinlab.cli import main

COMMANDS = ("demo", "create", "ingest", "serve", "status", "verify", "rebuild", "export")


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    times = pd.date_range("2026-01-01", periods=200, freq="1min")
    path = tmp_path / "rooms.csv"
    pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M:%SZ"), "temp [degC]": 4.0, "power (kW)": 1.25}).to_csv(
        path, index=False
    )
    return path


@pytest.fixture
def pilot(tmp_path: Path, readings: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "pilot"
    assert main(["create", str(folder), "--from", str(readings)]) == 0
    assert main(["ingest", str(folder), str(readings)]) == 0
    assert "200 rows read, 200 kept" in capsys.readouterr().out
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"twinlab {command}" in capsys.readouterr().out.split("example:")[1]


def test_status_verify_and_rebuild_speak_of_the_twin(pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("status", "verify", "rebuild", "status"):
        assert main([command, str(pilot)]) == 0
    assert "<Twin pilot>" in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["parquet", "csv", "xlsx", "zarr"])
def test_export_writes_what_others_read(pilot: Path, tmp_path: Path, ending: str) -> None:
    from twinlab.twin import open_twin

    (asset_type,) = open_twin(pilot).model.asset_types
    target = tmp_path / f"out.{ending}"
    assert main(["export", str(pilot), asset_type, str(target)]) == 0
    if ending == "zarr":
        with xr.open_zarr(target) as data:
            assert data.sizes["time"] == 200
    else:
        reader = {"parquet": pd.read_parquet, "csv": pd.read_csv, "xlsx": pd.read_excel}[ending]
        assert len(reader(target)) == 200


def test_a_wrong_folder_is_one_line_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(tmp_path / "nowhere")]) == 1
    error = capsys.readouterr().err
    assert "nowhere" in error and "twinlab create" in error
    assert "Traceback" not in error


def test_a_traceback_is_shown_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--traceback", "status", str(tmp_path / "nowhere")]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_unknown_demo_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "nic", "--no-browser"]) == 1
    assert "did you mean 'nyc'" in capsys.readouterr().err


def test_a_missing_file_names_its_sibling(pilot: Path, readings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", str(pilot), str(readings.with_name("room.csv"))]) == 1
    assert "did you mean 'rooms.csv'" in capsys.readouterr().err


def test_even_a_fault_of_ours_is_a_sentence(
    pilot: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("twinlab.twin.facade.Twin.verify", broken)
    assert main(["verify", str(pilot)]) == 1
    error = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in error and "--traceback" in error
    assert "Traceback" not in error
