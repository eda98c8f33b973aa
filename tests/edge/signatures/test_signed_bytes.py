"""A signature is for one kind of message of one gateway, and for these bytes alone."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from twinlab.edge.signatures.device_keys import DeviceKey, DeviceKeys
from twinlab.edge.signatures.signed_bytes import NOTHING, digest_of, open_message, open_messages, sign_message, unsigned
from twinlab.signing.keys.private_keys import public_text
from twinlab.signing.keys.ring import Device, PublicKey

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def keys(*, revoked: str | None = None) -> DeviceKeys:
    return DeviceKeys.of({
        "truck-1": Device(keys=[PublicKey(public=public_text(KEY), revoked=revoked)]),
        "truck-2": Device(keys=[PublicKey(public=public_text(OTHER))]),
    })  # fmt: skip


@given(message=st.binary(max_size=300))
def test_what_is_signed_is_opened_as_it_was(message: bytes) -> None:
    opened = open_message(sign_message(message, kind="rows", gateway="truck-1", key=KEY), kind="rows", gateway="truck-1", keys=keys())  # fmt: skip
    assert (opened.message, opened.fault) == (message, None)


@given(message=st.binary(min_size=1, max_size=100), place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_flipped_bit_anywhere_is_found(message: bytes, place: int, bit: int) -> None:
    payload = bytearray(sign_message(message, kind="rows", gateway="truck-1", key=KEY))
    payload[place % len(payload)] ^= 1 << bit
    assert open_message(bytes(payload), kind="rows", gateway="truck-1", keys=keys()).fault is not None


@pytest.mark.parametrize(
    ("kind", "gateway", "fault"),
    [("birth", "truck-1", "changed"), ("rows", "truck-2", "key of another"), ("command", "truck-1", "changed")],
)
def test_rows_are_of_no_use_as_anything_else(kind: str, gateway: str, fault: str) -> None:
    payload = sign_message(b"x", kind="rows", gateway="truck-1", key=KEY)
    assert open_message(payload, kind=kind, gateway=gateway, keys=keys()).fault == fault


def test_a_revoked_and_an_unknown_key_are_named() -> None:
    payload = sign_message(b"x", kind="rows", gateway="truck-1", key=KEY)
    opened = open_message(payload, kind="rows", gateway="truck-1", keys=keys(revoked="stolen on 3 March"))
    assert opened.fault == "revoked key"
    assert "stolen on 3 March" in opened.why
    assert open_message(payload, kind="rows", gateway="truck-1", keys=DeviceKeys()).fault == "unknown key"


@given(payload=st.binary(max_size=200))
def test_any_bytes_are_opened_without_an_error(payload: bytes) -> None:
    for given_bytes in (payload, b"TWLS" + payload):
        assert open_message(given_bytes, kind="rows", gateway="truck-1", keys=keys()).fault is not None
        assert len(unsigned(given_bytes)) <= len(given_bytes)


@given(
    changes=st.lists(
        st.sampled_from(["sent", "lost", "twice", "changed", "unsigned", "other key"]), min_size=1, max_size=12
    )
)
def test_messages_that_come_together_are_judged_as_each_alone(changes: list[str]) -> None:
    payloads, before = [], NOTHING
    for n, change in enumerate(changes):
        key = OTHER if change == "other key" else KEY
        payload = sign_message(b"rows %d" % n, kind="rows", gateway="truck-1", key=key, before=before)
        before = digest_of(payload, kind="rows", gateway="truck-1")
        if change == "changed":
            payload = payload[:-1] + b"?"
        elif change == "unsigned":
            payload = unsigned(payload)
        payloads += [] if change == "lost" else [payload] * (1 + (change == "twice"))
    together = open_messages(payloads, kind="rows", gateway="truck-1", keys=keys())
    assert together == [open_message(one, kind="rows", gateway="truck-1", keys=keys()) for one in payloads]


def test_of_messages_in_their_order_one_signature_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    payloads, before = [], NOTHING
    for n in range(20):
        payloads.append(sign_message(b"rows %d" % n, kind="rows", gateway="truck-1", key=KEY, before=before))
        before = digest_of(payloads[-1], kind="rows", gateway="truck-1")
    verified: list[bytes] = []
    verifies = DeviceKey.verifies
    monkeypatch.setattr(DeviceKey, "verifies", lambda self, *given: verified.append(given[0]) or verifies(self, *given))
    assert {one.fault for one in open_messages(payloads, kind="rows", gateway="truck-1", keys=keys())} == {None}
    assert len(verified) == 1
    # Without one in between, the chain begins again.
    assert {
        one.fault for one in open_messages([*payloads[:9], *payloads[10:]], kind="rows", gateway="truck-1", keys=keys())
    } == {None}
    assert len(verified) == 3


def test_a_message_of_one_key_isnt_proven_by_one_of_another_key_of_the_same_gateway() -> None:
    both = DeviceKeys.of({
        "truck-1": Device(keys=[PublicKey(public=public_text(one)) for one in (KEY, OTHER)]),
    })  # fmt: skip
    first = bytearray(sign_message(b"rows", kind="rows", gateway="truck-1", key=KEY))
    first[80] ^= 1  # a bit of its signature, which the hash of what was signed doesn't have
    before = digest_of(bytes(first), kind="rows", gateway="truck-1")
    second = sign_message(b"more", kind="rows", gateway="truck-1", key=OTHER, before=before)
    found = open_messages([bytes(first), second], kind="rows", gateway="truck-1", keys=both)
    assert [one.fault for one in found] == ["changed", None]
