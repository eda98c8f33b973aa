"""Two worker processes behind one port: sessions, logins, limits, and a worker that is killed."""

import asyncio
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from http.cookiejar import CookieJar
from urllib.parse import urlencode

import pytest
from bokeh.util.token import get_session_id
from prometheus_client.parser import text_string_to_metric_families
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from twinlab.apps import serve_folder
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.users import Users
from twinlab.apps.server.processes.assignment import worker_of
from twinlab.errors import SchemaError, SourceError
from twinlab.twin.health.endpoint import ask

PASSWORD = "quiet harbour seven"
#: Seconds that a busy machine may take to start a process.
PATIENCE = 120


@pytest.fixture(scope="module")
def background(folder, in_background, tmp_path_factory, need):
    need("openssl")
    own = tmp_path_factory.mktemp("served")
    users = Users(own / "users.json", cost=Cost(passes=1, memory=32))
    users.add("dora", PASSWORD, roles=["admin"])
    users.add("sara", PASSWORD, roles=["steward"])
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    make += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*make, "-keyout", "key.pem", "-out", "cert.pem"], check=True, capture_output=True, cwd=own)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = in_background(folder, users=users.path, certificate=own / "cert.pem", key=own / "key.pem", metrics=str(port))
    made.metrics_port = port
    made.all_run()
    yield made
    made.stop()


class Reader:
    """A reader with cookies; each request is a new connection."""

    def __init__(self, background):
        self.url = background.served.url
        self.jar = CookieJar()
        self.context = ssl._create_unverified_context()
        handlers = (urllib.request.HTTPSHandler(context=self.context), urllib.request.HTTPCookieProcessor(self.jar))
        self.opener = urllib.request.build_opener(*handlers)

    def get(self, path="", **headers):
        request = urllib.request.Request(self.url + path, headers={"Accept": "text/html", **headers})
        with self.opener.open(request, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def login(self, name="dora", password=PASSWORD):
        form = re.search(r'name="_xsrf" value="([^"]+)"', self.get("login"))
        body = urlencode({"name": name, "password": password, "next": "/", "_xsrf": form[1]}).encode()
        with self.opener.open(f"{self.url}login", body, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def log_out_everywhere(self):
        form = re.search(r'name="_xsrf" value="([^"]+)"', self.get("logout"))
        body = urlencode({"everywhere": "yes", "_xsrf": form[1]}).encode()
        with self.opener.open(f"{self.url}logout", body, timeout=PATIENCE) as answer:
            return answer.read().decode()

    @property
    def cookies(self):
        return "; ".join(f"{one.name}={one.value}" for one in self.jar)

    async def websocket(self, token):
        """The connection of a page, and the models of its document."""
        headers = {"Origin": self.url.rstrip("/"), "Cookie": self.cookies}
        request = HTTPRequest(f"{self.url.replace('http', 'ws', 1)}ws", headers=headers, validate_cert=False)
        socket = await websocket_connect(request, subprotocols=["bokeh", token])
        for _ in range(3):
            assert await asyncio.wait_for(socket.read_message(), PATIENCE) is not None
        for part in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
            await socket.write_message(json.dumps(part))
        told = ""
        while '"doc"' not in told:
            told = str(await asyncio.wait_for(socket.read_message(), PATIENCE))
        return socket, told


async def leave(socket):
    """Close a websocket and see it closed."""
    socket.close()
    while await asyncio.wait_for(socket.read_message(), PATIENCE) is not None:
        pass


def token_of(page):
    return re.search(r'"token":\s*"([^"]+)"', page)[1]


def roots_of(page):
    return list(json.loads(re.search(r'"roots":\s*(\{[^}]*\})', page)[1]))


def test_pages_are_spread_over_the_workers_and_each_websocket_finds_its_page(background):
    reader = Reader(background)
    reader.login()
    seen = set()

    async def visit():
        page = await asyncio.to_thread(reader.get)
        socket, told = await reader.websocket(token_of(page))
        assert all(root in told for root in roots_of(page))
        seen.add(worker_of(get_session_id(token_of(page)), 2))
        return socket

    async def visits():
        for one in [await visit() for _ in range(4)]:
            await leave(one)

    asyncio.run(visits())
    assert seen == {0, 1}


def test_who_has_not_logged_in_gets_the_login_page_from_every_worker(background):
    for _ in range(4):
        assert "Password" in Reader(background).get()
    reader = Reader(background)
    reader.login()
    for _ in range(4):
        assert "Password" not in reader.get()
    reader.get("logout", **{"Sec-Fetch-Site": "same-origin"})
    for _ in range(4):
        assert "Password" in reader.get()


def test_a_page_of_a_reader_who_logged_out_through_another_worker_closes(background):
    reader = Reader(background)
    reader.login()

    async def visit():
        page = await asyncio.to_thread(reader.get)
        socket, _ = await reader.websocket(token_of(page))
        for _ in range(2):
            await asyncio.to_thread(reader.get)
        await asyncio.to_thread(reader.get, "logout", **{"Sec-Fetch-Site": "same-origin"})
        while await asyncio.wait_for(socket.read_message(), PATIENCE) is not None:
            pass
        assert socket.close_code == 4401
        socket.close()

    asyncio.run(visit())


def test_health_and_figures_of_the_server_have_an_address_of_their_own(background):
    assert ask(background.metrics_port) == (True, "ready")
    found = {
        one.name: one for one in text_string_to_metric_families(ask(background.metrics_port, path="/metrics")[1] + "\n")
    }
    assert [one.value for one in found["twinlab_serve_ready"].samples] == [1, 1]
    assert all(one.value > 1e7 for one in found["twinlab_serve_worker_memory_bytes"].samples)
    assert "dora" not in str(found)
    # The pages' own address has neither.
    assert "Password" in Reader(background).get("metrics")


def test_a_logout_everywhere_closes_the_pages_of_all_browsers_in_all_workers(background):
    readers = [Reader(background), Reader(background)]
    for one in readers:
        one.login()

    async def visit():
        sockets, workers = [], set()
        for reader in readers * 2:
            page = await asyncio.to_thread(reader.get)
            workers.add(worker_of(get_session_id(token_of(page)), 2))
            sockets.append((await reader.websocket(token_of(page)))[0])
        assert workers == {0, 1}
        await asyncio.to_thread(readers[0].log_out_everywhere)
        for one in sockets:
            while await asyncio.wait_for(one.read_message(), PATIENCE) is not None:
                pass
            assert one.close_code == 4401
            one.close()

    asyncio.run(visit())
    for one in readers * 2:
        assert "Password" in one.get()


def test_wrong_passwords_are_counted_in_all_workers_together(background):
    codes = []
    for _ in range(6):
        with pytest.raises(urllib.error.HTTPError) as refused:
            Reader(background).login("sara", "wrong")
        codes.append(refused.value.code)
        refused.value.close()
    assert codes == [403] * 5 + [429]


def test_a_request_under_another_name_and_a_session_of_somebody_else_are_refused(background):
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError, match="421") as refused:
            Reader(background).get(Host="elsewhere.org")
        refused.value.close()


def test_a_head_without_end_is_refused(background):
    port = int(background.served.url.rsplit(":", 1)[1].strip("/"))
    context = ssl._create_unverified_context()
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as one,
    ):
        try:
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000)
            answer = one.recv(1000)
        except (ConnectionError, ssl.SSLEOFError):
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_nobody_but_the_front_reaches_a_worker(background):
    for worker in background.served._pool.workers:
        for said in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"x" * 64 + b" 127.0.0.1\n", b"y" * 1000):
            with socket.create_connection(("127.0.0.1", worker.port), timeout=PATIENCE) as direct:
                direct.sendall(said)
                with suppress(ConnectionResetError):
                    assert direct.recv(1000) == b""


def test_a_worker_that_is_killed_logs_nobody_out_and_is_started_again(background):
    reader = Reader(background)
    reader.login()

    async def visit():
        page = await asyncio.to_thread(reader.get)
        lost, _ = await reader.websocket(token_of(page))
        worker = worker_of(get_session_id(token_of(page)), 2)
        before = background.all_run()
        os.kill(before[worker], signal.SIGKILL)
        await leave(lost)
        # At once, from the other worker.
        for _ in range(3):
            again = await asyncio.to_thread(reader.get)
            assert "Password" not in again
        socket, told = await reader.websocket(token_of(again))
        assert all(root in told for root in roots_of(again))
        await leave(socket)
        after = await asyncio.to_thread(background.all_run)
        assert after[worker] != before[worker] and after[1 - worker] == before[1 - worker]
        ok, text = await asyncio.to_thread(ask, background.metrics_port, path="/metrics")
        assert ok
        assert f'twinlab_serve_restarts_total{{worker="{worker}"}} 1.0' in text

    asyncio.run(visit())
    for _ in range(4):
        assert "Password" not in reader.get()


def test_what_can_not_be_opened_is_explained(in_background, tmp_path):
    with pytest.raises(SourceError, match="twinlab create"):
        in_background(tmp_path / "nowhere")
    with pytest.raises(SchemaError, match="at least 2"):
        serve_folder(tmp_path, workers=1)
