"""Which worker a request belongs to: the number is in the session's identifier, so no table has to be shared."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from bokeh.util.token import generate_session_id
from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest, parse_request_start_line

from twinlab.apps.login.request_guard import is_websocket, named_sessions

__all__ = ["Assignment", "assignment_of", "new_session_id", "worker_of"]


@dataclass(frozen=True)
class Assignment:
    """What the front needs to know about the first request of a connection."""

    # None: any worker may answer.
    worker: int | None
    # Whether it opens a page or the websocket of one: both make work for their worker.
    opens_page: bool
    is_websocket: bool


def worker_of(session: str, workers: int) -> int:
    """Return the worker to which a session belongs.

    >>> worker_of("any text", 1)
    0
    """
    return zlib.crc32(session.encode("utf-8", "surrogatepass")) % workers


def new_session_id(secret: bytes, *, worker: int, workers: int) -> str:
    """Return the signed identifier of a new session that belongs to one worker.

    >>> worker_of(new_session_id(b"secret", worker=2, workers=3), 3)
    2
    """
    while True:
        # A worker's share of all identifiers is one in `workers`: a few tries, some microseconds each.
        session = str(generate_session_id(secret_key=secret, signed=True))
        if worker_of(session, workers) == worker:
            return session


def assignment_of(head: bytes, workers: int) -> Assignment:
    """Return what the first request of a connection asks for.

    Parameters
    ----------
    head : bytes
        Request line and headers. What can't be read goes to any worker, which refuses it.
    workers : int
    """
    try:
        line, _, rest = head.decode("latin-1").partition("\r\n")
        start = parse_request_start_line(line)
        request = HTTPServerRequest(start_line=start, headers=HTTPHeaders.parse(rest))
        sessions = named_sessions(request)
    except (HTTPInputError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return Assignment(None, opens_page=False, is_websocket=False)
    socket = is_websocket(request)
    worker = worker_of(sessions[0], workers) if sessions else None
    return Assignment(worker, opens_page=socket or (start.method == "GET" and request.path == "/"), is_websocket=socket)
