"""What a tool is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twinlab.assistants.results.schemas import Result

if TYPE_CHECKING:
    from twinlab.assistants.caller import Caller
    from twinlab.assistants.tools.arguments import Arguments
    from twinlab.assistants.tools.call import Call

__all__ = ["Tool"]


@dataclass(frozen=True)
class Tool:
    """One tool."""

    name: str
    """Name that clients call."""
    title: str
    """Name for people."""
    text: str
    """What it returns, and when to use it; clients show it to a language model."""
    arguments: type[Arguments]
    """Its arguments; their docstrings are in the schema."""
    run: Callable[[Call, Any], Result]
    """Called with the call and the arguments."""
    result: type[Result] = Result
    """What it returns."""
    page: str | None = None
    """The page that a role has to open; None: any page."""
    function: str | None = None
    """The function of the twin that it needs; a caller without it doesn't have the tool."""
    writes: bool = False
    """Whether it writes anything."""

    def offered_to(self, caller: Caller) -> bool:
        """Return whether a caller has the tool."""
        return caller.opens(self.page) and (self.function is None or caller.has(self.function))
