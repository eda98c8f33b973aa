"""A fleet whose trips have drivers, and drivers with a pulse: a small twin with personal data of both kinds."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import twinlab as tl

MODEL = """
twin: fleet
origin: 2026-01-01
purposes:
  route_planning:
    description: Plans tours.
    legal_basis: legitimate interests
    precision: {time: 1h, location: 5 km}
  payroll:
    description: Pays drivers.
    legal_basis: contract
    identity: plain
  safety:
    description: Finds tired drivers.
    legal_basis: legal obligation
    epoch: 7d
  statistics:
    description: Counts trips.
    legal_basis: public task
    identity: none
privacy:
  controller: Example Parcels
asset_types:
  truck:
    position: [latitude, longitude]
    signals:
      latitude: {unit: degree, resolution: 0.00001, cadence: 10min, sensitivity: personal, purposes: [route_planning, safety]}
      longitude: {unit: degree, resolution: 0.00001, cadence: 10min, sensitivity: personal, purposes: [route_planning, safety]}
      fuel: {unit: L, resolution: 0.1, cadence: 10min}
  driver:
    sensitivity: personal
    purposes: [safety]
    signals:
      pulse: {unit: "1/min", resolution: 1, cadence: 10min, sensitivity: sensitive, purposes: [safety]}
event_types:
  trip:
    asset: truck
    properties:
      driver: {sensitivity: personal, purposes: [route_planning, payroll, safety, statistics]}
      phone: {sensitivity: personal, subject: driver, purposes: [payroll]}
      tour: {}
rules:
  fast_pulse: {on: driver, when: pulse > 120 1/min}
  empty: {on: truck, when: fuel < 10 L}
"""
TRIPS = """
source: trips
files: ["trips*.csv"]
tables:
  - table: "*"
    events:
      - type: trip
        key: [Tour, Day]
        asset: {type: truck, column: Truck}
        start: {column: Begin, zone: UTC}
        end: {column: End, zone: UTC}
        properties: {driver: Driver, phone: Phone, tour: Tour}
"""
BOXES = """
source: boxes
files: ["boxes*.csv"]
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: truck, column: truck}
    columns:
      lat: {signal: latitude, unit: degree}
      lon: {signal: longitude, unit: degree}
      fuel: {signal: fuel, unit: L}
"""
BANDS = """
source: bands
files: ["bands*.csv"]
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: driver, column: wearer}
    columns:
      pulse: {signal: pulse, unit: "1/min"}
"""
DRIVERS = ("Ann Archer", "Bob Baker", "Cem Cetin", "Dora Dietz", "Eve Ericson", "Fred Fischer")
PHONES = {name: f"+49 170 55501{place:02d}" for place, name in enumerate(DRIVERS)}


@dataclass
class Fleet:
    """A twin with its keys and the files it was made from."""

    twin: tl.Twin
    files: list[Path]

    @property
    def folder(self) -> Path:
        return self.twin.folder


def files_of_fleet(folder: Path) -> list[Path]:
    """Write a file of trips, one of truck boxes and one of wristbands."""
    trips = ["Tour,Day,Truck,Driver,Phone,Begin,End"]
    bands = ["time,wearer,pulse"]
    boxes = ["time,truck,lat,lon,fuel"]
    for day in range(1, 13):
        for place, name in enumerate(DRIVERS):
            begin = f"2026-02-{day:02}T0{6 + place % 3}:1{place}:00Z"
            trips.append(
                f"N{place},{day},T{(place + day) % 6},{name},{PHONES[name]},{begin},2026-02-{day:02}T14:3{place}:00Z"
            )
    for step in range(36):
        time = f"2026-02-01T{6 + step // 6:02}:{step % 6}0:00Z"
        bands += [f"{time},{name},{60 + (7 * step + 13 * place) % 60}" for place, name in enumerate(DRIVERS)]
        boxes += [
            f"{time},T{place},{52 + step / 100 + place / 7:.5f},{13 + step / 50 + place / 9:.5f},{90 - step}"
            for place in range(6)
        ]
    found = []
    for name, lines in (("trips.csv", trips), ("bands.csv", bands), ("boxes.csv", boxes)):
        path = folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        found.append(path)
    return found


@pytest.fixture(scope="session")
def whole_fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the fleet once."""
    folder = tmp_path_factory.mktemp("fleet")
    made_fleet(folder)
    return folder


@pytest.fixture
def fleet(whole_fleet: Path, tmp_path: Path) -> Fleet:
    """Return a copy of the fleet, with its files ingested."""
    shutil.copytree(whole_fleet, tmp_path, dirs_exist_ok=True)
    return Fleet(tl.open(tmp_path / "fleet"), sorted((tmp_path / "incoming").iterdir()))


@pytest.fixture
def make_fleet(tmp_path: Path) -> Callable[..., Fleet]:
    """Return a function that makes the fleet with another model."""

    def made(**changes: str) -> Fleet:
        return made_fleet(tmp_path, **changes)

    return made


def made_fleet(folder: Path, *, model: str = MODEL, ingest: bool = True) -> Fleet:
    """Make the fleet in a folder."""
    (folder / "twin.yaml").write_text(model)
    (folder / "mapping").mkdir()
    for name, text in (("trips", TRIPS), ("boxes", BOXES), ("bands", BANDS)):
        (folder / "mapping" / f"{name}.yaml").write_text(text)
    twin = tl.create(folder / "fleet", model=folder / "twin.yaml", mappings=folder / "mapping")
    incoming = folder / "incoming"
    incoming.mkdir()
    files = files_of_fleet(incoming)
    if ingest:
        twin.ingest(*files)
    return Fleet(twin, files)
