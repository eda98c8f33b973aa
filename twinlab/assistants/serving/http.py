"""Serve clients over streamable HTTP: on this machine, or with TLS and tokens to others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinlab._addresses import is_loopback
from twinlab.apps.login.tokens.tokens import Tokens
from twinlab.apps.server.serve_options import ServeOptions, check_options
from twinlab.assistants.caller import Callers
from twinlab.assistants.limits import Limits
from twinlab.assistants.server import mcp_server, require_mcp
from twinlab.assistants.serving.request_guard import RequestGuard
from twinlab.assistants.serving.tokens import TokenUsers
from twinlab.errors import SchemaError, SourceError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from twinlab.model.reader import TwinReader

__all__ = ["HttpOptions", "http_app", "serve_http"]

PATH = "/mcp"
#: Largest body of a request, bytes; seconds after which a session without requests ends; most sessions.
_MOST_BYTES, _IDLE_SECONDS, _MOST_SESSIONS = 1_000_000, 1800.0, 200


@dataclass(frozen=True)
class HttpOptions:
    """Where the server listens, and who may ask."""

    address: str = "127.0.0.1"
    """Address; one that isn't a loopback address needs the next three."""
    port: int = 0
    """Port; 0 takes a free one."""
    users: Path | None = None
    """Users file, whose users have tokens: ``twinlab user token users.json NAME``."""
    certificate: Path | None = None
    """PEM file."""
    key: Path | None = None
    """PEM file."""

    @classmethod
    def parse(cls, text: str, **files: Path | None) -> HttpOptions:
        """Return the options of a text ``HOST:PORT`` or ``PORT``.

        Raises
        ------
        SchemaError
            If it is neither.

        Examples
        --------
        >>> HttpOptions.parse("127.0.0.1:8765").port, HttpOptions.parse("[::1]:80").address
        (8765, '::1')
        """
        host, _, port = text.rpartition(":")
        if not port.isdecimal() or int(port) > 65535:
            msg = f"expected HOST:PORT or PORT, such as 127.0.0.1:8765, got {text!r}"
            raise SchemaError(msg)
        return cls(host.strip("[]") or "127.0.0.1", int(port), **files)

    def checked(self) -> ServeOptions:
        """Return what a server with these options is; see `check_options`.

        Raises
        ------
        SourceError
            If others could ask without TLS and a login, or a file can't be used.
        """
        missing = [
            name
            for name, given in (("--cert", self.certificate), ("--key", self.key), ("--users", self.users))
            if given is None
        ]
        if missing and not is_loopback(self.address):
            msg = (
                f"others can reach {self.address!r}: expected TLS and a login, {' and '.join(missing)} missing; give them, or a loopback address such as "
                "127.0.0.1 (and reach it from another machine through an SSH tunnel)\n"
                "  a users file: twinlab user add users.json NAME\n"
                "  a token:      twinlab user token users.json NAME"
            )
            raise SourceError(msg)
        return check_options(self.address, port=self.port, users=self.users, certificate=self.certificate, key=self.key)


def http_app(
    callers: Callers, options: ServeOptions, *, proposals: bool = False, limits: Limits | None = None
) -> ASGIApp:
    """Return the ASGI application: the guard before everything, then tokens, then the protocol at ``/mcp``.

    Parameters
    ----------
    callers : Callers
    options : ServeOptions
        As `HttpOptions.checked` returns them.
    proposals, limits
        As for `assistants`.
    """
    from mcp.server.auth.settings import AuthSettings  # noqa: PLC0415  (an extra)
    from mcp.server.transport_security import TransportSecuritySettings  # noqa: PLC0415

    users = None if options.users is None else TokenUsers(Tokens(options.users), callers)
    server = mcp_server(
        callers, proposals=proposals, limits=limits, caller_of=None if users is None else users.caller_of
    )
    login: dict[str, Any] = {}
    if users is not None:
        login = {"auth": AuthSettings(issuer_url=options.url, resource_server_url=None), "token_verifier": users}
    app = server.streamable_http_app(
        streamable_http_path=PATH, max_request_body_size=_MOST_BYTES, session_idle_timeout=_IDLE_SECONDS, max_sessions=_MOST_SESSIONS,
        # Our own guard checks host and origin, before the token and with names of certificates, which may have a star.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        **login,
    )  # fmt: skip
    return RequestGuard(app, names=options.names, scheme=options.scheme)


def serve_http(
    twin: TwinReader,
    options: HttpOptions,
    *,
    as_roles: Sequence[str] | None = None,
    proposals: bool = False,
    limits: Limits | None = None,
    ready: Callable[[str], object] | None = None,
) -> None:
    """Serve a twin over HTTP until interrupted.

    Parameters
    ----------
    twin : TwinReader
    options : HttpOptions
        With a users file each request needs a token, and has the rights of its user.
    as_roles : sequence of str, optional
        Without a users file: show no more than these roles may see.
    proposals, limits
        As for `assistants`.
    ready : callable, optional
        Called with the address once requests are answered.

    Raises
    ------
    SourceError
        If others could ask without TLS and a login, a file can't be used, or the SDK isn't installed.
    SchemaError
        If ``as_roles`` is given beside a users file.
    """
    require_mcp()
    import uvicorn  # noqa: PLC0415  (comes with the SDK)

    checked = options.checked()
    if as_roles is not None and checked.users is not None:
        msg = "expected either --as or --users: with a users file, each token has the roles of its user"
        raise SchemaError(msg)
    app = http_app(Callers(twin, as_roles=as_roles), checked, proposals=proposals, limits=limits)
    config = uvicorn.Config(
        app, host=checked.address, port=checked.port, log_config=None, access_log=False, server_header=False, date_header=False,
        ssl_certfile=options.certificate, ssl_keyfile=options.key, ws="none", timeout_graceful_shutdown=3,
    )  # fmt: skip
    where = f"{checked.url.rstrip('/')}{PATH}"
    asyncio.run(_run(uvicorn.Server(config), lambda: None if ready is None else ready(where)))


async def _run(server: uvicorn.Server, ready: Callable[[], object]) -> None:
    """Run a server, and say when it answers."""
    running = asyncio.create_task(server.serve())
    # Uvicorn has no event for it.
    while not server.started and not running.done():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    if server.started:
        ready()
    await running
