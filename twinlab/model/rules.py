"""Rules: the exceptions that people want reported, as ``rules:`` in ``twin.yaml`` states them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import ConfigDict, ValidationError, field_validator, model_validator

from twinlab.model.basics import Duration, Model, Term, parse_duration
from twinlab.model.expressions.binder import bind_condition
from twinlab.model.expressions.contexts import AssetContext
from twinlab.model.expressions.contexts import Model as Names
from twinlab.model.expressions.faults import Pointing
from twinlab.model.expressions.parser import parse
from twinlab.model.expressions.walk import has_relation, signals_of
from twinlab.model.extensions.options import fault, located
from twinlab.model.registry import Registry, registry_of
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

    from twinlab.model.expressions import bound
    from twinlab.model.extensions.options import Options
    from twinlab.model.extensions.rule_kind import RuleKind

__all__ = ["SEVERITIES", "Rule"]

Severity = Literal["low", "medium", "high"]
#: From the least to the most severe.
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high")

#: Kinds whose options are fields of a `Rule`; those of all other kinds, twinlab's or a package's, are the key's value.
_FIELDS = ("when", "silent", "late")


class Rule(Model):
    """An exception to report: exactly one of `when`, `silent`, `late`, or another kind.

    The key of another kind, such as ``flagged`` or one that a package adds (see `twinlab.events.rules.registry`), has that
    kind's options as its value: ``flagged: {signal: wind_speed, flag: fail}``.
    """

    # Unknown keys are refused by `_added_kinds`, which knows all kinds.
    model_config = ConfigDict(extra="allow")

    on: Term
    """Asset type, or for `late` an event type."""
    title: str | None = None
    """Name for people."""
    when: str | None = None
    """A condition: "temperature > 8 degC", "temperature > upper_limit and door == open" (a property of the asset, a state),
    "mean(temperature) over 15 min > 8 degC"; see `twinlab.model.expressions`."""
    lasting: Duration | None = None
    """With `when`: how long the condition must have been true."""
    silent: Duration | None = None
    """No observation of any signal for longer than this."""
    late: Duration | None = None
    """An event that began or ended this much later than planned, or hasn't by then."""
    at: Literal["start", "end"] = "end"
    """With `late`: which of the event's times counts."""
    severity: Severity = "medium"
    """How urgent the exception is."""

    @field_validator("when")
    @classmethod
    def _readable(cls, when: str | None) -> str | None:
        if when is not None:
            try:
                parse(when)
            except Pointing as error:
                raise ValueError(_in_one_line(error)) from error
        return when

    @model_validator(mode="before")
    @classmethod
    def _added_kinds(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        faults: list[InitErrorDetails] = []
        for key in [key for key in data if key not in cls.model_fields]:
            known: Registry[RuleKind] = registry_of("twinlab.rules")
            if key not in known:
                close = nearest(str(key), [*cls.model_fields, *known.names()])
                faults.append(fault((key,), ValueError(f"unknown key {key!r}{close}"), data[key]))
                continue
            try:
                known.get(key).parse(data[key])
            except ValidationError as error:
                faults += [fault(found["loc"], found["ctx"]["error"], found["input"]) for found in error.errors()]
        if faults:
            raise located(faults)
        return data

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = self._kinds()
        if len(kinds) != 1:
            *some, last = registry_of("twinlab.rules").names()
            msg = f"a rule needs exactly one of {', '.join(some)} or {last}, got {' and '.join(kinds) or 'none'}"
            raise ValueError(msg)
        if self.lasting is not None and self.when is None:
            msg = f"`lasting` belongs to `when`; a rule with `{kinds[0]}` states its duration there"
            raise ValueError(msg)
        if self.late is None and self.at != "end":
            msg = f"`at` belongs to `late`; remove it from a rule with `{kinds[0]}`"
            raise ValueError(msg)
        return self

    def _kinds(self) -> list[str]:
        return [*(name for name in _FIELDS if getattr(self, name) is not None), *(self.model_extra or {})]

    @property
    def kind(self) -> str:
        """The kind of rule: ``when``, ``silent``, ``late``, ``flagged``, or the name of a kind of another package."""
        return self._kinds()[0]

    @property
    def options(self) -> Options | None:
        """The options that the kind's key has as its value; None of `when`, `silent` and `late`, whose options are fields."""
        if self.kind in _FIELDS:
            return None
        kind: RuleKind = registry_of("twinlab.rules").get(self.kind)
        return kind.parse((self.model_extra or {})[self.kind])

    @property
    def lasting_ns(self) -> int:
        """How long the condition must have been true, nanoseconds; 0 for at once."""
        return 0 if self.lasting is None else parse_duration(self.lasting)

    def faults(self, model: Names) -> list[str]:
        """Return what of the rule doesn't fit the model, a sentence each; empty if everything fits."""
        added: RuleKind | None = None if self.kind in _FIELDS else registry_of("twinlab.rules").get(self.kind)
        what = added.on if added else "event type" if self.late is not None else "asset type"
        known = model.event_types if what == "event type" else model.asset_types
        if self.on not in known:
            return [f"there is no {what} {self.on!r}{nearest(self.on, known)}"]
        if added is not None:
            return list(added.faults(self.options, known[self.on]))
        if self.when is None:
            return []
        try:
            condition = self.condition(model)
        except Pointing as error:
            return [_in_one_line(error)]
        if not signals_of(condition) and not has_relation(condition):
            return [
                f"expected a signal of {self.on!r} in `when`, got {self.when!r}{nearest('', model.asset_types[self.on].signals)}"
            ]
        return []

    def condition(self, model: Names) -> bound.Condition:
        """Return the condition of a rule with `when`, with numbers in the signals' own units.

        Raises
        ------
        SchemaError
            If it compares what can't be compared; the message shows the column.
        UnknownTermError
            If it names what the asset type doesn't have.

        >>> from twinlab.model import parse_model
        >>> model = parse_model("{twin: x, asset_types: {room: {signals: {warmth: {unit: degC, resolution: 0.1}}}}}")
        >>> Rule(on="room", when="warmth > 50 degF").condition(model).right.value
        10.0
        """
        return bind_condition(self.when or "", AssetContext(model, self.on, labels=False))

    def signals(self, model: Names) -> list[str]:
        """Return the signals that a rule with `when` compares; none of other kinds."""
        return [] if self.when is None else signals_of(self.condition(model))

    def is_about_others(self, model: Names) -> bool:
        """Return whether the condition of a rule with `when` is about other assets, too, that an asset was in."""
        return self.when is not None and has_relation(self.condition(model))


def _in_one_line(error: Pointing) -> str:
    """Return an error of an expression without the lines that show it: the file's line is shown instead."""
    return f"{str(error).splitlines()[0]} (column {error.column + 1} of {error.text!r})"
