"""The registry of kinds of live sources.

A package adds one with an entry point of the group ``twinlab.live`` that names a `twinlab.model.extensions.live_kind.LiveKind`.
"""

from __future__ import annotations

from twinlab.model.extensions.live_kind import LiveKind
from twinlab.model.registry import Registry

__all__ = ["LIVE_KINDS"]


def _fault(name: str, found: object) -> str:
    if not isinstance(found, LiveKind):
        return f"expected a twinlab.model.extensions.live_kind.LiveKind, got a {type(found).__name__}"
    return "" if found.name == name else f"expected the entry point to be called {found.name!r}, as the kind is"


#: Kinds of live sources by name; a replay needs the ledger, which is a room above this one. A line here adds one: "kind": "module:LiveKind".
LIVE_KINDS: Registry[LiveKind] = Registry(
    "twinlab.live",
    kind="kind of live source",
    built_in={
        "http": "twinlab.sources.live.http_json.kind:HTTP",
        "kafka": "twinlab.sources.live.kafka.kind:KAFKA",
        "modbus": "twinlab.sources.live.modbus.kind:MODBUS",
        "mqtt": "twinlab.sources.live.mqtt.kind:MQTT",
        "opcua": "twinlab.sources.live.opcua.kind:OPCUA",
        "postgres": "twinlab.sources.live.postgres.kind:POSTGRES",
        "replay": "twinlab.ledger.replay:REPLAY",
        "sql": "twinlab.sources.live.sql_poll:SQL",
        "watch": "twinlab.sources.live.watch:WATCH",
    },
    check=_fault,
)
