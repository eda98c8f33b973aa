"""The registry of kinds of channels.

A package adds one with an entry point of the group ``twinlab.channels`` that names a `twinlab.model.alerts.ChannelKind`.
"""

from __future__ import annotations

from twinlab.model.alerts.channel import ChannelKind
from twinlab.model.registry import Registry

__all__ = ["CHANNEL_KINDS"]


def _fault(name: str, found: object) -> str:
    if not isinstance(found, ChannelKind):
        return f"expected a twinlab.model.alerts.ChannelKind, got a {type(found).__name__}"
    return "" if found.name == name else f"expected the entry point to be called {found.name!r}, as the kind is"


CHANNEL_KINDS: Registry[ChannelKind] = Registry(
    "twinlab.channels",
    kind="kind of channel",
    built_in={
        "log": "twinlab.control.delivery.local:LOG",
        "file": "twinlab.control.delivery.local:FILE",
        "smtp": "twinlab.control.delivery.smtp:SMTP",
        "webhook": "twinlab.control.delivery.webhook:WEBHOOK",
    },
    check=_fault,
)
