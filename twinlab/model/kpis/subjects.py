"""What a KPI can be about: asset types, event types, and relationships, whose validity is like an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from twinlab.model.asset_types import AssetType, EventType, RelationshipType

if TYPE_CHECKING:
    from twinlab.model.expressions.contexts import Model as Names

__all__ = ["Subjects"]


@dataclass(frozen=True)
class Subjects:
    """A model in which each relationship is also an event type: of the source, with a link to the target.

    Such an event begins when the relationship becomes valid and ends with it: a parcel that is held at a hub. Event types and
    asset types of the same name come first.
    """

    model: Names

    @property
    def asset_types(self) -> Mapping[str, AssetType]:
        """Asset types by name."""
        return self.model.asset_types

    @property
    def relationships(self) -> Mapping[str, RelationshipType]:
        """Relationships by name."""
        return self.model.relationships

    @cached_property
    def event_types(self) -> Mapping[str, EventType]:
        """Event types and relationships by name."""
        found = {
            name: EventType(asset=spec.source, links={spec.target: spec.target}, title=spec.title)
            for name, spec in self.model.relationships.items()
            if name not in self.model.asset_types
        }
        return {**found, **self.model.event_types}

    def is_relationship(self, name: str) -> bool:
        """Return whether a name is a relationship's, and no event type's."""
        return name in self.model.relationships and name not in self.model.event_types
