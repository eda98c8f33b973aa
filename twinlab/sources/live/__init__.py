"""Live sources: rows as they come, acknowledged once they are durable; each kind is one module and a line in `registry`.

In: the options of ``live:`` in a mapping, and where the source stopped before. Out: `LiveBatch` after `LiveBatch`, `Health`.
Read in order: `protocol`, `registry`, `health`, `base` (for kinds to derive from); `acceptance`, `clock`, `gateway_rows` and `guarded/` (outboxes of gateways); `observed` (values
as rows); `request_pace`; then one module or package a kind: `mqtt/`, `paced` (replays), `sql_poll` (with `sql_database`, `sql_rows`), `watch`,
`modbus/`, `opcua/`, `http_json/`, `postgres/`, `kafka/`.
Never: a row acknowledged before it is durable, an unbounded queue, a write to the peer, a secret in a YAML file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._backoff import Backoff
from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.sources.live.base import SourceBase
    from twinlab.sources.live.health import HealthMeter
    from twinlab.sources.live.protocol import (
        Catalogue,
        DeclaredTag,
        Filled,
        Gap,
        Health,
        LiveBatch,
        LiveContext,
        LiveSource,
        Unreadable,
    )
    from twinlab.sources.live.registry import LIVE_KINDS

__all__ = [
    "LIVE_KINDS",
    "Backoff",
    "Catalogue",
    "DeclaredTag",
    "Filled",
    "Gap",
    "Health",
    "HealthMeter",
    "LiveBatch",
    "LiveContext",
    "LiveSource",
    "SourceBase",
    "Unreadable",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "LIVE_KINDS": "registry",
        "Catalogue": "protocol",
        "DeclaredTag": "protocol",
        "Filled": "protocol",
        "Gap": "protocol",
        "Health": "protocol",
        "HealthMeter": "health",
        "LiveBatch": "protocol",
        "LiveContext": "protocol",
        "LiveSource": "protocol",
        "SourceBase": "base",
        "Unreadable": "protocol",
    },
)
