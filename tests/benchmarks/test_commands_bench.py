"""Commands a second that are signed and verified, beside plain Ed25519; what the guard's checks and its disk add; how soon a stop acts.

Run with ``pytest -m benchmark -n0 -s tests/benchmarks/test_commands_bench.py``; the folder of the temporary files must be on a disk.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.guard.site import NOW, Site
from twinlab.commands.messages import check_signers, new_command, open_signed, sign_command
from twinlab.signing.keys import KeyRingFile

pytestmark = pytest.mark.benchmark


def cpu(work: Callable[[int], object], count: int, turns: int = 5) -> float:
    """Return seconds of CPU for one, best of some turns."""
    best = float("inf")
    for _ in range(turns):
        began = time.process_time()
        for number in range(count):
            work(number)
        best = min(best, (time.process_time() - began) / count)
    return best


def wall(work: Callable[[int], object], count: int) -> float:
    """Return the median of the seconds of one."""
    seconds = []
    for number in range(count):
        began = time.perf_counter()
        work(number)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def report(text: str) -> None:
    """Show figures."""
    sys.stdout.write(f"{text}\n")


def encoded(payload: bytes) -> bytes:
    """What DSSE signs, written out here."""
    return b"DSSEv1 36 application/vnd.twinlab.command+json %d %b" % (len(payload), payload)


def test_signing_and_verifying(tmp_path: Path) -> None:
    """The same commands: ours, with strict reading and persons; plain cryptography signs and verifies the same bytes."""
    count = 1000
    site = Site(tmp_path)
    signer, ring = site.signers["ann"], KeyRingFile(site.keys).read()

    def made(number: int) -> object:
        return new_command(
            "forklift/7", "max_speed", 6, "km/h", twin="parcel", operation="select", counter=number + 1, expected_state="a" * 64,
            reason="people near the dock", now=NOW,
        )  # fmt: skip

    commands = [made(number) for number in range(count)]
    wires = [sign_command(command, signer) for command in commands]
    payloads = [base64.b64decode(json.loads(wire)["payload"]) for wire in wires]
    private = signer._private_key
    public = private.public_key()
    signatures = [private.sign(encoded(payload)) for payload in payloads]
    # Ed25519 is deterministic: both have made the same signatures of the same bytes.
    sums = [
        hashlib.sha256(b"".join(parts)).hexdigest()[:12]
        for parts in (signatures, [base64.b64decode(json.loads(wire)["signatures"][0]["sig"]) for wire in wires])
    ]
    assert sums[0] == sums[1]

    def check(number: int) -> None:
        signed = open_signed(wires[number], ring=ring)
        assert check_signers(signed, ring=ring, roles=["operator"], people=1) == ("Ann",)

    make = cpu(made, count)
    sign, verify = cpu(lambda number: sign_command(commands[number], signer), count), cpu(check, count)
    plain_sign = cpu(lambda number: private.sign(encoded(payloads[number])), count)
    plain_verify = cpu(lambda number: public.verify(signatures[number], encoded(payloads[number])), count)
    report(f"\nµs of CPU a command: made {make * 1e6:.0f}, signed {sign * 1e6:.0f}, verified, read and checked {verify * 1e6:.0f}; plain Ed25519: signed {plain_sign * 1e6:.0f}, "
          f"verified {plain_verify * 1e6:.0f}; signatures equal {sums[0]}\ncommands/s a core, signed and verified: {1 / (sign + verify):,.0f}, plain {1 / (plain_sign + plain_verify):,.0f}: "
          f"{(plain_sign + plain_verify) / (sign + verify):.2f} x")  # fmt: skip


def test_a_whole_command_and_its_disk(tmp_path: Path) -> None:
    """A select through all checks and the ledger; the same with a ledger that doesn't sync; the sync alone."""
    count = 300
    figures = {}
    for name in ("synced", "not synced"):
        folder = tmp_path / name
        folder.mkdir()
        site = Site(folder)
        if name == "not synced":
            site.guard._here.ledger._file.execute("pragma synchronous=off")
        wires = [site.wire() for _ in range(2 * count)]
        began = time.process_time()
        seconds = wall(lambda number, site=site, wires=wires: site.guard.submit(wires[number]), count)
        figures[name] = (seconds * 1e3, (time.process_time() - began) / count * 1e3)
        assert site.guard.submit(wires[count]).outcome == "selected"
    descriptor = os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def synced(_: int) -> None:
        os.write(descriptor, b"x" * 300)
        os.fsync(descriptor)

    sync = wall(synced, count)
    os.close(descriptor)
    report(f"\na select with two signatures, median ms (CPU): {figures['synced'][0]:.2f} ({figures['synced'][1]:.2f}) with a synced ledger, {figures['not synced'][0]:.2f} "
          f"({figures['not synced'][1]:.2f}) without the sync; 300 bytes appended and synced {sync * 1e3:.2f}")  # fmt: skip


def test_an_emergency_stop(tmp_path: Path) -> None:
    """From the bytes to the asset, and to the answer; with the ledger and a flood that fills the rate."""
    site = Site(tmp_path)
    acted: list[float] = []
    inner = site.forklift.fail_safe

    def fail_safe(*given: object) -> bool:
        acted.append(time.perf_counter())
        return inner(*given)  # type: ignore[arg-type]

    site.forklift.fail_safe = fail_safe  # type: ignore[method-assign]
    site.set()
    to_asset, to_answer = [], []
    for _ in range(200):
        for _ in range(5):
            site.guard.submit(b"x")
        wire = site.stop_wire()
        began = time.perf_counter()
        assert site.guard.submit(wire).outcome == "done"
        to_answer.append(time.perf_counter() - began)
        to_asset.append(acted[-1] - began)
    report(f"\nemergency stop, ms: to the asset median {statistics.median(to_asset) * 1e3:.2f}, most {max(to_asset) * 1e3:.2f}; "
          f"to the answer {statistics.median(to_answer) * 1e3:.2f}, most {max(to_answer) * 1e3:.2f}")  # fmt: skip
