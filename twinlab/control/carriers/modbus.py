"""Old machines behind a gateway: TLS with a certificate to the gateway, which verifies, writes the register and reads it back.

There is no way to a Modbus machine itself: it can't verify a command. See `twinlab.edge.commanding.tls_server` for the bytes.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Annotated

from pydantic import Field

from twinlab.commands.messages.report import ReadRequest
from twinlab.control.carriers.carrier import CarrierContext, CarrierKind, Reported
from twinlab.control.carriers.verifying import checked_report
from twinlab.edge.commanding.tls_server import COMMAND, READ, RECORDS, read_frame, write_frame
from twinlab.edge.transport import client_context
from twinlab.errors import NoAnswerError, SourceError
from twinlab.model.extensions.options import Options

__all__ = ["MODBUS", "GatewayCarrier", "GatewayOptions"]


class GatewayOptions(Options):
    """Options of a gateway of commands."""

    host: str
    port: Annotated[int, Field(ge=1, le=65_535)]
    ca: str
    """File with the certificate of the gateway's authority."""
    certificate: str
    """File with the certificate of who may send commands."""
    key: str
    """File with its private key."""


class GatewayCarrier:
    """Sends each request over a connection of its own: an emergency stop doesn't wait for a command.

    Parameters
    ----------
    options : GatewayOptions
    context : CarrierContext
    """

    def __init__(self, options: GatewayOptions, context: CarrierContext) -> None:
        self._options, self._context = options, context
        self._tls: ssl.SSLContext | None = None

    async def open(self) -> None:
        """Connect once, to see whether the gateway is there."""
        _, writer = await self._connect(5.0)
        writer.close()

    async def send(self, wire: bytes, *, target: str, within: float) -> bytes:
        """Send a command, and return the answer."""
        return await self._ask(COMMAND, wire, target, within)

    async def read(self, target: str, parameter: str, *, within: float) -> Reported:
        """Ask for a report."""
        request = ReadRequest(target=target, parameter=parameter)
        report = await self._ask(READ, request.payload(), target, within)
        return checked_report(report, request=request, context=self._context)

    async def records(self, request: bytes, *, target: str, within: float) -> bytes:
        """Ask for a page of the gateway's record."""
        return await self._ask(RECORDS, request, target, within)

    async def close(self) -> None:
        """Do nothing: no connection stays open."""

    async def _ask(self, kind: bytes, payload: bytes, target: str, within: float) -> bytes:
        reader, writer = await self._connect(within)
        try:
            async with asyncio.timeout(within):
                write_frame(writer, payload, kind=kind)
                await writer.drain()
                return await read_frame(reader)
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            self._tls = None
            why = str(error) or f"none in {within:g} s"
            msg = f"{target}: expected an answer of its gateway, got {why}; read back and decide again"
            raise NoAnswerError(msg) from error
        finally:
            writer.transport.abort()

    async def _connect(self, within: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        options = self._options
        where = f"gateway {options.host}:{options.port}"
        if self._tls is None:
            files = (self._context.file(one) for one in (options.ca, options.certificate, options.key))
            self._tls = client_context(*files, server=f"the {where}")
        try:
            async with asyncio.timeout(within):
                return await asyncio.open_connection(options.host, options.port, ssl=self._tls)
        except (TimeoutError, OSError) as error:
            # Perhaps a certificate has expired and was renewed: the files are read again for the next request.
            self._tls = None
            why = str(error) or f"no connection in {within:g} s"
            msg = f"{where}: {why}; nothing was sent"
            raise SourceError(msg) from error


MODBUS = CarrierKind("modbus", GatewayCarrier, GatewayOptions)
