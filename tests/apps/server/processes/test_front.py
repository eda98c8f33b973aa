"""The front, with workers that are small servers in this process: what is passed, to whom, and what is cut off."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from twinlab.apps.server.processes import front as front_module
from twinlab.apps.server.processes.front import Front
from twinlab.apps.server.processes.pool import Worker

HEAD = b"GET /static/x HTTP/1.1\r\nHost: localhost\r\n\r\n"
SECRET = "s" * 64


@asynccontextmanager
async def served(*answers):
    """A front with one worker per answer (None: it has ended); each answers each connection once, and notes what came."""
    heard, servers, workers = [[] for _ in answers], [], []

    def worker(number, answer):
        async def handle(reader, writer):
            heard[number].append((await reader.readline(), await reader.readuntil(b"\r\n\r\n")))
            writer.write(answer)
            await writer.drain()
            writer.close()

        return handle

    for number, answer in enumerate(answers):
        server = await asyncio.start_server(worker(number, answer), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        if answer is None:
            server.close()
        else:
            servers.append(server)
        workers.append(Worker(number, port=port))
    front = Front(SimpleNamespace(workers=workers), SECRET)
    door = await asyncio.get_running_loop().create_server(front.protocol, "127.0.0.1", 0)
    try:
        yield SimpleNamespace(heard=heard, workers=workers, front=front, port=door.sockets[0].getsockname()[1])
    finally:
        front.close()
        for server in (door, *servers):
            server.close()


async def ask(at, *parts):
    reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.01)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


def test_bytes_reach_a_worker_and_come_back_with_the_readers_address_before_them():
    big = b"HTTP/1.1 200 OK\r\n\r\n" + bytes(3_000_000)

    async def run():
        async with served(big) as at:
            assert await ask(at, HEAD) == big
            assert at.heard[0] == [(f"{SECRET} 127.0.0.1\n".encode(), HEAD)]
            await asyncio.sleep(0.05)
            assert (at.workers[0].connections, at.workers[0].served) == (0, 1)

    asyncio.run(run())


def test_a_head_may_come_in_pieces():
    async def run():
        async with served(b"done") as at:
            assert await ask(at, HEAD[:10], HEAD[10:-3], HEAD[-3:-1], HEAD[-1:]) == b"done"

    asyncio.run(run())


def test_connections_are_spread_over_the_workers():
    async def run():
        async with served(b"a", b"b") as at:
            assert sorted([await ask(at, HEAD) for _ in range(4)]) == [b"a", b"a", b"b", b"b"]

    asyncio.run(run())


def test_a_worker_that_has_just_ended_is_passed_over():
    async def run():
        async with served(None, b"b") as at:
            assert [await ask(at, HEAD) for _ in range(3)] == [b"b"] * 3

    asyncio.run(run())


def test_a_worker_that_ends_before_it_answers_is_passed_over_unless_the_request_changes_something():
    async def run():
        async with served(b"", b"b") as at:
            assert [await ask(at, HEAD) for _ in range(3)] == [b"b"] * 3
            post = b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
            assert sorted([await ask(at, post) for _ in range(2)]) == [b"", b"b"]
            assert [worker.connections for worker in at.workers] == [0, 0]

    asyncio.run(run())


def test_without_a_worker_the_answer_says_so_and_loads_again():
    async def run():
        async with served(None) as at:
            answer = (await ask(at, HEAD)).decode()
            assert answer.startswith("HTTP/1.1 503 ")
            assert "Retry-After: 2" in answer and "http-equiv=refresh" in answer

    asyncio.run(run())


def test_a_session_is_never_passed_to_another_worker():
    async def run():
        async with served(None, b"b") as at:
            sessions = {}
            for text in map(str, range(50)):
                asked = front_module.assignment_of(f"GET / HTTP/1.1\r\nHost: a\r\nBokeh-Session-Id: {text}".encode(), 2)
                sessions[asked.worker] = text
            for worker, starts in [(0, b"HTTP/1.1 503"), (1, b"b")]:
                request = f"GET / HTTP/1.1\r\nHost: a\r\nBokeh-Session-Id: {sessions[worker]}\r\n\r\n".encode()
                assert (await ask(at, request)).startswith(starts)

    asyncio.run(run())


def test_who_sends_no_request_is_cut_off(monkeypatch):
    monkeypatch.setattr(front_module, "_HEAD_SECONDS", 0.1)

    async def run():
        async with served(b"a") as at:
            with pytest.raises((ConnectionError, AssertionError)):
                assert await ask(at, b"GET / HT") != b""
            assert at.heard == [[]]

    asyncio.run(run())
