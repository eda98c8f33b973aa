"""The fix of a channel's rule: the text of the mapping with another rule for the channel, and that rule on one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from twinlab.errors import SchemaError, TwinlabError
from twinlab.harmonise.times.formats import instant
from twinlab.model.basics import is_pattern
from twinlab.model.edits.yaml_edit import comments, document, put, span, value_of
from twinlab.model.load import parse_mapping
from twinlab.model.mapping import TagRule
from twinlab.model.yamltext import path_text, write_line
from twinlab.twin.checking.report_lines import yaml_instant

if TYPE_CHECKING:
    from twinlab.twin.checking.origins import Origin

__all__ = ["Change", "KeyFix", "MappingFix", "RuleFix"]

_VALIDITY: Final = {"valid_from": max, "valid_until": min}


class RuleFix(Protocol):
    """What differs in the right rule of a channel, such as a `UnitFix`."""

    @property
    def asset(self) -> str:
        """The asset, its id."""

    def keys(self) -> dict[str, object]:
        """Return the keys of the rule that may differ, validity included."""


class Change(Protocol):
    """A change of a mapping that a finding proposes."""

    @property
    def origin(self) -> Origin:
        """The rule that the values come from."""

    def line(self, text: str) -> str:
        """Return what changes as one line of YAML; "" if it can't be made."""

    def applied(self, text: str) -> str:
        """Return the text of the mapping with the change."""


@dataclass(frozen=True)
class KeyFix:
    """One key of a channel's rule that should have another value, for a time."""

    asset: str
    key: str
    value: object
    since: np.datetime64 | None = None
    until: np.datetime64 | None = None

    def keys(self) -> dict[str, object]:
        """Return the key and the validity.

        >>> KeyFix("A", "swapped_words", "float32", since=np.datetime64("2026-02-19")).keys()
        {'swapped_words': 'float32', 'valid_from': '2026-02-19T00:00:00Z'}
        """
        found = {self.key: self.value}
        for key, edge in (("valid_from", self.since), ("valid_until", self.until)):
            if edge is not None:
                found[key] = yaml_instant(edge)
        return found


@dataclass(frozen=True)
class MappingFix:
    """Another meaning of one channel, to be written into the mapping of its source."""

    origin: Origin
    asset_type: str
    fix: RuleFix
    file: str
    """The mapping's file in the twin's folder: ``mapping/fridges.yaml``."""
    only_asset: bool = False
    """Whether the asset is the only one with this signal."""

    def line(self, text: str) -> str:
        """Return the key with its new rules as one line of YAML, with file and place as a comment; "" if it can't be made."""
        try:
            path, rules, _ = self._rules(text)
            self.applied(text)
        except TwinlabError:
            return ""
        return f"{write_line(path[-1])}: {write_line(rules)}  # {self.file}, {path_text(path[:-1])}"

    def applied(self, text: str) -> str:
        """Return the text of the mapping with the fix; comments and all other rules stay.

        Raises
        ------
        SchemaError
            If the text isn't a mapping with this rule, or the channel has no rule of its own there.
        """
        path, rules, replaced = self._rules(text)
        before = value_of(document(text).data, path)
        said = comments(text, path) if before is not None else []
        if isinstance(before, dict) and replaced and isinstance(rules, dict):
            # In place: only keys that change.
            out = text
            for key, value in rules.items():
                if before.get(key) != value:
                    out = put(out, (*path, key), value)
        else:
            out = put(text, path, rules)
        out = _with_comments(out, path, said)
        parse_mapping(out, self.file)
        return out

    def _rules(self, text: str) -> tuple[tuple[str | int, ...], Any, bool]:
        """Return the path of the key, its new rules, and whether only one rule's keys change."""
        origin = self.origin
        given = value_of(document(text, name=self.file).data, origin.path)
        old = given if isinstance(given, list) else [given]
        place = _place(old, origin.rule)
        if place is None:
            msg = (
                f"expected the rule of {origin.key!r} for {origin.rule.signal!r} at {path_text(origin.path)} of {self.file}, as "
                "the history was built with it; the file has been changed: rebuild or restore it, and check again"
            )
            raise SchemaError(msg)
        path, rules = origin.path, [dict(one) for one in old]
        if is_pattern(origin.key):
            if not origin.tag:
                msg = f"expected to know the tag of {self.fix.asset!r} under {origin.key!r}, but it has no row"
                raise SchemaError(msg)
            path = (*origin.path[:-1], origin.tag)
            rules = [_resolved(one, self.asset_type, self.fix.asset) for one in rules]
        own = rules[place]
        fixed = own | self._keys(own)
        narrowed = any(fixed.get(key) != own.get(key) for key in _VALIDITY)
        if not origin.own and not self.only_asset:
            if "assets" not in TagRule.model_fields:
                msg = (
                    f"the rule of {origin.key!r} is for all assets that rows name; state the unit in a rule of its own"
                )
                raise SchemaError(msg)
            fixed["assets"] = [self.fix.asset]
            narrowed = True
        rules[place : place + 1] = [fixed, own] if narrowed else [fixed]
        alone = len(rules) == 1
        return path, rules[0] if alone else rules, alone and path == origin.path

    def _keys(self, own: Mapping[str, Any]) -> dict[str, object]:
        keys = self.fix.keys()
        factor = keys.pop("scale", None)
        if isinstance(factor, float):
            keys["scale"] = float(own.get("scale", 1.0)) * factor
            if own.get("offset"):
                keys["offset"] = float(own["offset"]) * factor
        for key, choose in _VALIDITY.items():
            if key in keys and own.get(key) is not None:
                keys[key] = choose((str(keys[key]), str(own[key])), key=lambda text: instant(text, 0))
        return keys


def _place(rules: list[Any], wanted: TagRule) -> int | None:
    """Return which of the rules, as written, is a rule of the model."""
    for place, one in enumerate(rules):
        try:
            if TagRule.model_validate(one) == wanted:
                return place
        except ValueError:
            continue
    return None


def _resolved(rule: dict[str, Any], asset_type: str, asset: str) -> dict[str, Any]:
    """Return a rule with the asset instead of the groups of its pattern."""
    return rule | {"asset": f"{asset_type}/{asset}"} if re.search(r"\{\w+\}", str(rule.get("asset", ""))) else rule


def _with_comments(text: str, path: tuple[str | int, ...], said: list[str]) -> str:
    """Return the text with those comments above the key that were within the value and are gone."""
    kept = comments(text, path)
    lost = [one for one in said if one not in kept]
    at = span(text, path)
    if not lost or at is None:
        return text
    begin = text.rfind("\n", 0, at[0]) + 1
    indent = text[begin : len(text[:begin]) + len(text[begin:]) - len(text[begin:].lstrip(" "))]
    made = text[:begin] + "".join(f"{indent}# {one}\n" for one in lost) + text[begin:]
    return made if document(made).data == document(text).data else text
