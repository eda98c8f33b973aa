"""Security headers of every response, among them the page's content security policy with a nonce for its scripts."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from tornado.web import OutputTransform

if TYPE_CHECKING:
    from tornado.httputil import HTTPHeaders, HTTPServerRequest

__all__ = ["page_policy", "safe_headers"]

#: Features of browsers that no page uses.
_UNUSED = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media", "geolocation",
    "gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
# A start tag of a script, as the template of a page writes it. Texts in a page are escaped: they have none.
_SCRIPT = re.compile(rb"<script(?=[\s>])")


def page_policy(nonce: str, host: str, *, tls: bool) -> str:
    """Return the content security policy of a page.

    Scripts are this server's files and those of the page's template, which have the nonce; not scripts and handlers of
    events that somebody gets into the page. Bokeh makes functions from texts (``unsafe-eval``) and Panel modules from
    them (``blob:``), and both write style sheets. Nothing is loaded from, or sent to, another host.

    Parameters
    ----------
    nonce : str
        New for each response; "" for a response without scripts of its own.
    host : str
        Host and port, as the browser names them: not every browser counts a websocket of this server as 'self'.
    tls : bool
        Whether readers use TLS.
    """
    own = f" {'wss' if tls else 'ws'}://{host}" if re.fullmatch(r"[\w.:\[\]-]+", host) else ""
    scripts = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    return "; ".join((
        "default-src 'self' data: blob:",
        f"script-src {scripts} 'unsafe-eval' blob:",
        "script-src-attr 'none'",
        "style-src 'self' 'unsafe-inline'",
        f"connect-src 'self' data: blob:{own}",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ))  # fmt: skip


def safe_headers(*, tls: bool) -> type[OutputTransform]:
    """Return a Tornado transform that adds security headers to every response, and the nonce to scripts of pages."""
    always = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in _UNUSED),
    }
    if tls:
        always["Strict-Transport-Security"] = "max-age=31536000"

    class SafeHeaders(OutputTransform):
        def __init__(self, request: HTTPServerRequest) -> None:
            self._headers, self._host = dict(always), request.host
            self._is_page = request.path == "/"
            if not request.path.startswith(("/static/", "/components/", "/favicon.ico")):
                # The browser's next user must not see pages from its cache.
                self._headers["Cache-Control"] = "no-store"

        def transform_first_chunk(
            self,
            status_code: int,
            headers: HTTPHeaders,
            chunk: bytes,
            finishing: bool,  # noqa: FBT001  (Tornado's)
        ) -> tuple[int, HTTPHeaders, bytes]:
            nonce = ""
            if (
                self._is_page
                and status_code == 200
                and finishing
                and headers.get("Content-Type", "").startswith("text/html")
            ):
                nonce = secrets.token_urlsafe(16)
                chunk = _SCRIPT.sub(f'<script nonce="{nonce}"'.encode(), chunk)
                if "Content-Length" in headers:
                    headers["Content-Length"] = str(len(chunk))
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            headers.setdefault("Content-Security-Policy", page_policy(nonce, self._host, tls=tls))
            # Bokeh lets every site read autoload.js, which contains the session's token.
            for name in [name for name in headers if name == "Server" or name.startswith("Access-Control-")]:
                del headers[name]
            return status_code, headers, chunk

    return SafeHeaders
