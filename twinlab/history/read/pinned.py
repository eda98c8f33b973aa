"""Pins: one state of the twin, given by a snapshot and a position vector; rows between them are built as the tail."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab.errors import CorruptionError, HistoryConflictError
from twinlab.history.build.blocks import Block, Recent
from twinlab.history.build.catchup import Stored, Update, plan_update
from twinlab.history.build.group_spec import GroupPlan, GroupSpec
from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.partition import Partition, build_partition
from twinlab.history.build.rows.ledger_claims import LedgerClaims
from twinlab.history.build.table_updates import event_table, table_at, touched
from twinlab.history.build.update import frontier_of
from twinlab.history.index.marks import Marks
from twinlab.history.index.reach import NEVER
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Frontier, Group
from twinlab.history.layout.spans import Span, clip, widen
from twinlab.history.store.event_parts import EventParts, Window, within
from twinlab.history.store.opening import create_history, open_history, repository_path
from twinlab.history.store.view import View
from twinlab.model.flags import Flag

__all__ = ["AsOfPin", "Pin", "TailPin", "empty_view"]

#: Number of cells before a window that are searched first for the last observation before it.
_LOOK_BACK = 4096


@dataclass
class Pin(ABC):
    """One state of the twin."""

    view: View
    sources: Sources
    position: dict[str, int]

    @property
    @abstractmethod
    def assets(self) -> Mapping[str, Sequence[str]]:
        """Assets with observations, by type, in storage order."""

    @property
    @abstractmethod
    def marks(self) -> Mapping[str, Marks]:
        """Watermark and first observations of each source."""

    @abstractmethod
    def blocks(
        self, asset_type: str, signals: Sequence[str] | None, span: tuple[int | None, int | None]
    ) -> list[Block]:
        """Return the cells that replace those of the view; ``span`` in ns."""

    @abstractmethod
    def table(self, kind: str, name: str) -> pa.Table | None:
        """Return the valid rows of an asset type or relationship; None if there are none."""

    @abstractmethod
    def events(self, name: str, window: Window = (None, None), assets: Sequence[str] | None = None) -> pa.Table | None:
        """Return the valid events of a type, those of a window and of some assets if given; None if there are none."""

    def event_count(self, name: str) -> int:
        """Return the number of valid events of a type."""
        found = self.events(name)
        return 0 if found is None else len(found)


class _LatePlans(NamedTuple):
    """Plans of late claims of one group: a row for each of their columns, sorted."""

    column: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]
    number: npt.NDArray[np.int64]

    def of_column(self, column: int) -> _LatePlans:
        """Return those of one column."""
        low, high = np.searchsorted(self.column, (column, column + 1)).tolist()
        return _LatePlans(*(one[low:high] for one in self))

    def within(self, low: int, high: int) -> set[int]:
        """Return the numbers of the plans with cells in ``low .. high - 1``."""
        return set(self.number[(self.first < high) & (self.stop > low)].tolist())


@dataclass
class TailPin(Pin):
    """The published history with the ledger's newest rows."""

    # Number of a plan -> its blocks.
    _blocks: dict[int, list[Block]] = field(default_factory=dict)

    @cached_property
    def update(self) -> Update | None:
        """Changes from the snapshot to the position; None if there are none, or model or mapping changed since."""
        meta: Mapping[str, Any] = self.view.meta
        stored = dict(meta.get("position", {}))
        hashes, built = self.sources.mapping_hashes, dict(meta.get("mappings", {}))
        if meta and (
            meta.get("model") != self.sources.model_hash or any(hashes.get(n) != found for n, found in built.items())
        ):
            return None
        if all(stored.get(name, 0) == at for name, at in self.position.items() if name != "_twin"):
            return None
        # Nothing is written, so that a few late cells of many assets needn't be built for all of them.
        return plan_update(self.sources, meta, self.position, front=0)

    @cached_property
    def _late(self) -> dict[Group, _LatePlans]:
        """The plans of late claims, by group."""
        found: dict[Group, list[tuple[int, int, int, int]]] = {}
        for n, plan in enumerate(self.update.plans if self.update is not None else ()):
            if plan.late:
                columns = [plan.spec.first_asset + one for one in plan.late]
                span = plan.write[0][0], plan.write[-1][1]
                found.setdefault(plan.spec.group, []).extend((one, *span, n) for one in columns)
        return {group: _LatePlans(*np.array(sorted(rows), dtype=np.int64).T) for group, rows in found.items()}

    def _tail(self, update: Update, asset_type: str, span: tuple[int | None, int | None]) -> list[Block]:
        """Return the blocks of the plans that a span needs; late rows elsewhere aren't built."""
        plans = update.plans
        fronts = [
            n
            for n, plan in enumerate(plans)
            if not plan.late and plan.spec.group.asset_type == asset_type and _overlaps(plan.spec, plan.covered, span)
        ]
        wanted: set[int] = set()
        for group, late in self._late.items():
            if group.asset_type == asset_type:
                axis = plans[late.number[0]].spec.axis
                low = -NEVER if span[0] is None else axis.cell(span[0])
                wanted |= late.within(low, NEVER if span[1] is None else axis.cell_ceil(span[1]))
        return self._needed(update, fronts, wanted)

    def blocks_of_windows(
        self, group: Group, firsts: npt.NDArray[np.int64], length: int, columns: npt.NDArray[np.int64]
    ) -> list[Block]:
        """Return the tail's blocks that many short windows need, each of one column from a cell on.

        Late cells of other columns may be missing, even if they are in the same block.
        """
        if self.update is None:
            return []
        stops = firsts + length

        def in_window(plan: GroupPlan) -> bool:
            mine = (columns >= plan.spec.first_asset) & (columns < plan.spec.first_asset + len(plan.spec.assets))
            low, high = firsts[mine], stops[mine]
            return any(bool(((low < b) & (high > a)).any()) for a, b in plan.covered)

        fronts = [
            n
            for n, plan in enumerate(self.update.plans)
            if not plan.late and plan.spec.group == group and in_window(plan)
        ]
        wanted: set[int] = set()
        if group in self._late:
            late = self._late[group]
            for first, stop, column in zip(firsts.tolist(), stops.tolist(), columns.tolist(), strict=True):
                wanted |= late.of_column(column).within(first, stop)
        return self._needed(self.update, fronts, wanted)

    def _needed(self, update: Update, fronts: Sequence[int], late: set[int]) -> list[Block]:
        """Return the blocks of plans of all assets, and of late claims."""
        wanted = {*fronts, *late}
        for front in (update.plans[n] for n in fronts):
            if front.spec.group in self._late:
                # A plan of all assets may need late values within its margins.
                for low, high in widen(front.write, before=front.spec.margins[0], after=front.spec.margins[1]):
                    wanted |= self._late[front.spec.group].within(low, high)
        # Late plans come before those of all assets in `update.plans`.
        return [block for blocks in self._built(update, sorted(wanted)) for block in blocks]

    def _built(self, update: Update, numbers: Sequence[int]) -> list[list[Block]]:
        """Return the blocks of plans, each of which is built once."""
        new = [n for n in numbers if n not in self._blocks]
        late = [n for n in new if update.plans[n].late]
        found = update.late_blocks(Stored(self.view), [update.plans[n] for n in late])
        self._blocks |= dict(zip(late, found, strict=True))
        for n in new:
            plan = update.plans[n]
            if plan.late:
                continue
            below = [b for blocks in self._blocks.values() for b in blocks if b.group == plan.spec.group]
            base = Recent(Stored(self.view), list(below))
            for _, block in update.blocks(base, [plan]):
                base.blocks.append(block)
            self._blocks[n] = base.blocks[len(below) :]
        return [self._blocks[n] for n in numbers]

    @property
    def assets(self) -> Mapping[str, Sequence[str]]:
        """Assets with observations, by type, in storage order."""
        if self.update is not None:
            return self.update.columns
        found: Any = self.view.meta.get("assets", {})
        return dict(found)

    @cached_property
    def marks(self) -> Mapping[str, Marks]:
        """Watermark and first observations of each source."""
        if self.update is not None:
            return self.update.marks
        watermarks: Any = self.view.meta.get("watermarks", {})
        nothing = np.empty(0, dtype=np.int64)
        names = [name for name in self.position if name != "_twin"]
        return {name: Marks(int(watermarks.get(name, -NEVER)), (), nothing) for name in names}

    def blocks(
        self, asset_type: str, signals: Sequence[str] | None, span: tuple[int | None, int | None]
    ) -> list[Block]:
        """Return the tail's blocks of a type that a span needs."""
        if self.update is None:
            return []
        known = self.sources.model.asset_types[asset_type].signals
        if any(known[name].kind != "gauge" for name in (known if signals is None else signals) if name in known):
            # States and counters at the start of a span depend on the last observation before it.
            span = (None, span[1])
        return self._tail(self.update, asset_type, span)

    def extent(self, group: Group) -> tuple[int, int]:
        """Return the span of all cells of a group, those of the tail included; nothing is built for it."""
        plans = self.update.plans if self.update is not None else ()
        spans = [plan.ends for plan in plans if not plan.late and plan.spec.group == group]
        if group in self._late:
            late = self._late[group]
            spans.append((int(late.first.min()), int(late.stop.max())))
        if group in self.view.catalog.groups and self.view.catalog.groups[group].extent is not None:
            spans.append(self.view.extent(group))
        return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else (0, 0)

    def _touched(self, table: str) -> Update | None:
        """Return the changes since the snapshot if they change a table; else None."""
        return self.update if self.update is not None and touched(self.update, table) else None

    def table(self, kind: str, name: str) -> pa.Table | None:
        """Return the stored rows and those of the tail."""
        if self._touched(f"{kind}:{name}") is not None:
            return table_at(self.sources, kind, name, self.position)
        path = f"{kind}s/{name}"
        return self.view.table(path) if path in self.view.tables(path) else None

    def events(self, name: str, window: Window = (None, None), assets: Sequence[str] | None = None) -> pa.Table | None:
        """Return the stored events and those of the tail."""
        parts = EventParts(self.view, name)
        update = self._touched(f"event:{name}")
        return parts.events(window, assets) if update is None else event_table(parts, update, name, window, assets)

    def event_count(self, name: str) -> int:
        """Return the number of valid events of a type; from what is stated of the stored parts if the tail has none."""
        return (
            super().event_count(name)
            if self._touched(f"event:{name}") is not None
            else len(EventParts(self.view, name))
        )


@dataclass
class AsOfPin(Pin):
    """The state that was known at a position vector; each requested window is built from the ledger."""

    known: dict[tuple[str, str], pa.Table | None] = field(default_factory=dict)

    @cached_property
    def marks(self) -> Mapping[str, Marks]:
        """Watermark and first observations of each source."""
        self.sources.prepare(self.position)
        self.sources.save()
        return self.sources.marks(self.position)

    @cached_property
    def assets(self) -> Mapping[str, Sequence[str]]:
        """Assets with observations, by type."""
        return self.sources.columns({}, self.marks.values())

    def blocks(
        self, asset_type: str, signals: Sequence[str] | None, span: tuple[int | None, int | None]
    ) -> list[Block]:
        """Build the window from the ledger's rows."""
        out: list[Block] = []
        claims = LedgerClaims(self.sources.views, self.position)
        alive = self.sources.lifetimes(self.position)
        for every in self.sources.groups(self.assets, self.position):
            spec = every.of_signals(every.signals if signals is None else signals)
            if every.group.asset_type != asset_type or not spec.signals or not every.assets:
                continue
            frontier = frontier_of(spec, self.marks.values(), alive)
            if frontier.known_from.min() == NEVER:
                continue
            known = (max(0, int(frontier.known_from.min())), int(frontier.passed.max()) + 1)
            low = known[0] if span[0] is None else spec.axis.cell(span[0])
            high = known[1] if span[1] is None else spec.axis.cell_ceil(span[1])
            window = clip([(low, high)], known)
            if window:
                out += _with_carry(spec, window[0], known, claims, frontier)
        return out

    def table(self, kind: str, name: str) -> pa.Table | None:
        """Return the rows that were valid."""
        if (kind, name) not in self.known:
            _ = self.marks
            self.known[kind, name] = table_at(self.sources, kind, name, self.position)
        return self.known[kind, name]

    def events(self, name: str, window: Window = (None, None), assets: Sequence[str] | None = None) -> pa.Table | None:
        """Return the events that were valid."""
        found = self.table("event", name)
        return None if found is None else within(found, window, assets)


def _overlaps(spec: GroupSpec, spans: Sequence[Span], window: tuple[int | None, int | None]) -> bool:
    """Whether spans of cells have cells within a window in ns; None is no limit."""
    low = None if window[0] is None else spec.axis.cell(window[0])
    high = None if window[1] is None else spec.axis.cell_ceil(window[1])
    return any((low is None or b > low) and (high is None or a < high) for a, b in spans)


def _build(spec: GroupSpec, window: Span, known: Span, claims: LedgerClaims, frontier: Frontier) -> list[Block]:
    return build_partition(Partition(spec, window, frontier, known), claims)[0]


def _with_carry(spec: GroupSpec, window: Span, known: Span, claims: LedgerClaims, frontier: Frontier) -> list[Block]:
    """Build a window and, for states and counters, enough cells before it to contain each series' last observation."""
    blocks = _build(spec, window, known, claims, frontier)
    carried = {name: signal for name, signal in spec.signals.items() if signal.kind != "gauge"}
    at, look = window[0], _LOOK_BACK
    while carried and at > known[0]:
        part = spec.of_signals(carried)
        rows = [spec.numbers[name] for name in carried]
        mine = Frontier(frontier.known_from[rows], frontier.passed[rows], frontier.lifetimes)
        low = max(known[0], at - look)
        found = _build(part, (low, at), known, claims, mine)
        blocks += found
        at, look = low, look * 4
        waiting = mine.known_from < at
        for number, name in enumerate(carried):
            for block in found:
                values, flags = block.values[name], block.flags[name]
                waiting[number] &= ~((values != sentinel(values.dtype)) & (flags <= Flag.SUSPECT)).any(axis=0)
        if not waiting.any():
            break
    return blocks


def empty_view(folder: Path, origin_ns: int, make: Callable[[], Path]) -> View:
    """Return a view of an empty history, created once in ``folder`` or, if that can't be written or is damaged, in ``make()``."""
    name = f"empty-{origin_ns}"
    try:
        return _empty_history(folder / name, origin_ns)
    except (OSError, CorruptionError):
        return _empty_history(make() / name, origin_ns)


def _empty_history(path: Path, origin_ns: int) -> View:
    if not repository_path(path).is_dir():
        with suppress(HistoryConflictError):  # another process has made it meanwhile
            create_history(path, origin_ns=origin_ns)
    return open_history(path)
