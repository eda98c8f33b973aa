"""One alert of ``twin.yaml``: what raises it, who is notified, and who is notified later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from twinlab.model.basics import Duration, Model, Term, parse_duration
from twinlab.model.rules import Severity
from twinlab.model.terms import nearest

__all__ = ["Alert", "Escalation"]


class Escalation(Model):
    """Who else is notified if nobody has acknowledged the alert after some time."""

    after: Duration
    """Since the alert was raised."""
    channels: list[Term] = Field(min_length=1)
    """Names under ``channels``."""

    @property
    def after_ns(self) -> int:
        """The time since the alert was raised, nanoseconds."""
        return parse_duration(self.after)


class Alert(Model):
    """What somebody is notified of: the exceptions of one rule."""

    rule: Term
    """Name under ``rules``."""
    title: str | None = None
    """Name for people; the rule's by default."""
    severity: Severity | None = None
    """How urgent it is; as the rule by default."""
    channels: list[Term] = Field(default_factory=list)
    """Who is notified when it is raised, and when it is over: names under ``channels``."""
    cooldown: Duration | None = None
    """If the same begins again within this time after it was over, it is the same alert, and nobody is notified again."""
    look_back: Duration = "1d"
    """How far back rows that arrive late can raise or withdraw an alert."""
    escalate: list[Escalation] = Field(default_factory=list)
    """Who else is notified if nobody acknowledges it, in order of time."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        after = [one.after_ns for one in self.escalate]
        if after != sorted(set(after)):
            msg = f"expected escalations in order of time, got {', '.join(one.after for one in self.escalate)}"
            raise ValueError(msg)
        return self

    @property
    def cooldown_ns(self) -> int:
        """The cooldown in nanoseconds."""
        return 0 if self.cooldown is None else parse_duration(self.cooldown)

    @property
    def look_back_ns(self) -> int:
        """How far back late rows count, nanoseconds."""
        return parse_duration(self.look_back)

    def faults(self, rules: Mapping[str, object], channels: Mapping[str, object]) -> list[str]:
        """Return what of the alert doesn't fit the model, a sentence each."""
        out = [] if self.rule in rules else [f"there is no rule {self.rule!r}{nearest(self.rule, rules)}"]
        named = [*self.channels, *(name for one in self.escalate for name in one.channels)]
        return out + [
            f"there is no channel {name!r}{nearest(name, channels)}"
            for name in dict.fromkeys(named)
            if name not in channels
        ]
