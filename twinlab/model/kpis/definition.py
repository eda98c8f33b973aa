"""A KPI: what it is called, who answers for it, what it is in words and as a formula."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from twinlab.errors import TwinlabError, UnitError
from twinlab.model.basics import Duration, Model, Term, Unit
from twinlab.model.extensions.options import fault, located
from twinlab.model.kpis.formulas import Formula, bind_formula
from twinlab.model.kpis.subjects import Subjects
from twinlab.model.registry import Registry, registry_of
from twinlab.model.terms import nearest
from twinlab.model.units import conversion, convert

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

    from twinlab.model.expressions.contexts import Model as Names
    from twinlab.model.extensions.kpi_kind import KpiKind

__all__ = ["Kpi", "Target"]

_TARGET = re.compile(r"\s*(?P<operator><=|>=|<|>)\s*(?P<number>[-+]?\d+(?:\.\d+)?)\s*(?P<unit>\S.*?)?\s*")
EventTime = Literal["planned_start", "start", "planned_end", "end"]


@dataclass(frozen=True)
class Target:
    """What a KPI should be."""

    operator: Literal["<", "<=", ">", ">="]
    #: In the KPI's unit.
    value: float


class Kpi(Model):
    """A number that people steer by: a `formula`, or a kind of KPI with its options.

    The key of a kind, such as ``uptime`` (see `twinlab.events.kpis.registry`) or one that a package adds, has that kind's options
    as its value: ``uptime: {signal: compressor, states: ["on"]}``.
    """

    # Unknown keys are refused by `_added_kinds`, which knows all kinds.
    model_config = ConfigDict(extra="allow")

    on: Term
    """Asset type or event type that the formula is about; or a relationship, which is like an event while it is valid."""
    title: str | None = None
    """Name for people."""
    owner: str | None = None
    """Who answers for it."""
    definition: str | None = None
    """What it is, in words."""
    formula: str | None = None
    """Aggregates and arithmetic between them: "time_share(temperature <= upper_limit)", "sum(distance) / count(flight)"."""
    unit: Unit | None = None
    """Unit of the value; the formula's by default."""
    period: Duration = "1d"
    """Width of the windows that it is usually computed for."""
    target: str | None = None
    """What it should be: ">= 99 %"."""
    at: EventTime | None = None
    """Events: which of an event's times puts it into a window, by default its planned start. Where that time isn't known, the
    actual or planned one counts instead."""
    groups: list[Term] = Field(default_factory=list)
    """Relationships and links that are meant where several lead to the asset type that a KPI is grouped by."""

    @field_validator("target")
    @classmethod
    def _readable(cls, target: str | None) -> str | None:
        if target is not None and _TARGET.fullmatch(target) is None:
            msg = f"expected a target such as '>= 99 %' or '< 15 min', got {target!r}"
            raise ValueError(msg)
        return target

    @model_validator(mode="before")
    @classmethod
    def _added_kinds(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        faults: list[InitErrorDetails] = []
        known: Registry[KpiKind] = registry_of("twinlab.kpis")
        for key in [key for key in data if key not in cls.model_fields]:
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
    def _one_formula(self) -> Kpi:
        given = [*(["formula"] if self.formula is not None else []), *(self.model_extra or {})]
        if len(given) != 1:
            kinds = ", ".join(registry_of("twinlab.kpis").names())
            msg = f"a KPI needs `formula` or one of {kinds}, got {' and '.join(given) or 'none'}"
            raise ValueError(msg)
        return self

    @property
    def kind(self) -> KpiKind | None:
        """The kind of KPI; None of one with its own formula."""
        name = next(iter(self.model_extra or {}), None)
        found: KpiKind | None = None if name is None else registry_of("twinlab.kpis").get(name)
        return found

    @property
    def options(self) -> Any:  # noqa: ANN401  (each kind has a class of its own)
        """The options of the kind; None of a KPI with its own formula."""
        kind = self.kind
        return None if kind is None else kind.parse((self.model_extra or {})[kind.name])

    def complete(self, name: str) -> Kpi:
        """Return the KPI with what its kind says where it says nothing itself, and a title."""
        kind = self.kind
        more: dict[str, object] = {"title": self.title or (kind.title if kind else name.replace("_", " "))}
        if kind is not None:
            unit = {} if self.unit is not None else {"unit": kind.unit}
            more |= {"definition": self.definition or kind.definition, "at": self.at or kind.at, **unit}
        return self.model_copy(update=more)

    def bound(self, model: Names) -> Formula:
        """Return the formula bound to the model.

        Raises
        ------
        SchemaError
            If the formula can't be read or doesn't fit; an UnknownTermError for names, a UnitError for units.
        ValueError
            If the kind doesn't fit `on`.
        """
        kind = self.kind
        if kind is None:
            return bind_formula(self.formula or "", model, self.on)
        spec = (model.asset_types if kind.on == "asset type" else Subjects(model).event_types)[self.on]
        return bind_formula(kind.formula(self.options, self.on, spec), model, self.on)

    def aim(self) -> Target | None:
        """Return the target in the KPI's unit; None without one.

        Raises
        ------
        UnitError
            If its unit doesn't fit.
        """
        if self.target is None:
            return None
        match = _TARGET.fullmatch(self.target)
        assert match is not None
        number, unit = float(match["number"]), match["unit"]
        value = number if unit is None else float(convert([number], unit, self.unit or "1")[0])
        return Target(match["operator"], value)  # type: ignore[arg-type]

    def faults(self, model: Names) -> list[tuple[str, str]]:
        """Return what of the KPI doesn't fit the model: key and sentence each; empty if everything fits."""
        kind = self.kind
        event_types = Subjects(model).event_types
        known: dict[str, Mapping[str, object]] = {
            "asset type": model.asset_types,
            "event type": event_types,
            "asset type or event type": {**model.asset_types, **event_types},
        }
        what = kind.on if kind else "asset type or event type"
        if self.on not in known[what]:
            return [("on", f"there is no {what} {self.on!r}{nearest(self.on, known[what])}")]
        place = kind.name if kind else "formula"
        try:
            formula = self.bound(model)
        except (ValueError, TwinlabError) as error:
            return [(place, str(error))]
        whole = self.complete("")
        found: list[tuple[str, str]] = []
        try:
            conversion(formula.unit, whole.unit or formula.unit)
        except UnitError as error:
            found.append(("unit", f"{error} (the formula gives {formula.unit!r})"))
        else:
            try:
                whole.model_copy(update={"unit": whole.unit or formula.unit}).aim()
            except UnitError as error:
                found.append(("target", str(error)))
        if self.at is not None and self.on not in event_types:
            found.append(("at", f"`at` is of events, and {self.on!r} is an asset type; remove it"))
        ways = [*model.relationships, *(link for event in model.event_types.values() for link in event.links)]
        found += [
            ("groups", f"there is no relationship or link {name!r}{nearest(name, ways)}")
            for name in self.groups
            if name not in ways
        ]
        return found
