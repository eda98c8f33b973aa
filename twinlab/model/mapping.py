"""A mapping: one source's tables, columns and tags as the model's signals, events and assets, with units, clocks and codes.

A mapping states the *meaning* of the ledger's rows; only its ``reading`` section is *syntax*, used when a file is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from twinlab.model.basics import AssetName, ExtendedModel, MissingCode, Model, QuestionRule, Term, Unit
from twinlab.model.time_rule import Text, TimeRule, ZoneOf, check_format

__all__ = [
    "AssetRule",
    "AssetsRule",
    "ColumnRule",
    "EventsRule",
    "Mapping",
    "RelationshipRule",
    "StatusRule",
    "TableRule",
    "TagRule",
    "TimeRule",
    "WhereRule",
    "ZoneOf",
    "rules_for",
]


class AssetRule(ExtendedModel):
    """Which asset a row is about: always the same `id`, the text of a `column`, or the name of the rows' file."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"name_of"})

    type: Term
    """Asset type in the model."""
    id: Text | None = None
    """All rows are about this asset."""
    column: str | None = None
    """The text in this column is the id."""
    name_of: Literal["file", "folder", "sheet"] | None = None
    """The name that is the id: of the file, without its extension; of the file's folder; or of the sheet or table."""
    pattern: str | None = None
    """Regular expression over the column's text or the name; its group "id" (or the whole match) is the id."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.id, self.column, self.name_of)) != 1:
            msg = "expected exactly one of id, column or name_of"
            raise ValueError(msg)
        if self.pattern is not None and self.id is not None:
            msg = (
                "the key 'pattern' is not used: it is matched with the text of a `column` or a `name_of`, and the asset is "
                "an `id`"
            )
            raise ValueError(msg)
        return self


SourceFlag = Literal["pass", "not_evaluated", "suspect", "fail", "missing"]


class StatusRule(Model):
    """The source's own status of its values, in a column beside them: a code for each row."""

    column: str
    """Column with the codes."""
    codes: dict[Text, SourceFlag]
    """What the source writes -> a flag. Several codes in a cell, such as "P:e", give the worst of their flags; a code that
    isn't listed is reported, and its value is suspect. A value whose flag is "missing" is left out."""
    blank: SourceFlag = "pass"
    """The flag of a value without a code."""


class TagRule(ExtendedModel):
    """What one tag (or a family of tags) means."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"assets", "blank", "status"})

    signal: Term
    """Signal of the asset type in the model."""
    asset: str | None = None
    """"type/id" for sources whose tag says the asset; groups of the pattern may be used: "cold_room/{room}"."""
    assets: Annotated[list[AssetName], Field(min_length=1)] | None = None
    """Tables whose rows name the asset: this rule is for these assets only; ids, or patterns of ids between slashes. As with
    a validity, the first rule that fits a row applies: the rule of all other assets comes after it."""
    unit: Unit | None = None
    """Unit in which the source writes the values; the signal's by default."""
    scale: float = 1.0
    """value in `unit` = scale * written + offset, before the unit is converted."""
    offset: float = 0.0
    """See `scale`."""
    missing: list[MissingCode] = Field(default_factory=list)
    """Numbers or texts that mean "no value"; a text between slashes ("/^See /") is a pattern of such texts."""
    states: dict[Text, str] | None = None
    """States: what the source writes -> the state's name in the model."""
    blank: Text | None = None
    """What an empty cell means: the name of a state, or a number in `unit`. Without it, an empty cell is no value, and a
    state applies until the next one is written."""
    status: StatusRule | None = None
    """Tables: the source's own status of the values; the worst of it and of the quality tests is the value's flag."""
    valid_from: Text | None = None
    """Validity of this rule, half-open, UTC: a sensor gets replaced. Of several rules with one, the first that is valid
    applies; a rule without validity applies beside rules of other signals."""
    valid_until: Text | None = None
    """End of this rule's validity; the rule of the next sensor begins there."""
    priority: int = 0
    """Two sources for one signal: the higher priority wins in a cell where both report."""

    @model_validator(mode="after")
    def _one_asset(self) -> Self:
        if self.assets is not None and self.asset is not None:
            msg = "the key 'assets' is not used: it selects rows by the asset they name, and all rows of this tag are `asset`'s"
            raise ValueError(msg)
        return self


class ColumnRule(ExtendedModel):
    """Where a property's value comes from."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"format", "texts_only", "zone"})

    column: str
    """Column with the value."""
    unit: Unit | None = None
    """Unit in which the source writes it."""
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


def _rules(value: object) -> object:
    return [value] if isinstance(value, dict) else value


Column = Annotated[ColumnRule, BeforeValidator(_column, json_schema_input_type=str | ColumnRule)]
Tags = dict[str, Annotated[list[TagRule], BeforeValidator(_rules, json_schema_input_type=TagRule | list[TagRule])]]


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


class TableRule(ExtendedModel):
    """What the rows of one table (a file, a sheet, an SQL table) mean.

    A wide table has `columns` (a signal a column), a long one `tag`, `value` and `tags`; events, assets and
    relationships may be read from the same rows as well.
    """

    added_keys: ClassVar[frozenset[str]] = frozenset({"status"})

    table: str = "*"
    """Name of the table; "*" matches all."""
    time: TimeRule | None = None
    """When the values of a row were measured."""
    asset: AssetRule | None = None
    """Which asset the values of a row are about."""
    columns: Tags = Field(default_factory=dict)
    r"""Wide: column -> its meaning. A key between slashes ("/^Room (?P<room>\d+) temp$/") is a pattern for a
    family."""
    tag: str | None = None
    """Long: columns with the tag and the value."""
    value: str | None = None
    """Long: column with the values of the tags."""
    unit_column: str | None = None
    """Long or wide: column that states the unit of each row's values, and converts them row by row. A rule's own `unit`
    takes precedence."""
    tags: Tags = Field(default_factory=dict)
    """Long: tag -> its meaning."""
    status: StatusRule | None = None
    """The source's own status of all values of a row; a column's or tag's own `status` takes precedence."""
    ignore: list[str] = Field(default_factory=list)
    """Columns that are known and not needed; they aren't reported as unknown."""
    events: list[EventsRule] = Field(default_factory=list)
    """Events in the rows."""
    assets: list[AssetsRule] = Field(default_factory=list)
    """Assets in the rows."""
    relationships: list[RelationshipRule] = Field(default_factory=list)
    """Links between assets in the rows."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.tags and not (self.tag and self.value):
            msg = "a long table needs tag and value (names of columns) as well as tags"
            raise ValueError(msg)
        if (self.columns or self.tags) and self.time is None:
            msg = "a table of signals needs time"
            raise ValueError(msg)
        unused = self._unused()
        if unused:
            msg = "; ".join(f"the key {key!r} is not used: {why}" for key, why in unused.items())
            raise ValueError(msg)
        return self

    def _unused(self) -> dict[str, str]:
        """Return the keys that a table of this shape doesn't use, each with the reason."""
        long = "`tag` and `value` make this a long table, which uses `tags`"
        wide = "`tag` and `value` belong together, with `tags`"
        none = "the table has no signals (`columns` or `tags`)"
        found: dict[str, str] = {}
        if self.tag and self.value:
            found |= {"columns": long} if self.columns else {}
        else:
            found |= {key: wide for key in ("tag", "value") if getattr(self, key)}
        if not (self.columns or self.tag):
            found |= {key: none for key in ("unit_column", "status") if getattr(self, key)}
            # A table without any rows' meaning yet is unfinished, not of another shape.
            if self.events or self.assets or self.relationships:
                found |= {"time": f"{none}; events state their own times"} if self.time else {}
                found |= {"asset": f"{none}; events state their own `asset`"} if self.asset else {}
        return found

    @field_validator("columns", "tags")
    @classmethod
    def _patterns(cls, tags: Tags) -> Tags:
        return _compiled(tags)


class StreamRule(Model):
    """What observations (tag, time, value; from a live source or a stream) mean."""

    zone: str = "UTC"
    """Zone of times whose basis is "local" or "none"."""
    ambiguous: Literal["refuse", "earlier", "later"] = "refuse"
    """The repeated hour of autumn, as in a TimeRule."""
    nonexistent: Literal["refuse", "shift_forward"] = "refuse"
    """The missing hour of spring, as in a TimeRule."""
    tags: Tags = Field(default_factory=dict)
    """Tag -> its meaning."""

    @field_validator("tags")
    @classmethod
    def _patterns(cls, tags: Tags) -> Tags:
        if any(rule.status is not None for rules in tags.values() for rule in rules):
            msg = (
                "the key 'status' is not used: it names a column of a table, which a stream doesn't have; take the values in "
                "as a table with a column of codes (`twinlab.sources.frame`), and map it under `tables:`"
            )
            raise ValueError(msg)
        if any(rule.assets is not None for rules in tags.values() for rule in rules):
            msg = "the key 'assets' is not used: rows of a stream name no asset; write the assets' tags with their `asset`"
            raise ValueError(msg)
        return _compiled(tags)


def _compiled(tags: Tags) -> Tags:
    for name in tags:
        if name.startswith("/") and name.endswith("/") and len(name) > 1:
            try:
                re.compile(name[1:-1])
            except re.error as error:
                msg = f"the pattern {name} is no regular expression: {error}"
                raise ValueError(msg) from error
    return tags


def rules_for(names: Sequence[str], table: str) -> list[int]:
    """Return the places of the rules for a table, given the rules' names: its exact name, else patterns, else "*".

    >>> rules_for(["*", "log_*", "log_1"], "log_1"), rules_for(["*", "log_*"], "log_2"), rules_for(["*"], "visits")
    ([2], [1], [0])
    """
    exact = [place for place, name in enumerate(names) if name == table]
    fitting = [place for place, name in enumerate(names) if fnmatchcase(table, name)]
    return exact or [place for place in fitting if names[place] != "*"] or fitting


class Mapping(Model):
    """A whole ``mapping/<source>.yaml``."""

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """Name of the source: lower-case letters, digits and underscores."""
    files: list[str] = Field(default_factory=list)
    """File names (glob patterns) that belong to this source."""
    reading: dict[str, Any] = Field(default_factory=dict)
    """Syntax, only used when a file is read: see `twinlab.sources.Reading`."""
    tables: list[TableRule] = Field(default_factory=list)
    """One rule for each table (file, sheet, SQL table) of the source."""
    stream: StreamRule | None = None
    """Observations of a live source."""
    questions: list[QuestionRule] = Field(default_factory=list)
    """What a draft leaves to a person; see `twinlab.model.questions`."""
