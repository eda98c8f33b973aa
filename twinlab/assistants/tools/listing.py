"""All tools, and those that a caller has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.assistants.tools.asking import ASKING
from twinlab.assistants.tools.expecting import EXPECTING
from twinlab.assistants.tools.explaining import EXPLAINING
from twinlab.assistants.tools.proposing import PROPOSING
from twinlab.assistants.tools.reading import READING

if TYPE_CHECKING:
    from twinlab.assistants.caller import Caller
    from twinlab.assistants.tools.tool import Tool

__all__ = ["TOOLS", "tools_for"]

TOOLS = (*ASKING, *READING, *EXPLAINING, *EXPECTING, *PROPOSING)


def tools_for(caller: Caller, *, proposals: bool) -> dict[str, Tool]:
    """Return name -> tool of what a caller has.

    Parameters
    ----------
    caller : Caller
    proposals : bool
        Whether commands may be proposed; only twins with ``commands:`` have any.
    """
    return {
        tool.name: tool
        for tool in TOOLS
        if tool.offered_to(caller) and (not tool.writes or (proposals and caller.twin.model.commands))
    }
