"""Persons count, not keys; a revocation counts at once; without a readable file nobody can send."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from twinlab.commands.messages import approve_command, check_signers, new_command, open_signed, sign_command
from twinlab.errors import CommandRejectedError, SchemaError
from twinlab.signing.keys import KeyRing, KeyRingFile


class Site:
    """People with signers, and the file of their keys."""

    def __init__(self, path: Path) -> None:
        from securesystemslib.signer import CryptoSigner

        self.path = path
        self.signers: dict[str, Any] = {}
        for name in ("first", "second", "second_key_of_first", "viewer", "device"):
            signer = CryptoSigner.generate_ed25519()
            public = signer.public_key.keyval["public"]
            key_id = hashlib.sha256(bytes.fromhex(public)).hexdigest()
            self.signers[name] = CryptoSigner(signer._private_key, self._key(key_id, public))
        self.write()

    @staticmethod
    def _key(key_id: str, public: str) -> Any:
        from securesystemslib.signer import SSlibKey

        return SSlibKey(key_id, "ed25519", "ed25519", {"public": public})

    def key(self, name: str) -> str:
        return f"{{public: '{self.signers[name].public_key.keyval['public']}'}}"

    def write(self, *, first: str | None = None) -> None:
        self.path.write_text(
            f"people:\n  Ann:\n    roles: [operator]\n    keys: [{first or self.key('first')}, {self.key('second_key_of_first')}]\n"
            f"  Bob:\n    roles: [dispatcher, admin]\n    keys: [{self.key('second')}]\n"
            f"  Vic:\n    roles: [viewer]\n    keys: [{self.key('viewer')}]\n"
            f"devices:\n  truck/1:\n    keys: [{self.key('device')}]\n",
            encoding="utf-8",
        )

    def signed(self, *names: str) -> bytes:
        wire = sign_command(
            new_command(
                "forklift/7", "max_speed", 6, "km/h",
                twin="parcel", operation="select", counter=1, expected_state="a" * 64, reason="ice", now=datetime(2026, 3, 1, tzinfo=UTC),
            ),
            self.signers[names[0]],
        )  # fmt: skip
        for name in names[1:]:
            wire = approve_command(wire, self.signers[name])
        return wire

    def persons(self, *names: str, people: int) -> tuple[str, ...]:
        ring = KeyRingFile(self.path).read()
        return check_signers(
            open_signed(self.signed(*names), ring=ring), ring=ring, roles=["operator", "dispatcher"], people=people
        )


@pytest.fixture
def site(tmp_path: Path, need: Callable[[str], object]) -> Site:
    need("securesystemslib")
    return Site(tmp_path / "keys.yaml")


def test_two_persons_with_a_role_are_two(site: Site) -> None:
    assert site.persons("first", "second", people=2) == ("Ann", "Bob")
    assert site.persons("second", people=1) == ("Bob",)


def test_two_keys_of_one_person_count_once(site: Site) -> None:
    assert site.persons("first", "second_key_of_first", people=1) == ("Ann",)
    with pytest.raises(CommandRejectedError, match=r"forklift/7: expected signatures of 2 different .* got 1: Ann"):
        site.persons("first", "second_key_of_first", people=2)


def test_one_signature_is_not_enough_for_two(site: Site) -> None:
    with pytest.raises(CommandRejectedError, match="role dispatcher or operator, got 1: Bob"):
        site.persons("second", people=2)


def test_somebody_without_the_role_does_not_count(site: Site) -> None:
    with pytest.raises(CommandRejectedError, match=r"got 1: Ann \(signed by Ann, Vic\)"):
        site.persons("first", "viewer", people=2)
    with pytest.raises(CommandRejectedError, match=r"got 0: nobody \(signed by Vic\)"):
        site.persons("viewer", people=1)


def test_zero_persons_are_never_enough(site: Site) -> None:
    with pytest.raises(CommandRejectedError, match="expected signatures of 1 different"):
        site.persons("viewer", people=0)


def test_a_device_is_no_person(site: Site) -> None:
    with pytest.raises(CommandRejectedError, match="known and not revoked"):
        site.persons("first", "device", people=1)


def test_a_key_that_is_revoked_in_a_session_counts_no_more(site: Site) -> None:
    keys = KeyRingFile(site.path)
    wire = site.signed("first")
    assert open_signed(wire, ring=keys.read()).command.target == "forklift/7"
    before = site.path.stat()
    site.write(first=site.key("first").replace("}", ", revoked: 2126-01-01 lost}"))
    # Also if the file system's clock didn't move.
    os.utime(site.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(CommandRejectedError, match="known and not revoked"):
        open_signed(wire, ring=keys.read())


def test_a_ring_is_parsed_only_when_its_bytes_differ(site: Site) -> None:
    keys = KeyRingFile(site.path)
    assert keys.read() is keys.read()


@pytest.mark.parametrize("damage", [b"people: [", b"\xff", b"", b"people: {}\npeople: {}\n", None])
def test_without_a_readable_file_an_earlier_state_is_not_used(site: Site, damage: bytes | None) -> None:
    keys = KeyRingFile(site.path)
    keys.read()
    if damage is None:
        site.path.unlink()
    else:
        site.path.write_bytes(damage)
    for _ in range(2):
        with pytest.raises(SchemaError, match=r"keys\.yaml"):
            keys.read()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("people: {Ann: {roles: [boss]}}", r"people\.Ann\.roles\[0\]"), ("people: {Ann: {keys: [{public: abc}]}}", r"people\.Ann\.keys\[0\]\.public"),
        ("people: {Ann: {role: operator}}", r"people\.Ann\.role"), (f"people: {{Ann: {{keys: [{{public: '{'AB' * 32}'}}]}}}}", r"keys\[0\]\.public"),
        (f"people: {{Ann: {{keys: [{{public: '{'ab' * 32}'}}]}}, Bob: {{keys: [{{public: '{'ab' * 32}'}}]}}}}", r"people\.Bob\.keys\[0\]: expected a key of its own, got the one of people\.Ann"),
        (f"people: {{Ann: {{keys: [{{public: '{'ab' * 32}'}}]}}}}\ndevices: {{gate: {{keys: [{{public: '{'ab' * 32}'}}]}}}}", r"devices\.gate\.keys\[0\]"),
        ("devices: {}", "people"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_of_keys_is_named(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError, match=expected):
        KeyRingFile(path).read()


def test_a_revoked_key_is_in_no_list_of_keys() -> None:
    made = {"Ann": {"keys": [{"public": "ab" * 32, "revoked": "lost"}, {"public": "cd" * 32}]}}
    assert [key.public for _, key in KeyRing.model_validate({"people": made}).person_keys.values()] == ["cd" * 32]
