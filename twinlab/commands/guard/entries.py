"""What a guard records of a message: plain values, which any audit can write as JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from twinlab.commands.guard.message import Message
from twinlab.commands.messages.answer import Outcome, plain_reason
from twinlab.commands.messages.command import instant_text

__all__ = ["Kind", "Record", "entry_of"]

Kind = Literal["command accepted", "command refused", "command answered", "command recovered", "link lost"]
#: Writes an entry, durably; raises if it can't.
Record = Callable[[dict[str, Any]], object]


def entry_of(
    kind: Kind, message: Message | None, *, device: str, now: datetime, wire_sha256: str, outcome: Outcome, reason: str,
    check: str = "", more: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Return an entry.

    Parameters
    ----------
    kind : str
        "command accepted" before anything is done, "command answered" after it, "command refused"; after a restart "command
        recovered"; "link lost" if a target went to fail-safe by itself.
    message : Message or None
        Fields of its command are recorded if its signatures are verified, else only the hash of its bytes.
    device, now, wire_sha256, outcome, reason
        Of the answer.
    check : str
        Name of the check that refused.
    more : int
        How many further messages were refused for the same reason since the last entry: a flood isn't written one by one.
    """
    reason = plain_reason(reason)
    what: dict[str, Any] = {"outcome": outcome, "reason": reason}
    if check:
        what["check"] = check
    if more:
        what["more"] = more
    if message is not None and (command := message.known) is not None:
        # The reason of the command and the one of the answer are two.
        what |= command.model_dump() | {"reason": reason, "asked_because": command.reason}
        if kind == "command accepted" or command.operation == "stop":
            # With its signatures, so that nobody who signed can deny it.
            what["wire"] = message.wire.decode()
    return {
        "kind": kind,
        "time": instant_text(now),
        "who": list(message.persons) if message is not None else [],
        "what": what,
        "device": device,
        "wire_sha256": wire_sha256,
    }
