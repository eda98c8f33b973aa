"""Which groups of transporters a clause means."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlab.ask.drafting.clauses import Clause
    from twinlab.simulate.network.transporters import Transporters

__all__ = ["groups_of"]


def groups_of(clause: Clause) -> list[str]:
    """Return the groups of transporters of a clause: named, or of a named type, at the nodes that are named.

    Two nodes mean groups that go to both; one means groups that go there.
    """
    if clause.groups:
        return clause.groups
    groups = clause.network.transporters
    return [
        name
        for name, group in groups.items()
        if (not clause.carriers or group.type in clause.carriers) and set(clause.nodes) <= _places(group)
    ]


def _places(group: Transporters) -> set[str]:
    return {
        *(group.route or ()),
        *(node for pair in group.links or () for node in pair),
        *([group.home] if group.home else []),
    }
