"""Serve the pages of a twin: on this machine, or with TLS and a login to others."""

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
from twinlab.apps.login.handlers import LoginHandler, LoginService, LogoutHandler, RequestAuthProvider
from twinlab.apps.login.request_guard import LOGIN, LOGOUT, RefusalHandler, RequestGuard, safe_headers
from twinlab.apps.login.sessions import Logins
from twinlab.apps.server.serve_options import ServeOptions, check_options
from twinlab.apps.server.server_tuning import freeze_garbage_collector, preload_pages, without_developer_checks
from twinlab.errors import SourceError
from twinlab.explore.kit.session import Shared

if TYPE_CHECKING:
    import panel_material_ui as pmui
    from bokeh.server.server import Server

    from twinlab.model.reader import TwinReader

__all__ = ["Served", "serve", "start"]

_LOG = logging.getLogger(__name__)
#: Seconds between checks for pages whose login has expired.
_CHECK_SECONDS = 30
# A page without a valid login goes to the login page instead of showing old data as if they were new. A reader who is
# still logged in is redirected back from there: only the connection had failed.
_RELOAD_WITHOUT_LOGIN = f"""
fetch({LOGIN!r}, {{redirect: "manual"}}).then(answer => {{ if (answer.type !== "opaqueredirect") location.reload() }}, () => {{}})
"""
#: Largest body of a request, bytes. Forms are small; files are uploaded through the websocket.
_MAX_BODY_BYTES = 1_000_000


@dataclass
class Served:
    """A running server and the address of its page."""

    url: str
    _server: Server
    _loop: IOLoop
    _guard: RequestGuard
    _login_service: LoginService | None = None
    _thread: threading.Thread | None = field(default=None)
    _halted: bool = field(default=False)

    def stop(self) -> None:
        """Stop the server and end all sessions."""

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
        if self._login_service is not None:
            self._login_service.close()
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
    """Serve the pages of a twin until interrupted (Ctrl+C, or `Served.stop`).

    Parameters
    ----------
    twin : TwinReader
        Whose pages are served.
    port : int
        0 takes a free port.
    address : str
        Address to listen on. An address other than a loopback address requires the next three parameters.
    users : path, optional
        Users file, see `twinlab.apps.login.users.Users`. Every reader then has to log in, on this machine too.
    certificate, key : path, optional
        PEM files, both or neither. The pages are then served with TLS, under the host names in the certificate.
    open_browser : bool
        Open the page in the default browser.
    warm : bool
        Build each page once before the first request, which is then quick. Takes as long as the first visit would.
    ready : callable, optional
        Called once with the `Served` object (``url``, ``stop``) when the server answers requests.

    Raises
    ------
    SourceError
        If other machines could reach the page without TLS and login, if the certificate or users file can't be used, or
        if the port is taken.
    """
    loop = IOLoop.current()
    options = check_options(address, port=port, users=users, certificate=certificate, key=key)
    with without_developer_checks():
        served = _prepare(twin, options, loop=loop, warm=warm)
        freeze_garbage_collector()
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
    """Serve the pages of a twin from a thread of its own and return at once; for notebooks and tests.

    Parameters
    ----------
    twin, port, address, users, certificate, key
        As for `serve`.

    Raises
    ------
    SourceError
        As for `serve`.
    """
    options = check_options(address, port=port, users=users, certificate=certificate, key=key)
    result: list[Served | Exception] = []
    done = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        loop = IOLoop.current()
        try:
            result.append(_prepare(twin, options, loop=loop, warm=True))
        except Exception as error:  # noqa: BLE001  (raised again below, in the caller's thread)
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


def _prepare(twin: TwinReader, options: ServeOptions, *, loop: IOLoop, warm: bool) -> Served:
    """Make the server with the guard before every route; it answers once the loop runs."""
    shared = Shared(twin)
    logins = None if options.users is None else Logins(options.users)
    guard = RequestGuard(options.names, options.scheme, options.cookie, secrets.token_hex(32), logins)

    def app() -> pmui.Page:
        _claim(guard)
        return page(twin, shared=shared)

    if warm:
        # In the running loop: callbacks of a page are scheduled in it, not in a loop of their own.
        loop.run_sync(partial(preload_pages, twin, shared))
    title = twin.model.title or twin.model.twin.replace("_", " ")
    server = get_server({"/": app}, title=title, loop=loop, **_server_options(options))
    tornado = server._tornado  # noqa: SLF001  (Bokeh has no public name for it)
    service = None
    routes: list[Rule | tuple[Any, ...]] = [Rule(guard, RefusalHandler)]
    if logins is not None:
        service = LoginService(guard, logins, title=title, tls=options.tls is not None)
        check = PeriodicCallback(lambda: _close_ended(server, guard), _CHECK_SECONDS * 1000)
        check.start()
        service.on_logout, service.on_close = (lambda: _close_ended(server, guard)), check.stop
        routes += [(LOGIN, LoginHandler, {"service": service}), (LOGOUT, LogoutHandler, {"service": service})]
    # Tornado tries handlers in reverse order of registration: the guard sees every request first.
    tornado.add_handlers("(?s).*", routes)
    # Without a port, because an SSH tunnel may use another one. The guard also requires the page's own origin.
    tornado.websocket_origins.update(options.origins)
    server.start()
    return Served(options.url, server, loop, guard, service)


def _server_options(options: ServeOptions) -> dict[str, Any]:
    """Return the options of Panel, Bokeh and Tornado."""
    login: dict[str, Any] = {} if options.users is None else {"auth_provider": RequestAuthProvider()}
    return login | {
        "port": options.port,
        "address": options.address,
        "show": False,
        "start": False,
        "websocket_origin": [f"localhost:{options.port}"],
        # A token of one session can't be turned into a token of another.
        "sign_sessions": True,
        "secret_key": secrets.token_hex(32).encode(),
        # Bokeh writes headers and cookies of the request into the page; scripts must not read the login's cookie there.
        "exclude_cookies": [options.cookie],
        "exclude_headers": ["Cookie", "Authorization"],
        "transforms": [safe_headers(tls=options.tls is not None)],
        # JupyterLab on this machine uses a cookie of the default name.
        "xsrf_cookie_name": f"{options.cookie}-form",
        "xsrf_cookie_kwargs": {"httponly": True, "samesite": "Strict", "secure": options.tls is not None},
        "http_server_kwargs": {
            "ssl_options": options.tls,
            "max_body_size": _MAX_BODY_BYTES,
            "body_timeout": 30.0,
            "idle_connection_timeout": 300.0,
        },
    }


def _claim(guard: RequestGuard) -> None:
    """Record which login a session belongs to; a session without one builds no page."""
    document = state.curdoc
    context = None if document is None else document.session_context
    if guard.logins is None or document is None or context is None:
        return
    login = getattr(context.request, "twinlab_login", None)
    if login is None or current_user() is None:
        msg = "this session has no login; open the page again"
        raise SourceError(msg)
    guard.owners[context.id] = login
    document.on_session_destroyed(lambda ended: guard.owners.pop(ended.id, None))
    document.js_on_event(ConnectionLost, CustomJS(code=_RELOAD_WITHOUT_LOGIN))


def _close_ended(server: Server, guard: RequestGuard) -> None:
    """Close the pages whose login has expired."""
    for client in list(server._tornado._clients):  # noqa: SLF001  (Bokeh has no public name for them)
        if guard.session_ended(client.session.id):
            client._socket.close(4401, "logged out")  # noqa: SLF001  (the same)


def _open(url: str) -> None:
    if not webbrowser.open(url):
        _LOG.info("no browser could be opened; the page is at %s", url)
