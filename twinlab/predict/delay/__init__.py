"""How late planned events will be: before their start, overdue and under way, from what was known at the issue time.

In: a state with the events of one type, planned and past, and signals of what they link to. Out: quantiles of the delay, the probability of being
late, and reasons in words, for each event; "can't tell" with its reason.
Read in order: `settings`, `plan` (events as arrays), `chains` (what the events before imply), `congestion` (delays of others), `surroundings`, `features`,
`estimators`, `intervals` (by phase and group), `predictor`, `fitted`, `reasons`, `connections`.
Never: a start or an end before it is known; a delay of an event that has no plan.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__, {"DelayPredictor": "predictor", "DelaySettings": "settings", "FittedDelay": "fitted"}
)
