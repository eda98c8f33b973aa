"""An OPC UA queue of 50 values that 20,000 run through: the source against a plain subscription of asyncua.

Run: python -m pytest tests/benchmarks/test_field_bench.py -m benchmark -s -n0
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tests.field_peers import OpcuaPeer
from twinlab.sources.live import LIVE_KINDS, LiveContext

pytestmark = pytest.mark.benchmark
VALUES, QUEUE, BURST = 20_000, 50, 2_000


@pytest.fixture
def peer(tmp_path: Path) -> Any:
    found = OpcuaPeer(tmp_path, max_queue=QUEUE)
    yield found
    found.close()


async def bursts(peer: OpcuaPeer) -> None:
    for start in range(1, VALUES + 1, BURST):
        await asyncio.to_thread(peer.write, "count", [float(n) for n in range(start, start + BURST)])
        await asyncio.sleep(0.2)


async def plain(peer: OpcuaPeer) -> set[float]:
    """Return what asyncua's own subscription receives."""
    from asyncua import Client
    from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

    got: set[float] = set()

    class Handler:
        def datachange_notification(self, node: Any, value: float, data: Any) -> None:
            got.add(value)

    client = Client(peer.url)
    client.application_uri = "urn:twinlab:client"
    folder = peer.folder
    await client.set_security(
        SecurityPolicyBasic256Sha256,
        folder / "client.der",
        folder / "client.pem",
        server_certificate=str(folder / "server.der"),
    )
    async with client:
        space = await client.get_namespace_index("urn:twinlab:test")
        subscription = await client.create_subscription(100, Handler())
        await subscription.subscribe_data_change(client.get_node(f"ns={space};s=Count"), queuesize=QUEUE)
        await asyncio.sleep(0.5)
        await bursts(peer)
        await asyncio.sleep(1.0)
    return got


async def ours(peer: OpcuaPeer) -> set[float]:
    """Return what the source yields."""
    kind = LIVE_KINDS.get("opcua")
    options = {
        "url": peer.url, "nodes": {"count": peer.nodes["count"]}, "certificate": "client.der", "private_key": "client.pem",
        "server_certificate": "server.der", "publish_every": "100ms",
    }  # fmt: skip
    source = kind.open(kind.parse(options), LiveContext("warehouse", peer.folder))
    got: set[float] = set()
    writing: Any = None
    async with asyncio.timeout(120), aclosing(source.batches()) as batches:
        async for batch in batches:
            writing = writing or asyncio.ensure_future(bursts(peer))
            got |= {value for part in batch.parts for value in part.column("value").to_pylist()}
            assert not batch.gaps
            if float(VALUES) in got:
                break
    await writing
    return got


def test_every_value_comes_through_a_queue_that_overflows(peer: OpcuaPeer) -> None:
    wanted = {float(n) for n in range(1, VALUES + 1)}
    for name, read, all_come in (("the source", ours, True), ("asyncua's subscription", plain, False)):
        began = time.process_time()
        got = asyncio.run(read(peer)) & wanted
        seconds = time.process_time() - began
        sys.stdout.write(f"{name}: {len(got):,} of {VALUES:,} values, {seconds:.1f} s CPU, the server's included\n")
        assert (got == wanted) is all_come
