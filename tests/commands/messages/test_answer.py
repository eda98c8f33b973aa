"""An answer counts if the device that it names signed it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from tests.commands.messages.conftest import NOW
from twinlab.commands.messages import Answer, Command, new_answer, open_answer, open_signed, sign_answer, sign_command
from twinlab.errors import CommandRejectedError
from twinlab.signing.envelopes import sign_payload
from twinlab.signing.keys import KeyRing

ABOUT = ("0199b1c4-0000-7000-8000-000000000000", "forklift/7", "max_speed")


def an_answer(**fields: Any) -> Answer:
    given: dict[str, Any] = {"device": "truck/1", "wire_sha256": "a" * 64, "command": ABOUT, "now": NOW}
    return new_answer("done", "read back 6 km/h", **given | fields)


@pytest.fixture
def signed_by(need: Callable[[str], object]) -> tuple[dict[str, Any], KeyRing]:
    need("securesystemslib")
    from securesystemslib.signer import CryptoSigner, SSlibKey

    ring: dict[str, Any] = {"people": {}, "devices": {}}
    signers = {}
    for name in ("Ann", "truck/1", "truck/2", "old/1"):
        made = CryptoSigner.generate_ed25519()
        public = made.public_key.keyval["public"]
        revoked = {"revoked": "2026-01-01, replaced"} if name == "old/1" else {}
        ring["people" if name == "Ann" else "devices"][name] = {"keys": [{"public": public, **revoked}]}
        from hashlib import sha256

        key_id = sha256(bytes.fromhex(public)).hexdigest()
        signers[name] = CryptoSigner(made._private_key, SSlibKey(key_id, "ed25519", "ed25519", {"public": public}))
    return signers, KeyRing.model_validate(ring)


def test_an_answer_is_opened_as_it_was_signed(signed_by: tuple[dict[str, Any], KeyRing]) -> None:
    signers, ring = signed_by
    answer = an_answer(value=(6.0, "km/h"))
    assert open_answer(sign_answer(answer, signers["truck/1"]), ring=ring) == answer
    assert (answer.command_id, answer.target, answer.parameter) == ABOUT


@pytest.mark.parametrize(
    ("name", "expected"),
    [("truck/2", "the device that signed, truck/2, got 'truck/1'"), ("Ann", "known and not revoked"), ("old/1", "known and not revoked")],
)  # fmt: skip
def test_nobody_else_can_answer(signed_by: tuple[dict[str, Any], KeyRing], name: str, expected: str) -> None:
    signers, ring = signed_by
    with pytest.raises(CommandRejectedError, match=expected):
        open_answer(sign_answer(an_answer(), signers[name]), ring=ring)


def test_a_command_is_no_answer_and_an_answer_no_command(
    command: Command, signed_by: tuple[dict[str, Any], KeyRing]
) -> None:
    signers, ring = signed_by
    with pytest.raises(CommandRejectedError, match=r"payloadType: expected .*answer\+json"):
        open_answer(sign_command(command, signers["truck/1"]), ring=ring)
    with pytest.raises(CommandRejectedError, match=r"payloadType: expected .*command\+json"):
        open_signed(sign_answer(an_answer(), signers["Ann"]), ring=ring)


def test_a_signed_answer_that_is_wrong_names_the_field(signed_by: tuple[dict[str, Any], KeyRing]) -> None:
    signers, ring = signed_by
    from twinlab.commands.messages import ANSWER_TYPE

    raw = json.dumps(an_answer().model_dump() | {"outcome": "perhaps"}).encode()
    with pytest.raises(CommandRejectedError, match=r"answer\.outcome: .* got 'perhaps'"):
        open_answer(sign_payload(raw, ANSWER_TYPE, signers["truck/1"]), ring=ring)


@pytest.mark.parametrize(
    "fields", [{"command_id": None}, {"value": 6.0}, {"unit": "km/h"}, {"command_id": None, "target": None, "parameter": None}]
)  # fmt: skip
def test_an_answer_is_about_one_thing(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="expected"):
        Answer.model_validate(an_answer().model_dump() | fields)


def test_bytes_that_are_no_command_are_refused_without_one() -> None:
    answer = new_answer("refused", "x" * 3000, device="truck/1", wire_sha256="0" * 64)
    assert (answer.command_id, answer.value, len(answer.reason)) == (None, None, 2000)
