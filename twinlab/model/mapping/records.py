"""Rows of a table as events, assets and relationships."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from twinlab.model.basics import ExtendedModel, MissingCode, Model, Term, Unit
from twinlab.model.mapping.tags import AssetRule
from twinlab.model.time_rule import Text, TimeRule, check_format

__all__ = ["AssetsRule", "ColumnRule", "EventsRule", "RelationshipRule", "WhereRule"]


class ColumnRule(ExtendedModel):
    """Where a property's value comes from."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"format", "standard", "texts_only", "zone"})

    column: str
    """Column with the value."""
    unit: Unit | None = None
    """Unit in which the source writes it."""
    standard: str | None = None
    """By which definition the source computes it, where the property states one: it has to be the same."""
    missing: list[MissingCode] = Field(default_factory=list)
    """As in a TagRule."""
    texts_only: bool = False
    """Properties that are text: only the cells that are no numbers, such as "See ASN-93" in a column of weights."""
    values: dict[Text, Any] | None = None
    """Spellings of booleans or codes: what the source writes -> our value."""
    format: str | list[str] | None = None
    """Properties that are times: their formats, as in a TimeRule; ISO by default."""
    zone: str | None = None
    """Properties that are times: zone of the source's clock, as in a TimeRule; UTC by default."""

    @field_validator("format")
    @classmethod
    def _formats_can_be_read(cls, value: str | list[str] | None) -> str | list[str] | None:
        for form in [value] if isinstance(value, str) else value or []:
            check_format(form)
        return value


def _column(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


Column = Annotated[ColumnRule, BeforeValidator(_column, json_schema_input_type=str | ColumnRule)]


class WhereRule(Model):
    """Which rows: those with a value in the column, or with one of some values."""

    column: str
    """Column that has to have a value."""
    values: Annotated[list[Text], Field(min_length=1)] | None = None
    """Only rows with one of these texts."""
    other_than: Annotated[list[Text], Field(min_length=1)] | None = None
    """Only rows with a text that isn't one of these."""
    missing: list[MissingCode] = Field(default_factory=list)
    """As in a TagRule."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.values is not None and self.other_than is not None:
            msg = f"expected values or other_than for the column {self.column!r}, got both"
            raise ValueError(msg)
        return self


Where = Annotated[WhereRule, BeforeValidator(_column, json_schema_input_type=str | WhereRule)]


class EventsRule(ExtendedModel):
    """Rows of a table as events: from `start` to `end`, or with one of them and a `duration`."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"duration", "part", "planned_duration", "where"})

    type: Term
    """Event type in the model."""
    key: Annotated[list[str], Field(min_length=1)]
    """Columns whose texts together name the event; also its identity when a corrected row comes."""
    part: Text | None = None
    """Appended to the key ("17/2"), where a row has several events of this type, such as the legs of a trip."""
    where: list[Where] = Field(default_factory=list)
    """Rows that have this event: all conditions apply. Other rows are no error; without a condition, each row is one."""
    asset: AssetRule | None = None
    """The event's own asset."""
    start: TimeRule | None = None
    """When it began."""
    end: TimeRule | None = None
    """When it ended."""
    planned_start: TimeRule | None = None
    """When it was to begin."""
    planned_end: TimeRule | None = None
    """When it was to end."""
    duration: Column | None = None
    """How long the event lasted, where the source has no end (or no start): numbers in the column's `unit`, or "1:30"
    for an hour and a half."""
    planned_duration: Column | None = None
    """The same for the plan."""
    links: dict[Term, Column] = Field(default_factory=dict)
    """Other assets that take part: link of the event type -> column with the asset's id."""
    properties: dict[Term, Column] = Field(default_factory=dict)
    """Property of the event type -> column with its value."""

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if not (self.start or self.planned_start or self.end or self.planned_end):
            msg = "an event needs a time: start, end, planned_start or planned_end"
            raise ValueError(msg)
        for key, first, last in (("duration", "start", "end"), ("planned_duration", "planned_start", "planned_end")):
            given = [name for name in (first, last) if getattr(self, name) is not None]
            if getattr(self, key) is not None and len(given) != 1:
                msg = f"{key} needs exactly one of {first} and {last}, and gives the other; got {' and '.join(given) or 'none'}"
                raise ValueError(msg)
        return self


class AssetsRule(Model):
    """Rows of a table as assets with properties."""

    type: Term
    """Asset type in the model."""
    id: str
    """Column with the id."""
    properties: dict[Term, Column] = Field(default_factory=dict)
    """Property of the asset type -> column with its value."""


class RelationshipRule(Model):
    """Rows of a table as links between assets, valid from one time until another."""

    type: Term
    """Relationship in the model."""
    source: Annotated[str, Field(alias="from")]
    """Column with the id of the asset that the link leads from."""
    target: Annotated[str, Field(alias="to")]
    """Column with the id of the asset that it leads to."""
    valid_from: TimeRule | None = None
    """Since when the link is valid."""
    valid_until: TimeRule | None = None
    """Until when it is valid."""
