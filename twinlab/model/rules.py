"""Rules: the exceptions that people want reported, as ``rules:`` in ``twin.yaml`` states them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, cast

from pydantic import ConfigDict, ValidationError, field_validator, model_validator

from twinlab.errors import UnitError
from twinlab.model.basics import Duration, Model, Term, parse_duration
from twinlab.model.extensions.options import fault, located
from twinlab.model.registry import Registry, registry_of
from twinlab.model.terms import nearest
from twinlab.model.units import convert

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

    from twinlab.model.asset_types import AssetType
    from twinlab.model.extensions.options import Options
    from twinlab.model.extensions.rule_kind import RuleKind

__all__ = ["SEVERITIES", "Condition", "Rule", "bind_conditions"]

Severity = Literal["low", "medium", "high"]
Operator = Literal[">", ">=", "<", "<=", "==", "!="]
#: From the least to the most severe.
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high")

#: Kinds whose options are fields of a `Rule`; those of all other kinds, twinlab's or a package's, are the key's value.
_FIELDS = ("when", "silent", "late")

_COMPARISON = re.compile(r"\s*(?P<signal>[a-z][a-z0-9_]*)\s*(?P<operator>>=|<=|==|!=|>|<)\s*(?P<right>\S.*?)\s*")
_NUMBER = re.compile(r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<unit>.*)")
_EXAMPLE = "such as 'temperature > 8 degC', 'temperature > upper_limit' or 'door == open'"


@dataclass(frozen=True)
class Condition:
    """One comparison of a signal; exactly one of ``value``, ``property`` and ``state`` is set."""

    signal: str
    operator: Operator
    # In the signal's unit.
    value: float | None = None
    # A number property of the asset, in the property's unit.
    property: str | None = None
    # A state's name.
    state: str | None = None


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
    """Comparisons of signals, joined by "and": "temperature > 8 degC", "temperature > upper_limit" (a property of the
    asset), "door == open"."""
    lasting: Duration | None = None
    """With `when`: how long the comparisons must have been true."""
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
            for part in _parts(when):
                if _COMPARISON.fullmatch(part) is None:
                    msg = f"expected a comparison {_EXAMPLE}, got {part.strip()!r}"
                    raise ValueError(msg)
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
        """How long the comparisons must have been true, nanoseconds; 0 for at once."""
        return 0 if self.lasting is None else parse_duration(self.lasting)

    def faults(self, asset_types: Mapping[str, AssetType], event_types: Mapping[str, object]) -> list[str]:
        """Return what of the rule doesn't fit the model, a sentence each; empty if everything fits."""
        added: RuleKind | None = None if self.kind in _FIELDS else registry_of("twinlab.rules").get(self.kind)
        what = added.on if added else "event type" if self.late is not None else "asset type"
        known = event_types if what == "event type" else asset_types
        if self.on not in known:
            return [f"there is no {what} {self.on!r}{nearest(self.on, known)}"]
        if added is not None:
            return list(added.faults(self.options, known[self.on]))
        if self.when is None:
            return []
        try:
            bind_conditions(self.when, asset_types[self.on])
        except ValueError as error:
            return [str(error)]
        return []


def bind_conditions(when: str, asset_type: AssetType) -> tuple[Condition, ...]:
    """Return the comparisons of a rule with numbers in the signals' own units.

    Raises
    ------
    ValueError
        If a comparison can't be read, or names what the asset type doesn't have.

    >>> from twinlab.model import AssetType, Signal
    >>> room = AssetType(signals={"temperature": Signal(unit="degC", resolution=0.1)})
    >>> bind_conditions("temperature > 50 degF", room)[0].value
    10.0
    """
    return tuple(_bind(part, asset_type) for part in _parts(when))


def _parts(when: str) -> list[str]:
    return re.split(r"\s+and\s+", when.strip())


def _bind(text: str, asset_type: AssetType) -> Condition:
    match = _COMPARISON.fullmatch(text)
    if match is None:
        msg = f"expected a comparison {_EXAMPLE}, got {text.strip()!r}"
        raise ValueError(msg)
    name, operator, right = match["signal"], cast("Operator", match["operator"]), match["right"]
    signal = asset_type.signals.get(name)
    if signal is None:
        msg = f"there is no signal {name!r}{nearest(name, asset_type.signals)}"
        raise ValueError(msg)
    if signal.role == "label":
        msg = f"the signal {name!r} is a label, which nobody knows yet when a rule is evaluated; compare a measurement"
        raise ValueError(msg)
    if signal.states is not None:
        if operator not in ("==", "!=") or right not in signal.states.values():
            msg = f"{name} is a state: compare it by == or != with one of {', '.join(signal.states.values())}; got {text.strip()!r}"
            raise ValueError(msg)
        return Condition(name, operator, state=right)
    number = _NUMBER.fullmatch(right)
    if number is not None:
        return Condition(name, operator, value=_in_unit(float(number["number"]), number["unit"], signal.unit))
    prop = asset_type.properties.get(right)
    if prop is None or prop.dtype not in ("number", "integer"):
        numbers = [key for key, spec in asset_type.properties.items() if spec.dtype in ("number", "integer")]
        msg = f"expected a number with its unit or a number property, got {right!r}{nearest(right, numbers)}"
        raise ValueError(msg)
    if (prop.unit or "1") != signal.unit:
        _in_unit(0.0, prop.unit or "1", signal.unit)
    return Condition(name, operator, property=right)


def _in_unit(number: float, unit: str, target: str) -> float:
    """Return a number in the signal's unit; a bare number is in that unit."""
    try:
        return float(convert([number], unit, target)[0]) if unit.strip() else number
    except UnitError as error:
        raise ValueError(str(error)) from error
