"""A planned operation run forward: trips of a timetable with random delays, and what they carry.

In: a timetable, fitted delays, and a state (what has left, what is under way, what waits). Out: the protocol of a model.
Read in order: `names`, `weeks`, `draws`, `delays`, `day_effects`, `positions`, `trips`, `routing`, `following`, `entities`, `states`, `signals`, `tables`, `model`, `parameters`, `rooms`, `plans`.
Never: a random number that depends on more than seed, replication, purpose and the owner's place in the state.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__, {"Delays": "delays", "Demand": "entities", "Names": "names", "TimetableModel": "model"}
)
