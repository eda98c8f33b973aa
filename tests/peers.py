"""Servers that tests talk to, each started once a session on a free port of 127.0.0.1."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.field_peers import free_port

__all__ = ["postgres_program", "postgres_server"]

#: Seconds that a server may take to start on a busy machine.
PATIENCE = 60.0
#: PostgreSQL refuses to run as root: then as the first of these users that exists.
_USERS = ("postgres", "nobody")


def postgres_program(name: str) -> Path | None:
    """Return where a program of PostgreSQL's server is; Debian keeps them off the path."""
    found = shutil.which(name)
    places = [Path(found)] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return next(iter(places), None)


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a PostgreSQL and yield its address for SQLAlchemy, of a user who may do all; it has no password and syncs nothing."""
    user = next((one for one in _USERS if _known(one)), None) if os.geteuid() == 0 else None
    # A short path: the socket of PostgreSQL is in it, and whoever runs the server must reach it.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    port = free_port()
    if user is not None:
        shutil.chown(folder, user)
    settings = [
        "-c", f"port={port}", "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off",
        "-c", "max_connections=50", "-c", "wal_level=logical", "-c", "shared_buffers=32MB", "-c", "timezone=UTC",
    ]  # fmt: skip
    server = None
    try:
        initdb = [
            str(postgres_program("initdb")),
            "-D",
            str(folder / "data"),
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run(initdb, check=True, capture_output=True, user=user, cwd=folder)
        with (folder / "log").open("wb") as log:
            command = [str(postgres_program("postgres")), "-D", str(folder / "data"), *settings]
            server = subprocess.Popen(command, user=user, cwd=folder, stdout=log, stderr=log)
        _wait(port, server, folder / "log")
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)  # "fast": open connections are closed
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _wait(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    ready = str(postgres_program("pg_isready"))
    while subprocess.run([ready, "-q", "-h", "127.0.0.1", "-p", str(port)], check=False).returncode:
        assert server.poll() is None, f"PostgreSQL has ended: {log.read_text()}"
        assert time.monotonic() < until, f"PostgreSQL doesn't answer: {log.read_text()}"
        time.sleep(0.05)
