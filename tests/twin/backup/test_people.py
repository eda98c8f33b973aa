"""Keys of people aren't in a backup, and whoever was erased stays erased, whichever backup is restored."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.errors import SourceError
from twinlab.twin import restore
from twinlab.twin.privacy.byte_search import search
from twinlab.twin.privacy.keys import KEYS_VARIABLE

ANN, BOB = "Ann Archer", "Bob Baker"


def test_an_erased_person_does_not_come_back_with_a_backup_nor_with_an_old_copy_of_the_keys(
    fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin, place = fleet.twin, tmp_path / "backups"
    keys = twin.ledger.encryption.keys.path
    report = twin.backup(place)
    assert "keys of people are never in a backup" in str(report)
    assert search([place], [ANN, BOB]) == []
    hex_keys = [text for path in keys.glob("*.json") for text in path.read_text().split('"') if len(text) == 64]
    assert hex_keys
    assert search([place], hex_keys) == []
    shutil.copytree(keys, tmp_path / "old" / "fleet")
    assert twin.forget(ANN).ok
    twin.backup(place)

    # The keys as they are now: Ann's are gone, Bob's are there.
    shutil.copytree(keys, tmp_path / "now" / "fleet")
    monkeypatch.setenv(KEYS_VARIABLE, str(tmp_path / "now"))
    first = restore(place, tmp_path / "one", number=1)
    drivers = set(tl.open(tmp_path / "one").events("trip")["driver"].dropna())
    assert BOB in drivers
    assert ANN not in drivers
    assert first.destroyed == 0
    assert search([tmp_path / "one"], [ANN]) == []

    # An old copy of the keys has Ann's, and those of the files in which she is.
    monkeypatch.setenv(KEYS_VARIABLE, str(tmp_path / "old"))
    second = restore(place, tmp_path / "two", number=1)
    assert second.destroyed >= 3
    again = tl.open(tmp_path / "two")
    assert ANN not in again.people()
    assert set(again.events("trip")["driver"].dropna()) == drivers
    assert search([tmp_path / "two", tmp_path / "old"], [ANN]) == []
    assert "restored" in again.audit_rows(newest=5)["kind"].tolist()

    # Without keys nobody can be read, which is said.
    monkeypatch.setenv(KEYS_VARIABLE, str(tmp_path / "nowhere"))
    third = restore(place, tmp_path / "three")
    assert "personal columns can't be read: their keys are expected in" in str(third)
    assert tl.open(tmp_path / "three").events("trip")["driver"].isna().all()
    assert tl.open(tmp_path / "three").verify().ok


def test_keys_that_are_missing_are_not_taken_for_erased(fleet, tmp_path: Path) -> None:
    twin = fleet.twin
    keys = twin.ledger.encryption.keys.path
    twin.backup(tmp_path / "backups")
    keys.rename(tmp_path / "moved")
    with pytest.raises(SourceError, match=r"expected the keys of \d+ people or files in .*no erasure since"):
        tl.open(twin.folder).backup(tmp_path / "backups")
    (tmp_path / "moved").rename(keys)
    assert tl.open(twin.folder).backup(tmp_path / "backups").number == 2
