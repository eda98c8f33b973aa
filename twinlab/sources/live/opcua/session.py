"""A session with an OPC UA server: connection, subscription, history, declared units."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.uacrypto import load_certificate
from asyncua.ua.attribute_ids import AttributeIds
from cryptography import x509

from twinlab.errors import SourceError
from twinlab.model.basics import parse_duration
from twinlab.model.extensions.secrets import secret_of
from twinlab.sources.live.opcua.declared import declared_tag
from twinlab.sources.live.opcua.options import OpcuaOptions
from twinlab.sources.live.opcua.values import datetime_of
from twinlab.sources.live.protocol import DeclaredTag, Filled

__all__ = ["Changes", "NoHistoryError", "Session", "WrongCredentialsError"]

#: Messages that wait for the historian; beyond them the server's queues fill.
_MESSAGES = 16
#: Server.ServerStatus.CurrentTime.
_CURRENT_TIME = "i=2258"
#: Seconds between two messages of a server that has nothing to report.
_KEEP_ALIVE = 2.0
#: What another attempt can't repair (symbols of OPC 10000-6, A.2).
_REFUSALS = (
    ua.uaerrors.BadCertificateUntrusted,
    ua.uaerrors.BadCertificateInvalid,
    ua.uaerrors.BadCertificateTimeInvalid,
    ua.uaerrors.BadIdentityTokenInvalid,
    ua.uaerrors.BadIdentityTokenRejected,
    ua.uaerrors.BadSecurityChecksFailed,
    ua.uaerrors.BadSecurityPolicyRejected,
    ua.uaerrors.BadUserAccessDenied,
)
#: A node without history, or without the right to read it.
_NO_HISTORY = (
    ua.uaerrors.BadHistoryOperationInvalid,
    ua.uaerrors.BadHistoryOperationUnsupported,
    ua.uaerrors.BadNodeIdUnknown,
    ua.uaerrors.BadNotReadable,
    ua.uaerrors.BadNotSupported,
    ua.uaerrors.BadServiceUnsupported,
    ua.uaerrors.BadUserAccessDenied,
)
#: Errors of the library, of sockets and of answers that don't come.
_FAILURES = (ua.uaerrors.UaError, OSError, TimeoutError, ValueError)


class WrongCredentialsError(SourceError):
    """The server doesn't accept certificate, user or password."""


class NoHistoryError(SourceError):
    """The server keeps no history of a node, or doesn't let this user read it."""


@dataclass
class Changes:
    """What one or several messages of a subscription have brought."""

    values: dict[str, list[ua.DataValue]] = field(default_factory=dict)
    """Tag -> its values, in the order of the server's queue."""
    received_ns: int = field(default_factory=time.time_ns)
    from_history: bool = False
    """Whether they were asked for, and are no news of the subscription."""
    fills: Filled | None = None
    """The gap whose values are those of the changes before."""


class Session:
    """A session with a server; it only reads.

    Parameters
    ----------
    options : OpcuaOptions
    folder : Path
        Where relative paths of certificates begin.
    """

    def __init__(self, options: OpcuaOptions, folder: Path) -> None:
        self._options, self._folder = options, folder
        self._timeout = parse_duration(options.timeout) / 1e9
        self._client = Client(options.url, timeout=self._timeout)
        self._opened = False
        self._nodes: dict[str, Node] = {}
        self._messages: asyncio.Queue[ua.PublishResult | Changes | None] = asyncio.Queue(_MESSAGES)
        self._waiting: list[Changes] = []
        self._lost: BaseException | None = None
        self._last_number: int | None = None
        self._silence = self._timeout
        self._by_handle: dict[int, str] = {}
        self.clock_offset = 0.0
        """The server's clock minus this machine's, seconds."""
        self.subscribed_ns = 0
        """When the subscription was made, on the server's clock."""
        self.queue_sizes: dict[str, int] = {}
        """Tag -> values that the server keeps between two messages."""
        self.refused: dict[str, str] = {}
        """Tag -> why the server doesn't have its node."""

    async def open(self) -> None:
        """Connect, and read the server's clock.

        Raises
        ------
        WrongCredentialsError
            If the server refuses certificate, user or password, or a file or secret is missing.
        SourceError
            If the server can't be reached.
        """
        try:
            await self._secure()
            await self._client.connect()
        except _REFUSALS as error:
            msg = f"{self._options.url} refuses the connection ({_said(error)}): check certificates, user and password"
            raise WrongCredentialsError(msg) from error
        except _FAILURES as error:
            msg = f"no OPC UA server answers at {self._options.url} ({_said(error)}): check address, network and `server_certificate`"
            raise SourceError(msg) from error
        self._opened = True
        self._client.connection_lost_callback = self._on_lost
        with self._errors("can't be read"):
            spaces = {uri: number for number, uri in enumerate(await self._client.get_namespace_array())}
            for tag, text in self._options.nodes.items():
                self._add_node(tag, text, spaces)
            began = time.time_ns()
            now = await self._client.get_node(_CURRENT_TIME).read_value()
            middle = (began + time.time_ns()) // 2
        self.clock_offset = float((now - datetime_of(middle)) / timedelta(seconds=1))

    async def declared(self) -> list[DeclaredTag]:
        """Return the tags whose nodes the server has, with EngineeringUnits, EURange and description.

        Raises
        ------
        SourceError
            If the connection is lost.
        """
        found = []
        with self._errors("can't declare its units"):
            for tag, node in self._nodes.items():
                with suppress(ua.uaerrors.BadNodeIdUnknown, ua.uaerrors.BadNodeIdInvalid):
                    found.append(await declared_tag(tag, node))
        return found

    async def subscribe(self) -> None:
        """Subscribe to all nodes; `changes` has what comes. Nodes that the server doesn't have are in ``refused``.

        Raises
        ------
        SourceError
            If the connection is lost.
        """
        options = self._options
        publish_ms = parse_duration(options.publish_every) / 1e6
        self.subscribed_ns = time.time_ns() + int(self.clock_offset * 1e9)
        with self._errors("makes no subscription"):
            made = await self._client.uaclient.create_subscription(
                ua.CreateSubscriptionParameters(
                    RequestedPublishingInterval=publish_ms,
                    RequestedLifetimeCount=10_000,
                    RequestedMaxKeepAliveCount=max(1, round(_KEEP_ALIVE * 1e3 / publish_ms)),
                    MaxNotificationsPerPublish=0,
                    PublishingEnabled=True,
                    Priority=0,
                ),
                self._on_publish,
            )
            keep_alive = made.RevisedMaxKeepAliveCount * made.RevisedPublishingInterval / 1e3
            self._silence = 3 * keep_alive + self._timeout
            tags = list(self._nodes)
            self._by_handle = dict(enumerate(tags, start=1))
            requests = [self._monitored(number, self._nodes[tag]) for number, tag in self._by_handle.items()]
            results = await self._client.uaclient.create_monitored_items(
                ua.CreateMonitoredItemsParameters(
                    SubscriptionId=made.SubscriptionId,
                    TimestampsToReturn=ua.TimestampsToReturn.Both,
                    ItemsToCreate=requests,
                )
            )
        for tag, result in zip(tags, results, strict=True):
            if result.StatusCode.is_good():
                self.queue_sizes[tag] = result.RevisedQueueSize
            else:
                self.refused[tag] = f"{self._options.nodes[tag]} ({result.StatusCode.name})"

    async def changes(self) -> Changes:
        """Return what came next; messages that the server has split are put together.

        Raises
        ------
        SourceError
            If the connection or the subscription is lost, or a message is missing.
        """
        if self._waiting:
            return self._waiting.pop()
        found = Changes()
        while True:
            result = await self._message()
            if isinstance(result, Changes):
                if not found.values:
                    return result
                self._waiting.insert(0, result)
                continue
            number = int(result.NotificationMessage.SequenceNumber)
            data = result.NotificationMessage.NotificationData or []
            if any(isinstance(one, ua.StatusChangeNotification) for one in data):
                msg = f"{self._options.url} has ended the subscription"
                raise SourceError(msg)
            if self._last_number is not None and data and number != self._last_number % (2**32 - 1) + 1:
                msg = (
                    f"{self._options.url}: message {self._last_number + 1} of the subscription is missing, got {number}"
                )
                raise SourceError(msg)
            if data:
                self._last_number = number
            for one in data:
                for item in one.MonitoredItems if isinstance(one, ua.DataChangeNotification) else ():
                    found.values.setdefault(self._by_handle[item.ClientHandle], []).append(item.Value)
            if found.values and not result.MoreNotifications:
                return found

    async def history(self, tag: str, start_ns: int, stop_ns: int) -> AsyncIterator[list[ua.DataValue]]:
        """Yield the values of a tag in the server's history from ``start_ns`` to ``stop_ns``, both included, page by page.

        Raises
        ------
        NoHistoryError
            If the server has no history of the node.
        SourceError
            If the connection is lost.
        """
        details = ua.ReadRawModifiedDetails(
            IsReadModified=False,
            StartTime=datetime_of(start_ns),
            # The protocol leaves out the end, asyncua's server doesn't.
            EndTime=datetime_of(stop_ns) + timedelta(microseconds=1),
            NumValuesPerNode=0,
            ReturnBounds=False,
        )
        at: bytes | None = None
        while True:
            with self._errors(f"doesn't read the history of {self._options.nodes[tag]}"):
                try:
                    result = await self._nodes[tag].history_read(details, at)
                    result.StatusCode.check()
                except _NO_HISTORY as error:
                    msg = f"{self._options.url} has no history of {self._options.nodes[tag]} ({_said(error)})"
                    raise NoHistoryError(msg) from error
            values = getattr(result.HistoryData, "DataValues", None) or []
            if values:
                yield list(values)
            if result.ContinuationPoint is None or result.ContinuationPoint == at:
                return
            at = result.ContinuationPoint

    async def add(self, changes: Changes) -> None:
        """Let `changes` return values that were read from the history as well."""
        await self._messages.put(changes)

    async def close(self) -> None:
        """End the session and close the connection, whatever state they are in."""
        if not self._opened:
            self._client.disconnect_socket()
            return
        with suppress(*_FAILURES):
            await asyncio.wait_for(self._client.disconnect(), self._timeout)

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Turn errors of library and socket into a SourceError."""
        try:
            yield
        except _FAILURES as error:
            msg = f"{self._options.url} {what} ({_said(error)})"
            raise SourceError(msg) from error

    # -- inside ----------------------------------------------------------------------------------------------------
    async def _secure(self) -> None:
        options = self._options
        if options.security == "none":
            return
        own, key, server = (
            self._file(name) for name in (options.certificate, options.private_key, options.server_certificate)
        )
        self._client.application_uri = await _application_uri(own)
        password = None if options.key_password is None else _secret(options.key_password, "the key of opcua")
        try:
            await self._client.set_security(
                SecurityPolicyBasic256Sha256,
                certificate=own,
                private_key=key,
                private_key_password=password,
                server_certificate=str(server),
                mode=ua.MessageSecurityMode.SignAndEncrypt,
            )
        except (ValueError, TypeError, OSError) as error:
            msg = f"certificate {own}, key {key}, server's certificate {server}: can't be used ({_said(error)})"
            raise WrongCredentialsError(msg) from error
        if options.user is not None and options.password is not None:
            self._client.set_user(options.user)
            self._client.set_password(_secret(options.password, f"the user {options.user!r} of opcua"))

    def _file(self, name: str | None) -> Path:
        path = self._folder / str(name)
        if not path.is_file():
            msg = f"expected a certificate or key in {path}, which doesn't exist: correct its path in the mapping's `live`"
            raise WrongCredentialsError(msg)
        return path

    def _add_node(self, tag: str, text: str, spaces: dict[str, int]) -> None:
        if text.startswith("nsu="):
            uri, _, rest = text.removeprefix("nsu=").partition(";")
            if uri not in spaces:
                self.refused[tag] = f"{text} (the server has no such namespace)"
                return
            text = f"ns={spaces[uri]};{rest}"
        self._nodes[tag] = self._client.get_node(text)

    def _monitored(self, number: int, node: Node) -> ua.MonitoredItemCreateRequest:
        options = self._options
        trigger = ua.DataChangeTrigger.StatusValue
        if options.trigger == "timestamp":
            trigger = ua.DataChangeTrigger.StatusValueTimestamp
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=node.nodeid, AttributeId=AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=number,
                SamplingInterval=parse_duration(options.sample_every) / 1e6,
                QueueSize=options.queue,
                DiscardOldest=True,
                Filter=ua.DataChangeFilter(Trigger=trigger),
            ),
        )

    async def _on_publish(self, result: ua.PublishResult) -> None:
        # While this waits no further message is asked for: the server's queue fills, and what it drops is read from its history.
        await self._messages.put(result)

    async def _on_lost(self, error: Exception) -> None:
        self._lost = error
        if not self._messages.full():
            self._messages.put_nowait(None)

    async def _message(self) -> ua.PublishResult | Changes:
        result: ua.PublishResult | Changes | None = None
        if not (self._lost and self._messages.empty()):
            try:
                result = await asyncio.wait_for(self._messages.get(), self._silence)
            except TimeoutError:
                msg = f"{self._options.url} has been silent for {self._silence:g} s"
                raise SourceError(msg) from None
        if result is None:
            msg = f"the connection to {self._options.url} was lost ({_said(self._lost)})"
            raise SourceError(msg)
        return result


def _secret(named: str, what: str) -> str:
    try:
        return secret_of(named, what)
    except SourceError as error:
        raise WrongCredentialsError(str(error)) from error


async def _application_uri(path: Path) -> str:
    """Return the application's address in a certificate, which the protocol wants to be stated again."""
    try:
        certificate = await load_certificate(path)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        (uri, *_) = names.get_values_for_type(x509.UniformResourceIdentifier)
    except (ValueError, x509.ExtensionNotFound) as error:
        msg = f"certificate {path}: expected the application's URI among its alternative names ({_said(error)})"
        raise WrongCredentialsError(msg) from error
    return str(uri)


def _said(error: BaseException | None) -> str:
    return " ".join(str(error).split()) or type(error).__name__
