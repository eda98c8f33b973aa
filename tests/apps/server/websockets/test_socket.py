"""Hand-made messages over a real websocket: a session does no more than its page's controls and its role allow."""

import asyncio
import base64
import contextlib
import json
import logging
import os
import queue
import struct
import threading

import panel as pn
import pytest
from tornado.websocket import WebSocketClosedError

from tests.apps.login.web import PASSWORDS, Web
from twinlab.apps import start
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.users import Users
from twinlab.apps.server.server import _close_ended
from twinlab.apps.server.websockets import handler
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

POLICY = "roles: {dispatcher: {pages: [history, now], assets: [{type: station, ids: [NORTH]}]}}"
#: What only other assets have.
HIDDEN = ("EAST", "East quay", "WEST", "West gate", "ZK 100", "cold_room", "parcel")


@pytest.fixture(scope="module")
def recorded():
    return []


@pytest.fixture(scope="module")
def served(tmp_path_factory, recorded):
    folder = tmp_path_factory.mktemp("guarded")
    users = Users(folder / "users.json", cost=Cost(passes=1, memory=32))
    users.add("dora", PASSWORDS["dora"], roles=["dispatcher"])
    twin = FakeTwin.example(days=3, trips=30)
    twin.folder = folder
    (folder / "access.yaml").write_text(POLICY, encoding="utf-8")
    served = start(twin, users=users.path, warm=False)
    served._login_service.record = recorded.append
    yield served
    served.stop()


@pytest.fixture(scope="module")
def web(served):
    return Web(served.url)


@pytest.fixture(scope="module")
def dora(web):
    return web.login("dora")


class Page:
    """A page as a program opens it: it sends what it likes."""

    def __init__(self, served, web, cookies, path="/?page=history"):
        self.served, self.web, self.cookies = served, web, cookies
        self.token = web.ask(path, cookies=cookies).token
        self.socket = None
        self.count = 0

    async def __aenter__(self):
        self.socket = await self.web.websocket(self.token, cookies=self.cookies)
        # The rest of the first message.
        await self.read(2)
        return self

    async def __aexit__(self, *_):
        if self.socket.close_code is None:
            await self.web.leave(self.socket)
        self.socket.close()

    async def read(self, count):
        return [await asyncio.wait_for(self.socket.read_message(), 30) for _ in range(count)]

    async def send(self, kind, content, **header):
        self.count += 1
        for part in ({"msgid": str(self.count), "msgtype": kind, **header}, {}, content):
            await self.socket.write_message(part if isinstance(part, str) else json.dumps(part))

    async def open_fully(self):
        """Say that the page is drawn, upon which the server builds what takes time; return all that comes."""
        values = {"type": "map", "entries": []}
        event = {"type": "event", "name": "document_ready", "values": values}
        await self.patch({"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event})
        return await self.all_text(quiet=1.5)

    async def patch(self, *events):
        await self.send("PATCH-DOC", {"events": list(events)})

    async def all_text(self, quiet=0.4):
        """All that comes until the server has handled what was sent, and nothing has come for so many seconds."""
        # Messages of a page are handled in turn: the answer to this one comes after them.
        with contextlib.suppress(WebSocketClosedError):
            await self.send("SERVER-INFO-REQ", {})
        parts, answered = [], False
        while True:
            try:
                part = await asyncio.wait_for(self.socket.read_message(), quiet if answered else 30)
            except TimeoutError:
                break
            if part is None:
                break
            parts.append(part if isinstance(part, str) else part.decode("latin-1"))
            answered = answered or "SERVER-INFO-REPLY" in parts[-1]
        return "".join(parts)

    def on_server(self, ask):
        """What a function of the session's document returns, in the server's thread."""
        done, out = threading.Event(), []

        async def run():
            try:
                [client] = self.served._server._tornado._clients
                out.append(await client.session.with_document_locked(ask, client.session.document))
            except Exception as error:  # noqa: BLE001
                out.append(error)
            done.set()

        self.served._loop.add_callback(run)
        assert done.wait(30)
        if isinstance(out[0], Exception):
            raise out[0]
        return out[0]

    def models(self, wanted):
        return self.on_server(lambda document: [m.id for m in document.models if wanted(m)])


def _part(model):
    """The model with the parameters of a component."""
    return getattr(model, "data", None) or model


def roots(document):
    return [model.id for model in document.roots]


def test_the_document_has_nothing_of_what_the_role_does_not_see(served, web, dora):
    async def look():
        async with Page(served, web, dora) as page:
            told = await page.open_fully()
            await page.send("PULL-DOC-REQ", {})
            told += await page.all_text()
            assert "North yard" in told
            return told

    told = asyncio.run(look())
    assert [word for word in HIDDEN if word in told] == []


def test_asking_for_more_than_a_control_offers_shows_nothing_more(served, web, dora):
    """Each property of each control is set to the names of what isn't seen; all that comes back is searched."""

    async def ask():
        async with Page(served, web, dora) as page:
            await page.open_fully()
            controls = page.on_server(
                lambda document: [
                    (model.id, name)
                    for model in document.models
                    if not getattr(model, "disabled", False)
                    for name in ("value", "active", "options", "items", "value_input")
                    if name in model.properties()
                ]
            )
            assert controls
            for model, name in controls[:120]:
                for value in ("EAST", ["EAST"], ["van/V1"], {"x": "EAST"}):
                    await page.patch({"kind": "ModelChanged", "model": {"id": model}, "attr": name, "new": value})
                    await asyncio.sleep(0.005)
            told = await page.all_text(quiet=1.5)
            if page.socket.close_code is None:
                await page.send("PULL-DOC-REQ", {})
                told += await page.all_text()
            return told

    told = asyncio.run(ask())
    # What the page itself was asked for may be said again; what only the twin knows must not be, nor the code of the server.
    assert "Traceback" not in told and "site-packages" not in told
    assert [word for word in HIDDEN if word in told and word != "EAST"] == []


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("PUSH-DOC", {"doc": {"roots": [], "title": "taken over", "version": "3.9.2", "defs": []}}),
        ("PATCH-DOC", {"events": [{"kind": "TitleChanged", "title": "taken over"}]}),
        ("PATCH-DOC", {"events": [{"kind": "RootRemoved", "model": {"id": "ROOT"}}]}),
        ("PATCH-DOC", {"events": [{"kind": "RootAdded", "model": {"type": "object", "name": "Div", "id": "x"}}]}),
        ("PATCH-DOC", {"events": [{"kind": "ModelChanged", "model": {"id": "ROOT"}, "attr": "tags", "new": {"type": "object", "name": "CustomJS", "id": "x", "attributes": {"code": "alert(1)"}}}]}),
        ("PATCH-DOC", {"events": [{"kind": "ModelChanged", "model": {"id": "ROOT"}, "attr": "disabled", "new": True}]}),
        ("PATCH-DOC", "[]"),
        ("PATCH-DOC", "{"),
        ("NOTHING", {}),
    ],
)  # fmt: skip
def test_a_message_that_a_page_does_not_send_changes_nothing_and_is_recorded(
    served, web, dora, recorded, kind, content
):
    async def attack():
        async with Page(served, web, dora) as page:
            before = page.on_server(lambda document: (roots(document), document.title, len(document.models)))
            text = content if isinstance(content, str) else json.dumps(content).replace("ROOT", before[0][0])
            recorded.clear()
            await page.send(kind, text)
            # The session goes on.
            assert "SERVER-INFO-REPLY" in await page.all_text()
            assert page.on_server(lambda document: (roots(document), document.title, len(document.models))) == before

    asyncio.run(attack())
    refused = [one for one in recorded if one["kind"] == "access refused"]
    assert refused and refused[0]["who"] == ["dora"] and refused[0]["what"]["question"] == "websocket"


def test_a_control_that_is_off_cannot_be_used_by_a_message(served, web, dora, recorded):
    async def press():
        async with Page(served, web, dora) as page:
            [button, *_] = page.models(lambda model: type(model).__name__ == "Button1" and not _part(model).disabled)
            heard = []

            def switch_off(document):
                model = document.models.get_by_id(button)
                _part(model).disabled = True
                model.on_event("dom_event", heard.append)

            page.on_server(switch_off)
            recorded.clear()
            values = {"type": "map", "entries": [["model", {"id": button}], ["node", "x"], ["data", {}]]}
            event = {"type": "event", "name": "dom_event", "values": values}
            await page.patch({"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event})
            data = page.on_server(lambda document: _part(document.models.get_by_id(button)).id)
            # Neither by switching it on first.
            await page.patch({"kind": "ModelChanged", "model": {"id": data}, "attr": "disabled", "new": False})
            await page.patch({"kind": "ModelChanged", "model": {"id": data}, "attr": "clicks", "new": 7})
            await page.all_text()
            assert heard == []
            assert page.on_server(lambda document: _part(document.models.get_by_id(button)).disabled)

    asyncio.run(press())
    assert len([one for one in recorded if one["kind"] == "access refused"]) == 3


def test_after_twenty_refused_messages_the_websocket_is_closed(served, web, dora):
    async def insist():
        page = Page(served, web, dora)
        async with page:
            for _ in range(30):
                await page.send("PUSH-DOC", {})
            await page.all_text()
            assert page.socket.close_code == 4400

    asyncio.run(insist())


def test_a_flood_of_messages_closes_the_websocket(served, web, dora):
    async def flood():
        async with Page(served, web, dora) as page:
            for _ in range(900):
                await page.send("SERVER-INFO-REQ", {})
            await page.all_text()
            assert page.socket.close_code == 4429

    asyncio.run(flood())


def test_a_message_after_logout_is_not_handled(served, web, monkeypatch):
    monkeypatch.setattr(handler, "_LOOK_SECONDS", 0)
    cookies = web.login("dora")

    async def late():
        async with Page(served, web, cookies) as page:
            login = served._guard.owners[page.on_server(lambda document: document.session_context.id)]
            # As another process would end it: this one isn't told.
            served._loop.add_callback(served._login_service.logins.end, login)
            # Unless the check of all pages has closed the websocket before, this asks, too.
            assert "SERVER-INFO-REPLY" not in await page.all_text()
            assert page.socket.close_code == 4401

    asyncio.run(late())


def test_a_message_that_cannot_be_applied_leaves_its_page_the_current_one_of_nobody(served, web, dora):
    """The document of a reader's page would otherwise be the current one of the process, and so of other readers' work."""

    async def fail():
        async with Page(served, web, dora) as page:
            [button, *_] = page.models(lambda model: type(model).__name__ == "Button1")
            # Bokeh accepts only a number here.
            await page.patch({"kind": "ModelChanged", "model": {"id": button}, "attr": "clicks", "new": "many"})
            assert "ERROR" in await page.all_text()

    asyncio.run(fail())
    found = queue.Queue()
    served._loop.add_callback(lambda: found.put(pn.state.curdoc))
    assert found.get(timeout=30) is None
    assert pn.state.curdoc is None


class RawPage(Page):
    """A page whose websocket doesn't answer when the server closes it, and goes on sending."""

    async def __aenter__(self):
        at = self.web.at
        self.reader, self.writer = await asyncio.open_connection(at.hostname, at.port)
        lines = [
            "GET /ws HTTP/1.1", f"Host: {at.netloc}", f"Origin: {at.scheme}://{at.netloc}", "Upgrade: websocket",
            "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            f"Sec-WebSocket-Protocol: bokeh, {self.token}",
            "Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        ]  # fmt: skip
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        assert (await self.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        # The first message has three parts.
        await self.frames(until=0x1, count=3)
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    async def frames(self, *, until, count=1):
        """Read until so many frames of a kind have come; return the last one's bytes."""
        while count:
            kind, size = await asyncio.wait_for(self.reader.readexactly(2), 30)
            if size in (126, 127):
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
            body = await self.reader.readexactly(size)
            count -= kind & 0xF == until
        return body

    def write(self, kind, body):
        size = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + struct.pack(">H", len(body))
        self.writer.write(bytes([0x80 | kind]) + size + bytes(4) + body)

    async def press(self, model, clicks):
        """Say that a button was pressed so many times; wait until the server has read it."""
        event = {"kind": "ModelChanged", "model": {"id": model}, "attr": "clicks", "new": clicks}
        for part in ({"msgid": str(clicks), "msgtype": "PATCH-DOC"}, {}, {"events": [event]}):
            self.write(0x1, json.dumps(part).encode())
        self.write(0x9, b"read?")
        await self.frames(until=0xA)


@pytest.mark.parametrize("ended_by", ["a message", "the check of all pages"])
def test_a_page_that_goes_on_sending_after_the_server_has_closed_changes_nothing(served, web, monkeypatch, ended_by):
    """Tornado reads on until the browser has answered that the websocket closes, or five seconds are over."""
    cookies = web.login("dora")

    async def insist():
        async with RawPage(served, web, cookies) as page:
            [button, *_] = page.on_server(
                lambda document: [
                    _part(model)
                    for model in document.models
                    if type(model).__name__ == "Button1" and not _part(model).disabled
                ]
            )
            monkeypatch.setattr(handler, "_LOOK_SECONDS", 0)
            await page.press(button.id, 1)
            assert button.clicks == 1
            login = served._guard.owners[page.on_server(lambda document: document.session_context.id)]
            served._loop.add_callback(served._login_service.logins.end, login)
            if ended_by == "a message":
                page.write(0x1, b"{}")
            else:
                served._loop.add_callback(_close_ended, served._server, served._guard)
            assert struct.unpack(">H", (await page.frames(until=0x8))[:2]) == (4401,)
            # The login was looked at just now.
            monkeypatch.setattr(handler, "_LOOK_SECONDS", 1e9)
            # On a busy machine, the five seconds may be over.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await page.press(button.id, 2)
                await page.press(button.id, 3)
            assert button.clicks == 1

    asyncio.run(insist())


def test_too_many_requests_of_one_login_are_refused_and_others_are_not(served, web, caplog):
    served._guard.rates.rate, served._guard.rates.burst = 1, 60
    served._guard.rates._buckets.clear()
    try:
        cookies = web.login("dora")
        with caplog.at_level(logging.ERROR):
            answers = [web.ask("/metadata", cookies=cookies) for _ in range(80)]
        assert [answer.status for answer in answers[:50]] == [200] * 50
        assert answers[-1].status == 429 and answers[-1].headers["Retry-After"] == "5"
        assert web.ask("/login").status == 200
    finally:
        served._guard.rates.rate, served._guard.rates.burst = 50, 400
        served._guard.rates._buckets.clear()
