"""A device behind TLS: what isn't a request ends its connection, is recorded, and others go on."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.commands.guard.site import RULE, Forklift, Time
from tests.mosquitto import Authority
from twinlab.commands.guard import Fence
from twinlab.commands.messages import ReadRequest, open_answer, open_report
from twinlab.control.carriers.carrier import CarrierContext
from twinlab.control.carriers.modbus import GatewayCarrier, GatewayOptions
from twinlab.edge.commanding import CommandedDevice, TlsServer
from twinlab.edge.commanding.tls_server import COMMAND, READ, read_frame, server_context, write_frame
from twinlab.errors import ControlError, SourceError
from twinlab.signing.keys import KeyRingFile, create_key
from twinlab.signing.keys.ring_keys import RingKeys

TARGET = "forklift/7"


class Bench:
    """A device with a server."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.authority = folder, Authority(folder / "certificates")
        public = create_key(folder / "device.pem")
        self.ring = folder / "keys.yaml"
        self.ring.write_text(
            yaml.safe_dump({"people": {}, "devices": {"gateway/1": {"keys": [{"public": public.public}]}}})
        )
        self.device = self.new_device()
        certificate, key = self.authority.issue("server", server=True)
        context = server_context(certificate, key, self.authority.file)
        self.server = TlsServer(self.device, context, clients=["control"])
        self.authority.issue("control")

    def new_device(self) -> CommandedDevice:
        forklift = Forklift(Time(datetime.now(UTC)), Fence(self.folder / "epoch"))
        return CommandedDevice(
            self.folder / "memory", name="gateway/1", twin="parcel", rules=[RULE], keys=self.ring,
            key=self.folder / "device.pem", actuator=forklift,
        )  # fmt: skip

    def carrier(self) -> GatewayCarrier:
        certificate, key = (self.authority.folder / f"control.{ending}" for ending in ("crt", "key"))
        options = GatewayOptions(
            host="127.0.0.1",
            port=self.server.port,
            ca=str(self.authority.file),
            certificate=str(certificate),
            key=str(key),
        )
        return GatewayCarrier(options, CarrierContext(KeyRingFile(self.ring).read, lambda _: "gateway/1"))

    def reasons(self) -> list[str]:
        return [entry["what"]["reason"] for entry in self.device.records.entries()]


def run(bench: Bench, work: Callable[[], Awaitable[None]]) -> None:
    async def serve() -> None:
        await bench.server.start()
        try:
            await work()
        finally:
            await bench.server.stop()
            bench.device.close()

    asyncio.run(serve())


def test_one_connection_has_any_number_of_requests(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    ring = KeyRingFile(bench.ring).read()

    async def work() -> None:
        reader, writer = await bench.carrier()._connect(5)
        for wire in (b"no command", b"neither"):
            write_frame(writer, wire, kind=COMMAND)
            assert open_answer(await read_frame(reader), ring=ring).outcome == "refused"
        for parameter, value in (("max_speed", 8.0), ("fork_height", None)):
            request = ReadRequest(target=TARGET, parameter=parameter)
            write_frame(writer, request.payload(), kind=READ)
            report = open_report(
                await read_frame(reader), keys=RingKeys(ring.device_keys, owner="gateway/1"), request=request
            )
            assert report.value == value
        assert "expected a parameter of forklift/7, forklift/8, got fork_height of forklift/7" in report.problem
        writer.transport.abort()

    run(bench, work)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"X" + struct.pack(">I", 2) + b"{}", "expected a request of the kind C, R or L, got b'X'"),
        (READ + struct.pack(">I", 2) + b"{}", "request.target: Field required"),
        (COMMAND + struct.pack(">I", 1 << 30), None),
        (COMMAND + b"\x00", None),
    ],
)  # fmt: skip
def test_what_is_no_request_ends_its_connection_only(tmp_path: Path, sent: bytes, said: str | None) -> None:
    bench = Bench(tmp_path)

    async def work() -> None:
        reader, writer = await bench.carrier()._connect(5)
        writer.write(sent)
        async with asyncio.timeout(10):
            # Cut off, with or without a goodbye; half a request after five seconds.
            with contextlib.suppress(OSError):
                assert await reader.read() == b""
        writer.transport.abort()
        assert (await bench.carrier().read(TARGET, "max_speed", within=5)).value == 8.0

    run(bench, work)
    assert said is None or said in bench.reasons()[-1]


def test_a_flood_of_connections_is_counted_and_doesnt_fill_the_disk(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    async def work() -> None:
        for _ in range(40):
            _, writer = await asyncio.open_connection("127.0.0.1", bench.server.port)
            writer.write(b"no handshake\r\n\r\n")
            writer.close()
        await asyncio.sleep(1.2)
        _, writer = await asyncio.open_connection("127.0.0.1", bench.server.port)
        writer.write(b"no handshake\r\n\r\n")
        writer.close()
        await asyncio.sleep(0.3)

    run(bench, work)
    entries = list(bench.device.records.entries())
    assert {entry["kind"] for entry in entries} == {"connection refused"}
    assert len(entries) < 25
    assert sum(1 + entry["what"].get("more", 0) for entry in entries) == 41


def test_a_device_that_has_lost_its_memory_doesnt_start(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.device.note("message refused", "something")
    bench.device.close()
    (tmp_path / "memory" / "guard.db").unlink()
    with pytest.raises(ControlError, match="expected the ledger of the guard, got none"):
        bench.new_device()


def test_a_server_that_is_gone_gives_no_answer(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    async def work() -> None:
        carrier = bench.carrier()
        _, writer = await carrier._connect(5)
        await bench.server.stop()
        writer.transport.abort()
        with pytest.raises(SourceError, match="nothing was sent"):
            await carrier.send(b"{}", target=TARGET, within=2)
        await bench.server.start()

    run(bench, work)
