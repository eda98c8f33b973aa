"""Only a command that known keys signed, byte for byte, is opened."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinlab.commands.messages import PAYLOAD_TYPE, Command, approve_command, open_command, sign_command
from twinlab.errors import CommandRejectedError, ControlError


def edited(wire: bytes, **fields: Any) -> bytes:
    return json.dumps(json.loads(wire) | fields).encode()


def signed_bytes(payload: bytes, signer: Any, payload_type: str = PAYLOAD_TYPE) -> bytes:
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload, payload_type, {})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict()).encode()


def test_two_persons_sign_the_same_bytes(command: Command, signers: dict[str, Any], keys: dict[str, Any]) -> None:
    wire = sign_command(command, signers["two"])
    assert open_command(wire, keys=keys).key_ids == ("two",)
    both = open_command(approve_command(wire, signers["one"]), keys=keys)
    assert (both.command, both.payload, both.key_ids) == (command, command.payload(), ("one", "two"))


def test_the_signature_is_that_of_dsse_with_ed25519(
    command: Command, signers: dict[str, Any], keys: dict[str, Any]
) -> None:
    """The signed bytes as the protocol states them, verified without the library of envelopes."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    found = json.loads(sign_command(command, signers["one"]))
    payload = base64.b64decode(found["payload"])
    encoded = b"DSSEv1 36 application/vnd.twinlab.command+json " + str(len(payload)).encode() + b" " + payload
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys["one"].keyval["public"]))
    public.verify(base64.b64decode(found["signatures"][0]["sig"]), encoded)


def test_an_unsigned_command_is_refused(command: Command, signers: dict[str, Any], keys: dict[str, Any]) -> None:
    with pytest.raises(CommandRejectedError, match="expected 1 to 8, got 0"):
        open_command(edited(sign_command(command, signers["one"]), signatures=[]), keys=keys)


def test_a_command_changed_after_signing_is_refused(
    command: Command, signers: dict[str, Any], keys: dict[str, Any]
) -> None:
    faster = command.model_copy(update={"value": 8.0}).payload()
    with pytest.raises(CommandRejectedError, match="key one that doesn't match"):
        open_command(
            edited(sign_command(command, signers["one"]), payload=base64.b64encode(faster).decode()), keys=keys
        )


def test_an_unknown_key_is_refused_also_beside_a_known_one(
    command: Command, signers: dict[str, Any], keys: dict[str, Any]
) -> None:
    wire = sign_command(command, signers["stranger"])
    for signed in (wire, approve_command(wire, signers["one"])):
        with pytest.raises(CommandRejectedError, match="known and not revoked, got 'stranger'"):
            open_command(signed, keys=keys)


def test_an_unknown_key_under_a_known_id_is_refused(
    command: Command, signers: dict[str, Any], keys: dict[str, Any]
) -> None:
    found = json.loads(sign_command(command, signers["stranger"]))
    found["signatures"][0]["keyid"] = "one"
    with pytest.raises(CommandRejectedError, match="key one that doesn't match"):
        open_command(json.dumps(found).encode(), keys=keys)


def test_a_key_of_another_kind_is_refused(command: Command, keys: dict[str, Any]) -> None:
    from securesystemslib.signer import CryptoSigner

    signer = CryptoSigner.generate_ecdsa(keyid="one")
    with pytest.raises(CommandRejectedError, match="sig: expected 64 bytes|expected an Ed25519 key, got ecdsa"):
        open_command(sign_command(command, signer), keys={"one": signer.public_key})
    ed25519 = sign_command(command, CryptoSigner.generate_ed25519(keyid="one"))
    with pytest.raises(CommandRejectedError, match="expected an Ed25519 key, got ecdsa"):
        open_command(ed25519, keys={"one": signer.public_key})


def test_signed_telemetry_is_no_command(command: Command, signers: dict[str, Any], keys: dict[str, Any]) -> None:
    other = "application/vnd.twinlab.telemetry+json"
    wire = signed_bytes(command.payload(), signers["one"], other)
    with pytest.raises(CommandRejectedError, match=r"payloadType: expected .*command\+json, got '.*telemetry"):
        open_command(wire, keys=keys)
    # The type is part of what is signed.
    with pytest.raises(CommandRejectedError, match="doesn't match"):
        open_command(edited(wire, payloadType=PAYLOAD_TYPE), keys=keys)


def test_a_payload_is_read_only_once_its_signatures_are_valid(signers: dict[str, Any], keys: dict[str, Any]) -> None:
    wire = signed_bytes(b"{", signers["one"])
    with pytest.raises(CommandRejectedError, match="command: expected JSON"):
        open_command(wire, keys=keys)
    with pytest.raises(CommandRejectedError, match="known and not revoked"):
        open_command(wire, keys={})
    with pytest.raises(CommandRejectedError, match="command: expected JSON"):
        approve_command(wire, signers["two"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"more": 1}, "envelope: expected the keys"), ({"signatures": {}}, "expected a list, got dict"), ({"signatures": [1]}, r"signatures\[0\]: expected an object"),
        ({"signatures": [{"keyid": "one", "sig": "AA==", "x": 1}]}, r"signatures\[0\]: expected the keys"), ({"signatures": [{"keyid": "one", "sig": "AA=="}]}, "64 bytes, got 1"),
        ({"signatures": [{"keyid": 1, "sig": "AA=="}]}, "keyid: expected a text"), ({"signatures": [{}] * 9}, "expected 1 to 8, got 9"),
        ({"payload": "e30"}, "payload: expected base64"), ({"payload": "e 30="}, "payload: expected base64"), ({"payload": "e31="}, "payload: expected base64"),
        ({"payload": None}, "payload: expected base64"), ({"payload": "é"}, "payload: expected base64"), ({"payloadType": ["x"]}, "payloadType: expected"),
    ],
)  # fmt: skip
def test_an_envelope_has_one_spelling(
    command: Command, signers: dict[str, Any], keys: dict[str, Any], fields: dict[str, Any], expected: str
) -> None:
    with pytest.raises(CommandRejectedError, match=expected):
        open_command(edited(sign_command(command, signers["one"]), **fields), keys=keys)


def test_a_key_signs_once(command: Command, signers: dict[str, Any], keys: dict[str, Any]) -> None:
    wire = sign_command(command, signers["one"])
    with pytest.raises(CommandRejectedError, match="expected another key, got one"):
        approve_command(wire, signers["one"])
    twice = json.loads(wire)["signatures"] * 2
    with pytest.raises(CommandRejectedError, match="no other signature has, got 'one'"):
        open_command(edited(wire, signatures=twice), keys=keys)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.booleans())
def test_an_envelope_with_a_changed_byte_is_refused_or_the_same_command(
    command: Command, signers: dict[str, Any], keys: dict[str, Any], place: int, byte: int, *, cut: bool
) -> None:
    wire = sign_command(command, signers["one"])
    place %= len(wire)
    try:
        found = open_command(wire[:place] + (b"" if cut else bytes([byte])) + wire[place + 1 :], keys=keys)
    except CommandRejectedError:
        return
    # The byte was that byte before, or a space between two tokens.
    assert (found.command, found.key_ids) == (command, ("one",))


@pytest.mark.parametrize("missing", ["cryptography", "securesystemslib.dsse"])
def test_without_the_library_the_error_names_the_extra(
    command: Command, signers: dict[str, Any], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ControlError, match=r'pip install "twinlab-kit\[control\]"'):
        sign_command(command, signers["one"])
