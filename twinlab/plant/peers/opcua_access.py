"""Who may what on the warehouses' server: a set point is changed by a method that takes a signed command, never by a write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asyncua import ua
from asyncua.common.node import Node
from asyncua.crypto.permission_rules import ADMIN_TYPES, SimpleRoleRuleset, User, UserRole

from twinlab.commands.messages.command import read_command
from twinlab.commands.messages.signed import PAYLOAD_TYPE
from twinlab.edge.commanding.device import CommandedDevice
from twinlab.errors import CommandRejectedError
from twinlab.signing.envelopes.dsse import read_payload

__all__ = ["METHODS", "AccessRules", "add_methods"]

#: Method of a room -> the operation of the commands that it takes.
METHODS = {"Select": "select", "Operate": "operate", "Stop": "stop"}
_WRITE = ua.NodeId(ua.ObjectIds.WriteRequest_Encoding_DefaultBinary)
_CALL = ua.NodeId(ua.ObjectIds.CallRequest_Encoding_DefaultBinary)


class AccessRules(SimpleRoleRuleset):  # type: ignore[misc]  # asyncua's types aren't read
    """Viewers read; operators also call methods; nobody writes or changes nodes.

    Parameters
    ----------
    refused : callable
        Called with the name of the user and what was refused.
    """

    def __init__(self, refused: Callable[[str, str], None]) -> None:
        super().__init__()
        self._refused = refused
        for role in self._permission_dict.values():
            role.difference_update({_WRITE, *map(ua.NodeId, ADMIN_TYPES)})
        self._permission_dict[UserRole.User].discard(_CALL)

    def check_validity(self, user: User, action_type_id: ua.NodeId, body: object) -> bool:
        """Return whether a user may send a request."""
        if super().check_validity(user, action_type_id, body):
            return True
        names = {_WRITE: "a write of a value", _CALL: "a call of a method"}
        what = names.get(action_type_id, f"a request of the type {action_type_id}")
        self._refused(user.name or "nobody", f"expected a signed command by a method, got {what} by {user.name}")
        return False


async def add_methods(
    parent: Node, index: int, asset: str, *, device: CommandedDevice, after: Callable[[], Awaitable[None]]
) -> None:
    """Add the methods `METHODS` to the object of an asset: each takes an envelope's bytes and returns a signed answer's.

    ``Report`` takes a request for a report, ``Records`` one for the device's record; both return what the device signed.

    Parameters
    ----------
    parent : Node
        The asset's object.
    index : int
        Index of the namespace.
    asset : str
        The target of its commands: "cold_room/R02".
    device : CommandedDevice
        What answers.
    after : callable
        Called before an answer is returned, so that the asset's variables are up to date.
    """
    name = asset.partition("/")[2]
    for method, operation in METHODS.items():

        async def call(
            _parent: ua.NodeId, envelope: ua.Variant, operation: str = operation
        ) -> list[ua.Variant] | ua.StatusCode:
            wire = envelope.Value if isinstance(envelope.Value, bytes) else b""
            if not _fits(wire, asset, operation, device):
                return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadInvalidArgument))
            answer = await device.answer(wire)
            await after()
            return [ua.Variant(answer, ua.VariantType.ByteString)]

        await parent.add_method(
            ua.NodeId(f"{name}.{method}", index), ua.QualifiedName(method, index), call,
            [_argument("Envelope", "DSSE envelope of a twinlab command")], [_argument("Answer", "DSSE envelope of the answer")],
        )  # fmt: skip

    for method, fields, work in (
        ("Report", "target, parameter, nonce", device.report),
        ("Records", "target, first, nonce", device.recorded),
    ):

        async def read(
            _parent: ua.NodeId, request: ua.Variant, work: Callable[[bytes], Awaitable[bytes | None]] = work
        ) -> list[ua.Variant] | ua.StatusCode:
            found = await work(request.Value if isinstance(request.Value, bytes) else b"")
            if found is None:
                return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadInvalidArgument))
            return [ua.Variant(found, ua.VariantType.ByteString)]

        await parent.add_method(
            ua.NodeId(f"{name}.{method}", index), ua.QualifiedName(method, index), read,
            [_argument("Request", f"JSON with {fields}")], [_argument(method, "DSSE envelope")],
        )  # fmt: skip


def _fits(wire: bytes, asset: str, operation: str, device: CommandedDevice) -> bool:
    """Return whether a command is of the method's operation and asset; what can't be read is the guard's to refuse."""
    try:
        command = read_command(read_payload(wire, payload_type=PAYLOAD_TYPE))
    except CommandRejectedError:
        return True
    fits = (command.operation, command.target) == (operation, asset)
    if not fits:
        device.note(
            "message refused",
            f"expected {operation} of {asset}, the method that was called, got {command.operation} of {command.target}",
        )
    return fits


def _argument(name: str, text: str) -> ua.Argument:
    return ua.Argument(
        Name=name,
        DataType=ua.NodeId(ua.ObjectIds.ByteString),
        ValueRank=ua.ValueRank.Scalar,
        Description=ua.LocalizedText(text),
    )
