"""Bokeh's handler of websockets, behind the checks of this package."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bokeh.protocol.message import Message
from bokeh.server.views.ws import WSHandler
from tornado.web import Application

from twinlab.apps.login.rates import Bucket
from twinlab.apps.server.websockets.assembly import Assembly, RefusedMessageError, Whole
from twinlab.apps.server.websockets.messages import check_message

__all__ = ["WebsocketRules", "guard_websockets"]

_LOG = logging.getLogger(__name__)
#: Messages a second that a page may send for long, and at once: a drag over a chart sends 60 a second.
_RATE, _BURST = 100.0, 600.0
#: Bytes a second for long, and at once.
_BYTES_RATE, _BYTES_BURST = 4e6, 48e6
#: After so many refused messages the websocket is closed.
_MOST_REFUSED = 20
#: Seconds between two checks that the login is still valid.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class WebsocketRules:
    """What the handlers of a server share."""

    # Whether a session's login has ended, or its rights have changed.
    has_ended: Callable[[str], bool]
    # (session, reason): called for each message that is refused.
    refused: Callable[[str, str], object]


def guard_websockets(application: Application, rules: WebsocketRules) -> int:
    """Put the checks before each websocket of a server; return how many routes there are.

    Parameters
    ----------
    application : Application
        Bokeh's.
    rules : WebsocketRules
    """
    count = 0
    for rule in application.wildcard_router.rules:
        if isinstance(rule.target, type) and issubclass(rule.target, WSHandler):
            # A class of its own for each server, since Bokeh makes the handler.
            rule.target = type("GuardedSocket", (_GuardedSocket, rule.target), {"rules": rules})
            count += 1
    return count


class _GuardedSocket(WSHandler):
    rules: WebsocketRules

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._assembly = Assembly()
        self._messages, self._bytes = Bucket(_RATE, _BURST), Bucket(_BYTES_RATE, _BYTES_BURST)
        self._refused, self._looked = 0, float("-inf")
        self._ended = False

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the websocket; nothing that still comes is handled.

        Tornado only sends that it closes, and reads on until the browser answers or five seconds are over.
        """
        self._ended = True
        super().close(code, reason)

    async def on_message(self, fragment: str | bytes) -> None:
        """Pass whole messages on that a browser may send."""
        if self._ended:
            return
        if self.connection is None or self.receiver is None:
            # Before the session is open, a page sends nothing.
            self._refuse("a message before the session was open")
            return
        session = self.connection.session
        if not self._bytes.take(len(fragment)):
            self._end(4429, "too many bytes")
            return
        if self._has_ended(session.id):
            self._end(4401, "logged out")
            return
        try:
            message = self._assembly.take(fragment)
            if message is None:
                return
            if not self._messages.take():
                self._end(4429, "too many messages")
                return
            check_message(message, session.document.models.get_by_id)
        except RefusedMessageError as error:
            self._refuse(str(error))
            return
        await self._pass_on(message)

    async def send_message(self, message: Message[Any]) -> None:
        """Send a message; one about an error without the server's code and values, which are in the log."""
        if message.msgtype == "ERROR":
            message.content = {"text": "The change couldn't be made.", "traceback": ""}
        await super().send_message(message)

    async def _pass_on(self, message: Whole) -> None:
        for part in message.fragments:
            await super().on_message(part)

    def _has_ended(self, session: str) -> bool:
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return False
        self._looked = now
        return self.rules.has_ended(session)

    def _refuse(self, reason: str) -> None:
        self._refused += 1
        session = self.connection.session.id if self.connection is not None else ""
        _LOG.warning("a message of a page was refused: %s", reason)
        self.rules.refused(session, reason)
        if self._refused >= _MOST_REFUSED:
            self._end(4400, "messages that a page doesn't send")

    def _end(self, code: int, reason: str) -> None:
        _LOG.warning("a websocket is closed: %s", reason)
        self.close(code, reason)
