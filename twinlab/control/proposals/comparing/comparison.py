"""A plan that was carried out, with each predicted effect beside the observed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from twinlab.control.proposals.comparing.curves import EffectComparison, Match, worst_match
from twinlab.control.proposals.comparing.html import comparison_html
from twinlab.control.proposals.effects.outcome import Effect

__all__ = ["Comparison"]


@dataclass(frozen=True)
class Comparison:
    """All effects of a plan, as far as they have come."""

    plan: str
    at: str
    """When it was compared, UTC."""
    until: str
    """Observations count until this time, UTC: the end of what was predicted, or when the parameter was set again; the present if that is earlier."""
    complete: bool
    """Whether nothing more can come; then it is a row of the audit."""
    effects: tuple[EffectComparison, ...]

    @property
    def match(self) -> Match:
        """The worst of the effects of which something can be said."""
        return worst_match([one.match for one in self.effects])

    @property
    def reason(self) -> str:
        """One sentence for each effect."""
        return "; ".join(f"{one.title}: {one.match}, {one.reason}" for one in self.effects)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, for JSON; what was predicted is in the proposal."""
        return asdict(replace(self, effects=tuple(replace(one, effect=None) for one in self.effects)))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], effects: Sequence[Effect]) -> Self:
        """Return a comparison from what `to_dict` returned, after JSON, and the effects of the proposal."""
        found = [
            EffectComparison(**{**one, "minutes": tuple(one["minutes"]), "came": tuple(one["came"]), "effect": effect})
            for one, effect in zip(data["effects"], [None, *effects], strict=True)
        ]
        return cls(**{**data, "effects": tuple(found)})

    def _repr_html_(self) -> str:
        return str(comparison_html(self.effects, match=self.match, until=self.until, complete=self.complete))
