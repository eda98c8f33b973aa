"""Ingest of signed messages beside unsigned ones: messages of a gateway through guard and acceptance into the ledger, synced.

The same rows both ways, alternately, in one process; the checksum of what the ledger has must be the same. TWINLAB_BENCH_ROUNDS (7)
rounds, of which the fastest counts, since other work on the machine only slows down. Messages have 1,000 rows, as a gateway that sends
50,000 points a second or a backlog has them, and 100 rows.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from twinlab.edge.handshake import Birth
from twinlab.edge.messages import pack, pack_readings
from twinlab.edge.readings import Reading, Readings
from twinlab.edge.signatures.signed_bytes import NOTHING, digest_of, sign_message
from twinlab.ledger import Ledger
from twinlab.model.load import parse_mapping
from twinlab.signing.keys.private_keys import public_text
from twinlab.sources.live import LiveBatch
from twinlab.sources.live.acceptance import offsets_of
from twinlab.sources.live.gateway_rows import observations
from twinlab.sources.live.mqtt.inbox import Inbox
from twinlab.sources.live.mqtt.options import MqttOptions
from twinlab.twin.live.appender import LiveAppender

ROUNDS = int(os.environ.get("TWINLAB_BENCH_ROUNDS", "7"))
ROWS = 200_000
TAGS = 100
MAPPING = "source: trucks\nstream: {tags: {'/^(?P<id>[^/]+)[/]t(?P<n>[0-9]+)$/': {signal: temperature, asset: 'truck/{id}-{n}', unit: degC}}}\n"


def messages(rows: int) -> list[bytes]:
    """Return messages with 200,000 rows of 100 tags, not signed."""
    random = np.random.default_rng(1)
    values = random.normal(4, 1, ROWS).round(2).tolist()
    out = []
    for first in range(1, ROWS + 1, rows):
        readings = [Reading(f"t{n % TAGS}", 10**18 + n * 10**7, values[n - 1]) for n in range(first, first + rows)]
        out.append(pack(7, pack_readings(first, Readings.of(readings)), 10**18))
    return out


def ingest(folder: Path, payloads: list[bytes], birth: bytes, keys: str | None) -> tuple[float, float, float]:
    """Take all messages, twenty at a time, and store them durably; return wall and CPU seconds, and a checksum of the ledger."""
    folder.mkdir()
    ledger = Ledger(folder / "ledger")
    appender = LiveAppender(ledger, parse_mapping(MAPPING), folder / "live")
    options = MqttOptions(host="127.0.0.1", keys=keys, queue_rows=10**6)
    inbox = Inbox("trucks", folder, options, {}, answer=lambda *_: None, arrived=lambda: None)
    inbox.note("birth", "truck-1", birth, retained=False)
    began, used = time.perf_counter(), time.process_time()
    for low in range(0, len(payloads), 20):
        for payload in payloads[low : low + 20]:
            inbox.note("rows", "truck-1", payload, retained=False)
        parts, received = inbox.take()
        found = observations(parts)
        assert found is not None
        appender.append([LiveBatch((found,), offsets=offsets_of(parts), received_ns=received)])
        inbox.commit(parts)
    wall, cpu = time.perf_counter() - began, time.process_time() - used
    appender.close()
    total = 0.0
    for frame in ledger.reader("trucks").frames():
        batch = frame.batch(columns=("value", "sequence"))
        value, sequence = (batch.column(name).to_numpy(zero_copy_only=False) for name in ("value", "sequence"))
        total += float((value * sequence).sum())
    return wall, cpu, round(total, 3)


@pytest.mark.benchmark
@pytest.mark.parametrize("rows", [1_000, 100])
def test_signed_rows_beside_unsigned_ones(rows: int, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    (tmp_path / "keys.yaml").write_text(
        yaml.safe_dump({"people": {}, "devices": {"truck-1": {"keys": [{"public": public_text(key)}]}}})
    )
    plain = messages(rows)
    began = time.perf_counter()
    signed, before = [], NOTHING
    for one in plain:
        signed.append(sign_message(one, kind="rows", gateway="truck-1", key=key, before=before))
        before = digest_of(signed[-1], kind="rows", gateway="truck-1")
    signing = (time.perf_counter() - began) / len(plain)
    birth = Birth(7, 1, 0, 0, {}).to_json()
    births = {"unsigned": birth, "signed": sign_message(birth, kind="birth", gateway="truck-1", key=key)}
    found: dict[str, list[tuple[float, float, float]]] = {"unsigned": [], "signed": []}
    for turn in range(ROUNDS):
        for way, payloads in (("unsigned", plain), ("signed", signed)):
            keys = str(tmp_path / "keys.yaml") if way == "signed" else None
            found[way].append(ingest(tmp_path / f"{way}-{turn}", payloads, births[way], keys))
    sums = {one[2] for results in found.values() for one in results}
    assert len(sums) == 1
    wall = {way: ROWS / min(one[0] for one in results) for way, results in found.items()}
    cpu = {way: ROWS / min(one[1] for one in results) for way, results in found.items()}
    sys.stdout.write(
        f"\nmessages of {rows:,} rows: {wall['unsigned']:,.0f} rows/s unsigned, {wall['signed']:,.0f} signed, ratio {wall['signed'] / wall['unsigned']:.3f}; "
        f"by CPU {cpu['unsigned']:,.0f} and {cpu['signed']:,.0f}, ratio {cpu['signed'] / cpu['unsigned']:.3f}; signing {signing * 1e6:.0f} us a message; "
        f"checksum {sums.pop()}\n"
    )
