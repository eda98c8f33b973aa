"""One alert of ``twin.yaml``: what raises it, who is notified, and who is notified later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, Self

from pydantic import Field, model_validator

from twinlab.model.basics import Duration, Model, Term, parse_duration
from twinlab.model.kpis.definition import Kpi
from twinlab.model.registry import registry_of
from twinlab.model.rules import Severity
from twinlab.model.terms import nearest

__all__ = ["ANY_INTRUSION", "Alert", "Escalation"]

#: `Alert.security` for security events of all rules.
ANY_INTRUSION = "any"


class Causes(Protocol):
    """The part of a `twinlab.model.TwinModel` that alerts refer to."""

    @property
    def rules(self) -> Mapping[str, object]:
        """Rules by name."""

    @property
    def events(self) -> Mapping[str, object]:
        """Finders by name."""

    @property
    def kpis(self) -> Mapping[str, Kpi]:
        """KPIs by name."""

    @property
    def channels(self) -> Mapping[str, object]:
        """Channels by name."""


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
    """What somebody is notified of: exceptions of a rule, events of a finder, windows in which a KPI misses its target, security events."""

    rule: Term | None = None
    """Name under ``rules``."""
    finder: Term | None = None
    """Name under ``events``."""
    kpi: Term | None = None
    """Name under ``kpis``, of one with a target. A window counts once nothing more is expected of it."""
    security: Term | None = None
    """Rule of security events, such as ``access_refused``, or ``any`` for all of them."""
    by: Term | None = None
    """With `kpi`: what to group by; each group has alerts of its own."""
    title: str | None = None
    """Name for people; that of the rule, the finder or the KPI by default."""
    severity: Severity | None = None
    """How urgent it is; as the rule by default, otherwise "medium"."""
    channels: list[Term] = Field(default_factory=list)
    """Who is notified when it is raised, and when it is over: names under ``channels``."""
    cooldown: Duration | None = None
    """If the same begins again within this time after it was over, it is the same alert, and nobody is notified again."""
    look_back: Duration = "1d"
    """How far back rows that arrive late can raise or withdraw an alert."""
    escalate: list[Escalation] = Field(default_factory=list)
    """Who else is notified if nobody acknowledges it, in order of time."""

    @model_validator(mode="after")
    def _one_cause(self) -> Self:
        given = [name for name in ("rule", "finder", "kpi", "security") if getattr(self, name) is not None]
        if len(given) != 1:
            msg = f"an alert needs exactly one of rule, finder, kpi or security, got {' and '.join(given) or 'none'}"
            raise ValueError(msg)
        if self.by is not None and self.kpi is None:
            msg = "`by` belongs to `kpi`; remove it from an alert of something else"
            raise ValueError(msg)
        return self

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

    def faults(self, model: Causes) -> list[str]:
        """Return what of the alert doesn't fit the model, a sentence each."""
        out = []
        if self.rule is not None and self.rule not in model.rules:
            out.append(f"there is no rule {self.rule!r}{nearest(self.rule, model.rules)}")
        if self.finder is not None and self.finder not in model.events:
            out.append(f"there is no finder {self.finder!r}{nearest(self.finder, model.events)}")
        if self.kpi is not None and self.kpi not in model.kpis:
            out.append(f"there is no KPI {self.kpi!r}{nearest(self.kpi, model.kpis)}")
        elif self.kpi is not None and model.kpis[self.kpi].target is None:
            out.append(f"the KPI {self.kpi!r} has no target that it could miss; state its `target`")
        if self.security is not None:
            known = [ANY_INTRUSION, *registry_of("twinlab.intrusions").names()]
            if self.security not in known:
                out.append(f"there is no rule for intrusions {self.security!r}{nearest(self.security, known)}")
        named = [*self.channels, *(name for one in self.escalate for name in one.channels)]
        return out + [
            f"there is no channel {name!r}{nearest(name, model.channels)}"
            for name in dict.fromkeys(named)
            if name not in model.channels
        ]
