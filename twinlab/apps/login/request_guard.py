"""The one gate before every route of a served page: files, documents and websockets alike."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from bokeh.util.token import get_session_id
from tornado.routing import Matcher
from tornado.web import OutputTransform, RequestHandler, decode_signed_value

if TYPE_CHECKING:
    from tornado.httputil import HTTPHeaders, HTTPServerRequest

    from twinlab.apps.login.sessions import Login, Logins

__all__ = ["LOGIN", "LOGOUT", "Gate", "Refusal", "Refused", "safe_headers"]

LOGIN, LOGOUT = "/login", "/logout"
_LONGEST_NEXT = 4000
# Panel and Bokeh build functions and styles in the page; nothing comes from, or goes, elsewhere.
_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class Refusal:
    """Why a request isn't answered."""

    status: int
    text: str
    # Where a person goes instead.
    goto: str = ""


@dataclass
class Gate(Matcher):
    """Matches every request that must not be answered; what it lets through carries its user.

    Parameters
    ----------
    names : iterable of str
        Hosts that this server goes by; ``*.example.org`` for all hosts of a domain. A page elsewhere on the net that
        resolves its own name to this machine isn't let in.
    scheme : str
        "http" or "https".
    cookie : str
        Name of the login's cookie.
    secret : str
        Signs the cookie.
    logins : Logins, optional
        Without it nobody has to log in.
    """

    names: Iterable[str]
    scheme: str
    cookie: str
    secret: str
    logins: Logins | None = None
    #: Session -> the login that opened it.
    owners: dict[str, Login] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = tuple(_plain_host(name) for name in self.names)

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return the refusal of a request as Tornado's router wants it; None lets the request pass."""
        refusal = self._strange(request) or self._stranger(request)
        return None if refusal is None else {"target_kwargs": {"refusal": refusal}}

    def login_of(self, request: HTTPServerRequest) -> Login | None:
        """Return the login that a request's cookie stands for; None if it's missing, forged, old or logged out."""
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

    def ended(self, session: str) -> bool:
        """Tell whether a session goes on although its login is over."""
        login = self.owners.get(session)
        return self.logins is not None and (login is None or not self.logins.stands(login))

    def _strange(self, request: HTTPServerRequest) -> Refusal | None:
        """Why nobody at all may have this."""
        host = _plain_host(_host(request.host))
        if not any(_is_named(host, name) for name in self.names):
            known = ", ".join(self.names)
            return Refusal(421, f"This page is served under these names only: {known}. It was asked for as {host!r}.")
        origin = request.headers.get("Origin")
        changing = request.method not in {"GET", "HEAD"} or _is_websocket(request)
        if changing and origin is not None and origin.casefold() != f"{self.scheme}://{request.host}".casefold():
            return Refusal(403, "Another site may not send anything here.")
        if request.path.startswith("/components/") and request.path.split("/")[2] not in sys.modules:
            # Panel would import any module it's asked for.
            return Refusal(404, "There is no such component.")
        return None

    def _stranger(self, request: HTTPServerRequest) -> Refusal | None:
        """Why somebody who hasn't logged in may not have this."""
        if self.logins is None:
            return None
        login = self.login_of(request)
        if login is not None:
            vars(request).update(twinlab_user=self.logins.user(login), twinlab_login=login)
            return self._not_own(request, login)
        if request.path == LOGIN:
            return None
        if request.method == "GET" and "text/html" in request.headers.get("Accept", "") and not _is_websocket(request):
            return Refusal(302, "Log in first.", goto=f"{LOGIN}?next={quote(local_path(request.uri), safe='/')}")
        return Refusal(403, "Log in first.")

    def _not_own(self, request: HTTPServerRequest, login: Login) -> Refusal | None:
        """Why somebody may not have somebody else's session."""
        try:
            sessions = _sessions(request)
        except (ValueError, KeyError, TypeError):
            return Refusal(403, "This session's token can't be read.")
        owners = [self.owners.get(session) for session in sessions]
        if any(owner is not None and owner.name != login.name for owner in owners):
            return Refusal(403, "This session is somebody else's.")
        return None


class Refused(RequestHandler):
    """Answers what the gate refuses."""

    def initialize(self, refusal: Refusal) -> None:
        """Take the refusal."""
        self._refusal = refusal

    def prepare(self) -> None:
        """Answer, whatever the method."""
        if self._refusal.goto:
            self.redirect(self._refusal.goto)
            return
        self.set_status(self._refusal.status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(self._refusal.text + "\n")


def safe_headers(*, tls: bool) -> type[OutputTransform]:
    """Return a Tornado transform that gives every answer the headers that keep other sites away."""
    always = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if tls:
        always["Strict-Transport-Security"] = "max-age=31536000"

    class SafeHeaders(OutputTransform):
        def __init__(self, request: HTTPServerRequest) -> None:
            # Not every browser takes a websocket of this server for 'self'.
            own = f" {'wss' if tls else 'ws'}://{request.host}" if re.fullmatch(r"[\w.:\[\]-]+", request.host) else ""
            self._headers = always | {"Content-Security-Policy": f"{_POLICY}; connect-src 'self' data: blob:{own}"}
            if not request.path.startswith(("/static/", "/components/", "/favicon.ico")):
                # A browser that somebody else uses next shows nothing from before.
                self._headers["Cache-Control"] = "no-store"

        def transform_first_chunk(
            self,
            status_code: int,
            headers: HTTPHeaders,
            chunk: bytes,
            finishing: bool,  # noqa: ARG002, FBT001  (Tornado's)
        ) -> tuple[int, HTTPHeaders, bytes]:
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            # Bokeh lets any site read autoload.js, with the session's token in it.
            for name in [name for name in headers if name == "Server" or name.startswith("Access-Control-")]:
                del headers[name]
            return status_code, headers, chunk

    return SafeHeaders


def local_path(uri: str | None) -> str:
    r"""Return the page's address with its query, and "/" for whatever leads elsewhere.

    >>> local_path("/?page=now"), local_path("//elsewhere.org/"), local_path("/\\elsewhere.org")
    ('/?page=now', '/', '/')
    """
    text = uri or "/"
    # Browsers take a backslash for a slash, and skip tabs and line ends.
    strange = "\\" in text or any(ord(letter) < 33 or ord(letter) == 127 for letter in text)
    if strange or not text.startswith("/") or text.startswith("//") or len(text) > _LONGEST_NEXT:
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc or parts.path != "/" else text


def _is_websocket(request: HTTPServerRequest) -> bool:
    return "websocket" in request.headers.get("Upgrade", "").casefold()


def _sessions(request: HTTPServerRequest) -> list[str]:
    """The sessions that a request is about: Bokeh takes them from a websocket's subprotocol, the query or a header."""
    offered = [part.strip() for part in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    tokens = [*offered[1:2], *_asked(request, "bokeh-token")]
    named = [*_asked(request, "bokeh-session-id"), *request.headers.get_list("Bokeh-Session-Id")]
    return [*map(get_session_id, tokens), *named]


def _asked(request: HTTPServerRequest, name: str) -> list[str]:
    return [value.decode("ascii", "replace") for value in request.arguments.get(name, [])]


def _host(netloc: str) -> str:
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def _is_named(host: str, name: str) -> bool:
    """Whether a host goes by a certificate's name; a star is one part (RFC 6125)."""
    if not name.startswith("*."):
        return host == name
    first, _, rest = host.partition(".")
    return bool(first) and rest == name[2:]


def _plain_host(name: str) -> str:
    """One spelling a host."""
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return name.casefold().rstrip(".")
