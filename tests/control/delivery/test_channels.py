"""Messages reach real servers: mail, a webhook, a file, the log."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MailHandler
from pydantic import ValidationError

from twinlab.control.delivery.channels import CHANNEL_KINDS
from twinlab.control.delivery.local import FileOptions, LogOptions, append_line, write_log
from twinlab.control.delivery.smtp import SmtpOptions, send_mail
from twinlab.control.delivery.webhook import WebhookOptions, post
from twinlab.errors import SourceError
from twinlab.model.alerts.channel import Channel, Message
from twinlab.testing import check_channel

MESSAGE = Message("Room too warm,\nroom 3", "10.2 degC\nsince: 2026-01-05", {"alert": "warm", "severity": "high"})


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class _Mails(MailHandler):
    def __init__(self) -> None:
        super().__init__()
        self.mails: list = []

    def handle_message(self, message: object) -> None:
        self.mails.append(message)


@pytest.fixture
def mails() -> Iterator[tuple[int, list]]:
    """A mail server on this machine: its port, and the mails that it took."""
    handler, port = _Mails(), free_port()
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    yield port, handler.mails
    server.stop()


@pytest.fixture
def hook() -> Iterator[tuple[str, list, list[int]]]:
    """A web server on this machine: its address, the requests that it got, and the statuses it answers with."""
    got: list = []
    answers = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((dict(self.headers), body))
            self.send_response(answers[min(len(got), len(answers)) - 1])
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got, answers
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_mail_arrives(mails: tuple[int, list], tmp_path: Path) -> None:
    port, taken = mails
    options = SmtpOptions(
        host="127.0.0.1", port=port, to=["ann@example.org"], sender="twin@example.org", security="none"
    )
    send_mail(options, MESSAGE, tmp_path)
    assert [one["subject"] for one in taken] == ["Room too warm, room 3"]
    assert "10.2 degC" in taken[0].get_payload()


def test_a_mail_server_that_cannot_be_reached_or_is_not_encrypted_is_said(tmp_path: Path) -> None:
    near = SmtpOptions(host="127.0.0.1", port=free_port(), to=["a@b.org"], sender="t@b.org", security="none", timeout=1)
    with pytest.raises(SourceError, match=r"mail server 127.0.0.1:\d+ didn't take the mail"):
        send_mail(near, MESSAGE, tmp_path)
    with pytest.raises(SourceError, match="use starttls or tls"):
        send_mail(near.model_copy(update={"host": "mail.example.org"}), MESSAGE, tmp_path)


def test_a_server_without_starttls_gets_no_password(
    mails: tuple[int, list], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_USER", "ann")
    monkeypatch.setenv("MAIL_PASSWORD", "secret")
    port, taken = mails
    options = SmtpOptions(
        host="127.0.0.1", port=port, to=["a@b.org"], sender="t@b.org", user="${MAIL_USER}", password="${MAIL_PASSWORD}"
    )
    with pytest.raises(SourceError, match="STARTTLS"):
        send_mail(options, MESSAGE, tmp_path)
    assert taken == []


def test_a_webhook_is_posted_and_signed(
    hook: tuple[str, list, list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, got, _ = hook
    monkeypatch.setenv("HOOK_KEY", "k")
    post(WebhookOptions(url=url, secret="${HOOK_KEY}"), MESSAGE, tmp_path)
    headers, body = got[0]
    assert json.loads(body) == {"subject": MESSAGE.subject, "text": MESSAGE.text, "alert": "warm", "severity": "high"}
    assert headers["X-Twinlab-Signature"] == "sha256=" + hmac.new(b"k", body, hashlib.sha256).hexdigest()


def test_a_webhook_that_fails_or_redirects_is_said(hook: tuple[str, list, list[int]], tmp_path: Path) -> None:
    url, got, answers = hook
    answers[:] = [503, 302]
    for status in answers:
        with pytest.raises(SourceError, match=f"webhook 127.0.0.1 answered {status}"):
            post(WebhookOptions(url=url), MESSAGE, tmp_path)
    assert len(got) == 2
    with pytest.raises(SourceError, match="can't be reached"):
        post(WebhookOptions(url=f"http://127.0.0.1:{free_port()}/x", timeout=1), MESSAGE, tmp_path)


def test_a_file_gets_a_line_and_the_log_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        append_line(FileOptions(path="out.jsonl"), MESSAGE, tmp_path)
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(one)["alert"] for one in lines] == ["warm", "warm"]
    with pytest.raises(SourceError, match="correct the path"):
        append_line(FileOptions(path="no/such/folder.jsonl"), MESSAGE, tmp_path)
    with caplog.at_level(logging.WARNING, "twinlab.alerts"):
        write_log(LogOptions(), MESSAGE, tmp_path)
    assert "10.2 degC" in caplog.text


def test_a_missing_environment_variable_is_named(hook: tuple[str, list, list[int]], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="environment variable NO_SUCH_KEY isn't set"):
        post(WebhookOptions(url=hook[0], secret="${NO_SUCH_KEY}"), MESSAGE, tmp_path)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"smtp": {"host": "a", "to": ["b"], "sender": "c", "password": "hunter2"}},
            "a secret doesn't belong in a file",
        ),
        ({"smtp": {"host": "a", "sender": "c"}}, "needs the option 'to'"),
        ({"webhook": {"url": "http://example.org"}}, "https"),
        ({"webhook": {"url": "ftp://example.org"}}, "https://example.org/hook"),
        ({"pigeon": {}}, "unknown kind of channel 'pigeon'"),
        ({"log": {}, "file": {}}, "exactly one of"),
        ({"file": {"pth": "x"}}, "did you mean 'path'"),
        ({"file": {"path": 3}}, "expected"),
    ],
)
def test_a_wrong_channel_is_refused_with_its_reason(given: dict, expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        Channel.model_validate(given)


def test_every_kind_can_be_stated() -> None:
    assert CHANNEL_KINDS.names() == ["log", "file", "smtp", "webhook"]
    assert Channel.model_validate({"log": None}).kind == "log"


def test_the_built_in_kinds_conform(hook: tuple[str, list, list[int]], mails: tuple[int, list], tmp_path: Path) -> None:
    mail = {"host": "127.0.0.1", "port": mails[0], "to": ["a@b.org"], "sender": "t@b.org", "security": "none"}
    for name, given in (("log", None), ("file", {}), ("smtp", mail), ("webhook", {"url": hook[0]})):
        check_channel(CHANNEL_KINDS.get(name), given, folder=tmp_path)
    assert len(mails[1]) == len(hook[1]) == 2
