"""Handlers of the login with OpenID Connect: to the provider, back from it, and the provider's own logout."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from functools import partial

from twinlab.apps.login.accounts import Accounts
from twinlab.apps.login.handlers import PageHandler
from twinlab.apps.login.login_service import LoginService
from twinlab.apps.login.oidc.flows import FLOW_SECONDS, Flow, Flows
from twinlab.apps.login.oidc.person import Person
from twinlab.apps.login.oidc.provider import Claims, Provider, TokenError
from twinlab.apps.login.rates import network
from twinlab.apps.login.request_guard import LOGIN, OIDC_BACK, OIDC_LOGOUT, OIDC_START, local_path
from twinlab.apps.login.sessions import Failures, seconds_to_wait
from twinlab.errors import SourceError
from twinlab.languages import tr

__all__ = ["OidcLogin", "routes"]

_LOG = logging.getLogger(__name__)
_LONGEST = 4096


@dataclass
class OidcLogin:
    """What the handlers of this login share."""

    provider: Provider
    flows: Flows
    accounts: Accounts
    # Logins begun, by address: each one waits for the provider.
    begun: Failures


class _OidcHandler(PageHandler):
    def initialize(self, service: LoginService, oidc: OidcLogin | None = None) -> None:
        """Store what the handlers share."""
        super().initialize(service)
        assert oidc is not None
        self.oidc = oidc

    @property
    def browser_cookie(self) -> str:
        return f"{self.service.guard.cookie}-oidc"

    @property
    def redirect_address(self) -> str:
        # The guard has checked that the host is one of this server's names.
        return f"{self.service.guard.scheme}://{self.request.host}{OIDC_BACK}"

    def refuse(self, status: int, message: str, *, reason: str, name: str = "") -> None:
        """Show the login page with a message, and record why."""
        self.service.note("login refused", name, how="oidc", address=str(self.request.remote_ip), reason=reason)
        self.clear_cookie(self.browser_cookie, path=LOGIN, secure=self.service.tls)
        self.show_login(status, next="/", message=message)

    async def in_thread(self, call: partial[str] | partial[Claims]) -> str | Claims | None:
        """Wait for the provider in a thread; None if it fails, which is answered."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self.service.workers, call)
        except TokenError as error:
            _LOG.warning("a login from %s was refused: %s", self.request.remote_ip, error)
            self.refuse(403, tr("The provider's answer wasn't valid. Please try again."), reason=str(error))
        except SourceError as error:
            _LOG.exception("the provider can't be used")
            self.refuse(503, tr("The provider doesn't answer. Please try again in a few minutes."), reason=str(error))
        return None


class _StartHandler(_OidcHandler):
    """Sends a browser to the provider."""

    async def get(self) -> None:
        """Begin a login."""
        key = (self.oidc.begun, network(self.request.remote_ip))
        if self.service.busy or seconds_to_wait(self.service.logins.store, [key]) > 0:
            self.refuse(429, tr("Too many tries. Please wait a minute and try again."), reason="too many tries")
            return
        # Several tabs of one browser can log in at once.
        browser = self.get_cookie(self.browser_cookie) or secrets.token_urlsafe(32)
        flow = self.oidc.flows.begin(browser[:100], next=local_path(self.get_argument("next", "/")))
        url = await self.in_thread(
            partial(
                self.oidc.provider.authorization_url, redirect=self.redirect_address, state=flow.state, nonce=flow.nonce,
                verifier=flow.verifier,
            )
        )  # fmt: skip
        if url is None:
            return
        # Lax: the browser comes back from another site.
        self.set_cookie(
            self.browser_cookie, browser[:100], path=LOGIN, max_age=int(FLOW_SECONDS), httponly=True, samesite="Lax",
            secure=self.service.tls,
        )  # fmt: skip
        self.set_header("Cache-Control", "no-store")
        self.redirect(str(url), status=303)


class _BackHandler(_OidcHandler):
    """Receives a browser from the provider."""

    async def get(self) -> None:
        """Finish a login that this browser began."""
        state, code = (self.get_argument(name, "")[:_LONGEST] for name in ("state", "code"))
        flow = self.oidc.flows.finish(state, (self.get_cookie(self.browser_cookie) or "")[:100])
        if flow is None:
            self.refuse(
                403, tr("This login was too old, or another browser's. Please try again."), reason="unknown state"
            )
            return
        error, issuer = self.get_argument("error", ""), self.get_argument("iss", None)
        if error or not code:
            self.refuse(403, tr("The provider didn't log you in."), reason=f"the provider's answer: {error[:40]!r}")
            return
        if issuer is not None and issuer != self.oidc.provider.settings.issuer:
            self.refuse(403, tr("The answer was another provider's. Please try again."), reason="another issuer")
            return
        claims = await self._claims(code, flow)
        if isinstance(claims, dict):
            self._log_in(claims, flow)

    async def _claims(self, code: str, flow: Flow) -> Claims | str | None:
        return await self.in_thread(
            partial(
                self.oidc.provider.exchange,
                code,
                redirect=self.redirect_address,
                nonce=flow.nonce,
                verifier=flow.verifier,
            )
        )

    def _log_in(self, claims: Claims, flow: Flow) -> None:
        person = Person(claims, self.oidc.provider.settings)
        if person.identity is None:
            self.refuse(403, tr("The provider didn't say who you are."), reason="no identity in the claims")
            return
        if not person.roles:
            message = tr(
                "You have logged in as {label}, but none of your groups has a role in this twin. Ask its administrator for one.",
                label=person.label,
            )
            self.refuse(403, message, reason=tr("no role"), name=person.name)
            return
        account, before = self.oidc.accounts.put(
            person.name, label=person.label, roles=person.roles, subject=person.sub
        )
        if before is not None:
            self.service.note("roles changed", person.name, user=person.name, roles=list(person.roles), reason="groups")
            self.service.on_logout()
        self.oidc.begun.undo(network(self.request.remote_ip))
        self.clear_cookie(self.browser_cookie, path=LOGIN, secure=self.service.tls)
        self.log_in(person.name, account, how="oidc", onward=flow.next)


class _ProviderLogoutHandler(_OidcHandler):
    """Ends the logins of a person who has logged out at the provider (back-channel logout)."""

    async def post(self) -> None:
        """Check the provider's token, and end all logins of the person whom it names."""
        self.set_header("Cache-Control", "no-store")
        token = self.get_body_argument("logout_token", "")
        try:
            claims = await asyncio.get_running_loop().run_in_executor(
                self.service.workers, self.oidc.provider.logged_out, token
            )
        except (TokenError, SourceError) as error:
            _LOG.warning("a logout from %s was refused: %s", self.request.remote_ip, error)
            self.set_status(400)
            self.finish({"error": "invalid_request"})
            return
        name = self.oidc.accounts.name_of_subject(claims["sub"])
        if name is not None:
            self.service.end_all(name, how="provider")
        self.finish()


def routes(service: LoginService, oidc: OidcLogin) -> list[tuple[str, type[PageHandler], dict[str, object]]]:
    """Return the routes of this login."""
    shared: dict[str, object] = {"service": service, "oidc": oidc}
    return [
        (OIDC_START, _StartHandler, shared),
        (OIDC_BACK, _BackHandler, shared),
        (OIDC_LOGOUT, _ProviderLogoutHandler, shared),
    ]
