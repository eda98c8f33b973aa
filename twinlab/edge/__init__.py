"""BESIDE A MACHINE: what reads a machine's values, stores them and sends them until the historian has them.

In: readings of tags with times. Out: numbered messages of rows, and the historian's replies.
Read in order: `readings` (columns of rows), `handshake` and `messages` (the bytes that are sent), `outbox` with `outbox_tables` (rows
that aren't acknowledged yet, on disk), `window` (which rows to send next), `settings`, `transport` (MQTT), `sender`; `aggregation`,
`raw` and `reducing` (fewer rows, the others on request); `scorer` and `scoring` (anomaly models at the edge); `pseudonyms/` (no names of people leave the machine); `signatures/` (who wrote a message); `gateway` (the program); `commanding/` (devices that verify commands); `security_log` (what a broker or a historian refused).
Never: a row deleted that the historian hasn't acknowledged, but for rows whose stated expiry has passed, which is
reported; a sequence number used twice; a command to the machine that no guard has checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.edge.gateway import Gateway
    from twinlab.edge.outbox import Outbox
    from twinlab.edge.readings import Reading, Readings
    from twinlab.edge.security_log import SecurityLog
    from twinlab.edge.settings import GatewaySettings, read_settings

__all__ = ["Gateway", "GatewaySettings", "Outbox", "Reading", "Readings", "SecurityLog", "read_settings"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Gateway": "gateway",
        "GatewaySettings": "settings",
        "Outbox": "outbox",
        "Reading": "readings",
        "Readings": "readings",
        "SecurityLog": "security_log",
        "read_settings": "settings",
    },
)
