"""A mosquitto with TLS, fresh certificates and access lists, for the tests of several rooms."""

from __future__ import annotations

import datetime as dt
import getpass
import ipaddress
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Authority", "Mosquitto", "free_port"]

#: Seconds that a busy machine may take to start it.
PATIENCE = 20.0
#: A gateway writes its own births and rows, and reads its own replies, requests and commands; the historian the reverse. Nobody but
#: `operator` writes commands.
ACCESS = """
pattern write twinlab/%u/birth
pattern write twinlab/%u/rows
pattern read twinlab/%u/reply
pattern read twinlab/%u/request
pattern read command/%u/#

user historian
topic read twinlab/+/birth
topic read twinlab/+/rows
topic write twinlab/+/reply
topic write twinlab/+/request

user operator
topic write command/#
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


class Authority:
    """Signs certificates of servers and clients, into a folder."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(name))
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / "ca.crt"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, name: str, *, server: bool = False, days: tuple[int, int] = (-1, 30), file: str = ""
    ) -> tuple[Path, Path]:
        """Write certificate and key, valid from and to so many days from now; return their files."""
        now = dt.datetime.now(dt.UTC)
        key = ec.generate_private_key(ec.SECP256R1())
        use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        made = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + dt.timedelta(days=days[0]))
            .not_valid_after(now + dt.timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(issuer, critical=False)
            .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        paths = self.folder / f"{file or name}.crt", self.folder / f"{file or name}.key"
        paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return paths


@dataclass
class Mosquitto:
    """A broker on a free port of the loopback."""

    program: Path
    folder: Path
    authority: Authority
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        certificate, key = self.authority.issue("localhost", server=True)
        (self.folder / "access").write_text(ACCESS)
        for private in (self.folder / "access", key):
            private.chmod(0o600)
        self.log = self.folder / "mosquitto.log"
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"cafile {self.authority.file}",
            f"certfile {certificate}",
            f"keyfile {key}",
            "require_certificate true",
            "use_identity_as_username true",
            # Otherwise a client could take another's name and end its connection.
            "use_username_as_clientid true",
            "tls_version tlsv1.2",
            "allow_anonymous false",
            f"acl_file {self.folder / 'access'}",
            "persistence false",
            "max_queued_messages 1000",
            "log_type error",
            "log_type warning",
            "log_type notice",
            "log_type information",
            # What the access list refuses is among these.
            "log_type debug",
            "log_dest stderr",
            "log_timestamp_format %Y-%m-%dT%H:%M:%SZ",
        ]
        if os.geteuid() == 0:  # it would become another user, who can't read the keys
            lines.append(f"user {getpass.getuser()}")
        self.config = self.folder / "mosquitto.conf"
        self.config.write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", self.config], stdout=log, stderr=log, env={**os.environ, "TZ": "UTC"}
            )
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(self.log.read_text()) from None
                time.sleep(0.005)
            else:
                return

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)

    def settings(self, name: str) -> dict[str, object]:
        """Return the settings of a client's connection, with a certificate of that name."""
        certificate, key = self.authority.folder / f"{name}.crt", self.authority.folder / f"{name}.key"
        if not certificate.exists():
            self.authority.issue(name)
        return {
            "host": "127.0.0.1", "port": self.port, "ca": str(self.authority.file), "certificate": str(certificate),
            "key": str(key),
        }  # fmt: skip
