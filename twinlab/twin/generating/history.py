"""Signals of synthetic days: read, made anew, planted with faults, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.model.basics import parse_duration
from twinlab.simulate.synthetic.faults import plant
from twinlab.simulate.synthetic.values import mixed_gauges, taken
from twinlab.twin.generating.definition import shown_signals

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.reader import TwinReader
    from twinlab.model.signal import Signal
    from twinlab.simulate.synthetic.days import DaySources

__all__ = ["Group", "groups_of", "plant_all"]

Floats = npt.NDArray[np.float64]
_DAY = np.timedelta64(1, "D")
#: Bytes of one group of signals in memory.
_MOST_BYTES = 2_000_000_000
_ROWS = 200_000


@dataclass
class Group:
    """The signals of one asset type and cadence.

    Parameters
    ----------
    kind, cadence : str
    assets : tuple of str
        Ids in the original.
    signals : mapping of name to Signal
    original, made : dict of name to array, shape (day, cell, asset)
        Codes of states are numbers; NaN is missing.
    planted : list of dict
        Rows of the table of truth.
    """

    kind: str
    cadence: str
    assets: tuple[str, ...]
    signals: Mapping[str, Signal]
    original: dict[str, Floats]
    made: dict[str, Floats] = field(default_factory=dict)
    planted: list[dict[str, Any]] = field(default_factory=list)

    @property
    def gauges(self) -> list[str]:
        """Signals that are gauges."""
        return [name for name, signal in self.signals.items() if signal.kind == "gauge" and not signal.states]

    def make(self, weekdays: npt.NDArray[np.int64], days: DaySources, *, mix: float) -> None:
        """Make the synthetic days."""
        for name, signal in self.signals.items():
            values = self.original[name]
            if name in self.gauges:
                self.made[name] = mixed_gauges(values, weekdays, days, mix=mix, resolution=signal.resolution)
            elif signal.kind == "counter":
                self.made[name] = _counted(values, days)
            else:
                self.made[name] = taken(values, days)

    def rows(self, begin: np.datetime64, names: Mapping[str, str]) -> Iterator[pd.DataFrame]:
        """Yield the synthetic values as rows of the source's table: time, asset, a column a signal."""
        days, cells = next(iter(self.made.values())).shape[:2]
        step = np.timedelta64(parse_duration(self.cadence), "ns")
        assets = np.array([names[one] for one in self.assets], dtype=object)
        many = max(_ROWS // max(cells * len(assets), 1), 1)
        for first in range(0, days, many):
            last = min(first + many, days)
            times = begin.astype("M8[ns]") + first * _DAY + step * np.arange((last - first) * cells)
            columns: dict[str, Any] = {"time": np.repeat(times, len(assets)), "asset": np.tile(assets, len(times))}
            known = np.zeros(len(columns["time"]), dtype=bool)
            for name, signal in self.signals.items():
                values = self.made[name][first:last].reshape(-1)
                known |= np.isfinite(values)
                columns[name] = _as_texts(values, signal) if signal.states else values
            frame = pd.DataFrame(columns)[known]
            if len(frame):
                yield frame


def _as_texts(values: Floats, signal: Signal) -> npt.NDArray[np.object_]:
    found = np.full(len(values), None, dtype=object)
    for code, state in (signal.states or {}).items():
        found[values == int(code)] = state
    return found


def _counted(values: Floats, days: DaySources) -> Floats:
    """Return a counter on synthetic days: its steps are those of their first day."""
    flat = pd.DataFrame(values.reshape(-1, values.shape[2])).ffill()
    steps = np.maximum(np.nan_to_num(flat.diff().to_numpy()), 0.0).reshape(values.shape)
    first = flat.bfill().to_numpy()[:1]
    made = np.nan_to_num(first) + np.cumsum(steps[days.first].reshape(-1, values.shape[2]), axis=0)
    return np.where(np.isfinite(values[days.first]), made.reshape(len(days.first), *values.shape[1:]), np.nan)


def groups_of(reader: TwinReader, *, start: np.datetime64, stop: np.datetime64) -> Iterator[Group]:
    """Yield the signals of a twin that are no personal data, by asset type and cadence, of whole days.

    Raises
    ------
    SchemaError
        If a group is larger than 2 GB in memory.
    """
    many = int((stop - start) / _DAY)
    for kind, spec in reader.model.asset_types.items():
        shown = shown_signals(spec)
        for cadence in dict.fromkeys(spec.signals[name].cadence for name in shown):
            names = [name for name in shown if spec.signals[name].cadence == cadence]
            data = reader.history(kind, signals=names, start=start, stop=stop)
            assets = tuple(map(str, data["asset"].to_numpy()))
            if not assets:
                continue
            step = np.timedelta64(parse_duration(cadence), "ns")
            cells = int(_DAY.astype("m8[ns]") / step)
            size = many * cells * len(assets) * 8 * len(names)
            if size > _MOST_BYTES:
                msg = (
                    f"the signals of {kind!r} at {cadence} are {size / 1e9:.1f} GB in memory, expected at most {_MOST_BYTES / 1e9:g} GB; "
                    "give a shorter span with start= and stop="
                )
                raise SchemaError(msg)
            times = start.astype("M8[ns]") + step * np.arange(many * cells)
            whole = data[names].reindex(time=times).load()
            signals = {name: spec.signals[name] for name in names}
            original = {name: _values(whole, name, signals[name], (many, cells, len(assets))) for name in names}
            yield Group(kind, cadence, assets, signals, original)


def _values(data: xr.Dataset, name: str, signal: Signal, shape: tuple[int, int, int]) -> Floats:
    values = data[name].transpose("time", "asset").to_numpy().astype(np.float64).reshape(shape)
    if signal.states:
        values = np.where(np.isin(values, [int(code) for code in signal.states]), values, np.nan)
    return values


def plant_all(
    groups: list[Group], counts: Mapping[str, int], rng: np.random.Generator, *, begin: np.datetime64
) -> None:
    """Plant faults in the gauges of the groups, and note each in ``planted``.

    Parameters
    ----------
    groups : list of Group
        With ``made``.
    counts : mapping of kind of fault to number
    rng : Generator
    begin : datetime64
        First synthetic day.
    """
    places = [(group, name) for group in groups for name in group.gauges if np.isfinite(group.made[name]).mean() > 0.2]
    busy: dict[tuple[str, str, str], npt.NDArray[np.bool_]] = {}
    for kind, many in counts.items():
        left = list(places)
        for _ in range(many):
            done = False
            while left and not done:
                group, name = left[int(rng.integers(len(left)))]
                done = _planted(group, (name, kind), busy, rng=rng, begin=begin)
                if not done:
                    left.remove((group, name))


def _planted(
    group: Group, what: tuple[str, str], busy: dict[tuple[str, str, str], npt.NDArray[np.bool_]], *, rng: np.random.Generator,
    begin: np.datetime64,
) -> bool:  # fmt: skip
    name, kind = what
    values = group.made[name]
    flat = values.reshape(-1, values.shape[2])
    step = np.timedelta64(parse_duration(group.cadence), "ns")
    taken_cells = busy.setdefault((group.kind, group.cadence, name), np.zeros(flat.shape, dtype=bool))
    signal = group.signals[name]
    found = plant(
        flat, kind, cell_hours=float(step / np.timedelta64(1, "h")), unit=signal.unit, taken=taken_cells, rng=rng
    )
    if found is None:
        return False
    if signal.resolution:
        there = slice(found.start, found.stop)
        flat[there, found.asset] = np.round(flat[there, found.asset] / signal.resolution) * signal.resolution
    group.planted.append(
        {
            "fault": kind, "asset_type": group.kind, "asset": group.assets[found.asset], "signal": name,
            "start": begin.astype("M8[ns]") + step * found.start, "stop": begin.astype("M8[ns]") + step * found.stop, "size": found.size,
        }
    )  # fmt: skip
    return True
