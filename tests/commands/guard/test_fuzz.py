"""Bytes of any kind: no error, no change, and accepted only if they are a message that was signed, spelled otherwise."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands.guard.site import Site, payload_of, signed_bytes

#: Parts of which other bytes are made.
TOKENS = (
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\u0000", b"\\ud800", b"\xff", b"\x00", b"NaN", b"1e999", b"-0", b"null", b"true", b"1" * 30, b'"payload"',
    b'"signatures"', b'"keyid"', b'"sig"', b'"operation":"stop"', b'"value":0', b'"value":12.0', b'"counter":9007199254740993', b"\xef\xbb\xbf", b" ", b"\n", b"/", b"e30=",
    b'"id":"01a22b79-8bef-72c8-8605-d458ee2bc215"', "é".encode(), b"[" * 50, b'{"a":' * 20,
)  # fmt: skip


def edited(raw: bytes, chance: random.Random) -> bytes:
    """Return bytes with one to three edits: a byte, a token, a cut, a repeat, two parts exchanged."""
    found = bytearray(raw)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(found) + 1)
        kind = chance.randrange(6)
        if kind == 0 and place < len(found):
            found[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            found[place:place] = chance.choice(TOKENS)
        elif kind == 2:
            del found[place : place + chance.randrange(1, 40)]
        elif kind == 3:
            found[place:place] = found[place : place + chance.randrange(1, 200)]
        elif kind == 4:
            found[place : place + chance.randrange(1, 12)] = chance.choice(TOKENS)
        else:
            found = found[place:] + found[:place]
    return bytes(found)


def value(chance: random.Random, depth: int = 0) -> Any:
    """Return any JSON value."""
    kind = chance.randrange(9 if depth < 3 else 6)
    if kind < 6:
        return chance.choice(
            [
                None,
                True,
                False,
                0,
                -1,
                2**53,
                10**18,
                1.5,
                -0.0,
                "",
                "6",
                "x" * 300,
                "\ud800",
                "forklift/7",
                "stop",
                "2026-03-01T12:00:00.000Z",
            ]
        )
    if kind == 6:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {
        chance.choice(["value", "payload", "id", "a", ""]): value(chance, depth + 1) for _ in range(chance.randrange(4))
    }


def messages(site: Site, seed: int, count: int) -> Iterator[bytes]:
    """Return messages: edited envelopes; edited payloads and fields that are signed well; noise."""
    chance = random.Random(seed)
    stop, both = site.stop_wire(signer="vic"), (site.signers["ann"], site.signers["bob"])
    # Nobody selects as those who sign this operate.
    operate = site.wire(operation="operate", signers=("bob", "cid"))
    good = [site.wire(), operate, site.wire(signers=("ann",)), stop]
    fields = json.loads(payload_of(good[0]))
    for _ in range(count):
        kind = chance.randrange(20)
        if kind < 15:
            yield edited(chance.choice(good), chance)
        elif kind < 17:
            yield chance.randbytes(chance.randrange(600))
        elif kind == 17:
            yield json.dumps({name: value(chance) for name in ("payload", "payloadType", "signatures")}).encode()
        elif kind == 18:
            # Signed by who may: whatever is in it, it must be a command to be one.
            yield signed_bytes(edited(payload_of(good[0]), chance), *both)
        else:
            yield signed_bytes(json.dumps(fields | {chance.choice(list(fields)): value(chance)}).encode(), *both)


def fuzz(site: Site, seed: int, count: int) -> int:
    """Submit messages; return how many were accepted as the select that they are."""
    site.record = lambda entry: None
    accepted = 0
    for wire in messages(site, seed, count):
        answer = site.guard.submit(wire)
        if answer.outcome == "selected":
            # Only what somebody signed: another spelling of the envelope, or another text in a field that may have it.
            accepted += 1
            assert answer.command_id is not None
        else:
            assert answer.outcome == "refused", wire
            assert 0 < len(answer.reason) <= 2000
    assert (site.forklift.changes, site.forklift.safe) == ([], [])
    return accepted


@pytest.mark.parametrize("seed", [1, 2])
def test_any_bytes_are_answered_and_change_nothing(site: Site, seed: int) -> None:
    assert fuzz(site, seed, 2_000) < 100


@pytest.mark.soak
def test_a_million_messages_are_answered_and_change_nothing(tmp_path: Path, need: Callable[[str], object]) -> None:
    need("securesystemslib")
    for seed in range(10):
        folder = tmp_path / str(seed)
        folder.mkdir()
        site = Site(folder)
        fuzz(site, 1000 + seed, 100_000)
        site.guard._here.ledger.close()
