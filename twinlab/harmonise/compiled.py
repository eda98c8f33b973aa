"""A mapping resolved against its model once: the rules of each table and the meaning of its tags."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from twinlab.harmonise.tags import TagTable
from twinlab.model.mapping import Mapping, TableRule, rules_for
from twinlab.model.twinmodel import TwinModel

__all__ = ["CompiledMapping", "compile_mapping"]

_CACHE_SIZE = 16


@dataclass(slots=True)
class CompiledMapping:
    """A mapping with its rules resolved against one model."""

    mapping: Mapping
    model: TwinModel
    # Position of a table's rule -> the table of its columns or tags.
    tables: dict[int, TagTable] = field(default_factory=dict)
    stream: TagTable | None = None
    # Results that `stream` reuses for frames with the same dictionary of tags.
    cache: dict[str, object] = field(default_factory=dict)

    def rules(self, table: str) -> list[tuple[TableRule, TagTable]]:
        """Return the rules for a table: those with its exact name, else those whose pattern matches, else "*"."""
        rules = self.mapping.tables
        places = rules_for([rule.table for rule in rules], table)
        return [(rules[place], self._table(place, rules[place])) for place in places]

    def _table(self, position: int, rule: TableRule) -> TagTable:
        if position not in self.tables:
            tags = rule.tags if rule.tag else rule.columns
            self.tables[position] = TagTable(tags, self.model, asset_type=rule.asset.type if rule.asset else None)
        return self.tables[position]


_recent: OrderedDict[tuple[int, int], CompiledMapping] = OrderedDict()


def compile_mapping(mapping: Mapping, model: TwinModel) -> CompiledMapping:
    """Return a mapping resolved against a model; the last few are cached, because all frames of a source use the same."""
    key = (id(mapping), id(model))
    found = _recent.get(key)
    # The cached entry references both objects, so Python can't have reused their ids.
    if found is None:
        stream = None if mapping.stream is None else TagTable(mapping.stream.tags, model)
        found = _recent[key] = CompiledMapping(mapping, model, stream=stream)
        while len(_recent) > _CACHE_SIZE:
            _recent.popitem(last=False)
    return found
