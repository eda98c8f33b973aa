"""How much a twin takes in and stores: assets, signals and cadences, and the objects that they become."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.history.layout.grid import DAY_NS, cold_layout, rollup_layout, rollup_steps
from twinlab.history.layout.rollup import STATISTICS
from twinlab.model.basics import parse_duration
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.questions import Question
    from twinlab.model.twinmodel import TwinModel

__all__ = ["YEAR_DAYS", "Stream", "Workload", "checked_factor", "workload_of"]

#: Days of a year.
YEAR_DAYS: Final = 365
#: Rows of a frame of the ledger. A check looks up each finding's rows among the frames of an hour.
_FRAME_ROWS: Final = 100_000
#: Arrays of flags and of counts by flag that have tiles for each signal, beside values and statistics: one each.
_FLAG_ARRAYS: Final = 1


@dataclass(frozen=True)
class Stream:
    """The signals of one asset type that have one cadence."""

    asset_type: str
    cadence_ns: int
    signals: int
    assets: int

    @property
    def series(self) -> int:
        """Signals times assets."""
        return self.signals * self.assets

    @property
    def cells_a_day(self) -> float:
        """Cells of all series in a day."""
        return self.series * DAY_NS / self.cadence_ns

    def objects(self, days: float) -> int:
        """Return the objects that the compacted cells and rollups of some days are stored in, at most: shards of the layout.

        >>> Stream("truck", 60 * 10**9, 5, 200).objects(365) > Stream("truck", 60 * 10**9, 5, 200).objects(30)
        True
        """
        cells, year = (math.ceil(one * DAY_NS / self.cadence_ns) for one in (days, YEAR_DAYS))
        found = (1 + _FLAG_ARRAYS) * _blocks(cold_layout(year, self.assets).block, cells, self.assets)
        for step in rollup_steps(self.cadence_ns):
            windows, year = (math.ceil(one * DAY_NS / parse_duration(step)) for one in (days, YEAR_DAYS))
            block = rollup_layout(year, self.assets).block
            found += (len(STATISTICS) + _FLAG_ARRAYS) * _blocks(block, windows, self.assets)
        return found * self.signals

    def tiles(self, days: float) -> int:
        """Return the tiles of the cells of some days."""
        cells, year = (math.ceil(one * DAY_NS / self.cadence_ns) for one in (days, YEAR_DAYS))
        return self.signals * _blocks(cold_layout(year, self.assets).tile, cells, self.assets)


@dataclass(frozen=True)
class Workload:
    """What a twin of some size takes in."""

    streams: tuple[Stream, ...]
    rows_per_cell: float = 1.0
    """Rows that arrive for a cell: less than 1 where signals report rarely, more where they report more often than their cadence."""

    def scaled(self, factor: float) -> Workload:
        """Return the workload with so many times the assets; signals and cadences stay.

        Raises
        ------
        SchemaError
            If the factor isn't a number of at least 1.
        """
        number = checked_factor(factor)
        return replace(self, streams=tuple(replace(one, assets=math.ceil(one.assets * number)) for one in self.streams))

    @property
    def assets(self) -> int:
        """Assets of all types that have signals."""
        return sum({one.asset_type: one.assets for one in self.streams}.values())

    @property
    def series(self) -> int:
        """Signals times assets."""
        return sum(one.series for one in self.streams)

    @property
    def cells_a_day(self) -> float:
        """Cells of all series in a day."""
        return sum(one.cells_a_day for one in self.streams)

    @property
    def rows_a_day(self) -> float:
        """Rows that arrive in a day."""
        return self.cells_a_day * self.rows_per_cell

    @property
    def shortest_cadence_s(self) -> float:
        """The shortest cadence, seconds."""
        return min(one.cadence_ns for one in self.streams) / 1e9

    def objects(self, days: float) -> int:
        """Return the objects of the history of some days, at most."""
        return sum(one.objects(days) for one in self.streams)

    def tiles(self, days: float) -> int:
        """Return the tiles of cells of some days."""
        return sum(one.tiles(days) for one in self.streams)

    def drivers(self, days: float) -> dict[str, float]:
        """Return what the costs of steps depend on, for the data of some days."""
        cells = self.cells_a_day * days
        return {
            "cells": cells, "rows": cells * self.rows_per_cell, "series": float(self.series),
            "windows": self.series * days, "reads": self.series * (1 + self.rows_a_day / 24 / _FRAME_ROWS),
        }  # fmt: skip


def checked_factor(factor: object) -> float:
    """Return a factor by which a twin grows.

    Raises
    ------
    SchemaError
        If it isn't a number of at least 1.

    >>> checked_factor(10)
    10.0
    """
    good = isinstance(factor, (int, float)) and not isinstance(factor, bool) and math.isfinite(factor) and factor >= 1
    if not good:
        msg = f"expected a factor of at least 1, such as 10, got {factor!r}"
        raise SchemaError(msg)
    return float(factor)  # type: ignore[arg-type]  # checked above


def workload_of(
    model: TwinModel,
    counts: Mapping[str, int],
    *,
    given: Mapping[str, int] | None = None,
    rows_per_cell: float = 1.0,
    questions: tuple[Question, ...] = (),
) -> Workload:
    """Return the workload of a model.

    Parameters
    ----------
    model : TwinModel
    counts : mapping
        Asset type -> assets that the history has.
    given : mapping, optional
        Asset type -> assets, which count instead.
    rows_per_cell : float
    questions : tuple of Question
        Open questions of the twin; one about a cadence is an error.

    Raises
    ------
    UnknownTermError
        If ``given`` names an asset type that the model doesn't have.
    SchemaError
        If a cadence isn't known, the model has no signals, or there are no assets of a type.
    """
    asked = [one for one in questions if one.path.endswith(".cadence")]
    if asked:
        listed = "; ".join(f"{one.file}: {one.path}" for one in asked)
        msg = (
            f"expected the cadence of every signal, {len(asked)} aren't known ({listed}); answer these questions first"
        )
        raise SchemaError(msg)
    chosen: dict[str, Any] = {**counts, **(given or {})}
    for name, number in (given or {}).items():
        if name not in model.asset_types:
            msg = f"assets: there is no asset type {name!r}{nearest(name, model.asset_types)}"
            raise UnknownTermError(msg)
        if not number >= 1:
            msg = f"assets: expected a number of {name} of at least 1, got {number!r}"
            raise SchemaError(msg)
    streams = []
    for name, kind in model.asset_types.items():
        by_cadence: dict[int, int] = {}
        for signal in kind.signals.values():
            by_cadence[signal.cadence_ns] = by_cadence.get(signal.cadence_ns, 0) + 1
        if chosen.get(name, 0):
            streams += [Stream(name, cadence, number, chosen[name]) for cadence, number in sorted(by_cadence.items())]
    if not streams:
        kinds = [name for name, kind in model.asset_types.items() if kind.signals]
        if not kinds:
            msg = f"expected signals to plan for, twin.yaml of {model.twin!r} has none; events alone aren't planned"
        else:
            msg = (
                f"expected assets, the twin {model.twin!r} has none yet; ingest data first, or say how many there will be: "
                f"plan_scale(assets={{{kinds[0]!r}: 100}}), or --assets {kinds[0]}=100"
            )
        raise SchemaError(msg)
    return Workload(tuple(streams), rows_per_cell)


def _blocks(block: tuple[int, int], long: int, wide: int) -> int:
    return math.ceil(long / block[0]) * math.ceil(wide / block[1])
