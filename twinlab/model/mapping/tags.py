"""What a column or tag of a source means, and which asset a row is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from twinlab.model.basics import AssetName, Duration, ExtendedModel, MissingCode, Model, Term, Unit, is_pattern
from twinlab.model.time_rule import Text

__all__ = ["AssetRule", "ClockRule", "StatusRule", "TagRule", "Tags", "checked_patterns", "named"]


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


class ClockRule(Model):
    """A clock that some assets have for themselves: it is ahead of, or behind, what the times are read as."""

    assets: Annotated[list[AssetName], Field(min_length=1)]
    """Ids of the assets with this clock, or patterns of ids between slashes."""
    shift: Duration
    """Added to the times of their values, after zone and format."""
    shift_sign: Literal[1, -1] = 1
    """-1 subtracts the `shift`: the clock is ahead."""
    valid_from: Text | None = None
    """Since when the clock is so, half-open, in UTC as the times are read without it. The first clock that fits a row
    applies."""
    valid_until: Text | None = None
    """Until when it is so."""

    def covers(self, asset: str) -> bool:
        """Return whether the rule is for an asset."""
        return named(asset, self.assets)


def named(asset: str, names: Sequence[str]) -> bool:
    """Return whether an asset is one of some ids or fits one of some patterns between slashes.

    >>> named("T042", ["/^T/"]), named("T042", ["T04", "T1"])
    (True, False)
    """
    return any(re.search(name[1:-1], asset) is not None if is_pattern(name) else name == asset for name in names)


class TagRule(ExtendedModel):
    """What one tag (or a family of tags) means."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"assets", "blank", "standard", "status", "swapped_words"})

    signal: Term
    """Signal of the asset type in the model."""
    asset: str | None = None
    """"type/id" for sources whose tag says the asset; groups of the pattern may be used: "cold_room/{room}"."""
    assets: Annotated[list[AssetName], Field(min_length=1)] | None = None
    """Tables whose rows name the asset: this rule is for these assets only; ids, or patterns of ids between slashes. As with
    a validity, the first rule that fits a row applies: the rule of all other assets comes after it."""
    unit: Unit | None = None
    """Unit in which the source writes the values; the signal's by default."""
    standard: str | None = None
    """By which definition the source computes the values, where the signal states one: it has to be the same."""
    swapped_words: Literal["float32", "int32", "uint32"] | None = None
    """The device sends numbers of 32 bits, of this type, as two words of 16 bits, and the source has put them together in
    the wrong order: they are swapped before `scale`. A number that isn't of this type is no valid value."""
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


def _rules(value: object) -> object:
    return [value] if isinstance(value, dict) else value


Tags = dict[str, Annotated[list[TagRule], BeforeValidator(_rules, json_schema_input_type=TagRule | list[TagRule])]]


def checked_patterns(tags: Tags) -> Tags:
    """Return columns or tags whose keys between slashes are regular expressions.

    Raises
    ------
    ValueError
        If one isn't.
    """
    for name in tags:
        if name.startswith("/") and name.endswith("/") and len(name) > 1:
            try:
                re.compile(name[1:-1])
            except re.error as error:
                msg = f"the pattern {name} is no regular expression: {error}"
                raise ValueError(msg) from error
    return tags
