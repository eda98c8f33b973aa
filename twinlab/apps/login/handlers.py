"""Handlers of the login and logout pages, which make no request to another host."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bokeh.server.auth_provider import AuthProvider
from tornado.web import HTTPError, RequestHandler, create_signed_value

from twinlab.apps.login.page import login_html, logout_html
from twinlab.apps.login.request_guard import LOGIN, LOGOUT, RequestGuard, local_path
from twinlab.apps.login.sessions import Failures, seconds_to_wait
from twinlab.apps.login.users import normalized_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from twinlab.apps.login.sessions import Logins

__all__ = ["LoginHandler", "LoginService", "LogoutHandler", "RequestAuthProvider"]

_LOG = logging.getLogger(__name__)
# Checking a password takes 64 MiB and a core for a moment. Requests beyond these limits, of all processes of a server
# together, are asked to try again.
_AT_ONCE, _MOST_WAITING = 2, 32


@dataclass
class LoginService:
    """What the handlers share: the request guard, the logins and the counts of failures."""

    guard: RequestGuard
    logins: Logins
    title: str
    tls: bool
    # Called after a user has logged out.
    on_logout: Callable[[], object] = lambda: None
    # Called when the server stops.
    on_close: Callable[[], object] = lambda: None
    # Number of processes that share the limits.
    processes: int = 1
    failures_by_name: Failures = field(init=False)
    failures_by_address: Failures = field(init=False)
    workers: ThreadPoolExecutor = field(init=False)
    waiting: int = 0

    def __post_init__(self) -> None:
        store = self.logins.store
        self.failures_by_name = Failures("name", free=5, longest=60, store=store)
        self.failures_by_address = Failures("address", free=20, longest=600, store=store)
        self.workers = ThreadPoolExecutor(max(1, _AT_ONCE // self.processes), "twinlab-login")

    @property
    def busy(self) -> bool:
        """Whether too many passwords are waiting to be checked."""
        return self.waiting >= max(1, _MOST_WAITING // self.processes)

    def close(self) -> None:
        """Stop the threads and the periodic checks."""
        self.on_close()
        self.workers.shutdown(wait=False, cancel_futures=True)


class _Handler(RequestHandler):
    """A page that is never cached and loads no script and nothing from another host."""

    def initialize(self, service: LoginService) -> None:
        self.service = service

    def show(self, page: Callable[..., str], status: int, **parts: str) -> None:
        nonce = secrets.token_urlsafe(16)
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'",
        )
        token = self.xsrf_token.decode()
        self.finish(page(title=self.service.title, token=token, nonce=nonce, **parts))

    def is_own_form(self) -> bool:
        """Return whether the form was made by this server for this browser."""
        try:
            self.check_xsrf_cookie()
        except HTTPError:
            return False
        return True


class LoginHandler(_Handler):
    """The login page."""

    def get(self) -> None:
        """Show the form; a user who is logged in already is redirected."""
        if self.service.guard.login_of(self.request) is not None:
            self.redirect(self._next())
            return
        self.show(login_html, 200, next=self._next())

    async def post(self) -> None:
        """Check name and password."""
        if not self.is_own_form():
            self._show_again(403, "This form was too old. Please try again.")
            return
        service, name = self.service, normalized_name(self.get_body_argument("name", ""))
        keys = ((service.failures_by_name, name[:64]), (service.failures_by_address, _network(self.request.remote_ip)))
        if service.busy:
            self._show_again(503, "Too many people are logging in at once. Please try again in a few seconds.")
            return
        wait = seconds_to_wait(service.logins.store, keys)
        if wait > 0:
            seconds = math.ceil(wait)
            self.set_header("Retry-After", str(seconds))
            self._show_again(429, f"Too many tries. Please wait {seconds} s and try again.")
            return
        await self._check(name, self.get_body_argument("password", "", strip=False))

    async def _check(self, name: str, password: str) -> None:
        service, users = self.service, self.service.logins.users
        service.waiting += 1
        try:
            account = await asyncio.get_running_loop().run_in_executor(service.workers, users.check, name, password)
        finally:
            service.waiting -= 1
        if account is None:
            # People type their password into the wrong field: an unknown name isn't logged.
            known = repr(name) if users.account(name) is not None else "an unknown user"
            _LOG.warning("%s failed to log in from %s", known, self.request.remote_ip)
            self._show_again(403, "Name or password isn't right.")
            return
        service.failures_by_name.forget(name[:64])
        service.failures_by_address.undo(_network(self.request.remote_ip))
        _LOG.info("%r logged in from %s", name, self.request.remote_ip)
        secret = service.logins.begin(name, account)
        self.set_cookie(
            service.guard.cookie, create_signed_value(service.guard.secret, service.guard.cookie, secret).decode(), path="/",
            max_age=int(service.logins.seconds), httponly=True, samesite="Lax", secure=service.tls,
        )  # fmt: skip
        self.redirect(self._next(), status=303)

    def _show_again(self, status: int, message: str) -> None:
        self.show(login_html, status, next=self._next(), message=message, name=self.get_body_argument("name", "")[:64])

    def _next(self) -> str:
        return local_path(self.get_argument("next", "/"))


class LogoutHandler(_Handler):
    """The logout page; logging out closes the pages that this login opened."""

    def get(self) -> None:
        """Log out if the request comes from a page of this server or the address bar; otherwise ask first."""
        if self.request.headers.get("Sec-Fetch-Site") in {"same-origin", "none"}:
            self._log_out()
        else:
            self.show(logout_html, 200)

    def post(self) -> None:
        """Log out."""
        if self.is_own_form():
            self._log_out()
        else:
            self.show(logout_html, 403)

    def _log_out(self) -> None:
        login = self.service.guard.login_of(self.request)
        if login is not None:
            self.service.logins.end(login)
            _LOG.info("%r logged out", login.name)
            self.service.on_logout()
        self.clear_cookie(self.service.guard.cookie, path="/", secure=self.service.tls)
        self.redirect(LOGIN, status=303)


class RequestAuthProvider(AuthProvider):
    """Gives Bokeh's own handlers the user whom the request guard has found; they refuse requests without one, too."""

    @property
    def get_user(self) -> Callable[[Any], str | None]:
        """Return a function that gives the name of a request's user."""
        return lambda handler: getattr(getattr(handler.request, "twinlab_user", None), "name", None)

    @property
    def login_url(self) -> str:
        """Path of the login page."""
        return LOGIN

    @property
    def logout_url(self) -> str:
        """Path of the logout page."""
        return LOGOUT

    @property
    def get_user_async(self) -> None:
        """Not used: `get_user` needs no waiting."""

    @property
    def get_login_url(self) -> None:
        """Not used: `login_url` is the same for every request."""

    @property
    def login_handler(self) -> None:
        """Not used: the login page's route comes before Bokeh's."""

    @property
    def logout_handler(self) -> None:
        """Not used: the logout page's route comes before Bokeh's."""


def _network(address: str | None) -> str:
    """Return the network by which failures are counted: whoever has one IPv6 address has 2^64 of them."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return str(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
