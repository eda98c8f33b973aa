"""Guard: the check before acting, the same in the twin, in gateways and in devices.

In: bytes from anybody. Out: an answer; and, if every check is passed, one change of one setpoint, read back.
Read in order: `rules`, `actuator`, `checks`, `ledger`, `acting`, `guard`.
Never: a setpoint that changes twice for one command; a change that isn't recorded before; a stop that waits.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Actuator": "actuator",
        "CHECKS": "checks",
        "Clock": "clock",
        "Fence": "fence",
        "Guard": "guard",
        "GuardLedger": "ledger",
        "Rates": "rules",
        "Rule": "rules",
        "State": "actuator",
        "asks_for_stop": "message",
    },
)
