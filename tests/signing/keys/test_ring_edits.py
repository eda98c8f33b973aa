"""Keys are added and revoked in a file that people write, too: its comments stay, and it is valid after each change or unchanged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.signing.keys import KeyRing, KeyRingFile, PublicKey
from twinlab.signing.keys.key_file import create_key, read_signer
from twinlab.signing.keys.ring_edits import add_key, as_public_key, listed_keys, revoke_keys

WRITTEN = """\
# Night shift: ask Ann first.
people:
  Ann: # since 2019
    roles: [operator]
    keys:
      - public: '{a}'  # card 1
      # the old card
      - {{public: '{b}', revoked: 2025-01-01 lost}}
devices: {{}}
"""
A, B, C, D = ("ab" * 32, "cd" * 32, "ef" * 32, "01" * 32)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "keys.yaml"
    path.write_text(WRITTEN.format(a=A, b=B), encoding="utf-8")
    return path


def test_a_second_key_is_added_and_comments_stay(ring: Path) -> None:
    added = add_key(ring, "Ann", PublicKey(public=C, note="card 2"))
    assert (added.owner, added.roles, added.key.note) == ("Ann", ("operator",), "card 2")
    text = ring.read_text()
    for comment in ("# Night shift: ask Ann first.", "# since 2019", "# card 1", "# the old card"):
        assert comment in text
    assert [key.public for key in KeyRingFile(ring).read().people["Ann"].keys] == [A, B, C]


def test_a_new_person_is_a_viewer_until_roles_are_given(ring: Path) -> None:
    assert add_key(ring, "Bob", PublicKey(public=C)).roles == ("viewer",)
    assert add_key(ring, "Bob", PublicKey(public=D), roles=["security", "operator"]).roles == ("operator", "security")
    assert len(KeyRingFile(ring).read().people["Bob"].keys) == 2


def test_a_device_is_added_and_has_no_roles(ring: Path) -> None:
    assert add_key(ring, "forklift/7", PublicKey(public=D), device=True).device
    assert list(KeyRingFile(ring).read().device_keys.values())[0][0] == "forklift/7"
    with pytest.raises(SchemaError, match="expected no roles for a device"):
        add_key(ring, "forklift/8", PublicKey(public=C), roles=["operator"], device=True)


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    add_key(path, "Ann", PublicKey(public=A), roles=["operator"])
    assert KeyRingFile(path).read().people["Ann"].roles == ["operator"]
    add_key(path, "forklift/7", PublicKey(public=B), device=True)
    assert path.read_text().startswith("# Whose signatures count.")
    with pytest.raises(SchemaError, match="expected a file of keys"):
        revoke_keys(tmp_path / "none.yaml", "Ann", reason="lost")


@pytest.mark.parametrize(
    ("owner", "public", "roles", "expected"),
    [("Bob", A, None, "expected a key of its own, got the one of people.Ann"), ("Ann", A, None, "expected a key of its own"),
     ("Bob", C, ["king"], "roles"), (" Bob", C, None, "people")],
)  # fmt: skip
def test_what_would_not_be_valid_changes_nothing(
    ring: Path, owner: str, public: str, roles: list | None, expected: str
) -> None:
    before = ring.read_bytes()
    with pytest.raises(SchemaError, match=expected):
        add_key(ring, owner, PublicKey(public=public), roles=roles)
    assert ring.read_bytes() == before


def test_a_key_is_revoked_by_its_first_digits_or_its_owner(ring: Path) -> None:
    key_id = PublicKey(public=A).key_id
    (revoked,) = revoke_keys(ring, key_id[:8].upper(), reason="card lost", now=NOW)
    assert (revoked.key.revoked, KeyRingFile(ring).read().person_keys) == ("2026-03-01, card lost", {})
    assert "# card 1" in ring.read_text()
    for which in (key_id, "Ann"):
        with pytest.raises(SchemaError, match="expected a key that isn't revoked"):
            revoke_keys(ring, which, reason="again")
    add_key(ring, "Bob", PublicKey(public=C))
    add_key(ring, "Bob", PublicKey(public=D))
    assert [one.key.public for one in revoke_keys(ring, "Bob", reason="left")] == [C, D]


@pytest.mark.parametrize("which", ["Anne", "abcd", "0" * 8, ""])
def test_an_unknown_key_is_named_with_what_is_near(ring: Path, which: str) -> None:
    before = ring.read_bytes()
    with pytest.raises(UnknownTermError, match="expected a name or at least 8 digits"):
        revoke_keys(ring, which, reason="lost")
    assert ring.read_bytes() == before


def test_a_damaged_file_is_left_alone(ring: Path) -> None:
    ring.write_text("people: [", encoding="utf-8")
    with pytest.raises(SchemaError, match=r"keys\.yaml"):
        add_key(ring, "Ann", PublicKey(public=C))
    assert ring.read_text() == "people: ["


@pytest.mark.parametrize("public", ["", "ab", "zz" * 32, "ab" * 33])
def test_what_is_no_public_key_is_refused(public: str) -> None:
    with pytest.raises(SchemaError, match="expected 64 hexadecimal digits"):
        as_public_key(public)


@given(st.lists(st.tuples(st.sampled_from(["Ann", "Bob", "Cid"]), st.booleans()), max_size=8))
def test_any_changes_end_as_the_same_changes_of_a_plain_model(steps: list[tuple[str, bool]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keys.yaml"
        valid: dict[str, list[str]] = {}
        number = 0
        for owner, adds in steps:
            if adds or not valid.get(owner):
                number += 1
                add_key(path, owner, PublicKey(public=f"{number:064x}"), roles=["operator"])
                valid.setdefault(owner, []).append(f"{number:064x}")
            else:
                revoke_keys(path, owner, reason="left")
                valid[owner] = []
        found = KeyRingFile(path).read() if path.exists() else KeyRing(people={})
        assert {owner: keys for owner, keys in valid.items() if keys} == {
            name: [key.public for key in person.keys if key.revoked is None]
            for name, person in found.people.items()
            if any(key.revoked is None for key in person.keys)
        }
        assert len(listed_keys(found)) == number


def test_a_key_with_a_passphrase_signs_with_it_only(tmp_path: Path, need: Callable[[str], object]) -> None:
    need("securesystemslib")
    public = create_key(tmp_path / "ann.pem", passphrase="correct horse battery")
    assert (tmp_path / "ann.pem").stat().st_mode & 0o777 == 0o600
    assert read_signer(tmp_path / "ann.pem", passphrase="correct horse battery").public_key.keyid == public.key_id
    for wrong in (None, "correct horse batterx"):
        with pytest.raises(SchemaError, match="expected a private key in PEM"):
            read_signer(tmp_path / "ann.pem", passphrase=wrong)
    with pytest.raises(SchemaError, match="expected at least 14 characters, got 5"):
        create_key(tmp_path / "bob.pem", passphrase="short")
    assert not (tmp_path / "bob.pem").exists()
