"""The command as an HTTP server: tokens, rights, hosts, origins, and addresses that others can reach."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import twinlab as tl
from twinlab.apps.login.tokens.tokens import Tokens
from twinlab.apps.login.users import Users
from twinlab.assistants import HttpOptions, serve_http
from twinlab.errors import SchemaError, SourceError
from twinlab.testing import FakeTwin

ROOT = Path(__file__).parents[3]
POLICY = """
roles:
  dispatcher: {pages: [now, map, history], assets: [{type: gauge, ids: [north]}]}
  admin: {pages: "*"}
"""
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}  # fmt: skip
HEADERS = {"Accept": "application/json, text/event-stream"}


class Served:
    """A running command and the tokens of its users."""

    def __init__(self, folder: Path) -> None:
        rows = "".join(
            f"2026-03-01T00:0{minute}Z,{place},{level}\n"
            for minute in range(3)
            for place, level in (("north", 1), ("south", 2))
        )
        (folder / "gauge.csv").write_text(f"time,gauge,level (m)\n{rows}")
        twin = tl.create(folder / "pilot", files=[folder / "gauge.csv"])
        twin.ingest(folder / "gauge.csv")
        (folder / "pilot" / "access.yaml").write_text(POLICY)
        self.users = Users(folder / "users.json")
        self.users.add("dora", "a password of dora's own", roles=["dispatcher"])
        self.users.add("ada", "another password entirely", roles=["admin"])
        self.tokens = Tokens(self.users)
        self.of = {name: self.tokens.make(name)[0] for name in ("dora", "ada")}
        command = [
            sys.executable,
            "-m",
            "twinlab.cli",
            "mcp",
            str(folder / "pilot"),
            "--http",
            "127.0.0.1:0",
            "--users",
            str(self.users.path),
        ]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, cwd=ROOT, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    @asynccontextmanager
    async def client(self, name: str) -> AsyncIterator[Any]:
        """Yield a client with the token of a user."""
        import httpx2
        from mcp import Client
        from mcp.client.streamable_http import streamable_http_client

        headers = {"Authorization": f"Bearer {self.of[name]}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(self.url, http_client=http)) as client,
        ):
            yield client

    def post(self, **headers: str) -> httpx.Response:
        """Send the first message of a client."""
        return httpx.post(self.url, json=HELLO, headers={**HEADERS, **headers}, timeout=60)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], Path | None]) -> Iterator[Served]:
    need("mcp")
    running = Served(tmp_path_factory.mktemp("http"))
    yield running
    running.process.terminate()
    running.process.communicate(timeout=20)


def test_two_users_at_once_see_their_own_part(served: Served) -> None:
    async def both() -> list[Any]:
        async with served.client("ada") as ada, served.client("dora") as dora:
            calls = [
                one.call_tool("history_summary", {"asset_type": "gauge", "signal": "level", "start": "2026-03-01"})
                for one in (ada, dora, ada, dora)
            ]
            named = dora.call_tool("where", {"asset": "gauge/south"})
            return list(await asyncio.gather(*calls, named))

    *found, named = asyncio.run(both())
    assert [one.structured_content["value"] for one in found] == pytest.approx([1.5, 1.0, 1.5, 1.0])
    assert "south" not in found[1].content[0].text
    assert named.is_error and "no gauge 'south' that you may see" in named.content[0].text


@pytest.mark.parametrize(
    "given", [{}, {"Authorization": "Bearer twinlab_wrong"}, {"Authorization": "Basic ZG9yYTpkb3Jh"}]
)
def test_without_a_valid_token_nothing_is_answered(served: Served, given: dict[str, str]) -> None:
    found = served.post(**given)
    assert found.status_code == 401
    assert found.headers["www-authenticate"].startswith("Bearer")
    assert "gauge" not in found.text


def test_other_hosts_and_origins_are_refused_before_the_token(served: Served) -> None:
    token = {"Authorization": f"Bearer {served.of['ada']}"}
    assert served.post(**token, Host="evil.example.org").status_code == 421
    assert served.post(**token, Origin="http://evil.example.org").status_code == 403
    found = served.post(**token)
    assert found.status_code == 200
    assert found.headers["cache-control"].startswith("no-")
    assert found.headers["x-content-type-options"] == "nosniff"


def test_a_session_of_one_user_isnt_anothers(served: Served) -> None:
    opened = served.post(Authorization=f"Bearer {served.of['ada']}")
    session = opened.headers["mcp-session-id"]
    other = served.post(**{"Authorization": f"Bearer {served.of['dora']}", "Mcp-Session-Id": session})
    assert other.status_code == 404


def test_large_bodies_and_other_paths_are_refused(served: Served) -> None:
    token = {"Authorization": f"Bearer {served.of['ada']}", **HEADERS, "Content-Type": "application/json"}
    assert httpx.post(served.url, content=b"x" * 1_100_000, headers=token, timeout=60).status_code == 413
    assert httpx.get(served.url.replace("/mcp", "/"), headers=token, timeout=60).status_code == 404


def test_a_token_that_is_revoked_ends_at_once_in_an_open_session(served: Served) -> None:
    async def ask() -> tuple[Any, Any]:
        async with served.client("dora") as dora:
            before = await dora.call_tool("assets", {"asset_type": "gauge"})
            await asyncio.to_thread(served.tokens.revoke, "dora")
            try:
                after: Any = await dora.call_tool("assets", {"asset_type": "gauge"})
            except Exception as error:  # noqa: BLE001  (of the SDK)
                after = error
        return before, after

    try:
        before, after = asyncio.run(ask())
    except BaseExceptionGroup as group:  # noqa: F841  (the client may not be able to say goodbye)
        before, after = None, None
    finally:
        served.of["dora"] = served.tokens.make("dora")[0]
    assert before is None or not before.is_error
    assert not hasattr(after, "structured_content") or after.is_error


def test_a_server_on_this_machine_needs_no_login_and_others_need_all(tmp_path: Path) -> None:
    twin = FakeTwin.example(days=1, trips=5)
    for given in ({}, {"users": tmp_path / "users.json"}):
        with pytest.raises(SourceError, match="expected TLS and a login, --cert and --key"):
            serve_http(twin, HttpOptions("0.0.0.0", 0, **given))
    users = Users(tmp_path / "users.json")
    users.add("dora", "a password of dora's own")
    with pytest.raises(SchemaError, match="either --as or --users"):
        serve_http(twin, HttpOptions(users=users.path), as_roles=("viewer",))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SourceError, match="can't be used"):
            serve_http(twin, HttpOptions(port=taken.getsockname()[1]))


@pytest.mark.parametrize("text", ["", "x", "127.0.0.1", "127.0.0.1:99999", "a:b:"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match="expected HOST:PORT or PORT"):
        HttpOptions.parse(text)
