"""What is too old by its class can't be read any more; and whom a pseudonym belongs to is for two people to ask."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

import twinlab as tl
from twinlab.errors import CommandRejectedError, PurposeError
from twinlab.signing.keys.ring import KeyRing
from twinlab.twin.privacy.byte_search import search
from twinlab.twin.privacy.recording import PrivacyAudit
from twinlab.twin.privacy.reidentification import PAYLOAD_TYPE, new_request

ANN = "Ann Archer"
ROWS = """
source: rows
live: LIVE
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: truck, column: truck}
    columns: {fuel: {signal: fuel}}
"""


def with_retention(fleet, **ages):
    path = fleet.folder / "twin.yaml"
    said = ", ".join(f"{name}: {age}" for name, age in ages.items())
    path.write_text(
        path.read_text().replace(
            "  controller: Example Parcels\n", f"  controller: Example Parcels\n  retention: {{{said}}}\n"
        )
    )
    return tl.open(fleet.folder)


def test_sensitive_data_end_earlier_than_personal_ones(fleet):
    twin = with_retention(fleet, personal="300d", sensitive="60d")
    now = datetime.now(UTC)
    assert twin.apply_privacy_retention(now=now + timedelta(days=20)) == []
    pulse = twin.history("driver")["pulse"]
    assert int(pulse.notnull().sum()) > 0
    (gone,) = twin.apply_privacy_retention(now=now + timedelta(days=100))
    assert gone == f"{now:%Y-%m} sensitive"
    assert int(twin.history("driver")["pulse"].notnull().sum()) == 0
    assert ANN in set(twin.events("trip")["driver"])
    assert twin.apply_privacy_retention(now=now + timedelta(days=400)) == [f"{now:%Y-%m}"]
    assert twin.events("trip")["driver"].isna().all()
    assert len(twin.events("trip")) == 72
    assert search([fleet.folder], [ANN]) == []
    rows = [row.what for row in PrivacyAudit(fleet.folder).rows("erasure")]
    assert [row["outcome"] for row in rows] == ["begun", "too old"] * 2
    assert [row["months"] for row in rows] == [[f"{now:%Y-%m} sensitive"]] * 2 + [[f"{now:%Y-%m}"]] * 2
    assert rows[0]["id"] == rows[1]["id"] != rows[2]["id"]


def test_copies_of_files_end_with_the_shortest_age(fleet):
    """A copy has sensitive values, too, and may be of a file whose people have keys that aren't too old."""
    twin = with_retention(fleet, personal="300d", sensitive="60d")
    now, keys = datetime.now(UTC), twin.ledger.encryption.keys
    trips = next(path for path in fleet.files if path.name == "trips.csv")
    (copy,) = twin.ledger.blobs.readings("trips", trips.name)
    # People of the other file have no keys any more.
    for name in keys.subjects():
        keys.destroy(name, before="9999-12", of="sensitive")
    assert twin.ledger.blobs.readable(copy)
    assert twin.apply_privacy_retention(now=now + timedelta(days=100)) == []
    assert keys.files() == []
    assert not twin.ledger.blobs.readable(copy)
    assert ANN in set(twin.events("trip")["driver"])
    assert [row.what["outcome"] for row in PrivacyAudit(fleet.folder).rows("erasure")] == ["begun", "too old"]
    # The keys are gone: there is nothing left to do, and nothing more is recorded.
    assert twin.apply_privacy_retention(now=now + timedelta(days=100)) == []
    assert len(list(PrivacyAudit(fleet.folder).rows("erasure"))) == 2


def test_what_cant_be_recorded_isnt_destroyed(fleet, monkeypatch):
    twin = with_retention(fleet, personal="30d")
    keys = twin.ledger.encryption.keys

    def full(self, entry):
        raise OSError("disk full")

    monkeypatch.setattr(PrivacyAudit, "append", full)
    with pytest.raises(OSError, match="disk full"):
        twin.apply_privacy_retention(now=datetime.now(UTC) + timedelta(days=100))
    assert ANN in keys.subjects()


def test_housekeeping_applies_retention(fleet, monkeypatch):
    twin = with_retention(fleet, personal="30d")
    called = []
    monkeypatch.setattr(type(twin), "apply_privacy_retention", lambda self: called.append(self))
    twin.compact()
    assert called == [twin]


@pytest.fixture
def people(need):
    """Return signers of two stewards, one of whom has two keys, and of a viewer, with their ring."""
    need("securesystemslib")
    from securesystemslib.signer import CryptoSigner

    signers = {name: CryptoSigner.generate_ed25519() for name in ("dora", "dora2", "eve", "vic")}
    public = {name: {"public": one.public_key.keyval["public"]} for name, one in signers.items()}
    ring = KeyRing.model_validate({
        "people": {
            "dora": {"roles": ["steward"], "keys": [public["dora"], public["dora2"]]},
            "eve": {"roles": ["security"], "keys": [public["eve"]]},
            "vic": {"roles": ["viewer"], "keys": [public["vic"]]},
        }
    })  # fmt: skip
    from twinlab.signing.keys.ring import PublicKey

    for name, one in signers.items():
        one.public_key.keyid = PublicKey(**public[name]).key_id
    return signers, ring


def signed(payload, signers):
    from twinlab.signing.envelopes.dsse import add_signature, sign_payload

    wire = sign_payload(payload, PAYLOAD_TYPE, signers[0])
    for one in signers[1:]:
        wire = add_signature(wire, payload_type=PAYLOAD_TYPE, signer=one)
    return wire


def pseudonym_of(fleet, name, purpose="route_planning"):
    exact = fleet.twin.events("trip")
    shown = tl.open(fleet.folder, purpose=purpose).events("trip")
    return shown["driver"][exact["driver"] == name].iloc[0]


def test_two_people_learn_whose_a_pseudonym_is_once_and_it_is_recorded(fleet, people):
    signers, ring = people
    asked = new_request("fleet", pseudonym_of(fleet, ANN), purpose="route_planning", reason="Accident on tour N0")
    wire = signed(asked, [signers["dora"], signers["eve"]])
    assert fleet.twin.reidentify(wire, ring) == ANN
    with pytest.raises(CommandRejectedError, match="used before"):
        fleet.twin.reidentify(wire, ring)
    rows = list(PrivacyAudit(fleet.folder).rows("reidentification"))
    assert [(set(row.who), row.what["outcome"]) for row in rows] == [
        ({"dora", "eve"}, "accepted"),
        ({"dora", "eve"}, "refused"),
    ]
    assert ANN not in str(rows)


@pytest.mark.parametrize("names", [["dora"], ["dora", "dora2"], ["dora", "vic"]])
def test_one_person_with_two_keys_or_a_viewer_is_not_enough(fleet, people, names):
    signers, ring = people
    asked = new_request("fleet", pseudonym_of(fleet, ANN), purpose="route_planning", reason="curious")
    with pytest.raises(CommandRejectedError, match="expected signatures of 2 people, got 1"):
        fleet.twin.reidentify(signed(asked, [signers[name] for name in names]), ring)
    # With the second person the same request counts.
    assert fleet.twin.reidentify(signed(asked, [signers["dora"], signers["eve"]]), ring) == ANN


def test_other_twins_old_requests_and_commands_are_refused(fleet, people):
    signers, ring = people
    both = [signers["dora"], signers["eve"]]
    pseudonym = pseudonym_of(fleet, ANN)
    with pytest.raises(CommandRejectedError, match="for 'fleet', got 'yard'"):
        fleet.twin.reidentify(signed(new_request("yard", pseudonym, purpose="safety", reason="x"), both), ring)
    for hours in (-1, 48):
        asked = new_request("fleet", pseudonym, purpose="route_planning", reason="x", hours=hours)
        with pytest.raises(CommandRejectedError, match="at most 24 h"):
            fleet.twin.reidentify(signed(asked, both), ring)
    more = json.dumps(
        {**json.loads(new_request("fleet", pseudonym, purpose="safety", reason="x")), "extra": 1}
    ).encode()
    with pytest.raises(CommandRejectedError, match="expected the fields"):
        fleet.twin.reidentify(signed(more, both), ring)


def test_nobody_is_behind_the_pseudonym_of_a_forgotten_person(fleet, people):
    signers, ring = people
    pseudonym = pseudonym_of(fleet, ANN)
    fleet.twin.forget(ANN)
    asked = new_request("fleet", pseudonym, purpose="route_planning", reason="Accident")
    with pytest.raises(PurposeError, match="nobody's whose keys exist"):
        fleet.twin.reidentify(signed(asked, [signers["dora"], signers["eve"]]), ring)


def test_a_pseudonym_of_an_epoch_is_found_among_all_epochs(fleet, people):
    signers, ring = people
    pseudonym = pseudonym_of(fleet, "Bob Baker", purpose="safety")
    asked = new_request("fleet", pseudonym, purpose="safety", reason="Tired")
    assert fleet.twin.reidentify(signed(asked, [signers["dora"], signers["eve"]]), ring) == "Bob Baker"


def test_a_historian_applies_retention_when_it_starts(fleet, monkeypatch):
    twin = with_retention(fleet, personal="30d")
    (fleet.folder / "mapping" / "rows.yaml").write_text(ROWS.replace("LIVE", "{kind: replay, file: rows.csv}"))
    (fleet.folder / "rows.csv").write_text("time,truck,fuel\n2026-02-01T00:00Z,T1,50\n")
    twin.reload()
    called = []
    monkeypatch.setattr(type(twin), "apply_privacy_retention", lambda self: called.append(self))
    twin.run(once=True, seconds=5)
    assert called == [twin]


RUN = """
import sys, twinlab as tl
from twinlab.twin.live import process
process._RETENTION_EVERY = 0.3
tl.open(sys.argv[1]).run()
"""


def test_a_running_historian_destroys_keys_that_become_too_old_and_takes_rows_before_and_after(fleet):
    twin = with_retention(fleet, personal="30d")
    (fleet.folder / "mapping" / "rows.yaml").write_text(ROWS.replace("LIVE", "{kind: watch, folder: new}"))
    (fleet.folder / "new").mkdir()
    twin.reload()
    keys = twin.ledger.encryption.keys

    def wait_for(true, what):
        until = time.monotonic() + 150
        while not true():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < until, what
            time.sleep(0.05)

    def deliver(hour):
        (fleet.folder / "new" / f"{hour}.csv").write_text(f"time,truck,fuel\n2026-03-01T0{hour}:00Z,T1,{hour}\n")
        wait_for(lambda: len(list(twin.ledger.reader("rows").frames())) == hour, f"row {hour} isn't stored")

    with subprocess.Popen([sys.executable, "-c", RUN, str(fleet.folder)], stderr=subprocess.PIPE, text=True) as process:
        try:
            deliver(1)
            # As if the month of somebody's data had just passed.
            keys.make(["Gil Grant"], "2020-01")
            wait_for(lambda: "Gil Grant" not in keys.subjects(), "the key is there")
            deliver(2)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert ANN in keys.subjects()
    done = [(row.who, row.what["outcome"], row.what["months"]) for row in PrivacyAudit(fleet.folder).rows("erasure")]
    assert done == [(("housekeeping",), "begun", ["2020-01"]), (("housekeeping",), "too old", ["2020-01"])]
    after = tl.open(fleet.folder)
    fuel = after.history("truck", signals=["fuel"], assets=["T1"], start="2026-03-01", stop="2026-03-02")["fuel"]
    assert fuel.dropna("time").values.ravel().tolist() == [1, 2]
    assert len(after.events("trip")) == 72
