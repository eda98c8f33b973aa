"""The recognised content of one table, and what identifies its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.drafting.kinds.file_names import NamedAssets
from twinlab.harmonise.drafting.kinds.words import spaced
from twinlab.harmonise.drafting.profiles import Profile
from twinlab.harmonise.drafting.samples import FILE_NAME, Sample
from twinlab.harmonise.drafting.times.columns import TimeColumn
from twinlab.harmonise.drafting.times.find import Times

__all__ = ["IDS", "MIN_UNIQUE_SHARE", "EventsBeside", "TablePlan", "distinct", "unique_column"]

IDS = re.compile(
    r"station|room|raum|device|sensor|logger|truck|asset|site|machine|fridge|tank|pump|line|zone|meter|vehicle|tail|trailer|lkw|fahrzeug|plate|origin|location|(^|[_\s])id$|^id|name|serial|code",
    re.IGNORECASE,
)
#: Minimal share of distinct ids in a list of assets.
MIN_UNIQUE_SHARE = 0.99


@dataclass(frozen=True)
class EventsBeside:
    """Events in some rows of a table of signals, each at one instant."""

    name: str
    key: tuple[str, ...]
    # The rows with a text in this column, or with this one.
    column: str
    text: str | None = None
    properties: tuple[str, ...] = ()


@dataclass
class TablePlan:
    """One table of a file, and the recognised content."""

    sample: Sample
    profiles: Mapping[str, Profile]
    times: Times
    # "signals", "long", "events", "assets" or "nothing".
    content: str = "nothing"
    time: TimeColumn | None = None
    # Column with the asset's id, or None: one asset for the whole file.
    asset_column: str | None = None
    # Why a person has to confirm it; empty if the data show it.
    asset_doubt: str = ""
    # Columns of a family, one asset each: column -> (pattern, id in the column's name).
    family: dict[str, tuple[str, str]] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    # Columns of the key that are properties, too.
    also: tuple[str, ...] = ()
    # Role of an event's time ("planned_start", ...) -> column.
    roles: dict[str, TimeColumn | str] = field(default_factory=dict)
    # Column of an event's duration, where the table has no end.
    duration: str | None = None
    # Times of an event without a role: properties.
    other_times: tuple[TimeColumn, ...] = ()
    links: dict[str, str] = field(default_factory=dict)
    # Long tables: tag and value columns.
    tag: str | None = None
    value: str | None = None
    beside: list[EventsBeside] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    # Lists of assets: "from" and "until" -> column of the date of installation or removal.
    lifetime: dict[str, str] = field(default_factory=dict)
    # The assets that the names of files or sheets state, where the column `FILE_NAME` has these names.
    named: NamedAssets | None = None

    @property
    def checked(self) -> Sample:
        """The sample, or its rows of the first file or sheet, to be harmonised with the draft."""
        if self.named is None:
            return self.sample
        codes, terms = encode(self.rows.texts(FILE_NAME))
        first = self.sample.where(codes == terms.index(self.named.ids[0])).without(FILE_NAME)
        folder, _, name = self.named.example.rpartition("/")
        return replace(first, path=self.named.example, record_type=name.rpartition(".")[0] if folder else name)

    @property
    def known_columns(self) -> set[str]:
        """Columns that are no values: those of times, and those that the file's header explains."""
        return {*self.times.columns, *self.sample.facts, *self.sample.ignored}

    @property
    def rows(self) -> Rows:
        """The sample's rows."""
        return Rows(self.sample)


def unique_column(
    plan: TablePlan, count: int, *, share: float = 1.0, ids: bool = False, named: bool = False
) -> str | None:
    """Return a column that is different in every row: with ``named`` one that is named as an id, with ``ids`` of texts."""
    candidates = [p for p in plan.profiles.values() if p.kind == "text" or (p.kind == "number" and p.whole)]
    unique = [
        p for p in candidates if p.filled == count and p.distinct >= share * count and not p.missing and not p.odd
    ]
    unique = [p for p in unique if p.name not in plan.times.columns]
    # Numbers may be different in all rows by chance: a distance is no id.
    unique = [p for p in unique if p.kind == "text" or p.rising or IDS.search(spaced(p.name))]
    unique = [p for p in unique if not (ids or named) or IDS.search(p.name)]
    unique = [p for p in unique if not ids or p.kind == "text"]
    ranked = sorted(
        unique, key=lambda p: (p.kind != "text" and not IDS.search(p.name), list(plan.profiles).index(p.name))
    )
    return ranked[0].name if ranked else None


def distinct(names: Sequence[str], rows: Rows) -> int:
    """Return the number of different rows of some columns."""
    codes = np.zeros(rows.count, dtype=np.int64)
    for name in names:
        each, terms = encode(rows.texts(name))
        codes = np.unique(codes * (len(terms) + 1) + each, return_inverse=True)[1]
    return int(codes.max()) + 1 if len(codes) else 0
