"""Find where a condition is true by scanning stored tiles: those in which it can't be true aren't decoded.

A condition that `scan_runs` can't scan is evaluated on arrays instead, which gives the same runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.scanning.pruning import spans_wanted
from twinlab.events.finding.scanning.ranges import ranges_of, signal_of
from twinlab.events.finding.scanning.static import Static
from twinlab.events.finding.scanning.strip_scan import Part, StripScan, Tree
from twinlab.events.finding.scanning.threads import in_threads
from twinlab.history.scan.cell_scan import STRIP_ASSETS, CellScan
from twinlab.model.expressions import bound

__all__ = ["CellRuns", "scan_runs"]


@dataclass(frozen=True)
class CellRuns:
    """Runs of cells: number of the asset, first cell, first cell after; sorted."""

    asset: NDArray[np.int64]
    first: NDArray[np.int64]
    stop: NDArray[np.int64]


def scan_runs(condition: bound.Condition, scan: CellScan, static: Static, valid: Mapping[str, int]) -> CellRuns | None:
    """Return the runs of cells in which a condition is true; None if it isn't of comparisons of signals with static values.

    Parameters
    ----------
    condition : bound condition
    scan : CellScan
        Of all signals of the condition.
    static : Static
        What doesn't change in time, for the columns of the scan in their order.
    valid : mapping of signal to int
        For how many cells a value of a signal is valid.
    """
    parts: list[Part] = []
    tree = _tree(condition, scan, static, valid, parts)
    columns = scan.reader.columns
    if tree is None or not parts or len(np.unique(columns)) < columns.size:
        return None
    wanted = spans_wanted(condition, scan, static, {name: cells - 1 for name, cells in valid.items()})
    strips = scan.reader.columns // STRIP_ASSETS
    work = [StripScan(scan, int(n) * STRIP_ASSETS, parts, tree, wanted) for n in np.unique(strips[wanted.any(axis=0)])]
    found = in_threads(StripScan.runs, work)
    every = np.concatenate([np.empty((3, 0), np.int64), *found], axis=1)
    # By asset, then by cell.
    asset, first, stop = every[:, np.argsort(every[0] * (scan.stop + 1) + every[1])]
    return CellRuns(asset, first, stop)


def _tree(
    condition: bound.Condition, scan: CellScan, static: Static, valid: Mapping[str, int], parts: list[Part]
) -> Tree | None:
    truth = static.truth(condition)
    if truth is not None:
        return truth
    name = signal_of(condition, static)
    if name is not None:
        parts.append(Part(name, ranges_of(condition, scan.reader.signals[name], static), valid[name]))
        return len(parts) - 1
    if not isinstance(condition, bound.All | bound.Any | bound.Not):
        return None
    inner = (condition.part,) if isinstance(condition, bound.Not) else condition.parts
    found = [_tree(one, scan, static, valid, parts) for one in inner]
    known = tuple(one for one in found if one is not None)
    return (type(condition).__name__, known) if len(known) == len(found) else None
