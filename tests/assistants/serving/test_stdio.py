"""The command as a process that a client starts: its standard output has nothing but the protocol."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import twinlab as tl

ROOT = Path(__file__).parents[3]
#: Serves the twin after printing, warning and logging, before and in calls.
NOISY = """
import logging, os, sys, warnings
from pathlib import Path
from twinlab.assistants import serve_stdio
from twinlab.testing import FakeTwin

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG)

class Noisy(FakeTwin):
    def assets(self, kind):
        print("noise of assets")
        os.write(1, b"noise of a library\\n")
        warnings.warn("noise of a warning")
        logging.getLogger().error("noise of a log")
        return super().assets(kind)

def opened():
    print("noise at the start")
    os.write(1, b"noise of a library at the start\\n")
    twin = FakeTwin.example(days=1, trips=5)
    parts = {name: getattr(twin, f"_{name}") for name in ("histories", "events", "assets", "relationships")}
    return Noisy(twin.model, **parts)

serve_stdio(opened)
"""


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], Path | None]) -> Path:
    need("mcp")
    folder = tmp_path_factory.mktemp("stdio")
    (folder / "gauge.csv").write_text("time,level (m)\n2026-03-01T00:00Z,2.1\n2026-03-01T00:01Z,2.2\n")
    twin = tl.create(folder / "pilot", files=[folder / "gauge.csv"])
    twin.ingest(folder / "gauge.csv")
    return folder / "pilot"


def test_a_client_starts_the_command_and_asks(pilot: Path) -> None:
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    async def ask() -> tuple[Any, ...]:
        start = StdioServerParameters(
            command=sys.executable, args=["-m", "twinlab.cli", "mcp", str(pilot)], cwd=str(ROOT)
        )
        async with Client(stdio_client(start)) as client:
            tools = {one.name for one in (await client.list_tools()).tools}
            history = await client.call_tool(
                "history_summary", {"asset_type": "gauge", "signal": "level", "start": "2026-03-01"}
            )
            why = await client.call_tool("why", {"what": "gauge/gauge", "signal": "level", "at": "2026-03-01T00:01Z"})
            model = await client.read_resource("twin://model")
            return tools, history, why, model

    tools, history, why, model = asyncio.run(ask())
    assert {"ask", "why", "quality", "forecast", "what_if_quote"} <= tools
    assert "propose_command" not in tools
    assert (history.structured_content["value"], history.structured_content["unit"]) == (pytest.approx(2.15), "m")
    assert any("gauge.csv" in note and "2.2" in note for note in why.structured_content["notes"])
    # Files have names, not places.
    assert str(pilot.parent) not in why.content[0].text + model.contents[0].text


def test_what_others_print_goes_to_standard_error() -> None:
    calls = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize",
         "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "assets", "arguments": {"asset_type": "station"}}},
    ]  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", NOISY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"".join(json.dumps(one).encode() + b"\n" for one in calls))
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        # A client that leaves ends the process.
        rest, errors = process.communicate(timeout=60)
    assert [one["id"] for one in answers] == [1, 2]
    assert answers[1]["result"]["structuredContent"]["value"] == 3
    assert rest == b""
    for noise in (
        b"noise at the start",
        b"noise of a library at the start",
        b"noise of assets",
        b"noise of a warning",
        b"noise of a log",
    ):
        assert noise in errors
    assert process.returncode == 0


def test_a_twin_that_isnt_there_ends_the_command_with_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "twinlab.cli", "mcp", str(tmp_path / "nothing")],
        input=b"",
        capture_output=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr and b"nothing" in done.stderr
