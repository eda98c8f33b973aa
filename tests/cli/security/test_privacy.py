"""People in a twin, and how they are forgotten, from the command line."""

import shutil
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.cli import main

MODEL = """
twin: yard
purposes:
  payroll: {description: Pays drivers., legal_basis: contract, recipients: [Payroll office]}
privacy: {controller: Example Parcels}
asset_types:
  truck: {}
event_types:
  trip:
    asset: truck
    properties: {driver: {sensitivity: personal, purposes: [payroll]}}
"""
MAPPING = """
source: trips
files: ["trips*.csv"]
tables:
  - table: "*"
    events:
      - type: trip
        key: [Tour]
        asset: {type: truck, column: Truck}
        start: {column: Begin, zone: UTC}
        end: {column: End, zone: UTC}
        properties: {driver: Driver}
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("yard")
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "trips.yaml").write_text(MAPPING)
    rows = [
        f"N{n},T{n % 2},{('Ann Archer', 'Bob Baker')[n % 2]},2026-02-01T0{n}:00Z,2026-02-01T0{n}:30Z" for n in range(6)
    ]
    (folder / "trips.csv").write_text("Tour,Truck,Driver,Begin,End\n" + "\n".join(rows) + "\n")
    twin = tl.create(folder / "yard", model=folder / "twin.yaml", mappings=folder / "trips.yaml")
    twin.ingest(folder / "trips.csv")
    return folder


@pytest.fixture
def yard(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return tmp_path / "yard"


def test_a_person_is_forgotten_once_the_question_is_answered(yard, monkeypatch, capsys):
    assert main(["privacy", str(yard), "people"]) == 0
    assert capsys.readouterr().out.splitlines() == ["Ann Archer", "Bob Baker"]
    assert main(["forget", str(yard), "Ann Archer", "--yes", "--who", "dora"]) == 0
    assert "0 after" in capsys.readouterr().out
    assert main(["privacy", str(yard), "people"]) == 0
    assert capsys.readouterr().out.splitlines() == ["Bob Baker"]


def test_without_an_answer_nobody_is_forgotten(yard, capsys):
    assert main(["forget", str(yard), "Ann Archer"]) != 0
    assert "Ann Archer" in tl.open(yard).people()


def test_what_is_left_makes_the_command_fail(yard, tmp_path, capsys):
    (tmp_path / "list.txt").write_text("Ann Archer")
    assert main(["forget", str(yard), "Ann Archer", "--yes", "--also", str(tmp_path / "list.txt")]) == 1
    captured = capsys.readouterr()
    assert "list.txt" in captured.out
    assert "isn't erased everywhere" in captured.err


def test_an_unknown_name_is_one_line(yard, capsys):
    assert main(["forget", str(yard), "Ann", "--yes"]) == 1
    assert "no key of 'Ann'" in capsys.readouterr().err


def test_the_records_of_processing_are_written(yard, tmp_path, capsys):
    assert main(["privacy", str(yard), "report", "--output", str(tmp_path / "records.md")]) == 0
    text = (tmp_path / "records.md").read_text()
    for part in (
        "Controller: Example Parcels",
        "Pays drivers.",
        "contract",
        "Payroll office",
        "`event_types.trip.properties.driver`",
    ):
        assert part in text
    assert "**not stated** (`privacy.contact`)" in text
    assert main(["privacy", str(yard), "retain"]) == 0
    assert "no key is too old" in capsys.readouterr().out
