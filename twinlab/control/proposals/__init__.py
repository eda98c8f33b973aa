"""Proposals: what a command would do, from the present state; approved, sent, acknowledged and read back.

In: a twin, an asset, a parameter and a setpoint; keys of persons; what sends. Out: a plan with a verdict, a sent command with its result.
Read in order: `setpoints`, `situation` (the present), `effects` (what changes), `proposal`, `proposing`, `html`, `desk` (the folder ``control/``),
`signatures`, `plan`, `carried` (the twin's own guard), `sending`, `stopping`, `comparing` (predicted and observed effects).
Never: a command that was neither simulated nor found safe, except an emergency stop; a command that is sent again because its
answer didn't come.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Check": "proposal",
        "Desk": "desk",
        "Plan": "plan",
        "Proposal": "proposal",
        "SendResult": "sending",
        "propose": "proposing",
    },
)
