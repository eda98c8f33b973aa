"""Names of event tables: event types and finders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.errors import UnknownTermError
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.asset_types import EventType
    from twinlab.model.twinmodel import TwinModel

__all__ = ["stored_event_type"]


def stored_event_type(model: TwinModel, name: str) -> EventType:
    """Return the event type of a name; its events are in the history, those of a finder aren't.

    Raises
    ------
    UnknownTermError
        If there is none; shows the nearest event type or finder.
    """
    if name in model.event_types:
        return model.event_types[name]
    if name in model.events:
        msg = f"expected an event type, got the finder {name!r}: twin.events({name!r}) finds its events, as do views of a twin"
        raise UnknownTermError(msg)
    msg = f"expected a known event type or finder, got {name!r}{nearest(name, [*model.event_types, *model.events])}"
    raise UnknownTermError(msg)
