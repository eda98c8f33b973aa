"""OPC UA: methods of an asset's object take the envelope's bytes and return the answer's; values are read from its variables.

``<asset>.Select``, ``<asset>.Operate``, ``<asset>.Stop``, ``<asset>.Report`` and ``<asset>.Records`` are string node ids in the namespace, methods of the
object ``<asset>``. The connection is signed and encrypted (Basic256Sha256), with certificates of both sides.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twinlab.commands.messages.command import read_command
from twinlab.commands.messages.report import ReadRequest
from twinlab.commands.messages.signed import PAYLOAD_TYPE
from twinlab.control.carriers.carrier import CarrierContext, CarrierKind, Reported
from twinlab.control.carriers.verifying import checked_report
from twinlab.errors import CommandRejectedError, NoAnswerError, SourceError, UnknownTermError
from twinlab.model.extensions.options import Options
from twinlab.model.terms import nearest
from twinlab.signing.envelopes.dsse import read_payload

if TYPE_CHECKING:
    from asyncua import Client

__all__ = ["OPCUA", "OpcUaCarrier", "OpcUaOptions"]

_METHODS = {"select": "Select", "operate": "Operate", "stop": "Stop"}
#: Seconds to connect.
_PATIENCE = 10.0


class OpcUaOptions(Options):
    """Options of a server whose objects have the methods."""

    url: str
    namespace: str
    """URI of the namespace of the assets' nodes."""
    server_certificate: str
    """File with the server's certificate."""
    certificate: str
    """File with the certificate of who may call methods."""
    key: str
    """File with its private key."""
    application_uri: str
    """The URI in the certificate."""
    variables: dict[str, tuple[str, str]]
    """Parameter -> name of the asset's variable that reports it, and its unit: ``{set_point: [SetPoint, degC]}``."""


@dataclass
class _Lane:
    """One session."""

    client: Client | None = None
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)


class OpcUaCarrier:
    """Calls methods over two sessions, which are opened again when they are needed.

    Parameters
    ----------
    options : OpcUaOptions
    context : CarrierContext
    """

    def __init__(self, options: OpcUaOptions, context: CarrierContext) -> None:
        self._options, self._context = options, context
        #: A server answers the requests of a session one after the other: a stop has a session of its own.
        self._lanes = {"usual": _Lane(), "stop": _Lane()}
        self._index = 0

    async def open(self) -> None:
        """Open the sessions."""
        with contextlib.suppress(ImportError):
            # It takes a second, for which other carriers don't wait.
            await asyncio.to_thread(importlib.import_module, "asyncua")
        for lane in self._lanes.values():
            await self._session(lane)

    async def send(self, wire: bytes, *, target: str, within: float) -> bytes:
        """Call the method of the command's operation, and return the answer."""
        ua, method = _library().ua, _method_of(wire)
        lane = self._lanes["stop" if method == _METHODS["stop"] else "usual"]
        client = await self._session(lane)
        try:
            async with asyncio.timeout(within):
                return await self._call(client, target, method, wire)
        except (TimeoutError, OSError, ua.UaError) as error:
            await _leave_if_lost(lane, error)
            msg = f"{target}: expected an answer of its device, got {_text(error, within)}; read back and decide again"
            raise NoAnswerError(msg) from error

    async def read(self, target: str, parameter: str, *, within: float) -> Reported:
        """Read the asset's variable, and the state that belongs to it from a signed report."""
        ua, known = _library().ua, self._options.variables
        if parameter not in known:
            msg = f"{target}: expected a parameter that `variables` of its endpoint names, got {parameter!r}{nearest(parameter, known)}"
            raise UnknownTermError(msg)
        variable, unit = known[parameter]
        lane = self._lanes["usual"]
        client = await self._session(lane)
        node = client.get_node(ua.NodeId(f"{target.partition('/')[2]}.{variable}", self._index))
        request = ReadRequest(target=target, parameter=parameter)
        try:
            async with asyncio.timeout(within):
                signed = await self._call(client, target, "Report", request.payload())
                found = await node.read_data_value()
        except (TimeoutError, OSError, ua.UaError) as error:
            await _leave_if_lost(lane, error)
            msg = f"{target}: {parameter} can't be read: {_text(error, within)}"
            raise NoAnswerError(msg) from error
        report, value = checked_report(signed, request=request, context=self._context), float(found.Value.Value)
        # The variable is what counts. Its time is when it changed last; the report's is when it was still so.
        same = report.unit == unit and math.isclose(report.value, value, abs_tol=1e-6)
        at = found.SourceTimestamp or datetime.now(UTC)
        return Reported(
            value,
            unit,
            report.at if same else at if at.tzinfo else at.replace(tzinfo=UTC),
            report.sha256 if same else None,
        )

    async def records(self, request: bytes, *, target: str, within: float) -> bytes:
        """Call the method ``Records``."""
        ua, lane = _library().ua, self._lanes["usual"]
        client = await self._session(lane)
        try:
            async with asyncio.timeout(within):
                return await self._call(client, target, "Records", request)
        except (TimeoutError, OSError, ua.UaError) as error:
            await _leave_if_lost(lane, error)
            msg = f"{target}: its device's record can't be read: {_text(error, within)}"
            raise NoAnswerError(msg) from error

    async def close(self) -> None:
        """End the sessions."""
        for lane in self._lanes.values():
            await _leave(lane)

    async def _call(self, client: Client, target: str, method: str, payload: bytes) -> bytes:
        from asyncua import ua  # noqa: PLC0415  (an extra)

        name = target.partition("/")[2]
        found = await client.get_node(ua.NodeId(name, self._index)).call_method(
            ua.NodeId(f"{name}.{method}", self._index), ua.Variant(payload, ua.VariantType.ByteString)
        )
        return bytes(found or b"")

    async def _session(self, lane: _Lane) -> Client:
        """Return a session; open it first if there is none.

        Raises
        ------
        SourceError
            If it can't be opened.
        """
        asyncua, options, file = _library(), self._options, self._context.file
        from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256  # noqa: PLC0415  (checked above)

        ua = asyncua.ua
        async with lane.connecting:
            if lane.client is not None:
                return lane.client
            client: Client = asyncua.Client(options.url, timeout=_PATIENCE)
            client.application_uri = options.application_uri
            try:
                await client.set_security(
                    SecurityPolicyBasic256Sha256, certificate=file(options.certificate), private_key=file(options.key),
                    server_certificate=file(options.server_certificate), mode=ua.MessageSecurityMode.SignAndEncrypt,
                )  # fmt: skip
                await client.connect()
                try:
                    self._index = await client.get_namespace_index(options.namespace)
                except BaseException:
                    # A server has few sessions: one without a use is ended.
                    await _disconnect(client)
                    raise
            except (TimeoutError, OSError, ValueError, ua.UaError) as error:
                msg = f"OPC UA {options.url}: {_text(error, _PATIENCE)}; nothing was sent"
                raise SourceError(msg) from error
            lane.client = client
            return client


async def _leave(lane: _Lane) -> None:
    client, lane.client = lane.client, None
    if client is not None:
        await _disconnect(client)


async def _disconnect(client: Client) -> None:
    # A server that has ended doesn't answer to it.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(1.0):
            await client.disconnect()


async def _leave_if_lost(lane: _Lane, error: Exception) -> None:
    """End a session unless the server itself answered that it refuses."""
    from asyncua import ua  # noqa: PLC0415  (an extra)

    if not isinstance(error, ua.UaStatusCodeError):
        await _leave(lane)


def _library() -> Any:  # noqa: ANN401  (a module whose types aren't read)
    """Return asyncua.

    Raises
    ------
    SourceError
        If it isn't installed.
    """
    try:
        import asyncua  # noqa: PLC0415  (an extra)
    except ImportError as error:
        msg = 'OPC UA needs asyncua, which isn\'t installed: pip install "twinlab-kit[opcua]"'
        raise SourceError(msg) from error
    return asyncua


def _method_of(wire: bytes) -> str:
    """Return the method for an envelope; what can't be read is refused, and recorded, by the device."""
    try:
        return _METHODS[read_command(read_payload(wire, payload_type=PAYLOAD_TYPE)).operation]
    except CommandRejectedError:
        return _METHODS["operate"]


def _text(error: Exception, within: float) -> str:
    return str(error) or (f"none in {within:g} s" if isinstance(error, TimeoutError) else type(error).__name__)


OPCUA = CarrierKind("opcua", OpcUaCarrier, OpcUaOptions)
