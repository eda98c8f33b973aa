"""Certificate and key of a served page, checked before the server starts."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from pathlib import Path

from twinlab.errors import SourceError

__all__ = ["certificate_command", "certificate_names", "tls_context"]


def certificate_command(host: str = "") -> str:
    """Return the command that creates a self-signed certificate for a host.

    >>> "twin.example.org" in certificate_command("twin.example.org")
    True
    """
    host = host or socket.gethostname()
    try:
        kind = f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        kind = f"DNS:{host}"
    return (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -keyout key.pem -out cert.pem "
        f"-subj /CN={host} -addext subjectAltName={kind}"
    )


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the TLS context of the server, TLS 1.2 or newer.

    Parameters
    ----------
    certificate : Path
        PEM file: the server's certificate, followed by intermediate certificates.
    key : Path
        PEM file without a passphrase.

    Raises
    ------
    SourceError
        If a file is missing, isn't PEM or needs a passphrase, or if the key doesn't belong to the certificate.
    """
    for path, what in ((certificate, "certificate"), (key, "key")):
        if not path.is_file():
            msg = f"the {what} {path} isn't there; a self-signed pair is created by:\n  {certificate_command()}"
            raise SourceError(msg)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An empty passphrase: without it, OpenSSL would prompt for one at the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or ""
        if "MISMATCH" in reason:
            msg = f"the key {key} doesn't belong to the certificate {certificate}; give the key it was made with"
        else:
            msg = (
                f"expected a certificate and a key without passphrase, both PEM, got {certificate} and {key} ({error}); "
                f"a self-signed pair is created by:\n  {certificate_command()}"
            )
        raise SourceError(msg) from error
    return context


def certificate_names(context: ssl.SSLContext, certificate: Path) -> tuple[str, ...]:
    """Return the hosts that a certificate is valid for, read from one TLS handshake in memory.

    Parameters
    ----------
    context : SSLContext
        As `tls_context` returns it.
    certificate : Path
        The same certificate.

    Returns
    -------
    tuple of str
        Names and addresses of its ``subjectAltName``; without one, its common name.

    Raises
    ------
    SourceError
        If it has expired, isn't valid yet, isn't a server certificate, or names no host.
    """
    found = _handshake(context, certificate)
    names = [str(value) for kind, value in found.get("subjectAltName", ()) if kind in {"DNS", "IP Address"}]
    if not names:
        names = [str(value) for part in found.get("subject", ()) for kind, value in part if kind == "commonName"]
    if not names:
        msg = f"the certificate {certificate} names no host; a self-signed one that does is created by:\n  {certificate_command()}"
        raise SourceError(msg)
    return tuple(dict.fromkeys(map(_plain, names)))


def _plain(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name.strip()))
    except ValueError:
        return name.casefold()


def _handshake(context: ssl.SSLContext, certificate: Path) -> dict:
    """Return the certificate as a client sees it that trusts it; the standard library parses certificates only so."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    try:
        trusting.load_verify_locations(certificate)
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(to_server, to_client, server_side=True)
        client = trusting.wrap_bio(to_client, to_server)
        for _ in range(8):
            # The client sends the first message.
            if _shake(client) and _shake(server):
                break
            _shake(server)
        found = client.getpeercert()
    except (ssl.SSLError, ValueError) as error:
        why = getattr(error, "verify_message", None) or str(error)
        msg = f"the certificate {certificate} can't be used: {why}; a new self-signed one is created by:\n  {certificate_command()}"
        raise SourceError(msg) from error
    return dict(found or {})


def _shake(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
