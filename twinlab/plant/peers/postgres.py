"""A PostgreSQL server of its own: a fresh cluster in a temporary folder, on 127.0.0.1, removed at the end."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from twinlab.errors import SourceError
from twinlab.plant.peers.children import bound_command

__all__ = ["Cluster"]

_PATIENCE = 60.0
#: PostgreSQL refuses to run as root: then as the first of these users that exists.
_USERS = ("postgres", "nobody")


class Cluster:
    """A database server that exists as long as a run; the user ``postgres`` has a random password."""

    def __init__(self) -> None:
        self.port = 0
        self.password = secrets.token_urlsafe(18)
        self._folder: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def dsn(self, user: str = "postgres", password: str | None = None) -> str:
        """Return what psycopg connects with."""
        return f"host=127.0.0.1 port={self.port} dbname=postgres user={user} password={password or self.password}"

    async def start(self) -> None:
        """Make the cluster and start the server.

        Raises
        ------
        SourceError
            If PostgreSQL isn't installed, or doesn't start; the message has the end of its log.
        """
        await asyncio.to_thread(self._start)

    async def stop(self) -> None:
        """End the server with all connections, and remove the cluster."""
        await asyncio.to_thread(self._stop)

    def _start(self) -> None:
        initdb, postgres, ready = (_program(name) for name in ("initdb", "postgres", "pg_isready"))
        user = next((one for one in _USERS if _known(one)), None) if os.geteuid() == 0 else None
        # In a short path, as the socket of PostgreSQL is in it, and where its user may read.
        folder = self._folder = Path(tempfile.mkdtemp(prefix="twinlab-pg-"))
        words = folder / "password"
        words.touch(mode=0o600)
        words.write_text(self.password, encoding="ascii")
        if user is not None:
            shutil.chown(folder, user)
            shutil.chown(words, user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        make = [initdb, "-D", str(folder / "data"), "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={words}"]
        done = subprocess.run(  # noqa: S603  (a program of PostgreSQL's)
            [*make, "--no-sync", "--locale=C", "-E", "UTF8"],
            check=False,
            capture_output=True,
            text=True,
            user=user,
            cwd=folder,
        )
        if done.returncode:
            msg = f"PostgreSQL's initdb failed: {done.stderr.strip()[-500:]}"
            raise SourceError(msg)
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off",
            "max_connections": 50, "wal_level": "logical", "shared_buffers": "32MB", "timezone": "UTC",
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            self._server = subprocess.Popen(  # noqa: S603
                bound_command([postgres, "-D", str(folder / "data"), *options], signal.SIGINT), user=user, cwd=folder, stdout=log, stderr=log,
                # Ctrl+C in a terminal ends the plant, which then ends its peers in order.
                start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + _PATIENCE
        check = [ready, "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(check, check=False).returncode:  # noqa: S603
            if self._server.poll() is not None or time.monotonic() > until:
                text = (folder / "log").read_text(encoding="utf-8", errors="replace")
                self._stop()
                msg = f"PostgreSQL doesn't start: {text.strip()[-500:]}"
                raise SourceError(msg)
            time.sleep(0.05)

    def _stop(self) -> None:
        if self._server is not None:
            # "Fast": open connections are closed.
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _program(name: str) -> str:
    """Return where a program of PostgreSQL's server is; Debian keeps them off the path."""
    found = shutil.which(name)
    places = [found] if found else [str(one) for one in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))[::-1]]
    if not places:
        msg = f"the plant's ERP needs PostgreSQL's program {name}, which isn't installed; install it with: apt install postgresql"
        raise SourceError(msg)
    return places[0]


def _known(user: str) -> bool:
    import pwd  # noqa: PLC0415  (only POSIX systems have it)

    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
