"""Two people find out whom a pseudonym belongs to, from the command line."""

import json
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.cli import main
from twinlab.signing.keys.key_file import create_key
from twinlab.twin.privacy.recording import PrivacyAudit

MODEL = """
twin: yard
purposes: {safety: {description: Finds tired drivers., legal_basis: legal obligation}}
privacy: {controller: Example Parcels}
asset_types: {truck: {}}
event_types:
  trip: {asset: truck, properties: {driver: {sensitivity: personal, purposes: [safety]}}}
"""
MAPPING = """
source: trips
files: ["trips*.csv"]
tables:
  - table: "*"
    events:
      - {type: trip, key: [Tour], asset: {type: truck, column: Truck}, start: {column: Begin, zone: UTC}, properties: {driver: Driver}}
"""
PEOPLE = {"dora": "steward", "eve": "security", "vic": "viewer"}


@pytest.fixture
def yard(need, tmp_path: Path) -> Path:
    need("securesystemslib")
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "trips.yaml").write_text(MAPPING)
    (tmp_path / "trips.csv").write_text("Tour,Truck,Driver,Begin\nN0,T0,Ann Archer,2026-02-01T00:00Z\n")
    twin = tl.create(tmp_path / "yard", model=tmp_path / "twin.yaml", mappings=tmp_path / "trips.yaml")
    twin.ingest(tmp_path / "trips.csv")
    ring = {
        "people": {
            name: {"roles": [role], "keys": [{"public": create_key(tmp_path / f"{name}.pem").public}]}
            for name, role in PEOPLE.items()
        }
    }
    (tmp_path / "people.yaml").write_text(json.dumps(ring))
    (twin.folder / "control.yaml").write_text("keys: ../people.yaml\n")
    return twin.folder


def asked(yard: Path, *, by: str = "dora", to: str = "asked.json") -> int:
    (pseudonym,) = tl.open(yard, purpose="safety").events("trip")["driver"]
    return main([
        "reidentify", "ask", str(yard), pseudonym, "--purpose", "safety", "--reason", "Accident on tour N0",
        "--to", str(yard.parent / to), "--key", str(yard.parent / f"{by}.pem"),
    ])  # fmt: skip


def test_two_people_are_told_the_name_once_and_each_step_is_in_the_audit(yard, capsys):
    request = yard.parent / "asked.json"
    assert asked(yard) == 0
    assert main(["reidentify", "name", str(yard), str(request)]) == 1
    assert "expected signatures of 2 people, got 1 (dora)" in capsys.readouterr().err
    assert main(["reidentify", "sign", str(request), "--key", str(yard.parent / "eve.pem"), "--yes"]) == 0
    shown = capsys.readouterr().out
    assert "Accident on tour N0" in shown
    assert main(["reidentify", "name", str(yard), str(request)]) == 0
    assert capsys.readouterr().out == "Ann Archer\n"
    assert main(["reidentify", "name", str(yard), str(request)]) == 1
    assert "used before" in capsys.readouterr().err
    rows = [(row.who, row.what["outcome"]) for row in PrivacyAudit(yard).rows("reidentification")]
    both = ("dora", "eve")
    assert rows == [(("dora",), "asked"), (("dora",), "refused"), (both, "accepted"), (both, "refused")]


def test_who_may_not_ask_gets_no_request(yard, capsys):
    assert asked(yard, by="vic") == 1
    assert (
        "expected a request by somebody of the roles admin, security, steward, got one by vic"
        in capsys.readouterr().err
    )
    assert not (yard.parent / "asked.json").exists()
    (yard.parent / "there.json").write_text("")
    assert asked(yard, to="there.json") == 1
    assert "there.json exists" in capsys.readouterr().err


def test_a_request_isnt_signed_without_an_answer(yard, capsys):
    assert asked(yard) == 0
    before = (yard.parent / "asked.json").read_bytes()
    assert main(["reidentify", "sign", str(yard.parent / "asked.json"), "--key", str(yard.parent / "eve.pem")]) != 0
    assert (yard.parent / "asked.json").read_bytes() == before
