"""Handlers of the login and logout pages, which make no request to another host."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from bokeh.server.auth_provider import AuthProvider
from tornado.web import HTTPError, RequestHandler, create_signed_value

from twinlab.apps.login.login_service import LoginService
from twinlab.apps.login.page import logged_out_html, login_html, logout_html
from twinlab.apps.login.rates import network
from twinlab.apps.login.request_guard import LOGIN, LOGOUT, local_path
from twinlab.apps.login.sessions import seconds_to_wait
from twinlab.apps.login.users import normalized_name
from twinlab.apps.plain_page import plain_policy
from twinlab.errors import DatabaseUnreachableError
from twinlab.languages import preferred_language, tr, use_from_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from twinlab.apps.login.users import Account

__all__ = ["LoginHandler", "LogoutHandler", "PageHandler", "RequestAuthProvider"]

_LOG = logging.getLogger(__name__)


class PageHandler(RequestHandler):
    """A page that is never cached and loads no script and nothing from another host."""

    def initialize(self, service: LoginService) -> None:
        """Store what the handlers share."""
        self.service = service

    def prepare(self) -> None:
        """Answer in the language that the browser asks for; Tornado runs each request as a task of its own."""
        use_from_here(preferred_language(self.request.headers.get("Accept-Language", "")))

    def write_error(self, status_code: int, **details: Any) -> None:
        """Answer with the login page if the database of the logins doesn't answer; else as Tornado does."""
        error = (details.get("exc_info") or (None, None))[1]
        if isinstance(error, DatabaseUnreachableError):
            message = tr(
                "Nobody can log in or out now, since the database of the logins doesn't answer. Try again later."
            )
            self.show_login(503, next="/", message=message)
            return
        super().write_error(status_code, **details)

    def show(self, page: Callable[..., str], status: int, **parts: object) -> None:
        """Answer with a page."""
        nonce = secrets.token_urlsafe(16)
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", plain_policy(nonce))
        token = self.xsrf_token.decode()
        self.finish(page(title=self.service.title, token=token, nonce=nonce, **parts))

    def show_login(self, status: int, **parts: object) -> None:
        """Answer with the login page."""
        service = self.service
        self.show(login_html, status, with_form=service.with_form, provider=service.provider_label, **parts)

    def is_own_form(self) -> bool:
        """Return whether the form was made by this server for this browser."""
        try:
            self.check_xsrf_cookie()
        except HTTPError:
            return False
        return True

    def log_in(self, name: str, account: Account, *, how: str, onward: str) -> None:
        """Log somebody in who has just shown who they are: with a new cookie, whatever this browser had before."""
        service = self.service
        if not service.note("login", name, how=how, address=str(self.request.remote_ip), outcome="accepted"):
            self.show_login(
                503, next="/", message=tr("Nobody can log in now, since it can't be recorded. Ask the administrator.")
            )
            return
        before = service.guard.login_of(self.request)
        if before is not None:
            service.end(before, how="another login in this browser")
        secret = service.logins.begin(name, account)
        self.set_cookie(
            service.guard.cookie, create_signed_value(service.guard.secret, service.guard.cookie, secret).decode(), path="/",
            max_age=int(service.logins.seconds), httponly=True, samesite="Lax", secure=service.tls,
        )  # fmt: skip
        self.redirect(onward, status=303)


class LoginHandler(PageHandler):
    """The login page."""

    def get(self) -> None:
        """Show the form; a user who is logged in already is redirected."""
        if self.service.guard.login_of(self.request) is not None:
            self.redirect(self._next())
            return
        self.show_login(200, next=self._next())

    async def post(self) -> None:
        """Check name and password."""
        if not self.is_own_form():
            self._show_again(403, tr("This form was too old. Please try again."))
            return
        service, name = self.service, normalized_name(self.get_body_argument("name", ""))
        if service.logins.users.users is None:
            self._show_again(403, tr("Here you can't log in with a password."))
            return
        keys = ((service.failures_by_name, name[:64]), (service.failures_by_address, network(self.request.remote_ip)))
        if service.busy:
            self._show_again(503, tr("Too many people are logging in at once. Please try again in a few seconds."))
            return
        wait = seconds_to_wait(service.logins.store, keys)
        if wait > 0:
            seconds = math.ceil(wait)
            self.set_header("Retry-After", str(seconds))
            self._show_again(429, tr("Too many tries. Please wait {seconds} s and try again.", seconds=seconds))
            return
        await self._check(name, self.get_body_argument("password", "", strip=False))

    async def _check(self, name: str, password: str) -> None:
        service, users = self.service, self.service.logins.users.users
        assert users is not None
        service.waiting += 1
        try:
            account = await asyncio.get_running_loop().run_in_executor(service.workers, users.check, name, password)
        finally:
            service.waiting -= 1
        if account is None:
            # People type their password into the wrong field: an unknown name isn't logged.
            known = name if users.account(name) is not None else ""
            _LOG.warning(
                "%s failed to log in from %s", repr(known) if known else "an unknown user", self.request.remote_ip
            )
            service.note(
                "login refused", known, how="password", address=str(self.request.remote_ip), reason="not right"
            )
            self._show_again(403, tr("Name or password isn't right."))
            return
        service.failures_by_name.forget(name[:64])
        service.failures_by_address.undo(network(self.request.remote_ip))
        self.log_in(name, account, how="password", onward=self._next())

    def _show_again(self, status: int, message: str) -> None:
        self.show_login(status, next=self._next(), message=message, name=self.get_body_argument("name", "")[:64])

    def _next(self) -> str:
        return local_path(self.get_argument("next", "/"))


class LogoutHandler(PageHandler):
    """The logout page; logging out closes the pages that this login opened."""

    async def get(self) -> None:
        """Log out if the request comes from a page of this server or the address bar; otherwise ask first."""
        asked = self.get_argument("everywhere", None) is not None
        if not asked and self.request.headers.get("Sec-Fetch-Site") in {"same-origin", "none"}:
            await self._log_out(everywhere=False)
        else:
            self.show(logout_html, 200)

    async def post(self) -> None:
        """Log out, here or in all browsers."""
        if self.is_own_form():
            await self._log_out(everywhere=self.get_body_argument("everywhere", "") == "yes")
        else:
            self.show(logout_html, 403)

    async def _log_out(self, *, everywhere: bool) -> None:
        service, onward = self.service, None
        login = service.guard.login_of(self.request)
        if login is not None:
            if everywhere:
                service.end_all(login.name, how="logout page")
            else:
                service.end(login, how="logout page")
            back = f"{service.guard.scheme}://{self.request.host}{LOGIN}"
            # It may have to ask the provider where its logout page is.
            found = asyncio.get_running_loop().run_in_executor(
                service.workers, partial(service.provider_logout, login, back=back)
            )
            onward = await found
        self.clear_cookie(service.guard.cookie, path="/", secure=service.tls)
        if onward is None:
            self.redirect(LOGIN, status=303)
        else:
            # Not a redirect: browsers don't let a form lead to another site, for which the policy of its page has no name.
            self.show(logged_out_html, 200, onward=onward)


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
