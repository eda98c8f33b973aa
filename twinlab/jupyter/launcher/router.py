"""Which requests are answered, and by what: only those that Jupyter passes on; a twin's pages under ``/pages/<key>/``."""

from __future__ import annotations

import hmac
import re
from urllib.parse import urlsplit

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.web import Application

from twinlab.jupyter.launcher.entry import SECRET_HEADER
from twinlab.jupyter.launcher.handlers import Launcher, NotebookHandler, OpenHandler, RefusedHandler, StartHandler

__all__ = ["LauncherRouter"]

_PAGES = re.compile(r"/pages/([a-z0-9-]{1,300})(/.*)", re.DOTALL)


class LauncherRouter(Router):
    """Routes requests to the start page, or to the pages of a twin.

    Jupyter has checked who asks (its token or cookie, also of websockets). Forms are another matter: it leaves them to
    the servers behind it, so that a request from another site is refused here.

    Parameters
    ----------
    launcher : Launcher
    secret : str
        What Jupyter adds to each request.
    """

    def __init__(self, launcher: Launcher, secret: str) -> None:
        self._launcher, self._secret = launcher, secret
        shared = {"launcher": launcher}
        self._own = Application([
            (r"/", StartHandler, shared),
            (r"/notebook", NotebookHandler, shared),
            (r"/pages/([a-z0-9-]{1,300})/", OpenHandler, shared),
        ])  # fmt: skip

    def find_handler(self, request: HTTPServerRequest, **kwargs: object) -> HTTPMessageDelegate | None:  # noqa: ARG002  (Tornado's)
        """Return what answers a request."""
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._secret.encode()):
            return self._refuse(request, 403, "Open this server through Jupyter: its own port answers nobody else.")
        # Not even a page's own code reads it.
        del request.headers[SECRET_HEADER]
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.casefold() != request.headers.get("Host", "").casefold():
            return self._refuse(request, 403, "Another site may not send requests here.")
        if origin is None and request.method not in {"GET", "HEAD"}:
            return self._refuse(request, 403, "A form is sent with the origin of its page.")
        match = _PAGES.fullmatch(request.path)
        found = None if match is None else self._launcher.pages.application(match[1])
        if match is None or found is None:
            return self._own.find_handler(request)
        application, host = found
        _set_path(request, match[2])
        _set_host(request, host)
        return application.find_handler(request)

    def _refuse(self, request: HTTPServerRequest, status: int, reason: str) -> HTTPMessageDelegate:
        return self._own.get_handler_delegate(request, RefusedHandler, {"status": status, "reason": reason})


def _set_path(request: HTTPServerRequest, path: str) -> None:
    """Give a request the path that the pages of a twin know."""
    request.path = path
    request.uri = f"{path}?{request.query}" if request.query else path


def _set_host(request: HTTPServerRequest, host: str) -> None:
    """Give a request the host that the pages of a twin are served under; the origin was compared before."""
    request.headers["Host"] = request.host = host
    request.host_name = host.rpartition(":")[0]
    if "Origin" in request.headers:
        request.headers["Origin"] = f"http://{host}"
