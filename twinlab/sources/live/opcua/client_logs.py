"""What asyncua logs about a lost connection: nothing, because the source logs it itself, in one line."""

from __future__ import annotations

import asyncio
import logging

from asyncua import ua

__all__ = ["filter_client_logs"]

_LOGGERS = (
    "asyncua.client.client",
    "asyncua.client.ua_client.UaClient",
    "asyncua.client.ua_session.UaSession",
    "asyncua.crypto.uacrypto",
)
#: Errors of a connection that is lost, by which asyncua says that one of its tasks has crashed.
_LOST = (
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    ua.uaerrors.BadConnectionClosed,
    ua.uaerrors.BadCommunicationError,
)
#: What it warns of when a connection that was lost is closed.
_CLOSED = ("connection is closed", "connection wasn't established", "but transport is None")
#: What it warns of with each attempt to connect; the first one is enough.
_REPEATED = ("certificate does not contain", "Requested session timeout")


class _LostConnections(logging.Filter):
    """Drops what is said about lost connections, and what was said before."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        text = record.getMessage()
        if isinstance(error, _LOST) or text.endswith(_CLOSED):
            return False
        if not text.startswith(_REPEATED):
            return True
        new = text not in self._said
        self._said.add(text)
        return new


_FILTER = _LostConnections()


def filter_client_logs() -> None:
    """Drop what asyncua logs about lost connections from now on; its other warnings and errors are logged as before."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
