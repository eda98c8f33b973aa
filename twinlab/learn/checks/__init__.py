"""What is right, and which mistakes give which wrong answers: a module for each role, computed from the twin when it's asked.

In: the twin of an exercise. Out: a `twinlab.learn.comparing.Solution`. Never: an answer written down here, or in a hint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from twinlab.learn.checks import (
    analyst,
    dispatcher,
    it_engineer,
    ot_engineer,
    planner,
    security_officer,
    steward,
)

if TYPE_CHECKING:
    from twinlab.learn.comparing import Solution
    from twinlab.twin import Twin

__all__ = ["CHECKS"]

#: Exercise -> the function that computes what is right.
CHECKS: Mapping[str, Callable[[Twin], Solution]] = {
    f"{role}.{name}": check
    for role, module in {
        "dispatcher": dispatcher,
        "analyst": analyst,
        "steward": steward,
        "ot-engineer": ot_engineer,
        "it-engineer": it_engineer,
        "planner": planner,
        "security-officer": security_officer,
    }.items()
    for name, check in module.CHECKS.items()
}
