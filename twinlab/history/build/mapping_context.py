"""All sources of a twin with their mappings, the asset properties that these depend on, and their indexes."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Series
from twinlab.history.build.build import BUILD_VERSION
from twinlab.history.build.event_tables import asset_mapping, merged_assets, properties_of, rows_of
from twinlab.history.build.group_spec import GroupSpec
from twinlab.history.build.report import BuildReport
from twinlab.history.build.rows.frame_cache import FrameCache
from twinlab.history.build.rows.source_view import Properties, SourceView
from twinlab.history.index.index_file import IndexFile
from twinlab.history.index.marks import Marks
from twinlab.history.index.reach import NEVER
from twinlab.history.index.source_index import SourceIndex
from twinlab.history.layout.grid import Group
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.mapping import TimeRule, ZoneOf
from twinlab.model.twinmodel import TwinModel
from twinlab.quality.registry import tests_of_cells, versions_of_tests

if TYPE_CHECKING:
    import pyarrow as pa

    from twinlab.ledger.journal.journal import Journal
    from twinlab.ledger.reader import Reader

__all__ = ["LedgerLike", "Sources", "content_hash"]

#: Keys that change no value by themselves: they are for people, derived from the history, or applied by a command of their own.
_NOT_BUILT_FROM = {
    "alerts",
    "channels",
    "commands",
    "events",
    "kpis",
    "live",
    "maintenance",
    "predictions",
    "privacy",
    "purposes",
    "questions",
    "security",
    "usage",
    "storage",
    "synonyms",
    "synthetic",
    "retention",
}


class LedgerLike(Protocol):
    """The methods of a ledger that the build needs."""

    journal: Journal

    def sources(self) -> list[str]:
        """Return the names of all sources."""

    def reader(self, source: str) -> Reader:
        """Return the reader of a source."""


def digest(part: object) -> str:
    """Return a short hash of content that JSON can represent."""
    text = json.dumps(part, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def zones_of(mapping: SourceMapping) -> set[tuple[str, str]]:
    """Return the (asset type, property) pairs with the time zones that a mapping refers to."""
    rules: list[TimeRule | None] = []
    for table in mapping.tables:
        rules.append(table.time)
        for event in table.events:
            rules += [event.start, event.end, event.planned_start, event.planned_end]
        for link in table.relationships:
            rules += [link.valid_from, link.valid_until]
    found: list[ZoneOf] = [rule.zone_of for rule in rules if rule is not None and rule.zone_of is not None]
    return {(zone.asset_type, zone.property) for zone in found}


def zone_properties(mapping: SourceMapping, properties: Properties) -> dict[str, dict[str, dict[str, object]]]:
    """Return the asset properties that a mapping takes time zones from: asset type -> asset -> property -> value."""
    out: dict[str, dict[str, dict[str, object]]] = {}
    for asset_type, name in sorted(zones_of(mapping)):
        for asset, values in properties.get(asset_type, {}).items():
            if values.get(name) is not None:
                out.setdefault(asset_type, {}).setdefault(asset, {})[name] = values[name]
    return out


def content_hash(content: TwinModel | SourceMapping) -> str:
    """Return the hash that identifies a model or mapping, versions of its quality tests included."""
    written = content.model_dump(mode="json", by_alias=True, exclude=_NOT_BUILT_FROM)
    if isinstance(content, TwinModel):
        _leave_out_other_tests(written)
    versions = versions_of_tests(content) if isinstance(content, TwinModel) else {}
    return digest([written, versions] if versions else written)


def _leave_out_other_tests(written: dict[str, Any]) -> None:
    """Remove the quality tests that change no cell of the history, so that adding one rebuilds nothing."""
    for kind in written.get("asset_types", {}).values():
        for signal in kind.get("signals", {}).values():
            if "tests" in signal:
                kept = {name: signal["tests"][name] for name in tests_of_cells(signal["tests"])}
                signal |= {"tests": kept}
                if not kept:
                    del signal["tests"]


@dataclass(frozen=True)
class _Columns:
    """A result of `Sources.columns`: between two publications there is hardly ever a new series."""

    known: Mapping[str, list[str]]
    observed: list[tuple[tuple[Series, ...], npt.NDArray[np.bool_]]]
    found: dict[str, list[str]]

    def fits(self, known: Mapping[str, list[str]], marks: Sequence[Marks]) -> bool:
        """Return whether the same is known and observed."""
        return (
            len(marks) == len(self.observed)
            and all(
                one.series is series and np.array_equal(one.first < NEVER, mask)
                for one, (series, mask) in zip(marks, self.observed, strict=True)
            )
            and known == self.known
        )


@dataclass
class Sources:
    """The sources of a twin under one model and one set of mappings, up to any position."""

    ledger: LedgerLike
    model: TwinModel
    mappings: Mapping[str, SourceMapping]
    cache: FrameCache = field(default_factory=FrameCache)
    # Folder of the indexes; None: indexes aren't stored.
    index_folder: Path | None = None
    views: dict[str, SourceView] = field(default_factory=dict)
    _assets: dict[str, SourceView] = field(default_factory=dict)
    _files: dict[str, IndexFile] = field(default_factory=dict)
    # Of the last two calls: a publication asks for all assets and for those after the published ones.
    _columns: deque[_Columns] = field(default_factory=lambda: deque(maxlen=2))
    # Position, properties and hashes: each publication asks for them several times.
    _contexts: tuple[dict[str, int], Properties, dict[str, str]] | None = None
    # Assets by type, and their groups, if these depend on nothing else.
    _specs: tuple[Mapping[str, list[str]], list[GroupSpec]] | None = None

    def __post_init__(self) -> None:
        """Compute the hashes once."""
        self.model_hash = content_hash(self.model)
        self.mapping_hashes = {name: content_hash(mapping) for name, mapping in self.mappings.items()}
        self._groups: dict[tuple[str, str], int] = {}
        numbers: dict[Group, int] = {}
        for kind, spec in self.model.asset_types.items():
            for name, signal in spec.signals.items():
                group = Group(kind, signal.cadence)
                self._groups[kind, name] = numbers.setdefault(group, len(numbers))

    def names(self) -> list[str]:
        """Return the sources that have a mapping and a ledger, sorted."""
        return [name for name in sorted(self.ledger.sources()) if name in self.mappings]

    def unmapped(self) -> list[str]:
        """Return the sources without a mapping."""
        return [
            name for name in sorted(self.ledger.sources()) if name not in self.mappings and not name.startswith("_")
        ]

    def position(self) -> dict[str, int]:
        """Return the current position vector."""
        found = {name: self.ledger.reader(name).position() for name in self.names()}
        journal = self.ledger.journal.position()
        return found | {"_twin": journal} if journal else found

    def context_hashes(self, position: Mapping[str, int]) -> dict[str, str]:
        """Return for each source a hash of all that its claims depend on at a position, apart from its rows."""
        return dict(self._context(position)[1])

    def _context(self, position: Mapping[str, int]) -> tuple[Properties, dict[str, str]]:
        """Return the properties that mappings depend on, and the hashes; of the last position they are kept."""
        if self._contexts is None or self._contexts[0] != position:
            properties = self._zones(position)
            hashes = {
                name: digest(
                    [
                        BUILD_VERSION,
                        self.model_hash,
                        self.mapping_hashes[name],
                        zone_properties(self.mappings[name], properties),
                    ]
                )
                for name in position
                if name in self.mappings
            }
            self._contexts = (dict(position), properties, hashes)
        return self._contexts[1:]

    def prepare(
        self, position: Mapping[str, int], *, upto: Mapping[str, int] | None = None, report: BuildReport | None = None
    ) -> set[str]:
        """Index all sources; return those whose mapping context changed since the last call.

        Parameters
        ----------
        position : mapping
            Position vector of the asset properties that mappings depend on.
        upto : mapping, optional
            Position vector up to which sources are indexed, ``position`` by default.
        report : BuildReport, optional
            Receives the counts of rows that are indexed for the first time.
        """
        properties, hashes = self._context(position)
        changed = set()
        for name, found in hashes.items():
            view = self.views.get(name)
            if view is not None and view.context_hash != found:
                changed.add(name)
            if view is None or view.context_hash != found:
                mine = zone_properties(self.mappings[name], properties)
                index = self._stored_index(name, found)
                view = SourceView(
                    name, self.ledger.reader(name), self.mappings[name], self.model, mine, index, self.cache, found
                )
                self.views[name] = view
            view.extend((upto or position).get(name, 0), report.of(name) if report is not None else None)
        return changed

    def _stored_index(self, name: str, context_hash: str) -> SourceIndex:
        if self.index_folder is None:
            return SourceIndex(self._groups)
        file = self._files[name] = IndexFile(self.index_folder / f"{name}-{context_hash}.idx")
        found = file.load(self._groups)
        # An index that is ahead of its ledger was made for another ledger, which this one replaced.
        if found is None or found.position > self.ledger.reader(name).position():
            return SourceIndex(self._groups)
        return found

    def save(self) -> None:
        """Write what the indexes have gained. Those of other mapping contexts stay: `as_of` may need them."""
        for name, file in self._files.items():
            file.save(self.views[name].index)

    def _zones(self, position: Mapping[str, int]) -> Properties:
        needed = {kind for name in position if name in self.mappings for kind, _ in zones_of(self.mappings[name])}
        return {kind: properties_of(self.asset_table(kind, position)) for kind in sorted(needed)}

    def asset_table(self, asset_type: str, position: Mapping[str, int]) -> pa.Table | None:
        """Return the properties of the assets of one type at a position, one row per asset; None if there are none."""
        views = self._asset_views(asset_type, position)
        rows = rows_of(views, "asset", asset_type, stop=position)
        return None if rows is None else merged_assets(rows)

    def lifetimes(self, position: Mapping[str, int]) -> dict[str, dict[str, tuple[int, int]]]:
        """Return the lifetimes of assets at a position: type -> asset -> (from, until), ns; NEVER without a limit."""
        out: dict[str, dict[str, tuple[int, int]]] = {}
        for name, kind in self.model.asset_types.items():
            table = self.asset_table(name, position) if kind.lifetime is not None else None
            if kind.lifetime is None or table is None:
                continue
            bounds = []
            for key, default in ((kind.lifetime.start, -NEVER), (kind.lifetime.until, NEVER)):
                known = key is not None and key in table.column_names
                bounds.append(
                    [default if ns is None else int(ns) for ns in table[key].cast("int64").to_pylist()]
                    if known
                    else [default] * table.num_rows
                )
            out[name] = dict(zip(table["id"].to_pylist(), zip(*bounds, strict=True), strict=True))
        return out

    def groups(self, columns: Mapping[str, Sequence[str]], position: Mapping[str, int]) -> list[GroupSpec]:
        """Return all groups with the limits of their assets as known at a position; ``columns`` as `columns` returns them."""
        needed = [
            name
            for name, kind in self.model.asset_types.items()
            if any(span.properties for signal in kind.signals.values() for span in signal.limits_of_assets.values())
        ]
        properties = {name: properties_of(self.asset_table(name, position)) for name in needed}
        if needed:
            return GroupSpec.all_of(self.model, columns, properties)
        # The same objects, because they remember which series they contain.
        known = {kind: list(ids) for kind, ids in columns.items()}
        if self._specs is None or self._specs[0] != known:
            self._specs = known, GroupSpec.all_of(self.model, columns, {})
        return list(self._specs[1])

    def _asset_views(self, asset_type: str, position: Mapping[str, int]) -> list[SourceView]:
        out = []
        for name in position:
            mapping = self.mappings.get(name)
            if mapping is None or not any(rule.type == asset_type for table in mapping.tables for rule in table.assets):
                continue
            view = self._assets.get(name)
            if view is None:
                part = asset_mapping(mapping)
                if part is None:
                    continue
                context = "assets " + self.mapping_hashes[name] + self.model_hash
                view = SourceView(
                    name, self.ledger.reader(name), part, self.model, {}, SourceIndex({}), self.cache, context
                )
                self._assets[name] = view
            view.extend(position[name])
            out.append(view)
        return out

    def marks(self, position: Mapping[str, int]) -> dict[str, Marks]:
        """Return watermark and first observations of each source at a position that `prepare` has indexed."""
        return {name: view.marks(position.get(name, 0)) for name, view in self.views.items()}

    def group_numbers(self) -> dict[str, int]:
        """Return path of a group -> its number in the indexes."""
        return {
            Group(kind, self.model.asset_types[kind].signals[name].cadence).path: n
            for (kind, name), n in self._groups.items()
        }

    def columns(self, known: Mapping[str, list[str]], marks: Iterable[Marks]) -> dict[str, list[str]]:
        """Return the assets with observations by type: first those in ``known``, then new ones in natural order."""
        given = list(marks)
        kept = next((one for one in self._columns if one.fits(known, given)), None)
        if kept is None:
            found: dict[str, set[str]] = {}
            for one in given:
                for series in one.observed():
                    found.setdefault(series.asset_type, set()).add(series.asset)
            out = {kind: list(ids) for kind, ids in known.items()}
            for kind, ids in found.items():
                ordered = out.setdefault(kind, [])
                ordered += sorted(ids - set(ordered), key=natural_key)
            observed = [(one.series, one.first < NEVER) for one in given]
            kept = _Columns({kind: list(ids) for kind, ids in known.items()}, observed, out)
            self._columns.append(kept)
        return {kind: list(ids) for kind, ids in kept.found.items()}


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key by which ``gate 2`` comes before ``gate 10``.

    >>> sorted(["g10", "g2"], key=natural_key)
    ['g2', 'g10']
    """
    import re  # noqa: PLC0415

    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text) if part)
