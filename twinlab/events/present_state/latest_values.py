"""The present state: the last observation of each signal of each asset at an instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.reading import Cells, duration_ns, instant_ns, known, last_row, read_cells
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["present", "spans_back"]

#: Up to this many cells of a signal are read at once; of more, the newest are read first.
_AT_ONCE = 2**21
_FIRST_CELLS = 64


def present(
    twin: TwinReader,
    asset_type: str,
    *,
    at: object,
    signals: Sequence[str] | None = None,
    assets: Sequence[str] | None = None,
    within: str = "1d",
) -> pd.DataFrame:
    """Return the last observation of each signal at or before an instant.

    Parameters
    ----------
    twin : TwinReader
    asset_type : str
    at : instant
        As of when; naive is UTC. What was observed later doesn't count: a cell counts from its start on.
    signals, assets : sequence of str, optional
        All by default.
    within : str
        How far to look back.

    Returns
    -------
    DataFrame
        Index ``asset``; of each signal ``<signal>`` (float in its unit; of a state the code), ``<signal>_qc`` (flag's
        number, 9 where there is nothing) and ``<signal>_time`` (start of the cell, NaT where there is nothing). A failed
        observation has its flag, and of a state the previous value. A state that was last observed before ``within``
        has a value, the flag "not evaluated" and no time.

    Raises
    ------
    UnknownTermError
        If the twin doesn't know the asset type or a signal.
    SchemaError
        If ``at`` is no instant or ``within`` no duration.
    """
    spec = known(asset_type, twin.model.asset_types, "asset type")
    names = list(spec.signals if signals is None else signals)
    for name in names:
        known(name, spec.signals, f"signal of {asset_type!r}")
    end, back = instant_ns(at), duration_ns(within)
    wanted = [str(one) for one in twin.assets(asset_type).index] if assets is None else list(assets)
    place = {one: k for k, one in enumerate(wanted)}
    columns = {name: _Column(len(wanted)) for name in names}
    for cadence in {spec.signals[name].cadence_ns for name in names}:
        group = [name for name in names if spec.signals[name].cadence_ns == cadence]
        todo = assets
        for low, high in spans_back(end, back, cadence, len(wanted)):
            for cells in read_cells(twin, asset_type, signals=group, start_ns=low, stop_ns=high, assets=todo):
                where = np.array([place.get(one, -1) for one in cells.assets], dtype=np.int64)
                for name in group:
                    columns[name].fill(cells, name, where)
            todo = [one for one, k in place.items() if any(not columns[name].seen[k] for name in group)]
            if not todo:
                break
    parts: dict[str, NDArray[np.generic]] = {}
    for name in names:
        parts |= {name: columns[name].value, f"{name}_qc": columns[name].flag, f"{name}_time": columns[name].time}
    return pd.DataFrame(parts, index=pd.Index(wanted, name="asset", dtype="str"))


def spans_back(end: int, back: int, cadence: int, assets: int) -> Iterator[tuple[int, int]]:
    """Yield the spans to read for what was last at ``end``, newest first: one, or growing ones where that would be much."""
    low, high = end - back, end + 1
    if back // cadence * max(1, assets) <= _AT_ONCE:
        yield low, high
        return
    wide = _FIRST_CELLS * cadence
    while high > low:
        first = max(low, high - wide)
        yield first, high
        high, wide = first, wide * 8


class _Column:
    """The last observation of one signal, asset by asset, filled from newer to older."""

    def __init__(self, size: int) -> None:
        self.value: NDArray[np.float64] = np.full(size, np.nan)
        self.flag: NDArray[np.uint8] = np.full(size, Flag.MISSING, dtype="uint8")
        self.time: NDArray[np.datetime64] = np.full(size, np.datetime64("NaT"), dtype="datetime64[ns]")
        self.seen: NDArray[np.bool_] = np.zeros(size, dtype=bool)

    def fill(self, cells: Cells, signal: str, where: NDArray[np.int64]) -> None:
        value, flag = cells.values[signal], cells.flags[signal]
        row = last_row(cells.observed(signal))
        mine = np.flatnonzero((where >= 0) & (row >= 0))
        mine = mine[~self.seen[where[mine]]]
        at, rows = where[mine], row[mine]
        self.flag[at], self.time[at], self.seen[at] = flag[rows, mine], cells.times[rows], True
        if signal in cells.states:
            self._hold(cells, signal, where)
        else:
            self.value[at] = value[rows, mine]

    def _hold(self, cells: Cells, signal: str, where: NDArray[np.int64]) -> None:
        """Continue a state's value where nothing was observed, and where the observation failed."""
        row = last_row(cells.good(signal))
        mine = np.flatnonzero((where >= 0) & (row >= 0))
        mine = mine[np.isnan(self.value[where[mine]])]
        at = where[mine]
        self.value[at] = cells.values[signal][row[mine], mine]
        self.flag[at] = np.where(self.seen[at], self.flag[at], Flag.NOT_EVALUATED)
