"""Meaning of tags and columns: exact names, patterns for families of tags, validity in time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from twinlab.errors import UnknownTermError
from twinlab.harmonise.claims import Series
from twinlab.harmonise.times.formats import instant
from twinlab.model.mapping import TagRule
from twinlab.model.mapping.tags import named
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import Signal, TwinModel

__all__ = ["Meaning", "TagTable"]

_LOW, _HIGH = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)
_GROUP = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Meaning:
    """One rule of a tag with the signal, asset type and asset it refers to."""

    rule: TagRule
    signal: Signal
    name: str
    asset_type: str
    # None: the row names the asset.
    asset: str | None
    # int64 ns UTC, half-open.
    start: int = _LOW
    stop: int = _HIGH

    @property
    def always(self) -> bool:
        """Whether the rule is valid at all times, for all assets."""
        return self.start == _LOW and self.stop == _HIGH and self.rule.assets is None

    def covers(self, asset: str) -> bool:
        """Return whether the rule is for an asset that a row names."""
        return self.rule.assets is None or named(asset, self.rule.assets)


class TagTable:
    """The tags of one table or stream.

    Parameters
    ----------
    tags : mapping of str to list of TagRule
        Exact name, or a pattern between slashes -> its rules. An exact name takes precedence over patterns, and an
        earlier pattern over a later one.
    model : TwinModel
        Asset types and signals.
    asset_type : str, optional
        Type of the assets that are named in the rows.
    """

    def __init__(self, tags: Mapping[str, list[TagRule]], model: TwinModel, *, asset_type: str | None = None) -> None:
        self._model, self._asset_type = model, asset_type
        self._exact = {name: rules for name, rules in tags.items() if not _is_pattern(name)}
        self._patterns = [(re.compile(name[1:-1]), rules) for name, rules in tags.items() if _is_pattern(name)]
        self._found: dict[str, tuple[Meaning, ...]] = {}
        self._series: dict[str, frozenset[Series]] = {}
        self.names = tuple(tags)

    def meanings(self, tag: str) -> tuple[Meaning, ...]:
        """Return the meanings of a tag in the mapping's order; empty if the tag is unknown.

        Of rules with a validity or `assets`, the first that fits a row applies, and no later one does. A rule with neither
        applies beside later ones of other signals or assets; later ones of the same signal never apply, and are left
        out.

        Raises
        ------
        UnknownTermError
            If a rule names an asset type, signal or group that doesn't exist.
        """
        found = self._found.get(tag)
        if found is None:
            found = self._found[tag] = self._resolve(tag)
        return found

    def series(self, tag: str) -> frozenset[Series]:
        """Return the series that a tag has rules for; of rules for assets that the rows name, none."""
        found = self._series.get(tag)
        if found is None:
            rules = self.meanings(tag)
            found = frozenset(Series(one.asset_type, one.asset, one.name) for one in rules if one.asset is not None)
            self._series[tag] = found
        return found

    def message(self, tag: str, *, what: str = "tag") -> str:
        """Return the message for an unknown tag."""
        hint = nearest(tag, self.names)
        return (
            f"the {what} {tag!r} isn't in the mapping: add it there, or to `ignore` (its rows stay in the ledger){hint}"
        )

    def _resolve(self, tag: str) -> tuple[Meaning, ...]:
        rules = self._exact.get(tag)
        if rules is not None:
            return _applying(self._meaning(tag, rule, {}) for rule in rules)
        for pattern, family in self._patterns:
            match = pattern.search(tag)
            if match is not None:
                groups = {name: text for name, text in match.groupdict().items() if text is not None}
                return _applying(self._meaning(tag, rule, groups) for rule in family)
        return ()

    def _meaning(self, tag: str, rule: TagRule, groups: Mapping[str, str]) -> Meaning:
        asset_type, asset = self._asset_type, None
        if rule.asset is not None:
            asset_type, _, template = rule.asset.partition("/")
            asset = _fill_template(template, {"tag": tag, **groups}, rule.asset)
        if asset_type is None or (rule.asset is not None and not asset):
            msg = f"the mapping of {tag!r} doesn't say which asset it is about: expected `asset: <type>/<id>`"
            raise UnknownTermError(msg)
        kind = self._model.asset_types.get(asset_type)
        if kind is None:
            msg = f"the mapping of {tag!r} names the asset type {asset_type!r}{nearest(asset_type, self._model.asset_types)}"
            raise UnknownTermError(msg)
        signal = kind.signals.get(rule.signal)
        if signal is None:
            msg = f"the mapping of {tag!r} names the signal {rule.signal!r} of {asset_type!r}{nearest(rule.signal, kind.signals)}"
            raise UnknownTermError(msg)
        start, stop = instant(rule.valid_from, _LOW), instant(rule.valid_until, _HIGH)
        return Meaning(rule, signal, rule.signal, asset_type, asset, start, stop)


def _applying(meanings: Iterable[Meaning]) -> tuple[Meaning, ...]:
    """Return the meanings without those of a signal that an earlier one without validity has."""
    found: list[Meaning] = []
    whole: set[tuple[str, str | None, str]] = set()
    for one in meanings:
        series = (one.asset_type, one.asset, one.name)
        if series not in whole:
            found.append(one)
        if one.always:
            whole.add(series)
    return tuple(found)


def _is_pattern(name: str) -> bool:
    return len(name) > 1 and name.startswith("/") and name.endswith("/")


def _fill_template(template: str, groups: Mapping[str, str], whole: str) -> str:
    def fill(match: re.Match[str]) -> str:
        if match[1] not in groups:
            msg = f"the asset {whole!r} uses the group {match[1]!r}, which its pattern doesn't have{nearest(match[1], groups)}"
            raise UnknownTermError(msg)
        return groups[match[1]]

    return _GROUP.sub(fill, template)
