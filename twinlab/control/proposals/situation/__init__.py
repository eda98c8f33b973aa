"""The present state that a proposal is about: values with age and flag, what waits, trips under way, rooms, who is near.

In: a twin and an asset. Out: frozen objects, or why something isn't known.
Read in order: `memory`, `readings`, `conditions` (interlocks), `queues`, `rooms`, `trips`, `neighbours`.
Never: a value from after the present; a value that is taken for known because it was known once.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Neighbour": "neighbours",
        "Reading": "readings",
        "neighbours_of": "neighbours",
        "present_readings": "readings",
        "queue_now": "queues",
        "room_now": "rooms",
        "trip_now": "trips",
        "truth_of": "conditions",
    },
)
