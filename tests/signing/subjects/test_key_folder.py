"""Keys of people and months, and pseudonyms."""

import json
import os

import pytest

from twinlab.errors import CorruptionError, SchemaError
from twinlab.signing.subjects import KeyFolder, Pseudonyms, key_folder
from twinlab.signing.subjects.ciphers import decrypt, decrypt_name, encrypt, encrypt_name


def bytes_of(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_keys_are_made_once_and_survive(tmp_path):
    keys = KeyFolder(tmp_path / "keys")
    made = keys.make(["Ann", "Bob"], "2026-03")
    assert KeyFolder(tmp_path / "keys").make(["Bob", "Ann"], "2026-03") == made
    assert len({key for _, key in made.values()}) == 2
    assert keys.key(made["Ann"][0], "2026-03") == made["Ann"][1]
    assert keys.key(made["Ann"][0], "2026-04") is None
    assert keys.make(["Ann"], "2026-04")["Ann"][0] == made["Ann"][0]
    assert (keys.subjects(), keys.months("Ann"), keys.months("Cem")) == (["Ann", "Bob"], ["2026-03", "2026-04"], [])


def test_a_destroyed_key_is_in_no_file_and_known_to_no_other_reader(tmp_path):
    keys, other = KeyFolder(tmp_path / "keys"), KeyFolder(tmp_path / "keys")
    made = keys.make(["Ann", "Bob"], "2026-03")
    later = keys.make(["Ann"], "2026-04")["Ann"]
    assert other.subjects() == ["Ann", "Bob"]
    assert keys.destroy("Ann", before="2026-04") == ["2026-03"]
    assert other.key(made["Ann"][0], "2026-03") is None
    assert other.key(later[0], "2026-04") == later[1]
    assert keys.destroy("Ann") == ["2026-04"]
    assert other.subjects() == ["Bob"]
    left = bytes_of(tmp_path)
    for secret in (made["Ann"][1], later[1]):
        assert secret.hex().encode() not in left
    assert b"Ann" not in left
    assert made["Bob"][1].hex().encode() in left
    assert keys.destroy("Ann") == []
    # New data of the same person have nothing to do with the old ones.
    assert keys.make(["Ann"], "2026-05")["Ann"][0] != made["Ann"][0]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_only_the_owner_reads_keys(tmp_path):
    KeyFolder(tmp_path / "keys").make(["Ann"], "2026-03")
    assert {oct(path.stat().st_mode & 0o077) for path in (tmp_path / "keys").iterdir() if path.name != "lock"} == {
        "0o0"
    }


def test_keys_inside_of_the_twin_are_refused(tmp_path):
    with pytest.raises(SchemaError, match="outside of the twin"):
        KeyFolder(tmp_path / "twin" / "keys", twin=tmp_path / "twin")


def test_a_ciphertext_is_bound_to_its_place_and_every_bit(tmp_path):
    key = os.urandom(32)
    made = encrypt(key, b"Ann", b"trips")
    assert decrypt(key, made, b"trips") == b"Ann"
    assert encrypt(key, b"Ann", b"trips") != made
    for place in range(len(made)):
        changed = bytearray(made)
        changed[place] ^= 1
        with pytest.raises(CorruptionError):
            decrypt(key, bytes(changed), b"trips")
    with pytest.raises(CorruptionError):
        decrypt(key, made, b"other")


def test_names_under_siv_are_equal_for_equal_names_only():
    key = os.urandom(32)
    assert encrypt_name(key, "Ann", "a") == encrypt_name(key, "Ann", "a")
    assert len({encrypt_name(key, name, place) for name in ("Ann", "Bob") for place in ("a", "b")}) == 4
    assert decrypt_name(key, encrypt_name(key, "Ann", "a"), "b") is None
    assert decrypt_name(os.urandom(32), encrypt_name(key, "Ann", "a"), "a") is None


def test_who_has_the_secret_finds_a_person_among_those_who_are_known(tmp_path):
    pseudonyms = KeyFolder(tmp_path / "keys").pseudonyms()
    made = pseudonyms("payroll", 3, "Ann")
    assert KeyFolder(tmp_path / "keys").pseudonyms()("payroll", 3, "Ann") == made
    assert pseudonyms.find(made, "payroll", range(5), ["Bob", "Ann"]) == "Ann"
    assert pseudonyms.find(made, "payroll", range(5), ["Bob"]) is None
    assert pseudonyms.find(made, "planning", range(5), ["Ann"]) is None
    assert Pseudonyms(bytes(32))("payroll", 3, "Ann") != made


@pytest.mark.skipif(os.name == "nt", reason="hard links")
def test_the_bytes_of_a_destroyed_key_are_overwritten_where_they_were(tmp_path):
    keys = KeyFolder(tmp_path / "keys")
    one, key = keys.make(["Ann"], "2026-03")["Ann"]
    # Another name of the same bytes on the disk.
    (tmp_path / "link").hardlink_to(tmp_path / "keys" / f"{one}.json")
    assert key.hex().encode() in (tmp_path / "link").read_bytes()
    keys.destroy("Ann")
    assert key.hex().encode() not in (tmp_path / "link").read_bytes()


class _Killed(BaseException):
    """The end of a process."""


@pytest.mark.parametrize("before", ["2026-04", None])
@pytest.mark.parametrize("step", ["replace_file", "sync_folder", "_overwrite"])
def test_a_process_that_is_killed_while_it_destroys_loses_no_other_key(tmp_path, monkeypatch, step, before):
    keys = KeyFolder(tmp_path / "keys")
    made, later = keys.make(["Ann", "Bob"], "2026-03"), keys.make(["Ann"], "2026-04")["Ann"]

    def end(*_):
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(key_folder, step, end)
        if step == "replace_file" and before is None:
            # The whole file goes: nothing is replaced.
            keys.destroy("Ann")
        else:
            with pytest.raises(_Killed):
                keys.destroy("Ann", before=before)
    after = KeyFolder(tmp_path / "keys")
    assert after.key(*made["Bob"][:1], "2026-03") == made["Bob"][1]
    if before is not None:
        assert after.key(later[0], "2026-04") == later[1]
    after.destroy("Ann", before=before)
    assert after.months("Ann") == ([] if before is None else ["2026-04"])
    left = bytes_of(tmp_path)
    assert made["Ann"][1].hex().encode() not in left
    assert (later[1].hex().encode() in left) is (before is not None)
    assert not [path.name for path in (tmp_path / "keys").iterdir() if path.name.endswith((".tmp", ".old"))]


def test_a_draft_that_a_killed_process_left_is_removed_with_its_keys(tmp_path):
    keys = KeyFolder(tmp_path / "keys")
    one, key = keys.make(["Ann"], "2026-03")["Ann"]
    (tmp_path / "keys" / f".{one}.json.tmp").write_bytes((tmp_path / "keys" / f"{one}.json").read_bytes())
    keys.destroy("Ann")
    assert key.hex().encode() not in bytes_of(tmp_path)


def test_without_hard_links_the_other_keys_stay(tmp_path, monkeypatch):
    keys = KeyFolder(tmp_path / "keys")
    made, later = keys.make(["Ann"], "2026-03"), keys.make(["Ann"], "2026-04")["Ann"]

    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    (tmp_path / "link").hardlink_to(tmp_path / "keys" / f"{later[0]}.json")
    monkeypatch.setattr(os, "link", refuse)
    assert keys.destroy("Ann", before="2026-04") == ["2026-03"]
    assert KeyFolder(tmp_path / "keys").key(later[0], "2026-04") == later[1]
    assert made["Ann"][1].hex().encode() not in bytes_of(tmp_path)


def test_after_a_key_was_made_the_folder_is_not_read_again(tmp_path, monkeypatch):
    keys = KeyFolder(tmp_path / "keys")
    keys.make(["Ann"], "2026-03")
    one, key = keys.make(["Bob"], "2026-03")["Bob"]
    with monkeypatch.context() as patch:
        patch.setattr(json, "loads", lambda *_: pytest.fail("read again"))
        assert keys.key(one, "2026-03") == key
