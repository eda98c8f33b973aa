"""Logging in and out: our own page, without a request elsewhere, over hashed passwords."""

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
from twinlab.apps.login.request_guard import LOGIN, LOGOUT, Gate, local_path
from twinlab.apps.login.sessions import Failures
from twinlab.apps.login.users import plain_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from twinlab.apps.login.sessions import Logins

__all__ = ["Door", "LoginHandler", "LogoutHandler", "Provider"]

_LOG = logging.getLogger(__name__)
# Each guess takes 64 MiB and a core for a moment; those who wait beyond these are asked to come again.
_AT_ONCE, _MOST_WAITING = 2, 32


@dataclass
class Door:
    """What logging in needs: the gate, the logins, and a count of failures."""

    gate: Gate
    logins: Logins
    title: str
    tls: bool
    # Called after somebody has logged out.
    left: Callable[[], object] = lambda: None
    # Called when serving ends.
    ends: Callable[[], object] = lambda: None
    by_name: Failures = field(default_factory=lambda: Failures(free=5, longest=60))
    by_address: Failures = field(default_factory=lambda: Failures(free=20, longest=600))
    workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_AT_ONCE, "twinlab-login"))
    waiting: int = 0

    def close(self) -> None:
        """Stop what runs beside."""
        self.ends()
        self.workers.shutdown(wait=False, cancel_futures=True)


class _Handler(RequestHandler):
    """Pages of the door: never cached, nothing from elsewhere, no script at all."""

    def initialize(self, door: Door) -> None:
        self.door = door

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
        self.finish(page(title=self.door.title, token=token, nonce=nonce, **parts))

    def own_form(self) -> bool:
        """Tell whether the form was made by this server for this browser."""
        try:
            self.check_xsrf_cookie()
        except HTTPError:
            return False
        return True


class LoginHandler(_Handler):
    """The login page."""

    def get(self) -> None:
        """Show the form; who has logged in already goes on."""
        if self.door.gate.login_of(self.request) is not None:
            self.redirect(self._next())
            return
        self.show(login_html, 200, next=self._next())

    async def post(self) -> None:
        """Check name and password."""
        if not self.own_form():
            self._again(403, "This form was too old. Please try again.")
            return
        door, name = self.door, plain_name(self.get_body_argument("name", ""))
        keys = ((door.by_name, name[:64]), (door.by_address, _network(self.request.remote_ip)))
        wait = max(failures.wait(key) for failures, key in keys)
        if wait > 0:
            seconds = math.ceil(wait)
            self.set_header("Retry-After", str(seconds))
            self._again(429, f"Too many tries. Please wait {seconds} s and try again.")
            return
        if door.waiting >= _MOST_WAITING:
            self._again(503, "Too many people are logging in at once. Please try again in a few seconds.")
            return
        # Counted before it's looked at: tries that come all at once get no further than those that wait.
        for failures, key in keys:
            failures.add(key)
        await self._check(name, self.get_body_argument("password", "", strip=False))

    async def _check(self, name: str, password: str) -> None:
        door, users = self.door, self.door.logins.users
        door.waiting += 1
        try:
            account = await asyncio.get_running_loop().run_in_executor(door.workers, users.check, name, password)
        finally:
            door.waiting -= 1
        if account is None:
            # People type their password into the other field: a name that nobody has isn't written down.
            known = repr(name) if users.account(name) is not None else "somebody unknown"
            _LOG.warning("%s failed to log in from %s", known, self.request.remote_ip)
            self._again(403, "Name or password isn't right.")
            return
        door.by_name.forget(name[:64])
        door.by_address.undo(_network(self.request.remote_ip))
        _LOG.info("%r logged in from %s", name, self.request.remote_ip)
        secret = door.logins.begin(name, account)
        self.set_cookie(
            door.gate.cookie, create_signed_value(door.gate.secret, door.gate.cookie, secret).decode(), path="/",
            max_age=int(door.logins.seconds), httponly=True, samesite="Lax", secure=door.tls,
        )  # fmt: skip
        self.redirect(self._next(), status=303)

    def _again(self, status: int, message: str) -> None:
        self.show(login_html, status, next=self._next(), message=message, name=self.get_body_argument("name", "")[:64])

    def _next(self) -> str:
        return local_path(self.get_argument("next", "/"))


class LogoutHandler(_Handler):
    """Log out, and close the pages that this login opened."""

    def get(self) -> None:
        """Log out, if it was our own page or the address bar that asked; else ask whether it's meant."""
        if self.request.headers.get("Sec-Fetch-Site") in {"same-origin", "none"}:
            self._leave()
        else:
            self.show(logout_html, 200)

    def post(self) -> None:
        """Log out."""
        if self.own_form():
            self._leave()
        else:
            self.show(logout_html, 403)

    def _leave(self) -> None:
        login = self.door.gate.login_of(self.request)
        if login is not None:
            self.door.logins.end(login)
            _LOG.info("%r logged out", login.name)
            self.door.left()
        self.clear_cookie(self.door.gate.cookie, path="/", secure=self.door.tls)
        self.redirect(LOGIN, status=303)


class Provider(AuthProvider):
    """Tells Bokeh's own handlers, behind the gate, who is there: they refuse as well if nobody is."""

    @property
    def get_user(self) -> Callable[[Any], str | None]:
        """Return the name that the gate has put on the request."""
        return lambda handler: getattr(getattr(handler.request, "twinlab_user", None), "name", None)

    @property
    def login_url(self) -> str:
        """Where to log in."""
        return LOGIN

    @property
    def logout_url(self) -> str:
        """Where to log out."""
        return LOGOUT

    @property
    def get_user_async(self) -> None:
        """Nothing to wait for."""

    @property
    def get_login_url(self) -> None:
        """One address for all."""

    @property
    def login_handler(self) -> None:
        """Stand before Bokeh's routes, not among them."""

    @property
    def logout_handler(self) -> None:
        """Stand before Bokeh's routes, not among them."""


def _network(address: str | None) -> str:
    """An address as failures are counted by it: who has one IPv6 address has 2^64 of them."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return str(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
