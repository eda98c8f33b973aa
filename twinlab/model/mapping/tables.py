"""A whole mapping: its tables, and the observations of a live source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from twinlab.model.basics import ExtendedModel, QuestionRule
from twinlab.model.mapping.live import LiveRule
from twinlab.model.mapping.records import AssetsRule, EventsRule, RelationshipRule
from twinlab.model.mapping.tags import AssetRule, ClockRule, StatusRule, Tags, checked_patterns
from twinlab.model.time_rule import TimeRule

__all__ = ["Mapping", "StreamRule", "TableRule", "rules_for"]


class TableRule(ExtendedModel):
    """What the rows of one table (a file, a sheet, an SQL table) mean.

    A wide table has `columns` (a signal a column), a long one `tag`, `value` and `tags`; events, assets and
    relationships may be read from the same rows as well.
    """

    added_keys: ClassVar[frozenset[str]] = frozenset({"clocks", "status"})

    table: str = "*"
    """Name of the table; "*" matches all."""
    time: TimeRule | None = None
    """When the values of a row were measured."""
    clocks: list[ClockRule] = Field(default_factory=list)
    """Assets whose clock differs from what `time` states."""
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

    def time_rules(self) -> Iterator[TimeRule]:
        """Yield the rules of all times of a row."""
        events = [(one.start, one.end, one.planned_start, one.planned_end) for one in self.events]
        links = [(one.valid_from, one.valid_until) for one in self.relationships]
        yield from (rule for rule in chain([self.time], *events, *links) if rule is not None)

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
            found |= {key: none for key in ("unit_column", "status", "clocks") if getattr(self, key)}
            # A table without any rows' meaning yet is unfinished, not of another shape.
            if self.events or self.assets or self.relationships:
                found |= {"time": f"{none}; events state their own times"} if self.time else {}
                found |= {"asset": f"{none}; events state their own `asset`"} if self.asset else {}
        return found

    @field_validator("columns", "tags")
    @classmethod
    def _patterns(cls, tags: Tags) -> Tags:
        return checked_patterns(tags)


class StreamRule(ExtendedModel):
    """What observations (tag, time, value; from a live source or a stream) mean."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"clocks"})

    zone: str = "UTC"
    """Zone of times whose basis is "local" or "none"."""
    ambiguous: Literal["refuse", "earlier", "later"] = "refuse"
    """The repeated hour of autumn, as in a TimeRule."""
    nonexistent: Literal["refuse", "shift_forward"] = "refuse"
    """The missing hour of spring, as in a TimeRule."""
    clocks: list[ClockRule] = Field(default_factory=list)
    """Assets whose clock differs from what the source states."""
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
        return checked_patterns(tags)


def rules_for(names: Sequence[str], table: str) -> list[int]:
    """Return the places of the rules for a table, given the rules' names: its exact name, else patterns, else "*".

    >>> rules_for(["*", "log_*", "log_1"], "log_1"), rules_for(["*", "log_*"], "log_2"), rules_for(["*"], "visits")
    ([2], [1], [0])
    """
    exact = [place for place, name in enumerate(names) if name == table]
    fitting = [place for place, name in enumerate(names) if fnmatchcase(table, name)]
    return exact or [place for place in fitting if names[place] != "*"] or fitting


class Mapping(ExtendedModel):
    """A whole ``mapping/<source>.yaml``."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"live"})

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
    live: LiveRule | None = None
    """From where rows come while `twinlab run` runs."""
    questions: list[QuestionRule] = Field(default_factory=list)
    """What a draft leaves to a person; see `twinlab.model.questions`."""
