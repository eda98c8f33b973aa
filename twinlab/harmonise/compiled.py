"""A mapping made ready for its model, once: which rules meet a table, what its tags mean."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from twinlab.harmonise.tags import TagTable
from twinlab.model.mapping import Mapping, TableRule
from twinlab.model.twinmodel import TwinModel

__all__ = ["Compiled", "compiled"]

_KEPT = 16


@dataclass(slots=True)
class Compiled:
    """What is worked out once for a mapping and a model."""

    mapping: Mapping
    model: TwinModel
    # Position of a table's rule -> the table of its columns or tags.
    tables: dict[int, TagTable] = field(default_factory=dict)
    stream: TagTable | None = None
    # Whatever a reader of streams keeps between frames that share their dictionary of tags.
    cache: dict[str, object] = field(default_factory=dict)

    def rules(self, table: str) -> list[tuple[TableRule, TagTable]]:
        """Return the rules that meet a table: those that name it exactly, else those whose pattern fits, else "*"."""
        exact = [place for place, rule in enumerate(self.mapping.tables) if rule.table == table]
        fitting = [place for place, rule in enumerate(self.mapping.tables) if fnmatchcase(table, rule.table)]
        named = [place for place in fitting if self.mapping.tables[place].table != "*"]
        places = exact or named or fitting
        return [(self.mapping.tables[place], self._table(place, self.mapping.tables[place])) for place in places]

    def _table(self, position: int, rule: TableRule) -> TagTable:
        if position not in self.tables:
            tags = rule.tags if rule.tag else rule.columns
            self.tables[position] = TagTable(tags, self.model, asset_type=rule.asset.type if rule.asset else None)
        return self.tables[position]


_recent: OrderedDict[tuple[int, int], Compiled] = OrderedDict()


def compiled(mapping: Mapping, model: TwinModel) -> Compiled:
    """Return a mapping made ready; the last few are kept, because every frame of a source asks for the same one."""
    key = (id(mapping), id(model))
    found = _recent.get(key)
    # The entry holds both objects, so their ids can't have been given to others.
    if found is None:
        stream = None if mapping.stream is None else TagTable(mapping.stream.tags, model)
        found = _recent[key] = Compiled(mapping, model, stream=stream)
        while len(_recent) > _KEPT:
            _recent.popitem(last=False)
    return found
