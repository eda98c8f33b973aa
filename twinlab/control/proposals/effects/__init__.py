"""Effects: what a command would change, simulated from the present state with and without it.

In: the present state as plain numbers, and the setpoint before and after. Out: an `Effect` with both futures and a verdict.
Read in order: `outcome` (what an effect is, how it is judged), `queues`, `rooms`, `trips`, `stopping`.
Never: a verdict "safe" where something that it needs isn't known.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Change": "outcome",
        "Effect": "outcome",
        "Unknown": "outcome",
        "queue_effect": "queues",
        "room_effect": "rooms",
        "stopping_effect": "stopping",
        "trip_effect": "trips",
    },
)
