"""The catalogue of the store: groups, signals, years and hot chunks, as JSON in the root group's attributes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from twinlab.errors import CorruptionError, SchemaError, UnknownTermError
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import (
    Axis,
    Group,
    Layout,
    cold_layout,
    hot_layout,
    rollup_layout,
    rollup_steps,
    step_parent,
)
from twinlab.history.layout.rollup import COUNTS, STATISTICS
from twinlab.history.layout.spans import Spans
from twinlab.history.store.codecs import CODEC, ArraySpec
from twinlab.history.store.vacant import Rectangles
from twinlab.model.flags import Flag, flag_attributes
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import Signal, parse_duration

__all__ = ["EXTREMES_FROM", "Catalog", "GroupEntry", "YearEntry", "check_cells", "check_same"]

#: Versions of the layout: the second states vacant cells, the third codecs. A history of another version must be rebuilt from the ledger.
FORMAT, FORMAT_VACANT, FORMAT_CODEC = 1, 2, 3
#: Minimum number of cells of a window whose extremes are stored.
EXTREMES_FROM = 30


@dataclass
class YearEntry:
    """One year of a group: layouts, fixed at its first cell, and which hot chunks have its newest cells."""

    cold: Layout
    hot: Layout
    rollups: dict[str, Layout]
    # Number of the first cell of the year after all compacted cells.
    cold_end: int = 0
    # Numbers of the hot chunks, which have the cells of their span instead of the cold array.
    hot_chunks: set[int] = field(default_factory=set)
    # Paths of the existing arrays, relative to the year's.
    arrays: set[str] = field(default_factory=set)
    # Signal -> cells of the cold array that are missing where no tile of flags is stored.
    vacant: dict[str, Rectangles] = field(default_factory=dict)

    def runs(self, l0: int, l1: int) -> Iterator[tuple[bool, int, int]]:
        """Yield ``(is_hot, first, last + 1)`` of a span of the year, in order."""
        long = self.hot.tile[0]
        while l0 < l1:
            is_hot = l0 // long in self.hot_chunks
            stop = (l0 // long + 1) * long
            while stop < l1 and (stop // long in self.hot_chunks) == is_hot:
                stop += long
            yield is_hot, l0, min(stop, l1)
            l0 = stop

    def hot_windows(self, per: int, w0: int, w1: int) -> Spans:
        """Return which of the windows ``w0 .. w1 - 1`` of ``per`` cells have hot cells; their rollups aren't stored."""
        long, out = self.hot.tile[0], Spans()
        for chunk in sorted(self.hot_chunks):
            out.add(max(w0, chunk * long // per), min(w1, -(-(chunk + 1) * long // per)))
        return out


@dataclass
class GroupEntry:
    """One group: its signals, number of assets, span of cells written, and years."""

    group: Group
    origin_ns: int
    n_assets: int = 0
    signals: dict[str, Signal] = field(default_factory=dict)
    extent: tuple[int, int] | None = None
    years: dict[int, YearEntry] = field(default_factory=dict)
    # Of the values of compacted cells.
    codec: str = CODEC

    @property
    def axis(self) -> Axis:
        """The group's time axis."""
        return Axis(self.origin_ns, self.group.cadence_ns)

    def signal(self, name: str) -> Signal:
        """Return a signal of the group.

        Raises
        ------
        UnknownTermError
            If the group has none of that name; shows the nearest.
        """
        if name not in self.signals:
            msg = f"expected a signal of {self.group.path}, got {name!r}{nearest(name, self.signals)}"
            raise UnknownTermError(msg)
        return self.signals[name]

    def year(self, year: int) -> YearEntry:
        """Return the entry of a year; the first call adds it."""
        if year not in self.years:
            first, last = self.axis.year_cells(year)
            cells = last - first
            steps = rollup_steps(self.group.cadence_ns)
            self.years[year] = YearEntry(
                cold=cold_layout(cells, self.n_assets),
                hot=hot_layout(cells, self.n_assets),
                rollups={s: rollup_layout(self.windows(year, s), self.n_assets) for s in steps},
            )
        return self.years[year]

    def per(self, step: str) -> int:
        """Return the number of cells in a window of ``step``."""
        return parse_duration(step) // self.group.cadence_ns

    def windows(self, year: int, step: str) -> int:
        """Return the number of windows of ``step`` in a year."""
        first, last = self.axis.year_cells(year)
        return -(-(last - first) // self.per(step))

    def statistics(self, name: str, step: str) -> tuple[str, ...]:
        """Return the statistics of a signal that are stored at ``step``.

        Sums of state codes have no meaning. Extremes of fewer than 30 cells would take nearly as many bytes as the
        cells, so they are computed from the cells on demand.
        """
        if self.signal(name).kind == "state":
            return ("count", *COUNTS)
        return (*STATISTICS, *COUNTS) if self.per(step) >= EXTREMES_FROM else ("sum", "count", *COUNTS)

    def parent(self, name: str, step: str) -> str | None:
        """Return the stored step from which ``step`` can be computed; None if it must be computed from the cells."""
        below = step_parent(self.group.cadence_ns, step)
        complete = below is not None and set(self.statistics(name, step)) <= set(self.statistics(name, below))
        return below if complete else None

    def path(self, year: int) -> str:
        """Return the path of a year's group."""
        return f"{self.group.path}/{year}"

    def cell_spec(self, year: int, name: str, *, part: str, flags: bool) -> ArraySpec:
        """Return the array of a signal's cells or flags; ``part`` is "hot" or "cold"."""
        entry = self.year(year)
        first, last = self.axis.year_cells(year)
        layout = entry.hot if part == "hot" else entry.cold
        dtype = np.dtype("uint8") if flags else self.signal(name).storage_dtype
        return ArraySpec(
            path=f"{self.path(year)}/{part}/{name}{'_qc' if flags else ''}",
            shape=(last - first, self.n_assets),
            dtype=dtype,
            layout=layout,
            fill=int(Flag.NOT_EVALUATED) if flags else sentinel(dtype),
            vacant=entry.vacant.get(name, Rectangles()) if flags and part == "cold" else Rectangles(),
            vacant_fill=int(Flag.MISSING),
            codec=self.codec if part == "cold" else CODEC,
        )

    def rollup_spec(self, year: int, name: str, step: str, statistic: str) -> ArraySpec:
        """Return the array of one statistic of a rollup."""
        dtype: np.dtype = np.dtype("uint32")
        fill = 0
        if statistic == "sum":
            dtype = np.dtype("int64")
        elif statistic in ("min", "max"):
            dtype = self.signal(name).storage_dtype
            fill = sentinel(dtype)
        elif statistic == "not_evaluated":
            # Cells that were never written have the flag "not evaluated".
            fill = self.per(step)
        vacant = Rectangles()
        if statistic in ("not_evaluated", "missing"):
            vacant = self.year(year).vacant.get(name, vacant).windows(self.per(step))
        return ArraySpec(
            path=f"{self.path(year)}/rollup/{step}/{name}_{statistic}",
            shape=(self.windows(year, step), self.n_assets),
            dtype=dtype,
            layout=self.year(year).rollups[step],
            fill=fill,
            vacant=vacant,
            vacant_fill=self.per(step) if statistic == "missing" else 0,
        )

    def attributes(self, spec: ArraySpec) -> dict[str, object]:
        """Return the attributes of an array of this group."""
        name = spec.path.rsplit("/", 1)[-1]
        if spec.is_flags:
            about = flag_attributes(name.removesuffix("_qc"))
            return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in about.items()}
        out: dict[str, object] = {}
        if name in self.signals:
            signal = self.signals[name]
            out = {"units": signal.unit, "missing_value": sentinel(spec.dtype)}
            if signal.resolution is not None:
                out["scale_factor"] = signal.resolution
        return out


@dataclass
class Catalog:
    """Description of all arrays of the store, and the historian's metadata (``meta``)."""

    origin_ns: int
    groups: dict[Group, GroupEntry] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)
    meta: dict[str, object] = field(default_factory=dict)
    # Of the values of compacted cells of groups that are added.
    codec: str = CODEC

    @property
    def cells_changed(self) -> bool:
        """Whether cells were removed or rounded whose rollups are stored."""
        return bool(self.meta.get("retention"))

    @property
    def cells_removed(self) -> bool:
        """Whether cells were removed whose rollups are stored."""
        made: Any = self.meta.get("retention", ())
        return any(one["older"] == "rollups" for one in made)

    def added(self, group: Group) -> GroupEntry:
        """Return a group's entry; the first call adds it."""
        return self.groups.setdefault(group, GroupEntry(group, self.origin_ns, codec=self.codec))

    def entry(self, group: Group) -> GroupEntry:
        """Return a group's entry.

        Raises
        ------
        UnknownTermError
            If the store has no such group.
        """
        if group not in self.groups:
            msg = f"expected a group of this history, got {group.path!r}{nearest(group.path, [g.path for g in self.groups])}"
            raise UnknownTermError(msg)
        return self.groups[group]

    def to_attributes(self) -> dict[str, object]:
        """Return the catalogue as attributes of the root group, with a checksum."""
        vacant = any(year.vacant for entry in self.groups.values() for year in entry.years.values())
        coded = {self.codec, *(entry.codec for entry in self.groups.values())} != {CODEC}
        body = {
            "format": FORMAT_CODEC if coded else FORMAT_VACANT if vacant else FORMAT,
            "origin_ns": self.origin_ns,
            "groups": {group.path: _group_json(entry) for group, entry in sorted(self.groups.items())},
            "tables": sorted(self.tables),
            "meta": self.meta,
            **({"codec": self.codec} if self.codec != CODEC else {}),
        }
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return {"twinlab_history": text, "crc32c": google_crc32c.value(text.encode())}

    @classmethod
    def from_attributes(cls, attributes: dict[str, object]) -> Catalog:
        """Read a catalogue from attributes.

        Raises
        ------
        CorruptionError
            If the checksum differs or the format is another one.
        """
        text = attributes.get("twinlab_history")
        if not isinstance(text, str) or google_crc32c.value(text.encode()) != attributes.get("crc32c"):
            msg = "expected the catalogue of a history, but it is damaged or missing; run `twinlab rebuild`"
            raise CorruptionError(msg)
        body = json.loads(text)
        if body["format"] not in (FORMAT, FORMAT_VACANT, FORMAT_CODEC):
            msg = (
                f"expected a history of format {FORMAT} to {FORMAT_CODEC}, got {body['format']}; run `twinlab rebuild`"
            )
            raise CorruptionError(msg)
        catalog = cls(body["origin_ns"], tables=set(body["tables"]), meta=body["meta"], codec=body.get("codec", CODEC))
        for path, part in body["groups"].items():
            group = Group.at(path)
            catalog.groups[group] = _group_entry(group, body["origin_ns"], part)
        return catalog


def check_same(name: str, old: Signal, new: Signal) -> None:
    """Check that the stored integers of a signal keep their meaning.

    Raises
    ------
    SchemaError
        If kind, resolution or storage type differ from the stored signal's.
    """
    for what in ("kind", "resolution", "storage_dtype"):
        if getattr(old, what) != getattr(new, what):
            msg = (
                f"expected signal {name!r} with {what} {getattr(old, what)} as stored, got {getattr(new, what)}; "
                "rebuild the history to change it"
            )
            raise SchemaError(msg)


def check_cells(name: str, signal: Signal, part: NDArray[np.signedinteger], flags: NDArray[np.uint8] | None) -> None:
    """Check integers and flags before they are written.

    Raises
    ------
    SchemaError
        If the integers have another type than the signal's, or a cell without a value passes or is suspect.
    """
    if part.dtype != signal.storage_dtype:
        msg = f"expected {name!r} as {signal.storage_dtype}, got {part.dtype}; use `encode`"
        raise SchemaError(msg)
    if flags is not None and (((flags == 1) | (flags == 3)) & (part == sentinel(part.dtype))).any():
        msg = f"expected a value wherever {name!r} passes or is suspect, got cells without; flag them missing"
        raise SchemaError(msg)


def _layout_json(layout: Layout) -> list[object]:
    return [list(layout.tile), list(layout.shard) if layout.shard else None]


def _layout(part: list[list[int]]) -> Layout:
    tile, shard = part
    return Layout((tile[0], tile[1]), (shard[0], shard[1]) if shard else None)


def _vacant_json(vacant: dict[str, Rectangles]) -> list[list[object]]:
    """Return ``[[signal, …], [rectangle, …]]`` for each set of rectangles; signals that arrive together share theirs."""
    shared: dict[str, list[str]] = {}
    for name, rectangles in sorted(vacant.items()):
        shared.setdefault(json.dumps(rectangles.tolist()), []).append(name)
    return [[names, json.loads(text)] for text, names in shared.items()]


def _group_json(entry: GroupEntry) -> dict[str, object]:
    return {
        "n_assets": entry.n_assets,
        "extent": entry.extent,
        "signals": {
            name: signal.model_dump(mode="json", exclude_defaults=True) for name, signal in entry.signals.items()
        },
        "years": {
            str(year): {
                "cold": _layout_json(part.cold),
                "hot": _layout_json(part.hot),
                "rollups": {step: _layout_json(layout) for step, layout in part.rollups.items()},
                "cold_end": part.cold_end,
                "hot_chunks": sorted(part.hot_chunks),
                "arrays": sorted(part.arrays),
                **({"vacant": _vacant_json(part.vacant)} if part.vacant else {}),
            }
            for year, part in sorted(entry.years.items())
        },
        **({"codec": entry.codec} if entry.codec != CODEC else {}),
    }


def _group_entry(group: Group, origin_ns: int, part: dict[str, object]) -> GroupEntry:
    body: dict[str, object] = part
    entry = GroupEntry(group, origin_ns, n_assets=int(str(body["n_assets"])), codec=str(body.get("codec", CODEC)))
    extent = body["extent"]
    entry.extent = (extent[0], extent[1]) if isinstance(extent, list) else None
    signals, years = body["signals"], body["years"]
    if isinstance(signals, dict):
        entry.signals = {name: Signal.model_validate(spec) for name, spec in signals.items()}
    if isinstance(years, dict):
        for year, y in years.items():
            entry.years[int(year)] = YearEntry(
                cold=_layout(y["cold"]),
                hot=_layout(y["hot"]),
                rollups={step: _layout(layout) for step, layout in y["rollups"].items()},
                cold_end=y["cold_end"],
                hot_chunks=set(y["hot_chunks"]),
                arrays=set(y["arrays"]),
                vacant={
                    name: rectangles
                    for names, edges in y.get("vacant", ())
                    for rectangles in [Rectangles(edges)]
                    for name in names
                },
            )
    return entry
