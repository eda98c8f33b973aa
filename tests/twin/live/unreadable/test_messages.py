"""Messages that can't be read are files: durable, shown once, encrypted where the twin states privacy."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinlab.errors import SourceError
from twinlab.ledger.encryption.encryption import Encryption
from twinlab.signing.subjects.key_folder import KeyFolder, file_subject
from twinlab.sources.live import Unreadable
from twinlab.twin.live.unreadable import messages
from twinlab.twin.live.unreadable.messages import MessageFiles

ONE = Unreadable("t/0/1", b"\xff\x00", "expected text", time_ns=1_772_323_200_000_000_000, key=b"k", headers="{}")
OTHER = Unreadable("t/0/2", b"Ann Archer", "not JSON")


def test_a_message_that_comes_again_is_shown_once(tmp_path: Path) -> None:
    files = MessageFiles(tmp_path / "s", None)
    assert files.table().empty
    files.add([])
    assert not (tmp_path / "s").exists()
    files.add([ONE])
    files.add([ONE, OTHER])
    found = files.table()
    assert found[["place", "content", "reason"]].to_numpy().tolist() == [
        ["t/0/1", b"\xff\x00", "expected text"],
        ["t/0/2", b"Ann Archer", "not JSON"],
    ]
    assert str(found["time"][0]) == "2026-03-01 00:00:00"
    assert found["time"].isna().tolist() == [False, True]


def test_messages_of_a_twin_with_privacy_are_encrypted(tmp_path: Path) -> None:
    keys = KeyFolder(tmp_path / "keys")
    encryption = Encryption(keys, lambda *_: {})
    files = MessageFiles(tmp_path / "s", encryption)
    files.add([OTHER])
    assert files.table()["content"].tolist() == [b"Ann Archer"]
    (path,) = (tmp_path / "s").iterdir()
    assert b"Ann Archer" not in path.read_bytes()
    with pytest.raises(SourceError, match="expected a twin that states privacy"):
        MessageFiles(tmp_path / "s", None).table()
    for file in keys.files():
        keys.destroy(file_subject(file), before="9999-01")
    with pytest.raises(SourceError, match="was destroyed"):
        files.table()


def test_a_full_folder_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_MOST_BYTES", 100)
    files = MessageFiles(tmp_path / "s", None)
    files.add([ONE])
    with pytest.raises(SourceError, match=r"the last is t/0/2 \(not JSON\).*remove the files"):
        files.add([OTHER])
    assert len(files.table()) == 1
