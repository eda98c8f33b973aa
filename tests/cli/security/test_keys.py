"""``twinlab keys`` from a new key to a revoked one, and its rows in an audit."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from twinlab.cli import main
from twinlab.control.audit import search
from twinlab.signing.keys import KeyRingFile
from twinlab.signing.keys.key_file import read_signer


def test_a_key_is_made_added_listed_and_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, need: Callable[[str], object]
) -> None:
    need("securesystemslib")
    ring, pem = str(tmp_path / "keys.yaml"), str(tmp_path / "ann.pem")
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert main(["keys", "new", pem, "--stdin"]) == 0
    out = capsys.readouterr().out
    assert "encrypted with the passphrase" in out
    public = re.search(r"public key  ([0-9a-f]{64})", out)[1]
    key_id = re.search(r"key id      ([0-9a-f]{64})", out)[1]
    assert read_signer(pem, passphrase="correct horse battery").public_key.keyid == key_id
    assert (
        main(["keys", "add", ring, "Ann", public, "--role", "operator", "--note", "card 1", "--audit", str(tmp_path)])
        == 0
    )
    assert "Ann (operator) can sign with the key" in capsys.readouterr().out
    assert main(["keys", "list", ring]) == 0
    assert capsys.readouterr().out == f"Ann  operator  {key_id[:12]}  valid  (card 1)\n"
    assert main(["keys", "revoke", ring, key_id[:10], "--reason", "card lost", "--audit", str(tmp_path)]) == 0
    assert f"the key {key_id[:12]}… of Ann doesn't count any more" in capsys.readouterr().out
    assert main(["keys", "revoke", ring, "Ann", "--reason", "again", "--audit", str(tmp_path)]) == 1
    assert "expected a key that isn't revoked" in capsys.readouterr().err
    assert main(["keys", "list", ring]) == 0
    assert "revoked: 20" in capsys.readouterr().out
    rows = search.find_rows(tmp_path / "audit", search.RowFilter(kinds=("keys changed",)))
    assert [row.what["outcome"] for row in rows] == ["added", "revoked", "revoked", "not revoked"]


def test_a_change_that_cannot_be_recorded_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "audit").write_text("a file, where a folder is expected")
    arguments = ["keys", "add", str(tmp_path / "keys.yaml"), "Ann", "ab" * 32, "--audit", str(tmp_path)]
    assert main(arguments) == 1
    assert capsys.readouterr().err
    assert not (tmp_path / "keys.yaml").exists()


def test_what_is_no_key_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "add", str(tmp_path / "keys.yaml"), "Ann", "abc"]) == 1
    assert "public key: expected 64 hexadecimal digits, got 'abc'" in capsys.readouterr().err
    assert main(["keys", "list", str(tmp_path / "keys.yaml")]) == 1
    assert "expected a file of keys" in capsys.readouterr().err


def test_a_key_is_sealed_for_signing_from_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from twinlab.signing.keys import SealedKeys

    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert main(["keys", "seal", str(tmp_path), "Ann", "--stdin"]) == 0
    out = capsys.readouterr().out
    signer = SealedKeys(tmp_path / "control" / "keys").unlock("Ann", "correct horse battery")
    assert f"key id      {signer.public_key.keyid}" in out
    assert f"twinlab keys add {tmp_path / 'keys.yaml'} Ann " in out
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["keys", "seal", str(tmp_path), "Bob", "--stdin"]) == 1
    assert "expected a passphrase of at least 14 characters, got 5" in capsys.readouterr().err


def test_the_entry_of_a_device_is_one_of_a_key_ring(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "new", str(tmp_path / "truck-1.pem"), "--device", "truck-1"]) == 0
    (tmp_path / "keys.yaml").write_text("people: {}\ndevices:\n" + capsys.readouterr().out)
    ring = KeyRingFile(tmp_path / "keys.yaml").read()
    assert list(ring.devices) == ["truck-1"]
    key_id = read_signer(tmp_path / "truck-1.pem").public_key.keyid
    assert [key.key_id for key in ring.devices["truck-1"].keys] == [key_id]
