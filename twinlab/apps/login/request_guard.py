"""The request guard: checks every request to a served page, to files, documents and websockets alike."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from bokeh.util.token import get_session_id
from tornado.routing import Matcher
from tornado.web import RequestHandler, decode_signed_value

from twinlab._addresses import host_of, is_named, plain_host
from twinlab.apps.login.rates import Buckets, network
from twinlab.errors import DatabaseUnreachableError
from twinlab.languages import mark, preferred_language, tr, use_from_here
from twinlab.model.access.policy_file import AccessPolicyFile

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

    from twinlab.apps.login.access import User
    from twinlab.apps.login.sessions import Login, Logins

__all__ = [
    "LOGIN",
    "LOGOUT",
    "OIDC_BACK",
    "OIDC_LOGOUT",
    "OIDC_START",
    "SESSION_HEADER",
    "SHEETS",
    "Refusal",
    "RefusalHandler",
    "RequestGuard",
    "is_websocket",
    "named_sessions",
]

_LOG = logging.getLogger(__name__)
LOGIN, LOGOUT = "/login", "/logout"
#: To a provider of OpenID Connect, back from it, and its own logout.
OIDC_START, OIDC_BACK, OIDC_LOGOUT = "/login/oidc", "/login/oidc/callback", "/login/oidc/logout"
#: Below it are sheets that programs fetch with a token.
SHEETS = "/sheets/"
#: Bokeh's name of the header in which a proxy names the session of a page.
SESSION_HEADER = "Bokeh-Session-Id"
_LONGEST_NEXT = 4000
#: Bokeh's routes that make a session if the request names none.
_MAKE_SESSIONS = ("/", "/autoload.js")


@dataclass(frozen=True)
class Refusal:
    """The response to a request that is refused."""

    status: int
    text: str
    # Address to redirect to; "" for none.
    goto: str = ""


@dataclass
class RequestGuard(Matcher):
    """Matches every request that must be refused; on the others it sets the user.

    Parameters
    ----------
    names : iterable of str
        Host names of this server; ``*.example.org`` for all hosts of a domain. A request under another name is refused:
        it comes from a page that resolves its own name to this machine (DNS rebinding).
    scheme : str
        "http" or "https".
    cookie : str
        Name of the login cookie.
    secret : str
        Key that signs the cookie.
    logins : Logins, optional
        Without it no login is required.
    new_session : callable, optional
        Returns the identifier of a new session. By default Bokeh makes one.
    policy : AccessPolicyFile, optional
        What users may see. By default that of a twin without an ``access.yaml``.
    """

    names: Iterable[str]
    scheme: str
    cookie: str
    secret: str
    logins: Logins | None = None
    new_session: Callable[[], str] | None = None
    # What users may see; counts only with logins.
    policy: AccessPolicyFile = field(default_factory=AccessPolicyFile)
    # Requests of one login, or of one address without a login: a page loads 40 files at its first visit.
    rates: Buckets = field(default_factory=lambda: Buckets(rate=50, burst=400))
    # Finds the user of a token that a program sends; for paths below `SHEETS` only.
    token_user: Callable[[HTTPServerRequest], User | None] | None = None
    # Paths that are open without a login.
    open_paths: frozenset[str] = frozenset({LOGIN})
    #: Session -> the login that opened it, and the fingerprint of the policy at that time.
    owners: dict[str, Login] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = tuple(plain_host(name) for name in self.names)

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return the refusal of a request as Tornado's router expects it; None accepts the request."""
        try:
            refusal = (
                self._refuse_address(request)
                or self._refuse_without_login(request)
                or _refuse_method(request)
                or self._refuse_rate(request)
            )
        except DatabaseUnreachableError as error:
            # Nobody knows whether the login counts. The text names no database.
            _LOG.warning("a request is refused: %s", error)
            refusal = Refusal(
                503, mark("The database of the logins doesn't answer. Wait a little, then load the page again.")
            )
        if refusal is None and self.new_session is not None and request.path in _MAKE_SESSIONS:
            self._name_session(request, self.new_session)
        return None if refusal is None else {"target_kwargs": {"refusal": refusal}}

    def _name_session(self, request: HTTPServerRequest, new_session: Callable[[], str]) -> None:
        """Name the session of a request that opens a page; a request that names one keeps it."""
        try:
            named = bool(named_sessions(request))
        except (ValueError, KeyError, TypeError):
            # Bokeh refuses it.
            named = True
        if not named:
            request.headers[SESSION_HEADER] = new_session()

    def login_of(self, request: HTTPServerRequest) -> Login | None:
        """Return the login of a request's cookie; None if the cookie is missing, forged, expired or logged out."""
        if self.logins is None:
            return None
        try:
            morsel = request.cookies.get(self.cookie)
        except CookieError:
            return None
        if morsel is None:
            return None
        days = self.logins.seconds / 86_400
        value = decode_signed_value(self.secret, self.cookie, morsel.value, max_age_days=days)
        return None if value is None else self.logins.find(value.decode("ascii", "replace"))

    def claim(self, session: str, login: Login) -> None:
        """Record which login opened a session, under which policy."""
        self.owners[session], self.policies[session] = login, self.policy.fingerprint

    def forget(self, session: str) -> None:
        """Forget a session that has ended."""
        self.owners.pop(session, None)
        self.policies.pop(session, None)

    def session_ended(self, session: str) -> bool:
        """Return whether a session is still open although its login has ended, or the access policy has changed."""
        if self.logins is None:
            return False
        login = self.owners.get(session)
        if login is None or not self.logins.is_valid(login):
            return True
        return self.policies.get(session) != self.policy.fingerprint

    def _refuse_address(self, request: HTTPServerRequest) -> Refusal | None:
        """Refuse requests under another host name or from another site, whoever sends them."""
        host = plain_host(host_of(request.host))
        if not any(is_named(host, name) for name in self.names):
            known = ", ".join(self.names)
            return Refusal(421, f"This page is served under these names only: {known}. It was asked for as {host!r}.")
        origin = request.headers.get("Origin")
        changing = request.method not in {"GET", "HEAD"} or is_websocket(request)
        if changing and origin is not None and origin.casefold() != f"{self.scheme}://{request.host}".casefold():
            return Refusal(403, mark("Another site may not send requests here."))
        if request.path.startswith("/components/") and request.path.split("/")[2] not in sys.modules:
            # Panel would import any module that is named here.
            return Refusal(404, mark("There is no such component."))
        return None

    def _refuse_without_login(self, request: HTTPServerRequest) -> Refusal | None:
        """Refuse a request without a login; set the user on one with a login."""
        if self.logins is None:
            return None
        login = self.login_of(request)
        if login is not None:
            vars(request).update(twinlab_user=self.logins.user(login), twinlab_login=login)
            return self._refuse_session(request, login)
        if request.path in self.open_paths:
            return None
        if request.path.startswith(SHEETS):
            return self._refuse_without_token(request)
        if request.method == "GET" and "text/html" in request.headers.get("Accept", "") and not is_websocket(request):
            return Refusal(302, mark("Log in first."), goto=f"{LOGIN}?next={quote(local_path(request.uri), safe='/')}")
        return Refusal(403, mark("Log in first."))

    def _refuse_without_token(self, request: HTTPServerRequest) -> Refusal | None:
        """Refuse a request for a sheet without a token that counts; set the user on one with such a token."""
        user = None if self.token_user is None else self.token_user(request)
        if user is None:
            return Refusal(401, mark("Log in with your name and a token: twinlab user token users.json NAME"))
        vars(request).update(twinlab_user=user)
        return None

    def _refuse_rate(self, request: HTTPServerRequest) -> Refusal | None:
        """Refuse requests beyond the rate."""
        login = getattr(request, "twinlab_login", None)
        key = f"login {login.key}" if login is not None else f"address {network(request.remote_ip)}"
        return None if self.rates.take(key) else Refusal(429, mark("Too many requests. Please wait a few seconds."))

    def _refuse_session(self, request: HTTPServerRequest, login: Login) -> Refusal | None:
        """Refuse a request for a session of another user."""
        try:
            sessions = named_sessions(request)
        except (ValueError, KeyError, TypeError):
            return Refusal(403, "This session's token can't be read.")
        owners = [self.owners.get(session) for session in sessions]
        if any(owner is not None and owner.name != login.name for owner in owners):
            return Refusal(403, mark("This session belongs to another user."))
        return None


class RefusalHandler(RequestHandler):
    """Answers the requests that the guard refuses."""

    def initialize(self, refusal: Refusal) -> None:
        """Store the refusal."""
        self._refusal = refusal

    def prepare(self) -> None:
        """Answer, whatever the HTTP method."""
        if self._refusal.goto:
            self.redirect(self._refusal.goto)
            return
        self.set_status(self._refusal.status)
        if self._refusal.status == 401:
            # Spreadsheet programs then ask for name and password, and store them outside of the file.
            self.set_header("WWW-Authenticate", 'Basic realm="twinlab", charset="UTF-8"')
        if self._refusal.status in (429, 503):
            self.set_header("Retry-After", "5")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        use_from_here(preferred_language(self.request.headers.get("Accept-Language", "")))
        self.finish(tr(self._refusal.text) + "\n")


def _refuse_method(request: HTTPServerRequest) -> Refusal | None:
    """Refuse methods that no page uses; other sites, which ask by OPTIONS, may send nothing here."""
    if request.method in {"GET", "HEAD", "POST"}:
        return None
    return Refusal(405, "Pages are asked for with GET, HEAD and POST.")


def local_path(uri: str | None) -> str:
    r"""Return an address of the page with its query; "/" for every other address.

    >>> local_path("/?page=now"), local_path("//elsewhere.org/"), local_path("/\\elsewhere.org")
    ('/?page=now', '/', '/')
    """
    text = uri or "/"
    # Browsers read a backslash as a slash, and skip tabs and line ends.
    strange = "\\" in text or any(ord(letter) < 33 or ord(letter) == 127 for letter in text)
    if strange or not text.startswith("/") or text.startswith("//") or len(text) > _LONGEST_NEXT:
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc or parts.path != "/" else text


def is_websocket(request: HTTPServerRequest) -> bool:
    """Return whether a request opens a websocket."""
    return "websocket" in request.headers.get("Upgrade", "").casefold()


def named_sessions(request: HTTPServerRequest) -> list[str]:
    """Return the sessions that a request names in the websocket's subprotocol, the query or a header, as Bokeh reads them."""
    offered = [part.strip() for part in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    tokens = [*offered[1:2], *_asked(request, "bokeh-token")]
    named = [*_asked(request, "bokeh-session-id"), *request.headers.get_list(SESSION_HEADER)]
    return [*map(get_session_id, tokens), *named]


def _asked(request: HTTPServerRequest, name: str) -> list[str]:
    return [value.decode("ascii", "replace") for value in request.arguments.get(name, [])]
