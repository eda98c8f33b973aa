"""Several values of one series at one instant in one delivery: counted, and suspect where they differ.

Of such values the last row counts in history, so the others would be missing without a notice. They are compared within
one frame of the ledger: a value in a later file is a correction. Rows with a key of their own have another identity and
aren't compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from twinlab.harmonise.claims import Bools, Claims, Ints, SharedInstants
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import TwinModel

__all__ = ["mark_shared_instants"]


@dataclass(frozen=True, slots=True)
class _Groups:
    """Claims sorted by series, time and row, in groups of one series and instant."""

    # Positions of the claims.
    order: Ints
    # bool, one for each element of `order`: whether the group has several claims, and whether these differ.
    several: Bools
    differs: Bools


def mark_shared_instants(parts: Sequence[Claims], model: TwinModel) -> tuple[list[Claims], SharedInstants | None]:
    """Flag differing values of one series and instant as suspect, and count all such values.

    Parameters
    ----------
    parts : sequence of Claims
        The claims of one frame, one element for each column or tag.

    Returns
    -------
    parts : list of Claims
        With flags where values differ by more than the resolution of their signal.
    shared : SharedInstants, optional
        None if no two claims of a part have series and instant in common.
    """
    out, found = [], []
    for part in parts:
        groups = _groups(part, model)
        if groups is None:
            out.append(part)
            continue
        found.append((part, groups))
        clash = groups.order[groups.differs]
        flag = np.full(len(part), Flag.NOT_EVALUATED, np.uint8) if part.flag is None else part.flag.copy()
        # Of the flags that a source states, only fail is worse than suspect.
        flag[clash] = np.maximum(flag[clash], np.uint8(Flag.SUSPECT))
        out.append(replace(part, flag=flag) if len(clash) else part)
    return out, _counted(found) if found else None


def _groups(part: Claims, model: TwinModel) -> _Groups | None:
    if len(part) < 2 or part.key is not None:
        return None
    ahead, later = np.diff(part.code), np.diff(part.event_time)
    # Nearly all files are sorted by time and then asset, or by asset and then time: there, nothing needs sorting.
    if ((later > 0) | ((later == 0) & (ahead > 0))).all() or ((ahead > 0) | ((ahead == 0) & (later > 0))).all():
        return None
    order = np.lexsort((part.ordinal, part.event_time, part.code))
    code, time, value = part.code[order], part.event_time[order], part.value[order]
    first = np.concatenate([[True], (np.diff(code) != 0) | (np.diff(time) != 0)])
    if first.all():
        return None
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, len(order)))
    signals = [model.asset_types[one.asset_type].signals[one.signal] for one in part.series]
    steps = np.array([signal.resolution or 0.5 for signal in signals])[code[starts]]
    apart = np.maximum.reduceat(value, starts) - np.minimum.reduceat(value, starts) > steps * (1 + 1e-9)
    return _Groups(order, np.repeat(sizes > 1, sizes), np.repeat(apart, sizes))


def _counted(found: Sequence[tuple[Claims, _Groups]]) -> SharedInstants:
    rows, differing, assets = set[int](), set[int](), set[str]()
    for part, groups in found:
        rows.update(part.ordinal[groups.order[groups.several]].tolist())
        differing.update(part.ordinal[groups.order[groups.differs]].tolist())
        codes = np.unique(part.code[groups.order[groups.several]]).tolist()
        assets.update(f"{part.series[code].asset_type}/{part.series[code].asset}" for code in codes)
    part, groups = next((one for one in found if one[1].differs.any()), found[0])
    shown = groups.order[groups.differs if groups.differs.any() else groups.several][:2]
    series = part.series[part.code[shown[0]]]
    numbers = part.ordinal if part.row_number is None else part.row_number
    example = (
        f"rows {numbers[shown[0]]} and {numbers[shown[1]]}, {series.asset_type}/{series.asset}, {series.signal} at "
        f"{str(part.event_time[shown[0]].astype('datetime64[ns]').astype('datetime64[s]')).replace('T', ' ')} UTC: "
        f"{part.value[shown[0]]:g} and {part.value[shown[1]]:g}"
    )
    return SharedInstants(len(rows), len(differing), frozenset(assets), example)
