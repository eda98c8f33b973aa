"""The audit of a twin, with heads as control.yaml states, and keys with which people sign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import twinlab as tl
from twinlab.control.carriers.settings import read_control
from twinlab.demos.live_control import control_of
from twinlab.errors import CommandRejectedError, ControlError, SchemaError
from twinlab.plant.devices.keys import RunKeys
from twinlab.signing.keys import SealedKeys
from twinlab.signing.keys.key_file import create_key

LOGIN = {"kind": "login", "who": ["ann"], "what": {"how": "password"}}


@pytest.fixture
def pilot(tmp_path: Path) -> Any:
    """A small twin."""
    (tmp_path / "gauge.csv").write_text("time,level (m)\n2026-03-01T00:00Z,2.1\n", encoding="utf-8")
    return tl.create(tmp_path / "pilot", files=[tmp_path / "gauge.csv"])


def write_settings(twin: Any, settings: dict[str, Any]) -> None:
    (twin.folder / "control.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def test_a_twin_without_settings_has_an_audit_that_nobody_signs(pilot: Any) -> None:
    assert not pilot.has_audit()
    assert pilot.audit_rows().empty
    pilot.audit_log.append(LOGIN)
    assert pilot.has_audit()
    assert pilot.audit_rows(newest=1)[["kind", "who"]].to_numpy().tolist() == [["login", ("ann",)]]
    assert pilot.audit_rows(kinds=("logout",)).empty
    report = pilot.verify_audit()
    assert (report.rows, report.proved, report.intact) == (2, 0, True)
    pilot.audit_log.close()


def test_the_demos_control_yaml_signs_heads_and_copies_them(pilot: Any, tmp_path: Path) -> None:
    keys = RunKeys(tmp_path / "keys", ["audit", "forklift/F01"])
    forklifts = {"carrier": "mqtt", "assets": ["forklift/*"], "options": {}, "run_keys": keys.address}
    stated = control_of({"forklifts": {"commands": forklifts}})
    assert stated is not None
    write_settings(pilot, stated)
    with pilot.audit_log as log:
        log.append(LOGIN)
    report = pilot.verify_audit()
    assert (report.rows, report.proved, report.heads) == (2, 2, 1)
    # The log is written anew with all that is beside it: the second place has the head still.
    for path in (pilot.folder / "audit").rglob("*.jsonl"):
        path.unlink()
    assert pilot.verify_audit().broken == 0
    assert read_control(pilot.folder / "control.yaml").people.keys() == set(pilot.signing_names())


def test_settings_that_are_wrong_are_named(pilot: Any) -> None:
    write_settings(pilot, {"audit": {"rows": 1000}})
    with pytest.raises(SchemaError, match=r"control.yaml.*audit"):
        _ = pilot.audit_log
    write_settings(pilot, {"audit": {"key": "missing.pem"}})
    with pytest.raises(SchemaError, match=r"missing.pem: expected a private key"):
        _ = pilot.audit_log


def test_keys_are_sealed_encrypted_or_in_files(pilot: Any, tmp_path: Path, cheap_keys: None) -> None:
    plain = create_key(tmp_path / "bob.pem")
    encrypted = create_key(tmp_path / "cay.pem", passphrase="staple ox umbrella")
    sealed = SealedKeys(pilot.folder / "keys").create("ann", "correct horse battery")
    people = {"bob": str(tmp_path / "bob.pem"), "cay": str(tmp_path / "cay.pem")}
    write_settings(pilot, {"people": people, "sealed_keys": "keys"})
    assert pilot.signing_names() == ["ann", "bob", "cay"]
    assert pilot.unlock_key("ann", "correct horse battery").public_key.keyid == sealed.key_id
    assert pilot.unlock_key("bob").public_key.keyid == plain.key_id
    assert pilot.unlock_key("bob", "anything").public_key.keyid == plain.key_id
    assert pilot.unlock_key("cay", "staple ox umbrella").public_key.keyid == encrypted.key_id
    for name, passphrase in (("ann", "wrong"), ("dan", "")):
        with pytest.raises(CommandRejectedError):
            pilot.unlock_key(name, passphrase)
    with pytest.raises(SchemaError):
        pilot.unlock_key("cay", "wrong")
    # Wrong passphrases are counted across calls.
    for _ in range(4):
        with pytest.raises(CommandRejectedError):
            pilot.unlock_key("ann", "wrong")
    with pytest.raises(CommandRejectedError, match="5 wrong passphrases for the key of ann"):
        pilot.unlock_key("ann", "correct horse battery")


def test_an_audit_that_was_cut_takes_no_row_of_the_twin(pilot: Any, tmp_path: Path) -> None:
    create_key(tmp_path / "audit.pem")
    write_settings(pilot, {"audit": {"key": str(tmp_path / "audit.pem")}})
    with pilot.audit_log as log:
        for _ in range(3):
            log.append(LOGIN)
    (path,) = (pilot.folder / "audit" / "rows").iterdir()
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    with pytest.raises(ControlError, match="expected 4 rows at least, got 2: the log was cut"):
        _ = tl.open(pilot.folder).audit_log
