"""Cells of signals and what is known of them: the values in use, and bounds where nothing is known or it is suspect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.block import valid_cells
from twinlab.events.kpis.settled import signal_watermark
from twinlab.events.lifetimes import lifetimes
from twinlab.events.reading import USABLE, read_cells
from twinlab.events.rules.runs import last_valid_rows
from twinlab.model.basics import parse_duration
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.model.signal import Signal

__all__ = ["SignalCells", "TypeCells", "reach_of", "read_type_cells"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class SignalCells:
    """One signal at each cell, arrays (time, asset)."""

    #: The value, NaN without one; a state has one until its next observation.
    values: Floats
    flags: NDArray[np.uint8]
    #: What the value can be at all, in the signal's unit: a number an asset.
    least: Floats
    most: Floats
    #: The signal in the model.
    spec: Signal
    #: Which rows are before the watermark of the signal's sources, shape (time, 1).
    settled: Bools

    @property
    def usable(self) -> Bools:
        """Which cells have a value that counts."""
        return np.asarray(~np.isnan(self.values) & np.isin(self.flags, USABLE))

    @property
    def passed(self) -> Bools:
        """Which cells have a value that no flag is against."""
        fresh = (self.flags == Flag.NOT_EVALUATED) & self.settled
        return np.asarray(~np.isnan(self.values) & ((self.flags == Flag.PASS) | fresh))

    @property
    def silent(self) -> Bools:
        """Which cells have no report and need none: the last report is less than a heartbeat old."""
        if self.spec.heartbeat is None:
            return np.zeros(self.values.shape, dtype=bool)
        return np.asarray(np.isnan(self.values) & (self.flags == Flag.NOT_EVALUATED) & self.settled)

    def reported(self) -> Floats:
        """Return the usable values, and between reports that need none the last one; NaN elsewhere."""
        return self._over_silence(self.usable)

    def sure(self) -> Floats:
        """Return as `reported`, with values that passed only."""
        return self._over_silence(self.passed)

    def valid(self) -> Floats:
        """Return the last usable value while it is valid, as rules and `find` do: an hour, a state until its next one."""
        if self.spec.kind == "state":
            rows = last_valid_rows(~np.isnan(self.values) & (self.flags != Flag.FAIL))
        else:
            rows = last_valid_rows(self.usable, most=valid_cells(self.spec.cadence_ns))
        return self._at(rows)

    def _over_silence(self, good: Bools) -> Floats:
        if self.spec.heartbeat is None:
            return np.where(good, self.values, np.nan)
        cells = parse_duration(self.spec.heartbeat) // self.spec.cadence_ns + 1
        # The last report counts, good or bad: after a bad one nothing is known until the next.
        rows = last_valid_rows(~np.isnan(self.values), most=cells)
        fits = np.take_along_axis(good, np.maximum(rows, 0), axis=0) & (good | self.silent)
        return self._at(np.where(fits, rows, -1))

    def _at(self, rows: NDArray[np.int64]) -> Floats:
        return np.where(rows >= 0, np.take_along_axis(self.values, np.maximum(rows, 0), axis=0), np.nan)


@dataclass(frozen=True)
class TypeCells:
    """Cells of signals of one asset type, at the finest cadence of them."""

    #: Starts of the cells, nanoseconds since 1970.
    times: NDArray[np.int64]
    assets: tuple[str, ...]
    cadence_ns: int
    signals: dict[str, SignalCells]
    #: Which cells are in the lifetime of the asset, (time, asset).
    expected: Bools


def read_type_cells(
    twin: TwinReader, asset_type: str, signals: Sequence[str], *, assets: Sequence[str], start_ns: int, stop_ns: int
) -> TypeCells:
    """Return all cells that begin in ``[start, stop)``, also those before the first and after the last observation."""
    spec = twin.model.asset_types[asset_type]
    cadence = min(spec.signals[name].cadence_ns for name in signals)
    first = start_ns + (twin.model.origin_ns - start_ns) % cadence
    times = np.arange(first, stop_ns, cadence, dtype=np.int64)
    found: dict[str, SignalCells] = {}
    for cells in read_cells(
        twin, asset_type, signals=signals, start_ns=start_ns - cadence, stop_ns=stop_ns, assets=assets
    ):
        place = pd.Index(cells.assets).get_indexer(pd.Index(list(assets)))
        rows = _rows(cells.times.astype("int64"), cells.cadence_ns, times)
        for name, values in cells.values.items():
            signal = spec.signals[name]
            mark = signal_watermark(twin, asset_type, name)
            found[name] = SignalCells(
                _spread(values, rows, place, np.nan),
                _spread(cells.flags[name], rows, place, np.uint8(Flag.MISSING)),
                *reach_of(twin, asset_type, name, assets),
                signal,
                (rows >= 0 if mark is None else times <= mark)[:, None],
            )
    start, end = lifetimes(twin, asset_type, assets)
    expected = (times[:, None] >= start) & (times[:, None] < end)
    return TypeCells(times, tuple(assets), cadence, found, expected)


def _rows(own: NDArray[np.int64], cadence_ns: int, times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of each instant among a signal's own cells, -1 if it has none."""
    if not len(own):
        return np.full(len(times), -1, dtype=np.int64)
    rows = np.searchsorted(own, times, side="right") - 1
    return np.where((rows >= 0) & (times < own[np.maximum(rows, 0)] + cadence_ns), rows, -1)


def _spread(values: NDArray[Any], rows: NDArray[np.int64], place: NDArray[np.int64], nothing: object) -> NDArray[Any]:
    out = np.full((len(rows), len(place)), nothing, dtype=values.dtype)
    have = np.flatnonzero(rows >= 0)
    if len(have) and (place >= 0).any():
        known = np.flatnonzero(place >= 0)
        out[have[0] : have[-1] + 1, known] = values[rows[have[0] : have[-1] + 1][:, None], place[known][None, :]]
    return out


def reach_of(twin: TwinReader, asset_type: str, name: str, assets: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the least and the greatest possible value of a signal for each asset.

    What the sensor can report; where that isn't stated, what is expected; infinite where nothing is.
    """
    spec = twin.model.asset_types[asset_type]
    signal = spec.signals[name]
    if signal.kind == "state":
        codes = sorted(signal.states or {})
        return np.full(len(assets), float(codes[0])), np.full(len(assets), float(codes[-1]))
    properties = {
        str(one): {str(key): value for key, value in row.items()}
        for one, row in (twin.assets(asset_type).to_dict("index").items() if signal.limits_of_assets else ())
    }
    limits = spec.limits(name, assets, properties)
    nothing = np.isinf(limits[0]) & np.isinf(limits[1])
    return np.where(nothing, limits[2], limits[0]), np.where(nothing, limits[3], limits[1])
