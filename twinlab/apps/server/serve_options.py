"""Where a page is served and who can reach it: address, port, host names, certificate and users, checked together."""

from __future__ import annotations

import logging
import secrets
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from twinlab._addresses import is_loopback
from twinlab.apps.login.oidc.provider import oidc_provider
from twinlab.apps.login.users import Users
from twinlab.apps.server.certificates import certificate_command, certificate_names, tls_context
from twinlab.errors import SourceError

__all__ = ["ServeOptions", "ServerSecrets", "check_options"]

_LOG = logging.getLogger(__name__)
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class ServerSecrets:
    """Keys that sign the login cookie and the sessions of one server, made anew at each start."""

    cookie: str = field(default_factory=lambda: secrets.token_hex(32))
    # A token of one session can't be turned into a token of another.
    session: str = field(default_factory=lambda: secrets.token_hex(32))


@dataclass(frozen=True)
class ServeOptions:
    """Checked options of a server."""

    address: str
    port: int
    # Host names under which the page answers.
    names: tuple[str, ...]
    # Context of the process that accepts connections.
    tls: ssl.SSLContext | None
    users: Users | None
    # Whether readers use TLS.
    secure: bool
    # Settings of a login with OpenID Connect.
    oidc: Path | None = None
    secrets: ServerSecrets = field(default_factory=ServerSecrets)
    # Number of this process among those that serve.
    worker: int = 0
    workers: int = 1
    # Name of what several servers share, if their logins are in a database; "" for the logins of this server alone.
    shared: str = ""

    @property
    def with_login(self) -> bool:
        """Whether readers have to log in."""
        return self.users is not None or self.oidc is not None

    @property
    def scheme(self) -> str:
        """``"http"`` or ``"https"``."""
        return "https" if self.secure else "http"

    @property
    def cookie(self) -> str:
        """Name of the login cookie: one per port, since cookies ignore ports, unless servers share it; with TLS, bound to the host."""
        return f"{'__Host-' if self.secure else ''}twinlab-{self.shared or self.port}"

    @property
    def url(self) -> str:
        """Address of the page, as a reader types it."""
        host = self.address
        if not is_loopback(host):
            fixed = [name for name in self.names if "*" not in name]
            elsewhere = [name for name in fixed if name not in _HERE]
            host = host if host in fixed else next(iter([*elsewhere, *fixed]))
        return f"{self.scheme}://{_bracketed(host)}:{self.port}/"

    @property
    def origins(self) -> tuple[str, ...]:
        """Patterns for Bokeh's own check of websockets, which knows IPv6 addresses only with their port."""
        return tuple(f"[{name}]:{self.port}" if ":" in name else name for name in self.names)


def check_options(
    address: str,
    *,
    port: int,
    users: str | Path | None = None,
    oidc: str | Path | None = None,
    certificate: str | Path | None = None,
    key: str | Path | None = None,
) -> ServeOptions:
    """Return the options of a server, if a page may be served with them.

    Parameters
    ----------
    address : str
        Address to listen on.
    port : int
        0 takes a free port.
    users, oidc : path, optional
        Users file, and settings of a login with OpenID Connect; one of them is required for an address that isn't a
        loopback address.
    certificate, key : path, optional
        Both are required for such an address.

    Raises
    ------
    SourceError
        If an option is missing or wrong; says which, and the command that creates the file.
    """
    here = is_loopback(address)
    if not here:
        _need_all(address, users=users or oidc, certificate=certificate, key=key)
    if (certificate is None) != (key is None):
        msg = (
            f"expected a certificate and its key, got only {certificate or key}; give both (--cert, --key), or neither"
        )
        raise SourceError(msg)
    known = None if users is None else _known_users(Path(users))
    tls, names = None, [*_HERE]
    if certificate is not None and key is not None:
        tls = tls_context(Path(certificate), Path(key))
        names = [*certificate_names(tls, Path(certificate)), *_HERE]
    if address not in {"0.0.0.0", "::"}:  # noqa: S104  (compared, not listened on)
        names.append(address)
    free = _free_port(address, port)
    settings = None if oidc is None else Path(oidc)
    if settings is not None:
        # Faults are reported before anything is started.
        oidc_provider(settings)
    return ServeOptions(address, free, tuple(dict.fromkeys(names)), tls, known, secure=tls is not None, oidc=settings)


def _need_all(address: str, **given: str | Path | None) -> None:
    options = {"certificate": "--cert", "key": "--key", "users": "--users"}
    missing = [options[name] for name in options if given[name] is None]
    if not missing:
        return
    host = "" if address in {"0.0.0.0", "::", ""} else address  # noqa: S104  (asked about, not listened on)
    msg = (
        f"others can reach {address!r}: expected TLS and a login, {' and '.join(missing)} missing; give them, or a loopback "
        "address such as 127.0.0.1 (and reach it from another machine through an SSH tunnel)\n"
        f"  a self-signed certificate: {certificate_command(host)}\n"
        "  a users file:              twinlab user add users.json NAME\n"
        "  or a provider's login:     --oidc oidc.yaml in place of --users\n"
        f"  then:                      twinlab serve TWIN --address {address or '0.0.0.0'} --port 8443 "  # noqa: S104  (the same)
        "--cert cert.pem --key key.pem --users users.json"
    )
    raise SourceError(msg)


def _known_users(path: Path) -> Users:
    if not path.exists():
        msg = f"the users file {path} isn't there; create it with: twinlab user add {path} NAME"
        raise SourceError(msg)
    users = Users(path)
    if not users.accounts():
        msg = f"nobody could log in: {path} has no user; add one with: twinlab user add {path} NAME"
        raise SourceError(msg)
    return users


def _free_port(address: str, port: int) -> int:
    """Return the port if it is free, or a free one for 0. Bokeh needs it before binding, to check origins."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except (OSError, OverflowError) as error:
            msg = f"port {port} of {address} can't be used ({error}); choose another, or 0 for any free one"
            raise SourceError(msg) from error
        return int(probe.getsockname()[1])


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
