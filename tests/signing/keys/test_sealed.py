"""Keys of people on a server: sealed with a passphrase, of no use without it."""

import json
from pathlib import Path

import pytest

from twinlab.errors import CommandRejectedError, SchemaError
from twinlab.signing.envelopes import open_envelope, sign_payload
from twinlab.signing.envelopes import public_key as key_of
from twinlab.signing.keys import SealedKeys

PASSPHRASE = "correct horse battery"


def test_a_key_signs_once_its_passphrase_is_given(tmp_path: Path) -> None:
    # With the real cost.
    keys = SealedKeys(tmp_path / "keys")
    public = keys.create("ann", PASSPHRASE)
    signer = SealedKeys(tmp_path / "keys").unlock("ann", PASSPHRASE)
    assert signer.public_key.keyid == public.key_id
    wire = sign_payload(b"{}", "application/x", signer)
    known = {public.key_id: key_of(public.key_id, public.public)}
    assert open_envelope(wire, payload_type="application/x", keys=known).key_ids == (public.key_id,)
    assert keys.names() == ["ann"]
    (path,) = (tmp_path / "keys").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert PASSPHRASE not in path.read_text(encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8"))["n"] == 2**17


def test_a_wrong_passphrase_opens_nothing_and_is_tried_five_times(tmp_path: Path, cheap_keys) -> None:
    keys = SealedKeys(tmp_path)
    keys.create("ann", PASSPHRASE)
    for _ in range(5):
        with pytest.raises(CommandRejectedError, match="the passphrase isn't the one of the key of ann"):
            keys.unlock("ann", PASSPHRASE.upper())
    with pytest.raises(CommandRejectedError, match="5 wrong passphrases for the key of ann; wait"):
        keys.unlock("ann", PASSPHRASE)
    # A right one in time begins again.
    other = SealedKeys(tmp_path)
    for _ in range(3):
        with pytest.raises(CommandRejectedError):
            other.unlock("ann", "wrong")
        other.unlock("ann", PASSPHRASE)
        other.unlock("ann", PASSPHRASE)


def test_a_key_cannot_be_put_under_another_name(tmp_path: Path, cheap_keys) -> None:
    keys = SealedKeys(tmp_path)
    keys.create("mallory", PASSPHRASE)
    (tmp_path / "ann.json").write_bytes((tmp_path / "mallory.json").read_bytes())
    with pytest.raises(CommandRejectedError, match="key of ann"):
        keys.unlock("ann", PASSPHRASE)
    stated = json.loads((tmp_path / "mallory.json").read_text(encoding="utf-8"))
    (tmp_path / "ann.json").write_text(json.dumps(stated | {"name": "ann"}), encoding="utf-8")
    with pytest.raises(CommandRejectedError, match="key of ann"):
        keys.unlock("ann", PASSPHRASE)


@pytest.mark.parametrize("field", ["salt", "nonce", "sealed", "public"])
def test_a_changed_file_opens_nothing(tmp_path: Path, cheap_keys, field: str) -> None:
    keys = SealedKeys(tmp_path)
    keys.create("ann", PASSPHRASE)
    path = tmp_path / "ann.json"
    stated = json.loads(path.read_text(encoding="utf-8"))
    stated[field] = ("0" if stated[field][0] != "0" else "1") + stated[field][1:]
    path.write_text(json.dumps(stated), encoding="utf-8")
    with pytest.raises(CommandRejectedError):
        keys.unlock("ann", PASSPHRASE)


def test_what_is_no_sealed_key_is_named(tmp_path: Path, cheap_keys) -> None:
    keys = SealedKeys(tmp_path)
    (tmp_path / "ann.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SchemaError, match=r"ann.json: expected a sealed key, got other fields"):
        keys.unlock("ann", PASSPHRASE)
    with pytest.raises(CommandRejectedError, match="bob has no key on this server"):
        keys.unlock("bob", PASSPHRASE)
    with pytest.raises(CommandRejectedError, match="has no key on this server"):
        keys.unlock("../ann", PASSPHRASE)


def test_a_short_passphrase_and_a_second_key_are_refused(tmp_path: Path, cheap_keys) -> None:
    keys = SealedKeys(tmp_path)
    with pytest.raises(SchemaError, match="expected a passphrase of at least 14 characters, got 6"):
        keys.create("ann", "secret")
    keys.create("ann", PASSPHRASE)
    with pytest.raises(SchemaError, match="ann has a key here already"):
        keys.create("ann", PASSPHRASE)
