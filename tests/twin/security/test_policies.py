"""A policy that has changed is a row of the audit, once, with its hashes before and after."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.control.audit import AuditRow
from twinlab.control.audit.search import find_rows

MODEL = """\
twin: site
origin: 2026-01-01
asset_types:
  forklift:
    signals:
      max_speed: {unit: km/h, resolution: 0.1, cadence: 1min}
      person_distance: {unit: m, resolution: 0.1, cadence: 1min}
commands:
  forklift:
    max_speed: {signal: max_speed, unit: km/h, limits: [0, 12], largest_step: 6, tolerance: 0.1, roles: [operator],
                simulate_with: [{kind: stopping, distance: person_distance}]}
"""


@pytest.fixture
def twin(tmp_path: Path) -> tl.Twin:
    (tmp_path / "twin.yaml").write_text(MODEL)
    return tl.create(tmp_path / "site", model=tmp_path / "twin.yaml")


def rows(twin: tl.Twin) -> list[AuditRow]:
    audit = twin.folder / "audit"
    return [row for row in find_rows(audit) if row.kind == "policy changed"] if audit.is_dir() else []


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_each_change_is_one_row_with_the_hash_before_and_after(twin: tl.Twin) -> None:
    assert twin.note_policy_changes() == 1
    keys = twin.folder / "keys.yaml"
    keys.write_text("people: {}\n")
    first = sha256(keys)
    assert twin.note_policy_changes() == 1
    assert twin.note_policy_changes() == 0
    keys.write_text("people: {ann: {roles: [operator]}}\n")
    assert twin.note_policy_changes() == 1
    assert tl.open(twin.folder).note_policy_changes() == 0
    second = sha256(keys)
    keys.unlink()
    assert twin.note_policy_changes() == 1
    found = [(row.what["policy"], row.what["before"], row.what["sha256"], row.what["reason"]) for row in rows(twin)[1:]]
    assert found == [
        ("keys keys.yaml", "", first, "seen for the first time"),
        ("keys keys.yaml", first, second, "changed"),
        ("keys keys.yaml", second, "", "removed"),
    ]
    assert all(len(row.who) == 1 for row in rows(twin))
    assert rows(twin)[1].what["modified"].endswith("Z")
    twin.audit_log.close()


def test_what_may_be_commanded_access_and_addresses_are_policies_too(twin: tl.Twin) -> None:
    twin.note_policy_changes()
    (twin.folder / "access.yaml").write_text("roles: {}\n")
    (twin.folder / "control.yaml").write_text("keys: ring.yaml\nendpoints: {}\n")
    (twin.folder / "ring.yaml").write_text("people: {}\n")
    model = twin.folder / "twin.yaml"
    model.write_text(model.read_text().replace("limits: [0, 12]", "limits: [0, 20]"))
    other = tl.open(twin.folder)
    assert other.note_policy_changes() == 4
    assert sorted(row.what["policy"] for row in rows(twin)[1:]) == [
        "access.yaml",
        "commands",
        "control.yaml",
        "keys ring.yaml",
    ]
    # What has nothing to do with commands changes no policy.
    model.write_text(model.read_text() + "# a comment\n")
    assert tl.open(twin.folder).note_policy_changes() == 0
    other.audit_log.close()
    twin.audit_log.close()


def test_a_process_that_is_killed_after_the_row_writes_it_once(twin: tl.Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    twin.note_policy_changes()
    (twin.folder / "access.yaml").write_text("roles: {}\n")
    state = twin.folder / "security" / "policies.json"
    before = state.read_bytes()
    assert twin.note_policy_changes() == 1
    state.write_bytes(before)
    assert twin.note_policy_changes() == 0
    assert set(json.loads(state.read_text())) == {"access.yaml", "commands"}
    # Nor is a change that is taken back again.
    (twin.folder / "access.yaml").write_text("roles: {viewer: {}}\n")
    assert twin.note_policy_changes() == 1
    (twin.folder / "access.yaml").write_text("roles: {}\n")
    assert twin.note_policy_changes() == 1
    assert [row.what["policy"] for row in rows(twin)].count("access.yaml") == 3
    twin.audit_log.close()


def test_the_historians_search_notes_changes(twin: tl.Twin) -> None:
    (twin.folder / "access.yaml").write_text("roles: {}\n")
    twin.search_intrusions()
    twin.search_intrusions()
    assert sorted(row.what["policy"] for row in rows(twin)) == ["access.yaml", "commands"]
    twin.audit_log.close()


def test_a_twin_without_policies_gets_no_audit(tmp_path: Path) -> None:
    (tmp_path / "twin.yaml").write_text("twin: site\norigin: 2026-01-01\nasset_types: {}\n")
    twin = tl.create(tmp_path / "site", model=tmp_path / "twin.yaml")
    twin.search_intrusions()
    assert not (twin.folder / "audit").exists()
