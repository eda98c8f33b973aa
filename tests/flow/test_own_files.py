"""Files without a description, a logger's CSV and a dispatcher's workbook: from draft to a first plot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import SourceError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    times = pd.date_range("2026-03-28 00:00", periods=500, freq="10min")
    rng = np.random.default_rng(4)
    lines = ["Zeit;Fridge;Temp [°F];Door"]
    for fridge in ("K1", "K2"):
        warm = 39 + np.sin(np.arange(len(times)) / 20) + rng.normal(0, 0.2, len(times))
        lines += [
            f"{time:%d.%m.%Y %H:%M};{fridge};{value:.1f}".replace(".", ",", 0).replace(
                f"{value:.1f}", f"{value:.1f}".replace(".", ",")
            )
            + f";{'open' if index % 50 == 0 else 'closed'}"
            for index, (time, value) in enumerate(zip(times, warm, strict=True))
        ]
    (tmp_path / "fridges.csv").write_bytes("\r\n".join(lines).encode("cp1252"))
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Dispatch"
    sheet.append(["Trip", "Truck", "Planned departure", "Departure", "Planned arrival", "Arrival", "Parcels"])
    for trip in range(20):
        planned = pd.Timestamp("2026-03-28 06:00") + pd.Timedelta(hours=trip)
        left = None if trip == 7 else (planned + pd.Timedelta(minutes=trip)).to_pydatetime()
        came = None if trip == 7 else (planned + pd.Timedelta(hours=2, minutes=trip)).to_pydatetime()
        sheet.append(
            [
                f"T{trip:03d}",
                f"LY-{trip % 3}",
                planned.to_pydatetime(),
                left,
                (planned + pd.Timedelta(hours=2)).to_pydatetime(),
                came,
                40 + trip,
            ]
        )
    book.save(tmp_path / "dispatch.xlsx")
    return tmp_path


def test_ten_lines_lead_from_unknown_files_to_a_first_plot(folder: Path) -> None:
    twin = tl.create(folder / "pilot", files=[folder / "fridges.csv", folder / "dispatch.xlsx"])
    report = twin.ingest(folder / "fridges.csv", folder / "dispatch.xlsx")
    (asset_type,) = [name for name, kind in twin.model.asset_types.items() if len(kind.signals) > 0]
    signal = next(name for name, spec in twin.model.asset_types[asset_type].signals.items() if spec.kind == "gauge")
    history = twin.history(asset_type, signals=[signal])
    plot = tl.explore.signal_curve(history[signal].isel(asset=0))
    assert report.rows_kept == 1_020
    assert history.sizes["asset"] == 2
    assert int(history[signal].notnull().sum()) == 1_000
    assert plot is not None


def test_the_same_file_twice_changes_nothing(folder: Path) -> None:
    twin = tl.create(folder / "pilot", files=[folder / "fridges.csv"])
    twin.ingest(folder / "fridges.csv")
    before = {name: twin.history(name).compute() for name, kind in twin.model.asset_types.items() if kind.signals}
    again = twin.ingest(folder / "fridges.csv")
    assert (again.rows_kept, again.duplicates) == (0, 1_000)
    for name, data in before.items():
        assert data.identical(twin.history(name).compute())


def test_a_corrected_file_replaces_its_earlier_reading(folder: Path) -> None:
    twin = tl.create(folder / "pilot", files=[folder / "fridges.csv"])
    twin.ingest(folder / "fridges.csv")
    path = folder / "fridges.csv"
    lines = path.read_bytes().decode("cp1252").split("\r\n")
    path.write_bytes("\r\n".join([*lines[:400], *lines[401:]]).encode("cp1252"))
    report = twin.ingest(path)
    (name,) = [name for name, kind in twin.model.asset_types.items() if kind.signals]
    signal = next(iter(twin.model.asset_types[name].signals))
    assert report.parts[0].retracted == 1_000
    assert int(twin.history(name, signals=[signal])[signal].notnull().sum()) == 999


def test_no_partial_twin_is_left_when_a_draft_fails(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="absent.csv"):
        tl.create(tmp_path / "pilot", files=[tmp_path / "absent.csv"])
    assert not (tmp_path / "pilot").exists()


def test_the_same_frame_twice_changes_nothing_and_another_adds(folder: Path) -> None:
    twin = tl.create(folder / "pilot", files=[folder / "fridges.csv"])
    mapping = folder / "probe.yaml"
    (kind,) = [name for name, spec in twin.model.asset_types.items() if spec.signals]
    signal = next(name for name, spec in twin.model.asset_types[kind].signals.items() if spec.kind == "gauge")
    mapping.write_text(
        f"source: probe\ntables:\n  - time: {{column: time, zone: UTC}}\n    asset: {{type: {kind}, id: K9}}\n"
        f"    columns:\n      warmth: {{signal: {signal}}}\n"
    )
    monday = pd.DataFrame({"time": pd.date_range("2026-03-28", periods=6, freq="10min").astype(str), "warmth": 4.5})
    tuesday = monday.assign(time=pd.date_range("2026-03-29", periods=6, freq="10min").astype(str))
    first = twin.ingest(tl.sources.frame(monday, name="probe", mapping=mapping))
    again = twin.ingest(tl.sources.frame(monday, name="probe", mapping=mapping))
    twin.ingest(tl.sources.frame(tuesday, name="probe", mapping=mapping))
    assert (first.rows_kept, again.rows_kept, again.duplicates) == (6, 0, 6)
    assert int(twin.history(kind, signals=[signal], assets=["K9"])[signal].notnull().sum()) == 12
