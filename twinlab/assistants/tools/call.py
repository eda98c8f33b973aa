"""The call that a tool gets: who calls, with which limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlab.assistants.caller import Caller
    from twinlab.assistants.limits import Limits

__all__ = ["Call"]


@dataclass(frozen=True)
class Call:
    """Who calls, with which limits."""

    caller: Caller
    limits: Limits
