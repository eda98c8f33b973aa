"""Any request and any message over a socket: no crash, no status of 500 and more, no change of state. More with ``-m soak``."""

import asyncio
import contextlib
import hashlib
import os
import random
import socket
import threading
from pathlib import Path

import pytest
from bokeh.util.token import get_session_id
from tornado.websocket import WebSocketClosedError

from tests.apps.login.web import PASSWORDS, Web
from tests.apps.server.random_messages import fixed_of, named_in, random_message
from tests.apps.server.random_requests import request_bytes
from twinlab.apps import start
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.users import Users
from twinlab.apps.server.websockets import handler
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

REQUESTS, MESSAGES = 1_500, 1_500
#: With `-m soak`; a million are checked in this process, see `test_fuzz_requests` and `websockets/test_fuzz_messages`.
SOAK_REQUESTS = int(os.environ.get("TWINLAB_FUZZ_REQUESTS", "20000"))
SOAK_MESSAGES = int(os.environ.get("TWINLAB_FUZZ_MESSAGES", "20000"))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzzed")
    users = Users(folder / "users.json", cost=Cost(passes=1, memory=32))
    users.add("dora", PASSWORDS["dora"], roles=["dispatcher"])
    twin = FakeTwin.example(days=2, trips=10)
    twin.folder = folder
    (folder / "access.yaml").write_text("roles: {dispatcher: {pages: [history, now]}}", encoding="utf-8")
    served = start(twin, users=users.path, warm=False)
    served.folder = folder
    # The limits are tested elsewhere; here they would answer for everything else.
    served._guard.rates.rate = served._guard.rates.burst = 1e9
    yield served
    served.stop()


@pytest.fixture(scope="module")
def web(served):
    return Web(served.url)


@pytest.fixture(scope="module")
def dora(web):
    return web.login("dora")


def state(served):
    """Hash of what must not change: files beside the twin, logins, notes."""
    digest = hashlib.sha256()
    for path in sorted(Path(served.folder).rglob("*")):
        if path.is_file() and path.suffix in (".json", ".yaml") and ".d" not in path.parent.suffix:
            digest.update(path.name.encode() + path.read_bytes())
    digest.update(str(len(served._login_service.logins)).encode())
    return digest.hexdigest()


# -- requests ---------------------------------------------------------------------------------------------------------


def answer_to(web, raw):
    """The first status that a request gets; None if the server closes without an answer, as it may for what is no request."""
    with socket.create_connection((web.at.hostname, web.at.port), timeout=30) as connection:
        connection.sendall(raw)
        # A request may lack its end: nothing more comes.
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while b"\r\n" not in answer:
                part = connection.recv(4096)
                if not part:
                    break
                answer += part
        except ConnectionError:
            return None
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


def fuzz_requests(served, web, dora, count, seed):
    before, statuses = state(served), {}
    done = []

    def work(part):
        rng = random.Random(seed * 1000 + part)
        for _ in range(count // 4):
            raw = request_bytes(rng, web.at.netloc, dora)
            status = answer_to(web, raw)
            statuses[status] = statuses.get(status, 0) + 1
            if status is not None and status >= 500:
                done.append((status, raw))
                return

    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    # 501 and 505 would be right answers to some; Tornado has none. 405 is the answer to other methods.
    assert done == []
    assert web.ask("/login").status == 200
    # A logout that this browser was made to ask for needs its own token: the login lasts, and nothing else has changed.
    assert state(served) == before
    assert web.ask("/metadata", cookies=dora).status == 200
    return statuses


def test_requests_of_any_form_get_an_answer_and_change_nothing(served, web, dora):
    statuses = fuzz_requests(served, web, dora, REQUESTS, seed=1)
    assert {200, 400, 403} <= statuses.keys()


@pytest.mark.soak
def test_many_requests_of_any_form(served, web, dora):
    statuses = fuzz_requests(served, web, dora, SOAK_REQUESTS, seed=2)
    assert {200, 400, 403} <= statuses.keys()


# -- messages ---------------------------------------------------------------------------------------------------------


async def fuzz_messages(served, web, dora, count, seed):
    rng = random.Random(seed)
    sent = 0
    while sent < count:
        token = (await asyncio.to_thread(web.ask, f"/?page={rng.choice(['history', 'now'])}", cookies=dora)).token
        connection = await web.websocket(token, cookies=dora)
        ids, attrs = await on_server(served, token, named_in)
        fixed = await on_server(served, token, fixed_of)
        reader = asyncio.create_task(_drain(connection))
        with contextlib.suppress(WebSocketClosedError):
            for _ in range(min(400, count - sent)):
                for part in random_message(rng, ids, attrs):
                    await connection.write_message(part, binary=isinstance(part, bytes))
                sent += 1
                if sent % 20 == 0:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
        if connection.close_code is None:
            assert await on_server(served, token, fixed_of) == fixed
        connection.close()
        await reader


async def _drain(connection):
    while True:
        part = await connection.read_message()
        if part is None:
            return
        assert b"Traceback" not in (part.encode() if isinstance(part, str) else part)


async def on_server(served, token, ask):
    """What a function of the document of one session returns, in the server's thread."""
    session_id = get_session_id(token)
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    async def run():
        try:
            [session] = {one.session for one in served._server._tornado._clients if one.session.id == session_id}
            found = await session.with_document_locked(ask, session.document)
            loop.call_soon_threadsafe(done.set_result, found)
        except Exception as error:  # noqa: BLE001
            loop.call_soon_threadsafe(done.set_exception, error)

    served._loop.add_callback(run)
    return await asyncio.wait_for(done, 60)


def run_messages(served, web, dora, monkeypatch, count, seed):
    """Send messages; return how many the server has passed on, and refused."""
    # The limits are tested elsewhere; here they would close the websocket before a message is read.
    monkeypatch.setattr(handler, "_MOST_REFUSED", 10**9)
    for name in ("_RATE", "_BURST", "_BYTES_RATE", "_BYTES_BURST"):
        monkeypatch.setattr(handler, name, 1e12)
    done = {"_pass_on": 0, "_refuse": 0}

    def counted(name):
        function = getattr(handler._GuardedSocket, name)

        def run(*arguments):
            done[name] += 1
            return function(*arguments)

        monkeypatch.setattr(handler._GuardedSocket, name, run)

    for name in done:
        counted(name)
    before = state(served)
    asyncio.run(fuzz_messages(served, web, dora, count, seed))
    assert state(served) == before
    assert web.ask("/metadata", cookies=dora).status == 200
    return done["_pass_on"], done["_refuse"]


def test_messages_of_any_form_change_nothing_but_their_own_page(served, web, dora, monkeypatch):
    handled, refused = run_messages(served, web, dora, monkeypatch, MESSAGES, seed=1)
    assert handled > MESSAGES / 20 and refused > MESSAGES / 20


@pytest.mark.soak
def test_many_messages_of_any_form(served, web, dora, monkeypatch):
    handled, refused = run_messages(served, web, dora, monkeypatch, SOAK_MESSAGES, seed=2)
    assert handled > SOAK_MESSAGES / 20 and refused > SOAK_MESSAGES / 20
