"""A reader of a served page without a browser: it speaks Bokeh's protocol, so that ten of them leave the server its cores."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

#: An action is over when the server has said nothing for so long, and is free.
SETTLED = 0.7
#: What the page says by itself every few seconds.
_BY_ITSELF = ("data to ", "ended ", "no data yet")


@dataclass
class Model:
    """A model of the page as far as it was told: its type and what it holds."""

    id: str
    name: str
    attributes: dict[str, Any]


@dataclass
class LightReader:
    """One session: what a browser is told, and what it would send.

    Parameters
    ----------
    url : str
        The page's address, with its query.
    """

    url: str
    models: dict[str, Model] = field(default_factory=dict)
    received: int = 0
    #: When the last word came that an action may have caused.
    heard: float = 0.0
    #: A question of ours that belongs to no action.
    _aside: str = ""
    _socket: WebSocketClientConnection | None = None
    _answers: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    _ready: asyncio.Event = field(default_factory=asyncio.Event)
    _listening: asyncio.Task[None] | None = None

    async def open(self) -> float:
        """Open the page as a browser does; return the seconds until it stood."""
        began = time.perf_counter()
        page = await AsyncHTTPClient().fetch(self.url, request_timeout=60)
        html = page.body.decode()
        self.received += len(page.body)
        found = re.search(r'"token":\s*"([^"]+)"', html)
        assert found is not None, "the page holds no token"
        base, _, query = self.url.partition("?")
        headers = {"Origin": base.rstrip("/"), "Sec-WebSocket-Protocol": f"bokeh, {found[1]}"}
        request = HTTPRequest(f"{base.replace('http', 'ws', 1).rstrip('/')}/ws?{query}", headers=headers)
        self._socket = await websocket_connect(request, subprotocols=["bokeh", found[1]], max_message_size=2**28)
        self._listening = asyncio.create_task(self._listen())
        # The server isn't ready for anything before it says so.
        await asyncio.wait_for(self._ready.wait(), timeout=60)
        answer = await self._ask("PULL-DOC-REQ", {})
        self._learn(answer)
        # What a browser says of itself, and that the page stands: some of it is read only then.
        told = {"dark_mode": False, "device_pixel_ratio": 1, "language": "en-US", "timezone": "UTC", "webgl": True}
        for model in list(self.models.values()):
            if model.name.endswith("BrowserInfo"):
                await self._ask("PATCH-DOC", {"events": [changed(model.id, k, v) for k, v in told.items()]})
        await self._ask("PATCH-DOC", {"events": [_event("document_ready", {})]})
        await self._settle()
        return self.heard - began

    async def close(self) -> None:
        """Leave, as a closed tab does."""
        assert self._socket is not None
        self._socket.close()
        if self._listening is not None:
            await self._listening

    async def act(self, *events: dict[str, Any]) -> float:
        """Send what an action of a reader sends; return the seconds until the server's last word about it."""
        began = self.heard = time.perf_counter()
        await self._ask("PATCH-DOC", {"events": list(events)})
        await self._settle()
        return self.heard - began

    async def set(self, label: str, value: object, *, attribute: str = "value") -> float:
        """Set a widget, found by its label."""
        return await self.act(changed((await self.find(label=label)).id, attribute, value))

    async def go(self, place: int) -> float:
        """Choose a page on the rail."""
        rail = next(one for one in self.newest() if "items" in one.attributes and "active" in one.attributes)
        return await self.act(changed(rail.id, "active", [place]))

    def newest(self) -> Iterator[Model]:
        """The models, newest first."""
        return reversed(list(self.models.values()))

    async def find(self, **attributes: str) -> Model:
        """The newest model with some attributes; if there is none, the page is waited for as by a reader."""
        wanted = attributes.items()
        for _ in range(300):
            found = next((one for one in self.newest() if wanted <= _texts(one.attributes)), None)
            if found is not None:
                return found
            await asyncio.sleep(0.1)
        msg = f"{attributes} isn't on {self.url}"
        raise LookupError(msg)

    # -- the protocol -------------------------------------------------------------------------------------------------

    async def _ask(self, kind: str, content: dict[str, Any], *, key: str = "") -> Any:
        key = key or uuid.uuid4().hex.upper()
        self._answers[key] = asyncio.get_running_loop().create_future()
        assert self._socket is not None
        for part in ({"msgid": key, "msgtype": kind}, {}, content):
            await self._socket.write_message(json.dumps(part))
        try:
            return await asyncio.wait_for(self._answers[key], timeout=60)
        finally:
            del self._answers[key]

    async def _settle(self) -> None:
        """Wait until the server has said all: silent for a while, and then free for something that changes nothing."""
        last = -1.0
        while last < self.heard:
            last = self.heard
            await asyncio.sleep(max(0.0, last + SETTLED - time.perf_counter()))
            self._aside = uuid.uuid4().hex.upper()
            await self._ask("PATCH-DOC", {"events": []}, key=self._aside)

    async def _next(self) -> str | bytes | None:
        assert self._socket is not None
        frame = await self._socket.read_message()
        self.received += 0 if frame is None else len(frame)
        return frame

    async def _listen(self) -> None:
        while (frame := await self._next()) is not None:
            header = json.loads(frame)
            await self._next()
            text = await self._next()
            for _ in range(2 * header.get("num_buffers", 0)):
                await self._next()
            if text is None:
                return
            content = json.loads(text)
            if header["msgtype"] == "ACK":
                self._ready.set()
            if header["msgtype"] == "ERROR":
                msg = f"the server answered: {content}"
                raise RuntimeError(msg)
            if header["msgtype"] == "PATCH-DOC":
                self._learn(content)
            aside = header.get("reqid") == self._aside or any(word in text for word in _BY_ITSELF)
            if not aside:
                self.heard = time.perf_counter()
            waiting = self._answers.get(header.get("reqid", ""))
            if waiting is not None and not waiting.done():
                waiting.set_result(content)

    def _learn(self, content: Any) -> None:
        """Take over models and their changes."""
        for event in content.get("events", []) if isinstance(content, dict) else []:
            if event.get("kind") == "ModelChanged" and (known := self.models.get(event["model"]["id"])):
                known.attributes[event["attr"]] = event["new"]
        stack = [content]
        while stack:
            one = stack.pop()
            if isinstance(one, dict):
                if one.get("type") == "object" and "id" in one:
                    attributes = one.get("attributes", {})
                    self.models[one["id"]] = Model(one["id"], one["name"], attributes)
                stack += one.values()
            elif isinstance(one, list):
                stack += one


def _texts(attributes: dict[str, Any]) -> set[tuple[str, str]]:
    return {(name, value) for name, value in attributes.items() if isinstance(value, str)}


def changed(model: str, attribute: str, value: object) -> dict[str, Any]:
    """What a browser sends when an attribute of a model has changed in it."""
    return {"kind": "ModelChanged", "model": {"id": model}, "attr": attribute, "new": value}


def _event(name: str, values: dict[str, Any]) -> dict[str, Any]:
    entries = {"type": "map"} | ({"entries": list(map(list, values.items()))} if values else {})
    told = {"type": "event", "name": name, "values": entries}
    return {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": told}
