"""Deliver signed heads to a second place: another disk or a webhook, through the channels that alerts use."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

from twinlab._files import write_atomically
from twinlab.control.audit.heads import TreeHead
from twinlab.control.delivery.channels import CHANNEL_KINDS
from twinlab.errors import SourceError
from twinlab.model.alerts.channel import Channel, Message

__all__ = ["SecondPlace"]


class SecondPlace:
    """One channel, and which heads it has taken.

    Parameters
    ----------
    channel : Channel
        A file on another disk, a webhook, …
    folder : Path
        Folder of the log; a relative path of the channel is one beside it.
    signed : str
        Name of the file of heads, which numbers them.
    """

    def __init__(self, channel: Channel, folder: Path, signed: str) -> None:
        self._kind, self._options = CHANNEL_KINDS.get(channel.kind), channel.options
        self._folder = folder
        stated = hashlib.sha256(json.dumps(channel.model_extra, sort_keys=True).encode()).hexdigest()[:12]
        self._state = folder / "heads" / f"{signed}-{stated}.taken"
        #: For people: the kind and what says where.
        self.name = f"{channel.kind} {next((str(value) for _, value in self._options), '')}".strip()
        self.next = self._read()
        #: Seconds of the monotonic clock since when heads wait; None while none does.
        self.waits_since: float | None = None
        self.reason = ""

    def deliver(self, heads: Sequence[tuple[TreeHead, bytes]]) -> bool:
        """Send the heads that weren't taken yet, in order; return whether all are taken now."""
        for head, wire in heads:
            if head.number < self.next:
                continue
            subject = f"audit {head.log[:8]}: {head.size} rows at {head.at}"
            data = {
                "head": json.loads(wire),
                "log": head.log,
                "number": head.number,
                "size": head.size,
                "root": head.root,
            }
            try:
                self._kind.send(self._options, Message(subject, f"root {head.root}", data), self._folder.parent)
                self.next = head.number + 1
                write_atomically(self._state, lambda path: path.write_text(f"{self.next}\n", encoding="ascii"))
            except SourceError as error:
                self.reason = str(error)
                self.waits_since = time.monotonic() if self.waits_since is None else self.waits_since
                return False
        self.waits_since, self.reason = None, ""
        return True

    def _read(self) -> int:
        # A head may be sent twice, never left out: without the number all of them are sent again.
        try:
            return int(self._state.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0
