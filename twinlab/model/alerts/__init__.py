"""Alerts: what somebody is notified of, through which channels, and who is notified when nobody answers.

In: ``alerts:`` and ``channels:`` of ``twin.yaml``. Out: frozen objects.
Read in order: `alert`, `channel`.
Never: a password in a file.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {"Alert": "alert", "Channel": "channel", "ChannelKind": "channel", "Escalation": "alert", "Message": "channel"},
)
