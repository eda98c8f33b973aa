"""Where the values of a signal of an asset come from: source, tag, and the rule of the mapping."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from twinlab.model.basics import is_pattern

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.model.mapping import ClockRule, TagRule
    from twinlab.model.mapping import Mapping as SourceMapping

__all__ = ["Origin", "Origins", "rules_of"]

Path_ = tuple["str | int", ...]

_GROUP: Final = re.compile(r"\\\{\w+\\\}")
_HOUR: Final = np.timedelta64(1, "h")
_DAY: Final = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Origin:
    """One rule of a mapping that may feed a signal."""

    source: str
    path: Path_
    """Of the key in the mapping: ``("tables", 0, "columns", "temp")``."""
    place: int
    """Of the rule among those of the key."""
    rule: TagRule
    row_type: str
    """Type of the asset that the rows name; empty if the rule or the table names the asset."""
    own: str
    """The asset as the rule or the table names it, "type/id" or with groups in braces; empty if the rows name it."""
    tag: str = ""
    """The tag or column as the source writes it; empty if it isn't known."""
    status: bool = False
    """Whether a column states the source's own status of the values."""

    @property
    def key(self) -> str:
        """The key of the mapping: a tag or column, or a pattern of them."""
        return str(self.path[-1])

    @property
    def for_one(self) -> bool:
        """Whether the rule is for one asset only."""
        return bool(self.own) and "{" not in self.own

    def may_feed(self, asset_type: str, asset: str) -> bool:
        """Return whether the rule may be for an asset."""
        if not self.own:
            return self.row_type == asset_type
        pattern = _GROUP.sub("(.+)", re.escape(self.own))
        return re.fullmatch(pattern, f"{asset_type}/{asset}") is not None

    def covers(self, tag: str) -> bool:
        """Return whether the rule's key is, or fits, a tag."""
        return re.search(self.key[1:-1], tag) is not None if is_pattern(self.key) else self.key == tag


class Origins:
    """The origins of a twin's signals, from its mappings; rows are read only where these leave several.

    Parameters
    ----------
    reader : HistoryReader
    """

    def __init__(self, reader: HistoryReader) -> None:
        self._reader = reader
        self._rules: dict[tuple[str, str], list[Origin]] = {}
        for one in rules_of(reader.mappings):
            asset_type = one.row_type or one.own.partition("/")[0]
            self._rules.setdefault((asset_type, one.rule.signal), []).append(one)
        self._found: dict[tuple[str, str, str, str], Origin | None] = {}

    def declared(self, asset_type: str, asset: str, signal: str, unit: str, *, source: str = "") -> str:
        """Return the unit that the mappings (or one source's) declare for a channel; the signal's if not just one."""
        rules = [one for one in self._rules.get((asset_type, signal), ()) if source in ("", one.source)]
        units = {one.rule.unit or unit for one in rules if one.may_feed(asset_type, asset)}
        return units.pop() if len(units) == 1 else unit

    def clocks(self, origin: Origin) -> tuple[ClockRule, ...]:
        """Return the clocks of the table or stream of an origin."""
        mapping = self._reader.mappings[origin.source]
        if origin.path[0] == "tables":
            return tuple(mapping.tables[int(origin.path[1])].clocks)
        return () if mapping.stream is None else tuple(mapping.stream.clocks)

    def states_status(self, asset_type: str, asset: str, signal: str) -> bool:
        """Return whether a mapping names a column of the source's own status of a channel's values."""
        return any(one.status and one.may_feed(asset_type, asset) for one in self._rules.get((asset_type, signal), ()))

    def of(
        self, asset_type: str, asset: str, signal: str, near: np.datetime64 | None = None, *, source: str = ""
    ) -> Origin | None:
        """Return the origin of a channel's values from an instant on, of any source or of one; None if it isn't known.

        An origin whose rule is known and whose tag isn't has an empty tag.
        """
        key = (asset_type, asset, signal, source)
        if key not in self._found:
            self._found[key] = self._find(*key, near)
        return self._found[key]

    def _find(self, asset_type: str, asset: str, signal: str, source: str, near: np.datetime64 | None) -> Origin | None:
        every = self._rules.get((asset_type, signal), ())
        rules = [one for one in every if one.may_feed(asset_type, asset) and source in ("", one.source)]
        keys = {(one.source, one.path) for one in rules}
        if len(keys) == 1 and not is_pattern(rules[0].key):
            return _tagged(rules[0], rules[0].key)
        rows = self._rows(f"{asset_type}/{asset}", signal, near)
        for name, tag in rows:
            fitting = [one for one in rules if one.source == name and one.covers(tag)]
            # An exact key takes precedence over patterns.
            exact = [one for one in fitting if one.key == tag] or fitting
            if len({one.path for one in exact}) == 1:
                return _tagged(exact[0], tag)
        return None

    def _rows(self, asset: str, signal: str, near: np.datetime64 | None) -> list[tuple[str, str]]:
        """Return sources and tags of a channel's rows near an instant, most frequent first."""
        # A channel's rows are among those of all others of their time: an hour of a large fleet is read in place of a day.
        near_spans = [] if near is None else [(near, near + _HOUR), (near, near + _DAY)]
        for start, stop in (*near_spans, (None, None)):
            rows = self._reader.observations(asset, signal, start=start, stop=stop)
            if len(rows):
                counts = rows.groupby(["source", "tag"], dropna=False).size().sort_values(ascending=False)
                # A column whose rows name the asset is a series for each: "temp@room/3".
                return [(str(source), str(tag).removesuffix(f"@{asset}")) for source, tag in counts.index]
        return []


def _tagged(one: Origin, tag: str) -> Origin:
    return replace(one, tag=tag)


def rules_of(mappings: Mapping[str, SourceMapping]) -> Iterator[Origin]:
    r"""Yield every rule of some mappings that feeds a signal, without a tag.

    >>> from twinlab.model import parse_mapping
    >>> text = (
    ...     "source: s\ntables:\n- time: {column: t, zone: UTC}\n"
    ...     "  asset: {type: room, id: A}\n  columns: {temp: {signal: temperature}}\n"
    ... )
    >>> [(one.own, one.path) for one in rules_of({"s": parse_mapping(text)})]
    [('room/A', ('tables', 0, 'columns', 'temp'))]
    """
    for source, mapping in mappings.items():
        for number, table in enumerate(mapping.tables):
            fixed = table.asset is not None and table.asset.id is not None
            named = f"{table.asset.type}/{table.asset.id}" if table.asset is not None and fixed else ""
            of_rows = table.asset.type if table.asset is not None and not fixed else ""
            for part, tags in (("columns", table.columns), ("tags", table.tags)):
                for key, rules in tags.items():
                    for place, rule in enumerate(rules):
                        path = ("tables", number, part, key)
                        own = rule.asset or named
                        status = rule.status is not None or table.status is not None
                        yield Origin(source, path, place, rule, "" if own else of_rows, own, status=status)
        for key, rules in mapping.stream.tags.items() if mapping.stream is not None else ():
            for place, rule in enumerate(rules):
                yield Origin(source, ("stream", "tags", key), place, rule, "", rule.asset or "")
