"""One finder of ``twin.yaml``: when a condition is true of an asset, there is an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.errors import TwinlabError
from twinlab.model.basics import Duration, Model, Term, parse_duration
from twinlab.model.expressions.binder import bind_condition
from twinlab.model.expressions.contexts import AssetContext
from twinlab.model.expressions.walk import signals_of
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.expressions import bound
    from twinlab.model.expressions.contexts import Model as Names

__all__ = ["Finder"]


class Finder(Model):
    """A condition whose events are stored and kept up to date; ``twin.events(name)`` returns them."""

    on: Term
    """Asset type."""
    when: str
    """The condition: "temperature > 8 degC and door == closed"."""
    lasting: Duration | None = None
    """Only events of at least this duration."""
    gap: Duration | None = None
    """Two events at most this far apart are one."""
    title: str | None = None
    """Name for people."""

    @property
    def lasting_ns(self) -> int:
        """The least duration of an event, nanoseconds."""
        return 0 if self.lasting is None else parse_duration(self.lasting)

    @property
    def gap_ns(self) -> int:
        """The greatest gap within an event, nanoseconds."""
        return 0 if self.gap is None else parse_duration(self.gap)

    def condition(self, model: Names) -> bound.Condition:
        """Return the condition, bound to the asset type.

        Raises
        ------
        SchemaError
            If it can't be read; an UnknownTermError for names, a UnitError for units.
        """
        return bind_condition(self.when, AssetContext(model, self.on))

    def faults(self, name: str, model: Names) -> list[tuple[str, str]]:
        """Return what of the finder doesn't fit the model: key and sentence of each."""
        if name in model.event_types:
            return [("", f"there is an event type {name!r} already; choose another name")]
        if self.on not in model.asset_types:
            return [("on", f"there is no asset type {self.on!r}{nearest(self.on, model.asset_types)}")]
        try:
            condition = self.condition(model)
        except TwinlabError as error:
            return [("when", str(error))]
        if not signals_of(condition):
            known = ", ".join(model.asset_types[self.on].signals)
            return [("when", f"expected a signal of {self.on!r} in the condition; known: {known}")]
        return []
