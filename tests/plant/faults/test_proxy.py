"""Connections through the proxy: forwarded, or failing as asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from twinlab.plant.faults.proxy import FaultProxy

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def through(work: Callable[[FaultProxy, Callable[[], Awaitable[Streams]]], Awaitable[None]]) -> None:
    """Do some work with a proxy before a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        proxy = FaultProxy(server.sockets[0].getsockname()[1], seed="1")
        await proxy.start()
        writers: list[asyncio.StreamWriter] = []

        async def connect() -> Streams:
            streams = await asyncio.open_connection("127.0.0.1", proxy.port)
            writers.append(streams[1])
            return streams

        try:
            await asyncio.wait_for(work(proxy, connect), 20)
        finally:
            for writer in writers:
                writer.transport.abort()
            await proxy.stop()
            server.close()

    asyncio.run(run())


async def say(streams: Streams, data: bytes, count: int | None = None) -> bytes:
    streams[1].write(data)
    return await asyncio.wait_for(streams[0].readexactly(len(data) if count is None else count), 5)


def test_without_faults_everything_is_forwarded() -> None:
    async def work(_proxy: FaultProxy, connect: Callable[[], Awaitable[Streams]]) -> None:
        first, second = await connect(), await connect()
        big = bytes(range(256)) * 4000
        assert await say(first, big) == big
        assert await say(second, b"two") == b"two"

    through(work)


def test_a_reset_ends_connections_and_new_ones_work() -> None:
    async def work(proxy: FaultProxy, connect: Callable[[], Awaitable[Streams]]) -> None:
        streams = await connect()
        assert await say(streams, b"a") == b"a"
        proxy.begin("reset")
        with pytest.raises(ConnectionResetError):
            await streams[0].readexactly(1)
        assert await say(await connect(), b"b") == b"b"

    through(work)


def test_a_link_that_is_down_refuses_until_it_is_up() -> None:
    async def work(proxy: FaultProxy, connect: Callable[[], Awaitable[Streams]]) -> None:
        streams = await connect()
        assert await say(streams, b"a") == b"a"
        proxy.begin("link_down")
        for one in (streams, await connect()):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await say(one, b"b")
        proxy.end("link_down")
        assert await say(await connect(), b"c") == b"c"

    through(work)


def test_a_half_open_link_is_silent_and_then_sends_what_was_kept() -> None:
    async def work(proxy: FaultProxy, connect: Callable[[], Awaitable[Streams]]) -> None:
        streams = await connect()
        assert await say(streams, b"a") == b"a"
        proxy.begin("half_open")
        streams[1].write(b"b")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(streams[0].readexactly(1), 0.2)
        proxy.end("half_open")
        assert await asyncio.wait_for(streams[0].readexactly(1), 5) == b"b"

    through(work)


def test_data_are_late_lost_or_doubled() -> None:
    async def work(proxy: FaultProxy, connect: Callable[[], Awaitable[Streams]]) -> None:
        streams = await connect()
        proxy.begin("delay", 0.1)
        begin = time.monotonic()
        assert await say(streams, b"a") == b"a"
        assert time.monotonic() - begin >= 0.2
        proxy.end("delay")
        proxy.begin("duplicate", 1.0)
        # Doubled on the way there and on the way back.
        assert await say(streams, b"b", 4) == b"bbbb"
        proxy.end("duplicate")
        proxy.begin("drop", 1.0)
        streams[1].write(b"c")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(streams[0].readexactly(1), 0.2)
        proxy.end("drop")
        assert await say(streams, b"d") == b"d"

    through(work)


def test_a_server_that_is_gone_ends_the_connection() -> None:
    async def run() -> None:
        proxy = FaultProxy(9)
        await proxy.start()
        streams = await asyncio.open_connection("127.0.0.1", proxy.port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await say(streams, b"a")
        streams[1].transport.abort()
        await proxy.stop()

    asyncio.run(run())
