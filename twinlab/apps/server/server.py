"""Serve the pages of a twin: on this machine, or with TLS and a login to others."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panel.io.server import get_server
from panel.io.state import state
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.routing import Rule

from twinlab.apps.frame.reconnection import reload_when_lost
from twinlab.apps.login.access import current_user
from twinlab.apps.login.handlers import RequestAuthProvider
from twinlab.apps.login.request_guard import SESSION_HEADER, RefusalHandler, RequestGuard
from twinlab.apps.login.response_headers import safe_headers
from twinlab.apps.server.access_policy import access_policy, audit_record
from twinlab.apps.server.current_document import reset_current_document_after_errors
from twinlab.apps.server.figures import Figures, ServingState
from twinlab.apps.server.glossary_page import glossary_route
from twinlab.apps.server.logins import login_service, logins_of
from twinlab.apps.server.processes.assignment import new_session_id
from twinlab.apps.server.readers import Readers
from twinlab.apps.server.serve_options import ServeOptions, check_options
from twinlab.apps.server.server_tuning import freeze_garbage_collector, preload_pages, without_developer_checks
from twinlab.apps.server.session_ends import end_sessions
from twinlab.apps.server.websockets.assembly import MAX_BYTES
from twinlab.apps.server.websockets.handler import WebsocketRules, guard_websockets
from twinlab.errors import SourceError
from twinlab.explore.kit.session import Shared

if TYPE_CHECKING:
    import panel_material_ui as pmui
    from bokeh.server.server import Server
    from tornado.web import Application

    from twinlab.apps.login.login_service import LoginService
    from twinlab.apps.login.login_store import LoginStore
    from twinlab.ask import Planner
    from twinlab.model.reader import TwinReader

__all__ = ["Served", "prepare", "serve", "start"]

_LOG = logging.getLogger(__name__)
#: Seconds between checks for pages whose login has expired.
_CHECK_SECONDS, _CHECK_SECONDS_OF_WORKERS = 30, 3
#: Largest body of a request, bytes. Forms are small; files are uploaded through the websocket.
_MAX_BODY_BYTES = 1_000_000


@dataclass
class Served:
    """A running server and the address of its page."""

    url: str
    _server: Server
    _http: HTTPServer
    _loop: IOLoop
    _guard: RequestGuard
    _login_service: LoginService | None = None
    _readers: Readers | None = None
    _thread: threading.Thread | None = field(default=None)
    _halted: bool = field(default=False)
    _stopping: bool = field(default=False)

    def stop(self) -> None:
        """Stop the server and end all sessions; nothing happens the second time."""

        async def end() -> None:
            try:
                self.halt()
                await end_sessions(self._server._tornado)  # noqa: SLF001  (Bokeh has no public name for it)
            finally:
                self._loop.stop()

        if not self._stopping:
            self._stopping = True
            self._loop.add_callback(end)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=10)

    def state(self) -> list[ServingState]:
        """Return what this process does now."""
        sessions = len(self._server._tornado._clients)  # noqa: SLF001  (Bokeh has no public name for them)
        return [ServingState("0", ready=not self._halted, pid=os.getpid(), sessions=sessions)]

    @property
    def application(self) -> Application:
        """Answers the requests of pages, for a server that routes requests to several twins."""
        found: Application = self._server._tornado  # noqa: SLF001  (Bokeh has no public name for it)
        return found

    def listen(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections on some sockets."""
        self._http.add_sockets(sockets)

    def halt(self) -> None:
        """Stop the server from its own thread; the loop goes on."""
        if self._halted:
            return
        self._halted = True
        if self._login_service is not None:
            self._login_service.close()
        if self._readers is not None:
            self._readers.close()
        self._server.stop()
        self._http.stop()


def serve(
    twin: TwinReader,
    *,
    port: int = 0,
    address: str = "127.0.0.1",
    users: str | Path | None = None,
    oidc: str | Path | None = None,
    certificate: str | Path | None = None,
    key: str | Path | None = None,
    open_browser: bool = True,
    warm: bool = False,
    metrics: str | None = None,
    planner: Planner | None = None,
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
    oidc : path, optional
        Settings of a login with OpenID Connect, see `twinlab.apps.login.oidc.settings.OidcSettings`; beside the users file
        or instead of it.
    certificate, key : path, optional
        PEM files, both or neither. The pages are then served with TLS, under the host names in the certificate.
    open_browser : bool
        Open the page in the default browser.
    warm : bool
        Build each page once before the first request, which is then quick. Takes as long as the first visit would.
    metrics : str, optional
        Port, or host and port, for ``/health`` and ``/metrics``; see `twinlab.twin.health.endpoint`.
    planner : Planner, optional
        What proposes plans for questions, such as one that asks a language model; see `twinlab.ask.Planner`. By default a parser that knows the
        words of the twin's model. Plans are checked against what the reader sees, and shown before they run.
    ready : callable, optional
        Called once with the `Served` object (``url``, ``stop``) when the server answers requests.

    Raises
    ------
    SourceError
        If other machines could reach the page without TLS and login, if the certificate or users file can't be used, or
        if the port is taken.
    """
    loop = IOLoop.current()
    options = check_options(address, port=port, users=users, oidc=oidc, certificate=certificate, key=key)
    with without_developer_checks():
        served = prepare(twin, options, loop=loop, warm=warm, planner=planner)
        freeze_garbage_collector()
        figures = Figures(getattr(twin, "folder", None), served.state)
        loop.run_sync(partial(figures.start, metrics))
        if ready is not None:
            loop.add_callback(ready, served)
        if open_browser:
            loop.add_callback(_open, served.url)
        try:
            loop.start()
        except KeyboardInterrupt:
            _LOG.info("interrupted")
        finally:
            loop.run_sync(figures.close)
            served.halt()


def start(
    twin: TwinReader,
    *,
    port: int = 0,
    address: str = "127.0.0.1",
    users: str | Path | None = None,
    oidc: str | Path | None = None,
    certificate: str | Path | None = None,
    key: str | Path | None = None,
    warm: bool = True,
    planner: Planner | None = None,
) -> Served:
    """Serve the pages of a twin from a thread of its own and return at once; for notebooks and tests.

    Parameters
    ----------
    twin, port, address, users, oidc, certificate, key, planner
        As for `serve`.
    warm : bool
        Build each page once before this returns. False returns at once; the first visit of each page takes longer.

    Raises
    ------
    SourceError
        As for `serve`.
    """
    options = check_options(address, port=port, users=users, oidc=oidc, certificate=certificate, key=key)
    result: list[Served | Exception] = []
    done = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        loop = IOLoop.current()
        try:
            result.append(prepare(twin, options, loop=loop, warm=warm, planner=planner))
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


def prepare(
    twin: TwinReader,
    options: ServeOptions,
    *,
    loop: IOLoop,
    warm: bool,
    store: LoginStore | None = None,
    listener: Callable[..., HTTPServer] | None = None,
    planner: Planner | None = None,
) -> Served:
    """Make the server with the guard before every route; it answers once the loop runs.

    Parameters
    ----------
    twin : TwinReader
        Whose pages are served.
    options : ServeOptions
        As checked.
    loop : IOLoop
        In which the server runs.
    warm : bool
        Build each page once first.
    store : LoginStore, optional
        Where logins are stored; by default in memory.
    listener : callable, optional
        Makes the Tornado server of a worker process, which listens where `Served.listen` says. By default the server
        listens at the address and port of the options.
    planner : Planner, optional
        What proposes plans for questions.
    """
    reset_current_document_after_errors()
    shared = Shared(twin)
    options, logins = logins_of(twin, options, store)
    guard = RequestGuard(
        options.names, options.scheme, options.cookie, options.secrets.cookie, logins, policy=access_policy(twin)
    )
    if options.workers > 1:
        secret = options.secrets.session.encode()
        guard.new_session = partial(new_session_id, secret, worker=options.worker, workers=options.workers)

    readers = Readers(twin, shared, guard.policy, planner=planner)

    def app() -> pmui.Page:
        _claim(guard)
        return readers.page(current_user())

    if warm:
        # In the running loop: callbacks of a page are scheduled in it, not in a loop of their own.
        loop.run_sync(partial(preload_pages, twin, shared))
    title = twin.model.title or twin.model.twin.replace("_", " ")
    here: dict[str, Any] = {"port": options.port, "address": options.address}
    if listener is not None:
        here = {"port": 0, "address": "127.0.0.1"}
    server = get_server({"/": app}, title=title, loop=loop, **_server_options(options), **here)
    tornado = server._tornado  # noqa: SLF001  (Bokeh has no public name for it)
    http = server._http  # noqa: SLF001  (the same)
    if listener is not None:
        # Nobody knows Bokeh's own port, and nothing has been accepted there.
        http.stop()
        http = listener(tornado, **_http_options(options))
    service = None
    routes: list[Rule | tuple[Any, ...]] = [Rule(guard, RefusalHandler), glossary_route(title)]
    routes += readers.sheets(options, guard, title=title)
    if logins is not None:
        # In another worker, only this check notices that a reader has logged out.
        seconds = _CHECK_SECONDS if options.workers == 1 else _CHECK_SECONDS_OF_WORKERS
        check = PeriodicCallback(lambda: _close_ended(server, guard), seconds * 1000)
        check.start()
        service, more = login_service(
            options,
            guard,
            logins,
            title=title,
            on_logout=lambda: _close_ended(server, guard),
            on_close=check.stop,
            record=audit_record(twin),
        )
        routes += more
    guard_websockets(tornado, WebsocketRules(guard.session_ended, partial(_note_refused, guard, service)))
    # Tornado tries handlers in reverse order of registration: the guard sees every request first.
    tornado.add_handlers("(?s).*", routes)
    # Without a port, because an SSH tunnel may use another one. The guard also requires the page's own origin.
    tornado.websocket_origins.update(options.origins)
    server.start()
    return Served(options.url, server, http, loop, guard, service, readers)


def _server_options(options: ServeOptions) -> dict[str, Any]:
    """Return the options of Panel, Bokeh and Tornado."""
    login: dict[str, Any] = {"auth_provider": RequestAuthProvider()} if options.with_login else {}
    return login | {
        "show": False,
        "start": False,
        "websocket_origin": [f"localhost:{options.port}"],
        "websocket_max_message_size": MAX_BYTES,
        "sign_sessions": True,
        "secret_key": options.secrets.session.encode(),
        # Bokeh writes headers and cookies of the request into the page; scripts must not read the login's cookie there.
        "exclude_cookies": [options.cookie],
        "exclude_headers": ["Cookie", "Authorization", SESSION_HEADER],
        "transforms": [safe_headers(tls=options.secure)],
        # JupyterLab on this machine uses a cookie of the default name.
        "xsrf_cookie_name": f"{options.cookie}-form",
        "xsrf_cookie_kwargs": {"httponly": True, "samesite": "Strict", "secure": options.secure},
        "http_server_kwargs": _http_options(options),
    }


def _http_options(options: ServeOptions) -> dict[str, Any]:
    """Return the options of Tornado's server."""
    return {
        "ssl_options": options.tls,
        "max_body_size": _MAX_BODY_BYTES,
        "body_timeout": 30.0,
        "idle_connection_timeout": 300.0,
    }


def _claim(guard: RequestGuard) -> None:
    """Record which login a session belongs to; a session without one builds no page."""
    document = state.curdoc
    context = None if document is None else document.session_context
    if document is not None and context is not None:
        reload_when_lost(document)
    if document is None or context is None or guard.logins is None:
        return
    login = getattr(context.request, "twinlab_login", None)
    if login is None or current_user() is None:
        msg = "this session has no login; open the page again"
        raise SourceError(msg)
    guard.claim(context.id, login)
    document.on_session_destroyed(lambda ended: guard.forget(ended.id))


def _close_ended(server: Server, guard: RequestGuard) -> None:
    """Close the pages whose login has ended, or whose rights have changed."""
    for client in list(server._tornado._clients):  # noqa: SLF001  (Bokeh has no public name for them)
        if guard.session_ended(client.session.id):
            client._socket.close(4401, "logged out")  # noqa: SLF001  (the same)


def _note_refused(guard: RequestGuard, service: LoginService | None, session: str, reason: str) -> None:
    """Record a message that a page may not send."""
    login = guard.owners.get(session)
    if service is not None:
        service.note("access refused", "" if login is None else login.name, question="websocket", reason=reason)


def _open(url: str) -> None:
    if not webbrowser.open(url):
        _LOG.info("no browser could be opened; the page is at %s", url)
