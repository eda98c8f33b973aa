"""The gateway of old machines as a process: killed at any point, twice at once, before a machine that loses messages."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

from tests.flow.commanded_plant import CommandedPlant, wait
from twinlab.control.carriers import Endpoints, read_control
from twinlab.edge.commanding import Records
from twinlab.errors import NoAnswerError, SourceError

TARGET = "cold_room/R01"
LISTENS = re.compile(r"refrigeration takes commands on 127\.0\.0\.1:(\d+)")
WRITE = 6


class Line:
    """Between the gateway and the machine: writes or their acknowledgements get lost when it is asked to."""

    def __init__(self, port: int) -> None:
        self._machine = port
        self.lose_writes = self.lose_acknowledgements = False
        self.lost = 0
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._machine)
        await asyncio.gather(
            self._pump(reader, back, answers=False), self._pump(there, writer, answers=True), return_exceptions=True
        )
        writer.close()
        back.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(6)
                frame = head + await reader.readexactly(int.from_bytes(head[4:6], "big"))
                if frame[7] == WRITE and (self.lose_acknowledgements if answers else self.lose_writes):
                    self.lost += 1
                    continue
                writer.write(frame)
                await writer.drain()
        writer.close()


class Site:
    """A plant with old units, the line to them, and a gateway as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plant = CommandedPlant(folder / "plant", peers=("modbus",))
        self.processes: list[subprocess.Popen[bytes]] = []
        self.logs: dict[subprocess.Popen[bytes], Path] = {}

    def __enter__(self) -> Self:
        self.plant.__enter__()
        peer: Any = self.plant.peers["modbus"]
        self.line = Line(peer.inner_port)
        asyncio.run_coroutine_threadsafe(self.line.start(), self.plant.loop).result(10)
        made = peer.gateway_settings(peer._authority, peer._keys, self.folder / "gateway")
        self.settings = made.model_dump(mode="json")
        self.settings["modbus"]["port"] = self.line.port
        self.settings["modbus"]["parameters"]["set_point"] |= {"timeout": 1.0, "select_lifetime": 2.0}
        self.records = Records(self.folder / "gateway" / "records.jsonl")
        self.port = self.start("first")
        self.endpoints = self.open(self.port)
        return self

    def __exit__(self, *args: object) -> None:
        self.endpoints.close()
        for process in self.processes:
            process.kill()
            process.wait()
        asyncio.run_coroutine_threadsafe(self.line.stop(), self.plant.loop).result(10)
        self.plant.__exit__(*args)

    def start(self, name: str, port: int = 0) -> int:
        """Start a gateway, wait until it listens, and return its port: one that the system chose, unless one is given."""
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump({**self.settings, "listen": {**self.settings["listen"], "port": port}}))
        log = self.folder / f"{name}.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "twinlab.cli", "command-gateway", str(path)], stdout=out, stderr=out
            )
        self.processes.append(process)
        self.logs[process] = log
        found = wait(lambda: LISTENS.search(log.read_text()) or self.ended(), 30)
        assert found is not True, self.what_ended()
        return int(found[1])

    def ended(self) -> bool:
        """Whether a gateway has ended that wasn't killed."""
        return any(process.poll() is not None for process in self.processes)

    def what_ended(self) -> str:
        """Return what the gateways that have ended have written."""
        return "\n".join(
            f"ended with {process.returncode}: {self.logs[process].read_text()}"
            for process in self.processes
            if process.poll() is not None
        )

    def kill(self) -> None:
        """End the newest gateway at once."""
        process = self.processes.pop()
        process.kill()
        process.wait()

    def open(self, port: int) -> Endpoints:
        """Return the endpoints of a twin that knows this gateway."""
        path = self.plant.control(port=port)
        return Endpoints(read_control(path))

    def send(self, wire: bytes, timeout: float = 8.0) -> Any:
        """Send over the gateway that is a process."""
        before, self.plant.endpoints = self.plant.endpoints, self.endpoints
        try:
            return self.plant.send(wire, TARGET, timeout)
        finally:
            self.plant.endpoints = before
            # A connection that is refused says nothing of why.
            assert not self.ended(), self.what_ended()

    def select(self) -> float:
        """Select half a degree more, and return it."""
        value = round(self.plant.value(TARGET) + 0.5, 1)
        selected = self.send(self.plant.wire(TARGET, "set_point", value, "select"))
        assert selected.outcome == "selected", selected.reason
        return value

    def operate(self, value: float) -> bytes:
        """Return a command that follows a select."""
        return self.plant.wire(TARGET, "set_point", value, "operate")

    def refuses(self, wire: bytes, said: str) -> None:
        """Assert that a message is refused for a reason, which is recorded."""
        answer = self.send(wire)
        assert answer.outcome == "refused"
        assert said in answer.reason
        assert said in self.said("command refused")[-1]

    def said(self, kind: str) -> list[str]:
        """Return the reasons of entries of a kind."""
        return [entry["what"]["reason"] for entry in self.records.entries() if entry["kind"] == kind]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site")) as found:
        yield found


def test_8_a_command_isnt_repeated_after_the_gateway_is_killed(site: Site) -> None:
    value = site.select()
    select_again = site.plant.wire(TARGET, "set_point", value, "select")
    operate = site.operate(value)
    assert site.send(operate).outcome == "done"
    assert site.plant.value(TARGET) == value
    changes = site.plant.changes
    site.kill()
    with pytest.raises(SourceError, match="nothing was sent"):
        site.send(operate, 2.0)
    # The plant is back at the state that the command is about: only the ledger knows that it was done.
    site.plant.loop.call_soon_threadsafe(
        site.plant.plant.command, "set_temperature", TARGET.partition("/")[2], value - 0.5
    )
    wait(lambda: site.plant.changes == changes + 1)
    wait(lambda: site.plant.endpoints.read(TARGET, "set_point").value == value - 0.5)
    site.start("first", site.port)
    site.refuses(select_again, "a newer command came before")
    site.refuses(operate, "select first")
    assert site.select() == value
    site.refuses(operate, "command.id: expected a new one")
    assert site.plant.changes == changes + 1


def test_14_a_select_times_out(site: Site) -> None:
    value, changes = site.select(), site.plant.changes
    time.sleep(2.2)
    site.refuses(site.operate(value), "expected a select at most 2 s before operate, got none")
    assert site.plant.changes == changes


def test_22_a_write_that_gets_lost_changes_nothing_and_is_unknown(site: Site) -> None:
    value, changes = site.select(), site.plant.changes
    operate = site.operate(value)
    site.line.lose_writes = True
    try:
        answer = site.send(operate)
    finally:
        site.line.lose_writes = False
    assert answer.outcome == "unknown"
    assert "look at cold_room/R01 itself" in answer.reason
    assert answer.value == round(value - 0.5, 1)
    assert site.plant.changes == changes
    assert site.send(operate).outcome == "refused"
    assert site.plant.changes == changes


def test_a_gateway_that_is_killed_mid_act_reads_back_and_repeats_nothing(site: Site) -> None:
    value, changes = site.select(), site.plant.changes
    operate, lost = site.operate(value), site.line.lost
    site.line.lose_writes = True
    with pytest.raises(NoAnswerError, match="read back and decide again"):
        site.send(operate, 0.3)
    # It waits for the acknowledgement of a write.
    wait(lambda: site.line.lost > lost)
    site.kill()
    site.line.lose_writes = False
    site.start("first", site.port)
    [said] = site.said("command recovered")
    assert f"read back: {value - 0.5:g} degC; it isn't repeated: decide again" in said
    assert site.plant.changes == changes
    assert site.select() == value
    site.refuses(operate, "whose outcome is unknown")
    assert site.plant.changes == changes
    assert site.endpoints.read(TARGET, "set_point").value == round(value - 0.5, 1)


def test_of_two_gateways_only_the_newer_acts(site: Site) -> None:
    changes, first = site.plant.changes, site.endpoints
    value = round(site.plant.value(TARGET) + 0.5, 1)
    with site.open(site.start("second")) as second:
        site.refuses(site.plant.wire(TARGET, "set_point", value, "select"), "another guard has taken over")
        assert site.plant.changes == changes
        site.endpoints = second
        try:
            done = site.send(site.operate(site.select()))
            assert done.outcome == "done", done.reason
        finally:
            site.endpoints = first
    assert site.plant.changes == changes + 1
