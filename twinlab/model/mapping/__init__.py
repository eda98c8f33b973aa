"""A mapping: one source's tables, columns and tags as the model's signals, events and assets, with units, clocks and codes.

A mapping states the *meaning* of the ledger's rows; only its ``reading`` section is *syntax*, used when a file is read.
Read in order: `tags` (what a column or tag means), `records` (rows as events, assets and relationships), `live` (from where rows come), `tables` (tables,
streams, the whole mapping). Instants are in `twinlab.model.time_rule`.
"""

from __future__ import annotations

from twinlab.model.mapping.live import LiveRule
from twinlab.model.mapping.records import AssetsRule, ColumnRule, EventsRule, RelationshipRule, WhereRule
from twinlab.model.mapping.tables import Mapping, StreamRule, TableRule, rules_for
from twinlab.model.mapping.tags import AssetRule, ClockRule, StatusRule, TagRule
from twinlab.model.time_rule import TimeRule, ZoneOf

__all__ = [
    "AssetRule",
    "AssetsRule",
    "ClockRule",
    "ColumnRule",
    "EventsRule",
    "LiveRule",
    "Mapping",
    "RelationshipRule",
    "StatusRule",
    "StreamRule",
    "TableRule",
    "TagRule",
    "TimeRule",
    "WhereRule",
    "ZoneOf",
    "rules_for",
]
