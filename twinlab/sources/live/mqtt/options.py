"""Options of the kind `mqtt`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinlab.edge.settings import Broker
from twinlab.model.basics import Duration
from twinlab.model.extensions.options import Options

__all__ = ["MqttOptions"]


class MqttOptions(Broker, Options):
    """Options of a live source ``mqtt``."""

    client: Annotated[str, Field(pattern=r"^[^/+#\x00]+$")] = "historian"
    """Name of this client at the broker; another client with the same name ends the connection of the first."""
    gather: Duration = "50ms"
    """Rows of so long a time are one batch."""
    queue_rows: Annotated[int, Field(ge=1_000)] = 100_000
    """Maximum number of rows that aren't durable yet; further ones are dropped unacknowledged, and come again."""
    clock_tolerance: Duration = "10s"
    """A gateway's clock that is off by more is reported as suspect."""
    keys: str | None = None
    """File of a key ring. With it every message must be signed by a key of its gateway, a device of that name; others are quarantined."""
    unsigned: tuple[str, ...] = ()
    """With ``keys``: patterns of gateways that may send unsigned messages."""
    reply_key: str | None = None
    """File with the Ed25519 key that replies and requests to gateways are signed with (``twinlab keys new``); None signs nothing."""
    broker_log: str | None = None
    """Log of the broker, a mosquitto with ``log_type all``, if this machine has it: what it refuses is searched for intrusions."""
