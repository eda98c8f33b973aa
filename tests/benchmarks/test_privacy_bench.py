"""Measured: a release of the parcel network against a linkage attack, what encryption costs while files are ingested, and an erasure.

pytest tests/benchmarks/test_privacy_bench.py -m benchmark -n0 -s
"""

import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.model.privacy.policy import Policy
from twinlab.plant.network.size import ParcelSize
from twinlab.twin.privacy.byte_search import search
from twinlab.twin.privacy.releasing.linkage import linkage_attack
from twinlab.twin.privacy.releasing.rows import rows_of

pytestmark = pytest.mark.benchmark

GROUP = 5
SIZE = ParcelSize(hubs=8, trucks=100, cold_rooms=2, forklifts=2, parcels_a_week=600, weeks=2)
PURPOSES = f"""
purposes:
  planning: {{description: Plans roads., legal_basis: legitimate interests, precision: {{time: 6h, location: 100 km}}}}
privacy:
  controller: Example Parcels
  release: {{group_size: {GROUP}, risk: {1 / GROUP}}}
"""
SHIFTS = """
source: shifts
files: ["shifts*.csv"]
tables:
  - table: "*"
    events:
      - type: shift
        key: [Shift]
        asset: {type: truck, column: Truck}
        start: {column: Begin, zone: UTC}
        end: {column: End, zone: UTC}
        properties: {driver: Driver, phone: Phone}
"""
SHIFT_TYPE = """
event_types:
  shift:
    asset: truck
    properties:
      driver: {DRIVER}
      phone: {PHONE}
"""


def say(text: str) -> None:
    """Print a measured line."""
    sys.stdout.write(f"\n{text}\n")


@pytest.fixture(scope="module")
def parcel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of a parcel network in which positions of trucks are personal, and shifts of drivers are another event type."""
    folder = tmp_path_factory.mktemp("bench") / "parcel"
    shutil.copytree(tl.demo("parcel", size=SIZE).folder, folder)
    path = folder / "twin.yaml"
    text = path.read_text(encoding="utf-8")
    for name in ("latitude", "longitude"):
        at = text.index("sensitivity: internal", text.index(f"{{title: {name.capitalize()}, unit: degree"))
        text = f"{text[:at]}sensitivity: personal, purposes: [planning]{text[at + len('sensitivity: internal') :]}"
    shift = SHIFT_TYPE.format(
        DRIVER="{sensitivity: personal, purposes: [planning]}", PHONE="{sensitivity: personal, subject: driver}"
    )
    text = text.replace("\nevent_types:\n", shift, 1) + PURPOSES
    path.write_text(text, encoding="utf-8")
    (folder / "mapping" / "shifts.yaml").write_text(SHIFTS, encoding="utf-8")
    tl.open(folder).rebuild()
    return folder


def shifts(path: Path, rows: int, drivers: int) -> list[str]:
    """Write a file of shifts; return the names of the drivers."""
    rng = np.random.default_rng(3)
    names = [f"Driver{n:04} Surname{n * 7919 % 10_000:04}" for n in range(drivers)]
    who = rng.integers(0, drivers, rows)
    begin = np.datetime64("2026-01-05") + rng.integers(0, 14 * 86400, rows).astype("timedelta64[s]")
    table = pd.DataFrame({
        "Shift": np.arange(rows), "Truck": [f"T{n % 100 + 1:03}" for n in range(rows)], "Driver": np.array(names)[who],
        "Phone": [f"+49 170 {n:07}" for n in who], "Begin": begin, "End": begin + np.timedelta64(8, "h"),
    })  # fmt: skip
    table.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    return names


def test_released_positions_of_trucks_against_four_known_points(parcel: Path, tmp_path: Path) -> None:
    twin = tl.open(parcel)
    exact = rows_of(twin, Policy(twin.model, "planning"), "truck", None, start=None, stop=None)
    raw = linkage_attack(
        exact.table.assign(person=exact.people.to_numpy()),
        exact.table,
        exact.people,
        lambda table: table,
        pseudonym="person",
    )
    began = time.perf_counter()
    receipt = twin.release("truck", purpose="planning", to=tmp_path / "cells.parquet", recipient="City")
    seconds = time.perf_counter() - began
    say(
        f"{raw.targets} trucks, {len(exact.table):,} points: raw {raw.risk:.1%}, released {receipt.risk:.1%} (groups of {GROUP}), "
        f"{receipt.rows:,} rows, {receipt.withheld:,} withheld, {seconds:.1f} s"
    )
    assert raw.risk >= 0.9
    assert receipt.risk <= 1 / GROUP


@pytest.mark.parametrize("encrypted", [False, True])
def test_ingest_of_a_file_with_drivers(encrypted: bool, tmp_path: Path) -> None:
    rows, drivers = 200_000, 500
    shifts(tmp_path / "shifts.csv", rows, drivers)
    driver, phone = (
        ("{sensitivity: personal}", "{sensitivity: personal, subject: driver}") if encrypted else ("{}", "{}")
    )
    model = (
        f"twin: yard\norigin: 2026-01-01\nasset_types: {{truck: {{}}}}\n{SHIFT_TYPE.format(DRIVER=driver, PHONE=phone)}"
    )
    (tmp_path / "twin.yaml").write_text(f"{model}\n{PURPOSES if encrypted else ''}", encoding="utf-8")
    (tmp_path / "shifts.yaml").write_text(SHIFTS, encoding="utf-8")
    twin = tl.create(tmp_path / "yard", model=tmp_path / "twin.yaml", mappings=tmp_path / "shifts.yaml")
    began = time.perf_counter()
    report = twin.ingest(tmp_path / "shifts.csv")
    seconds = time.perf_counter() - began
    size = sum(path.stat().st_size for path in (tmp_path / "yard" / "ledger").rglob("*") if path.is_file())
    say(
        f"encrypted={encrypted}: {report.rows_kept / seconds:,.0f} rows/s with the build of history, {size / rows:.0f} bytes a row in the ledger"
    )
    assert len(twin.events("shift")) == rows


def test_a_driver_of_the_parcel_network_is_forgotten(parcel: Path, tmp_path: Path) -> None:
    names = shifts(tmp_path / "shifts.csv", 20_000, 200)
    twin = tl.open(parcel)
    twin.ingest(tmp_path / "shifts.csv")
    before = twin.events("shift")
    others = {name: twin.history(name).compute() for name in ("cold_room", "truck")}
    began = time.perf_counter()
    report = twin.forget(names[7])
    seconds = time.perf_counter() - began
    say(f"{report}\n{seconds:.1f} s")
    after = twin.events("shift")
    mine = (before["driver"] == names[7]).to_numpy()
    assert report.ok
    assert mine.sum() == report.rows
    assert after[mine][["driver", "phone"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(after[~mine], before[~mine])
    for name, data in others.items():
        assert data.equals(twin.history(name).compute())
    assert search([parcel, parcel.with_name("parcel.keys")], [names[7], "+49 170 0000007"]) == []
