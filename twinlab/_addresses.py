"""Host names: whether an address is this machine's own, and whether a request names this server."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

__all__ = ["host_of", "is_loopback", "is_named", "plain_host"]


def is_loopback(host: str) -> bool:
    """Return whether a host name or IP address reaches this machine only; another name than localhost doesn't count.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "localhost.example.org")]
    [True, True, True, False, False]
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(netloc: str) -> str:
    """Return the host of a header; "" if it can't be read. Any port is right, since a tunnel may use another one.

    >>> host_of("twin.example.org:8443"), host_of("[::1]:80"), host_of("a:b")
    ('twin.example.org', '::1', '')
    """
    try:
        parts = urlsplit(f"//{netloc}")
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    return host or ""


def is_named(host: str, name: str) -> bool:
    """Return whether a host matches a certificate's name, in which a star matches one label (RFC 6125).

    >>> is_named("twin.example.org", "*.example.org"), is_named("a.twin.example.org", "*.example.org")
    (True, False)
    """
    if not name.startswith("*."):
        return host == name
    first, _, rest = host.partition(".")
    return bool(first) and rest == name[2:]


def plain_host(name: str) -> str:
    """Return a host name in its normal form.

    >>> plain_host("Twin.Example.org."), plain_host("[::1]")
    ('twin.example.org', '::1')
    """
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return name.casefold().rstrip(".")
