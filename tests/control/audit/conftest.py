"""Logs, the key of the device that signs their heads, and a second place."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from twinlab.control.audit import AuditLog
from twinlab.model.alerts.channel import Channel

LOGIN = {"kind": "login", "who": ["ann"], "what": {"how": "password"}}


@pytest.fixture(scope="session")
def signer() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


@pytest.fixture
def keys(signer: CryptoSigner) -> dict:
    return {signer.public_key.keyid: signer.public_key}


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return tmp_path / "other disk" / "heads.jsonl"


def login(number: int) -> dict:
    return {"kind": "login", "who": [f"person {number}"], "what": {"how": "password"}}


def write_log(folder: Path, count: int, *, signer=None, second: Path | None = None, **how) -> None:
    """Write rows to a log, with its heads in a second place."""
    if second is not None:
        second.parent.mkdir(parents=True, exist_ok=True)
    places = [] if second is None else [Channel(file={"path": str(second)})]
    with AuditLog(folder, signer=signer, places=places, **how) as log:
        for number in range(count):
            log.append(login(number))
            if signer is not None and number % 10 == 9:
                log.flush()


@pytest.fixture
def wait_until():
    """Return ``wait_until(condition)``, which fails after 10 s."""

    def wait(condition) -> None:
        until = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < until
            time.sleep(0.02)

    return wait


class Webhook:
    """A server that records what is posted to it."""

    def __init__(self) -> None:
        self.received: list[dict] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/audit"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webhook():
    server = Webhook()
    yield server
    server.close()
