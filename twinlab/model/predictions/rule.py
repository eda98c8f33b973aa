"""One prediction of ``twin.yaml``: the delays of an event type, predicted while the historian runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.model.basics import Duration, Model, Term, parse_duration
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.expressions.contexts import Model as Names

__all__ = ["PredictionRule"]

_MINUTE = 60 * 10**9


class PredictionRule(Model):
    """Delays that are predicted and stored under the rule's name, as ``twin.delay(…, store=name)`` does."""

    delay: Term
    """Event type whose planned events are predicted."""
    every: Duration = "15min"
    """Time between two predictions, one minute at least."""
    refit: Duration = "7d"
    """Time after which the model is fitted again; the new version is in use at once, ``twin.models.rollback`` takes it back."""
    training: Duration | None = None
    """Time before the fit whose events are learnt from; a year by default."""

    @property
    def every_ns(self) -> int:
        """Time between two predictions, nanoseconds."""
        return parse_duration(self.every)

    @property
    def refit_ns(self) -> int:
        """Time after which the model is fitted again, nanoseconds."""
        return parse_duration(self.refit)

    def faults(self, model: Names) -> list[tuple[str, str]]:
        """Return what of the rule doesn't fit the model: key and sentence of each."""
        out = []
        if self.delay not in model.event_types:
            out.append(("delay", f"there is no event type {self.delay!r}{nearest(self.delay, model.event_types)}"))
        if self.every_ns < _MINUTE:
            out.append(("every", f"expected one minute at least, got {self.every!r}"))
        if self.refit_ns < self.every_ns:
            out.append(("refit", f"expected every={self.every} at least, got {self.refit!r}"))
        return out
