"""The program before old machines: commands over TLS in, registers out."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from twinlab.edge.commanding.device import CommandedDevice
from twinlab.edge.commanding.modbus_actuator import ModbusActuator
from twinlab.edge.commanding.settings import CommandGatewaySettings
from twinlab.edge.commanding.tls_server import TlsServer, server_context
from twinlab.errors import SourceError

__all__ = ["CommandGateway"]


class CommandGateway:
    """A guard before Modbus machines that listens with TLS; an asynchronous context manager.

    Parameters
    ----------
    settings : CommandGatewaySettings

    Raises
    ------
    ControlError
        If its ledger is missing in a folder that has been used, or can't be written.
    SchemaError
        If the gateway's private key can't be read.
    SourceError
        If a certificate can't be read, or pymodbus isn't installed.
    """

    def __init__(self, settings: CommandGatewaySettings) -> None:
        try:
            import pymodbus  # noqa: F401, PLC0415  (an extra)
        except ImportError as error:
            msg = 'Modbus needs pymodbus, which isn\'t installed: pip install "twinlab-kit[modbus]"'
            raise SourceError(msg) from error
        machine, listen, folder = settings.modbus, settings.listen, Path(settings.folder)
        context = server_context(Path(listen.certificate), Path(listen.key), Path(listen.ca))
        actuator = ModbusActuator(
            machine.host, machine.port, parameters=machine.parameters, targets=machine.targets, fence=folder / "epoch"
        )
        self.device = CommandedDevice(
            folder, name=settings.name, twin=settings.twin, rules=settings.rules(), keys=Path(settings.keys),
            key=Path(settings.key), actuator=actuator,
        )  # fmt: skip
        self.server = TlsServer(self.device, context, clients=listen.clients, host=listen.host, port=listen.port)

    async def __aenter__(self) -> Self:
        await self.server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.server.stop()
        self.device.close()
