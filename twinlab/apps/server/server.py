"""Serve a twin's page: to this machine, or with TLS and a login to others."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokeh.events import ConnectionLost
from bokeh.models import CustomJS
from panel.io.server import get_server
from panel.io.state import state
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.routing import Rule

from twinlab.apps.frame.frame import page
from twinlab.apps.login.access import current_user
from twinlab.apps.login.handlers import Door, LoginHandler, LogoutHandler, Provider
from twinlab.apps.login.request_guard import LOGIN, LOGOUT, Gate, Refused, safe_headers
from twinlab.apps.login.sessions import Logins
from twinlab.apps.server.preload import warm_pages
from twinlab.apps.server.serve_options import Reach, check_reach
from twinlab.apps.server.server_tuning import lean, set_aside
from twinlab.errors import SourceError
from twinlab.explore.kit.session import Shared

if TYPE_CHECKING:
    import panel_material_ui as pmui
    from bokeh.server.server import Server

    from twinlab.model.reader import TwinReader

__all__ = ["Served", "serve", "start"]

_LOG = logging.getLogger(__name__)
# How long a page goes on at most after its login has ended by itself.
_WATCH_SECONDS = 30
# A page whose login is over goes to the login page instead of showing old data as if they were new. Who is still logged
# in is redirected from there; then it was the net that failed.
_LEAVE = f"""
fetch({LOGIN!r}, {{redirect: "manual"}}).then(answer => {{ if (answer.type !== "opaqueredirect") location.reload() }}, () => {{}})
"""
# Forms are small; what a page uploads comes through its websocket.
_MOST_BODY_BYTES = 1_000_000


@dataclass
class Served:
    """A page that is being served."""

    url: str
    _server: Server
    _loop: IOLoop
    _gate: Gate
    _door: Door | None = None
    _thread: threading.Thread | None = field(default=None)
    _halted: bool = field(default=False)

    def stop(self) -> None:
        """Stop serving; sessions end."""

        def halt() -> None:
            self._halt()
            self._loop.stop()

        self._loop.add_callback(halt)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=10)

    def _halt(self) -> None:
        if self._halted:
            return
        self._halted = True
        if self._door is not None:
            self._door.close()
        self._server.stop()


def serve(
    twin: TwinReader,
    *,
    port: int = 0,
    address: str = "127.0.0.1",
    users: str | Path | None = None,
    certificate: str | Path | None = None,
    key: str | Path | None = None,
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
        Any other than a loopback address needs the next three.
    users : path, optional
        Users file, see `twinlab.apps.login.users.Users`: everybody then has to log in, on this machine too.
    certificate, key : path, optional
        Both, PEM: the page is then served with TLS, under the names that stand in the certificate.
    open_browser : bool
        Open the page in the default browser.
    warm : bool
        Build the pages once before answering, so that the first request is quick; who opens the page at once would only
        wait for it.
    ready : callable, optional
        Called once with what is served (its ``url``, its ``stop``), when requests are answered.

    Raises
    ------
    SourceError
        If others could reach the page without TLS and login, the certificate or users file can't be used, or the port
        is taken.
    """
    loop = IOLoop.current()
    how = check_reach(address, port=port, users=users, certificate=certificate, key=key)
    with lean():
        served = _prepare(twin, how, loop=loop, warm=warm)
        set_aside()
        if ready is not None:
            loop.add_callback(ready, served)
        if open_browser:
            loop.add_callback(_open, served.url)
        try:
            loop.start()
        except KeyboardInterrupt:
            _LOG.info("interrupted")
        finally:
            served._halt()  # noqa: SLF001  (our own object)


def start(
    twin: TwinReader,
    *,
    port: int = 0,
    address: str = "127.0.0.1",
    users: str | Path | None = None,
    certificate: str | Path | None = None,
    key: str | Path | None = None,
) -> Served:
    """Serve a twin's page from a thread of its own, and return at once; for notebooks and tests.

    Raises
    ------
    SourceError
        As `serve`.
    """
    how = check_reach(address, port=port, users=users, certificate=certificate, key=key)
    result: list[Served | Exception] = []
    done = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        loop = IOLoop.current()
        try:
            result.append(_prepare(twin, how, loop=loop, warm=True))
        except Exception as error:  # noqa: BLE001  (raised again below, where the caller is)
            result.append(error)
        finally:
            done.set()
        if isinstance(result[0], Served):
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


def _prepare(twin: TwinReader, how: Reach, *, loop: IOLoop, warm: bool) -> Served:
    """Make the server, its gate first, without answering yet."""
    shared = Shared(twin)
    logins = None if how.users is None else Logins(how.users)
    gate = Gate(how.names, how.scheme, how.cookie, secrets.token_hex(32), logins)

    def app() -> pmui.Page:
        _claim(gate)
        return page(twin, shared=shared)

    if warm:
        # In the running loop: what a page does later is done in it, not in a loop of its own.
        loop.run_sync(partial(warm_pages, twin, shared))
    title = twin.model.title or twin.model.twin.replace("_", " ")
    server = get_server({"/": app}, title=title, loop=loop, **_options(how))
    tornado = server._tornado  # noqa: SLF001  (Bokeh has no public name for it)
    door = None
    routes: list[Rule | tuple[Any, ...]] = [Rule(gate, Refused)]
    if logins is not None:
        door = Door(gate, logins, title=title, tls=how.tls is not None)
        watch = PeriodicCallback(lambda: _close_ended(server, gate), _WATCH_SECONDS * 1000)
        watch.start()
        door.left, door.ends = (lambda: _close_ended(server, gate)), watch.stop
        routes += [(LOGIN, LoginHandler, {"door": door}), (LOGOUT, LogoutHandler, {"door": door})]
    # Tornado asks handlers that are added later first: nothing gets past the gate.
    tornado.add_handlers("(?s).*", routes)
    # Without a port: a tunnel may lead here from another one. The gate wants the page's own origin besides.
    tornado.websocket_origins.update(how.origins)
    server.start()
    return Served(how.url, server, loop, gate, door)


def _options(how: Reach) -> dict[str, Any]:
    """What Panel, Bokeh and Tornado are told."""
    options: dict[str, Any] = {} if how.users is None else {"auth_provider": Provider()}
    return options | {
        "port": how.port,
        "address": how.address,
        "show": False,
        "start": False,
        "websocket_origin": [f"localhost:{how.port}"],
        # Who has a page's token can't make one for another session.
        "sign_sessions": True,
        "secret_key": secrets.token_hex(32).encode(),
        # The page's HTML holds what Bokeh knows of the request; a script must not find the login's cookie there.
        "exclude_cookies": [how.cookie],
        "exclude_headers": ["Cookie", "Authorization"],
        "transforms": [safe_headers(tls=how.tls is not None)],
        # JupyterLab on this machine has a cookie of the usual name.
        "xsrf_cookie_name": f"{how.cookie}-form",
        "xsrf_cookie_kwargs": {"httponly": True, "samesite": "Strict", "secure": how.tls is not None},
        "http_server_kwargs": {
            "ssl_options": how.tls,
            "max_body_size": _MOST_BODY_BYTES,
            "body_timeout": 30.0,
            "idle_connection_timeout": 300.0,
        },
    }


def _claim(gate: Gate) -> None:
    """Note whose session this is; nothing is built for nobody."""
    document = state.curdoc
    context = None if document is None else document.session_context
    if gate.logins is None or document is None or context is None:
        return
    login = getattr(context.request, "twinlab_login", None)
    if login is None or current_user() is None:
        msg = "this session has no login; open the page again"
        raise SourceError(msg)
    gate.owners[context.id] = login
    document.on_session_destroyed(lambda ended: gate.owners.pop(ended.id, None))
    document.js_on_event(ConnectionLost, CustomJS(code=_LEAVE))


def _close_ended(server: Server, gate: Gate) -> None:
    """Close the pages whose login is over."""
    for client in list(server._tornado._clients):  # noqa: SLF001  (Bokeh has no public name for them)
        if gate.ended(client.session.id):
            client._socket.close(4401, "logged out")  # noqa: SLF001  (the same)


def _open(url: str) -> None:
    if not webbrowser.open(url):
        _LOG.info("no browser could be opened; the page is at %s", url)
