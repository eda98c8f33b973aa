"""A process that serves the pages of a twin to the front process. Started as ``python -m``, by `pool` only."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError, UnsatisfiableReadError
from tornado.netutil import bind_sockets

from twinlab.apps.login.login_store import LoginStore
from twinlab.apps.login.users import Users
from twinlab.apps.server.serve_options import ServeOptions, ServerSecrets

if TYPE_CHECKING:
    from tornado.iostream import IOStream

    from twinlab.apps.server.server import Served

__all__ = ["FrontedServer", "WorkerSettings", "introduction", "main"]

_LOG = logging.getLogger(__name__)
#: Seconds within which the front says for whom it connects; it does so at once.
_INTRODUCTION_SECONDS = 10.0
_LONGEST_INTRODUCTION = 256
#: Seconds after which a worker ends that doesn't stop by itself.
_STOP_SECONDS = 8.0


@dataclass(frozen=True)
class WorkerSettings:
    """Settings that the front passes to a worker when it starts, as one line of JSON on its standard input."""

    folder: str
    # The server's address and port, as readers know them.
    address: str
    port: int
    names: tuple[str, ...]
    secure: bool
    users: str | None
    oidc: str | None
    # Database of the logins, which all workers share.
    logins: str | None
    worker: int
    workers: int
    warm: bool
    cookie_secret: str
    session_secret: str
    # Known to the front and its workers only: nobody else on this machine gets past the front's TLS and limits.
    channel_secret: str

    def line(self) -> bytes:
        """Return the settings as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> WorkerSettings:
        """Return the settings of a line."""
        told: dict[str, Any] = json.loads(line)
        return cls(**{one.name: told[one.name] for one in fields(cls)} | {"names": tuple(told["names"])})


def introduction(secret: str, peer: str) -> bytes:
    """Return the line with which the front opens a connection to a worker: its secret, and the reader's address."""
    return f"{secret} {peer}\n".encode("ascii", "replace")


class FrontedServer(HTTPServer):
    """A Tornado server that accepts connections of the front only, each for the reader whose address it states."""

    def initialize(self, *args: Any, channel_secret: str, **settings: Any) -> None:  # type: ignore[override]
        """Store the secret."""
        self._channel_secret = channel_secret.encode()
        super().initialize(*args, **settings)

    async def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:  # type: ignore[override]
        """Read the introduction; the bytes after it are the reader's."""
        try:
            line = await asyncio.wait_for(
                stream.read_until(b"\n", max_bytes=_LONGEST_INTRODUCTION), _INTRODUCTION_SECONDS
            )
        except (StreamClosedError, UnsatisfiableReadError, TimeoutError):
            stream.close()
            return
        secret, _, peer = line.strip().partition(b" ")
        if not hmac.compare_digest(secret, self._channel_secret):
            _LOG.warning("a connection from %s isn't the front's and was closed", address[0])
            stream.close()
            return
        # From here on, the reader's address is what limits and logs use.
        super().handle_stream(stream, (peer.decode("ascii", "replace"), 0))


def main() -> int:
    """Serve until standard input ends: the front has stopped, in whatever way."""
    if hasattr(signal, "SIGINT"):
        # Ctrl+C at the terminal is for the front.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries may print: only our own lines go to the front.
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    settings = WorkerSettings.read(sys.stdin.buffer.readline())

    def report(**what: object) -> None:
        told.write(json.dumps(what) + "\n")
        told.flush()

    running: list[Served] = []
    threading.Thread(target=_stop_after_the_front, args=(running,), daemon=True).start()
    try:
        _serve(settings, running=running, report=report)
    except Exception as error:  # noqa: BLE001  (told to the front)
        # The front explains it to the person who started the server.
        if not isinstance(error, OSError) and type(error).__module__ != "twinlab.errors":
            _LOG.exception("a worker failed")
        report(error=f"{error}", kind=type(error).__name__)
        return 1
    return 0


def _serve(settings: WorkerSettings, *, running: list[Served], report: Callable[..., None]) -> None:
    from twinlab.apps.server.server import prepare  # noqa: PLC0415  (Panel takes a second: errors of the settings come first)
    from twinlab.apps.server.server_tuning import freeze_garbage_collector, without_developer_checks  # noqa: PLC0415
    from twinlab.twin import open_twin  # noqa: PLC0415

    twin = open_twin(settings.folder)
    users = None if settings.users is None else Users(Path(settings.users))
    options = ServeOptions(
        settings.address, settings.port, settings.names, None, users, secure=settings.secure,
        secrets=ServerSecrets(settings.cookie_secret, settings.session_secret),
        worker=settings.worker, workers=settings.workers, oidc=None if settings.oidc is None else Path(settings.oidc),
    )  # fmt: skip
    asyncio.set_event_loop(asyncio.new_event_loop())
    loop = IOLoop.current()
    store = None if settings.logins is None else LoginStore(Path(settings.logins))
    listener = partial(FrontedServer, channel_secret=settings.channel_secret)
    with without_developer_checks():
        served = prepare(twin, options, loop=loop, warm=settings.warm, store=store, listener=listener)
        [socket] = bind_sockets(0, "127.0.0.1")
        served.listen([socket])
        freeze_garbage_collector()
        running.append(served)
        loop.add_callback(report, port=socket.getsockname()[1])
        loop.start()
        served.halt()


def _stop_after_the_front(running: list[Served]) -> None:
    """Wait for the end of standard input, then stop the server, or the process if it doesn't serve yet."""
    sys.stdin.buffer.read()
    if not running:
        os._exit(0)
    running[0].stop()
    # A reader's long request doesn't keep the process.
    time.sleep(_STOP_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    # Taking down all libraries would take a second; a worker has nothing left to write.
    os._exit(code)
