"""Serve a twin's page on this machine, to this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bokeh.document import Document
from panel.io.server import get_server
from panel.io.state import set_curdoc
from tornado.ioloop import IOLoop

from twinlab.apps.frame import page
from twinlab.errors import SourceError
from twinlab.explore.shared import Shared

if TYPE_CHECKING:
    import panel_material_ui as pmui
    from bokeh.server.server import Server

    from twinlab.model.reader import TwinReader

__all__ = ["Served", "serve", "start"]

_LOG = logging.getLogger(__name__)


@dataclass
class Served:
    """A page that is being served."""

    url: str
    _server: Server
    _loop: IOLoop
    _thread: threading.Thread | None = field(default=None)

    def stop(self) -> None:
        """Stop serving; sessions end."""

        def halt() -> None:
            self._server.stop()
            self._loop.stop()

        self._loop.add_callback(halt)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=10)


def serve(
    twin: TwinReader,
    *,
    port: int = 0,
    address: str = "127.0.0.1",
    open_browser: bool = True,
    warm: bool = False,
    ready: Callable[[Served], None] | None = None,
) -> None:
    """Serve a twin's page until interrupted (Ctrl+C, or `Served.stop`).

    Parameters
    ----------
    twin : TwinReader
        Whose page is served.
    port : int
        0 takes a free one.
    address : str
        A loopback address: a page has no login yet.
    open_browser : bool
        Open the page in the default browser.
    warm : bool
        Build the page once before answering, so that the first request is quick; who opens the page at once would only
        wait for it.
    ready : callable, optional
        Called once with what is served (its ``url``, its ``stop``), when requests are answered.

    Raises
    ------
    SourceError
        If the address isn't a loopback address, or the port is taken.
    """
    loop = IOLoop.current()
    served = _prepare(twin, port=port, address=address, loop=loop, warm=warm)
    if ready is not None:
        loop.add_callback(ready, served)
    if open_browser:
        loop.add_callback(_open, served.url)
    try:
        loop.start()
    except KeyboardInterrupt:
        _LOG.info("interrupted")
    finally:
        served._server.stop()  # noqa: SLF001  (our own object)


def start(twin: TwinReader, *, port: int = 0, address: str = "127.0.0.1") -> Served:
    """Serve a twin's page from a thread of its own, and return at once; for notebooks and tests.

    Raises
    ------
    SourceError
        As `serve`.
    """
    result: list[Served | Exception] = []
    done = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        loop = IOLoop.current()
        try:
            result.append(_prepare(twin, port=port, address=address, loop=loop, warm=True))
        except SourceError as error:
            result.append(error)
            return
        finally:
            done.set()
        loop.start()
        loop.close(all_fds=True)

    thread = threading.Thread(target=run, name="twinlab-page", daemon=True)
    thread.start()
    done.wait()
    served = result[0]
    if isinstance(served, Exception):
        raise served
    served._thread = thread  # noqa: SLF001  (our own object)
    return served


def _prepare(twin: TwinReader, *, port: int, address: str, loop: IOLoop, warm: bool) -> Served:
    _need_loopback(address)
    port = _free_port(address, port)
    shared = Shared(twin)

    def app() -> pmui.Page:
        return page(twin, shared=shared)

    if warm:
        _warm(app)
    host = f"[{address}]" if ":" in address else address
    server = get_server(
        {"/": app},
        port=port,
        address=address,
        loop=loop,
        show=False,
        start=False,
        title=twin.model.title or twin.model.twin,
        # A page elsewhere on the net that resolves its own name to this machine isn't let in.
        websocket_origin=[f"{host}:{port}", f"localhost:{port}"],
    )
    server.start()
    return Served(f"http://{host}:{port}/", server, loop)


def _need_loopback(address: str) -> None:
    try:
        loopback = address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        msg = (
            f"expected a loopback address such as 127.0.0.1, got {address!r}: a page has no login yet, so it is served to "
            "this machine only; reach it from another one through an SSH tunnel"
        )
        raise SourceError(msg)


def _free_port(address: str, port: int) -> int:
    """The port itself if it's free; a free one for 0. Bokeh wants it before it binds, to check origins."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except (OSError, OverflowError) as error:
            msg = f"port {port} of {address} can't be used ({error}); choose another, or 0 for any free one"
            raise SourceError(msg) from error
        return int(probe.getsockname()[1])


def _warm(app: Callable[[], pmui.Page]) -> None:
    """Build the page once before anybody asks: imports, event tables and first plots are then at hand."""
    document = Document()
    with set_curdoc(document):
        app().server_doc(doc=document, title="warm")
    document.clear()


def _open(url: str) -> None:
    if not webbrowser.open(url):
        _LOG.info("no browser could be opened; the page is at %s", url)
