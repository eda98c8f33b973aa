"""Commands of ``twin.yaml``: which parameters of assets may be set, within which limits, by whom, and what must be simulated first.

In: ``commands:`` of ``twin.yaml``, by asset type and parameter. Out: frozen objects.
Read in order: `spec`, `effects` (what is simulated), `checks` (compared with the rest of the model).
Never: data read; a command that the model doesn't state.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "CommandSpec": "spec",
        "Effect": "effects",
        "QueueEffect": "effects",
        "RoomEffect": "effects",
        "StoppingEffect": "effects",
        "TripEffect": "effects",
        "command_faults": "checks",
    },
)
