"""Several values of one series at one instant in one delivery: counted, and suspect where they differ.

Of such values the last row counts in history, so the others would be missing without a notice. They are compared within
one frame of the ledger, and between the frames of one file: a value in a later file is a correction. Rows with a key of
their own have another identity and aren't compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Bools, Claims, Floats, Ints, Series, SharedInstants, merged
from twinlab.model.flags import Flag
from twinlab.model.schema import OBSERVE
from twinlab.model.twinmodel import TwinModel

__all__ = ["Clashes", "FrameClaims", "compare_frames", "mark_shared_instants"]


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
        out.append(_suspect(part, clash) if len(clash) else part)
    return out, _counted(found) if found else None


def _suspect(claims: Claims, places: Ints | list[int]) -> Claims:
    """Return the claims with some of them flagged as suspect."""
    flag = np.full(len(claims), Flag.NOT_EVALUATED, np.uint8) if claims.flag is None else claims.flag.copy()
    # Of the flags that a source states, only fail is worse than suspect.
    flag[places] = np.maximum(flag[places], np.uint8(Flag.SUSPECT))
    return replace(claims, flag=flag)


def _groups(part: Claims, model: TwinModel) -> _Groups | None:
    if len(part) < 2 or part.key is not None:
        return None
    # Nearly all files are sorted by time, or by asset and then time: there, nothing needs sorting.
    if _alone_in_time(part) or _strictly_sorted(part.code, part.event_time):
        return None
    order = np.lexsort((part.ordinal, part.event_time, part.code))
    code, time, value = part.code[order], part.event_time[order], part.value[order]
    first = np.concatenate([[True], (np.diff(code) != 0) | (np.diff(time) != 0)])
    if first.all():
        return None
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, len(order)))
    # A source that withdraws a value and states another one doesn't contradict itself.
    stated = np.repeat(np.bitwise_or.reduceat(part.op[order], starts) == OBSERVE, sizes)
    several = np.repeat(sizes > 1, sizes) & stated
    if not several.any():
        return None
    differs = _differing(value, starts, sizes, _steps(part, model)[code[starts]])
    return _Groups(order, several, differs & stated)


def _steps(part: Claims, model: TwinModel) -> Floats:
    """Return for each series the largest difference between values that count as equal."""
    signals = [model.asset_types[one.asset_type].signals[one.signal] for one in part.series]
    return np.array([signal.resolution or 0.5 for signal in signals]) * (1 + 1e-9)


def _differing(value: Floats, starts: Ints, sizes: Ints, steps: Floats) -> Bools:
    """Return for each element whether the values of its group differ."""
    apart = np.maximum.reduceat(value, starts) - np.minimum.reduceat(value, starts) > steps
    return np.repeat(apart, sizes)


def _no_ints() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(slots=True)
class Clashes:
    """Claims that differ from another claim of the same file, series and instant: arrays of equal length, by ordinal."""

    ordinal: Ints = field(default_factory=_no_ints)
    # Position of the source from which the values differ: before it, the other row hadn't come.
    since: Ints = field(default_factory=_no_ints)
    # Indexes into `series` and `tags`.
    code: Ints = field(default_factory=_no_ints)
    tag: Ints = field(default_factory=_no_ints)
    series: tuple[Series, ...] = ()
    tags: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of claims."""
        return len(self.ordinal)

    def before(self, position: int) -> Clashes:
        """Return those that are known at a position."""
        known = self.since < position
        return Clashes(
            self.ordinal[known], self.since[known], self.code[known], self.tag[known], self.series, self.tags
        )

    def joined(self, other: Clashes) -> Clashes:
        """Return the clashes of both, each claim once; where both have a claim, that of ``other``."""
        stay = ~np.isin(self.ordinal, other.ordinal)
        series, code = merged([other.series, self.series], [other.code, self.code[stay]])
        tags, tag = merged([other.tags, self.tags], [other.tag, self.tag[stay]])
        ordinal = np.concatenate([other.ordinal, self.ordinal[stay]])
        since = np.concatenate([other.since, self.since[stay]])
        order = np.argsort(ordinal, kind="stable")
        return Clashes(ordinal[order], since[order], code[order], tag[order], series, tags)

    def flagged(self, claims: Claims, span: tuple[int, int], *, stop: int) -> Claims:
        """Return the claims of a frame with the ordinals ``[span[0], span[1]]`` with the flags known at the position ``stop``."""
        low, high = np.searchsorted(self.ordinal, [span[0], span[1] + 1]).tolist()
        mine = np.arange(low, high)[self.since[low:high] < stop]
        if not len(mine):
            return claims
        wanted = {
            (ordinal, self.series[code], self.tags[tag])
            for ordinal, code, tag in zip(
                self.ordinal[mine].tolist(), self.code[mine].tolist(), self.tag[mine].tolist(), strict=True
            )
        }
        near = np.flatnonzero(np.isin(claims.ordinal, self.ordinal[mine]))
        found = [
            place
            for place in near.tolist()
            if (int(claims.ordinal[place]), claims.series[claims.code[place]], claims.tags[claims.tag[place]]) in wanted
        ]
        return _suspect(claims, found)


@dataclass(frozen=True, slots=True)
class FrameClaims:
    """Claims of several frames of one file, of one dictionary of series and tags."""

    claims: Claims
    # int64[n] number of the frame of each claim.
    frame: Ints


def compare_frames(given: FrameClaims, model: TwinModel) -> tuple[Clashes, SharedInstants | None]:
    """Compare the values of one series, tag and instant in different frames of a file.

    Parameters
    ----------
    given : FrameClaims
        All claims of some assets within a time span.

    Returns
    -------
    clashes : Clashes
        The claims whose values differ by more than the resolution of their signal, those of one frame included.
    shared : SharedInstants, optional
        Counts of the rows that have no such partner in their own frame (`mark_shared_instants` counts the others).
    """
    part = given.claims
    order = np.lexsort((part.ordinal, part.event_time, part.tag, part.code))
    code, tag, time = part.code[order], part.tag[order], part.event_time[order]
    value, ordinal, frame = part.value[order], part.ordinal[order], given.frame[order]
    first = np.concatenate([[True], (np.diff(code) != 0) | (np.diff(tag) != 0) | (np.diff(time) != 0)])
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, len(order)))
    steps = _steps(part, model)[code[starts]]
    differs, several = _differing(value, starts, sizes, steps), np.repeat(sizes > 1, sizes)
    # The same within each frame; an element is a run of one group and frame.
    runs = np.flatnonzero(first | np.concatenate([[True], np.diff(frame) != 0]))
    lengths = np.diff(np.append(runs, len(order)))
    of_group = np.repeat(steps, sizes)[runs]
    known_differing, known = _differing(value, runs, lengths, of_group), np.repeat(lengths > 1, lengths)
    since = _since(value, ordinal, starts, sizes, steps)
    at = np.flatnonzero(differs)
    at = at[np.argsort(ordinal[at], kind="stable")]
    clashes = Clashes(
        ordinal[at], since[at], code[at].astype(np.int64), tag[at].astype(np.int64), part.series, part.tags
    )
    rows = set(ordinal[several].tolist()) - set(ordinal[known].tolist())
    if not rows:
        return clashes, None
    worse = set(ordinal[differs].tolist()) - set(ordinal[known_differing].tolist())
    both = order[differs if worse else several]
    assets = frozenset(f"{part.series[n].asset_type}/{part.series[n].asset}" for n in set(part.code[both].tolist()))
    return clashes, SharedInstants(len(rows), len(worse), assets, _example(part, both[:2]))


def _since(value: Floats, ordinal: Ints, starts: Ints, sizes: Ints, steps: Floats) -> Ints:
    """Return for each element of a group (by ordinal) the ordinal with which it began to differ from the others."""
    since = ordinal.copy()
    for start, size, step in zip(starts[sizes > 1], sizes[sizes > 1], steps[sizes > 1], strict=True):
        values: npt.NDArray[np.float64] = value[start : start + size]
        apart = np.maximum.accumulate(values) - np.minimum.accumulate(values) > step
        if apart[-1]:
            began = int(np.argmax(apart))
            since[start : start + began] = ordinal[start + began]
    return since


def _alone_in_time(part: Claims) -> bool:
    """Return whether times never fall from row to row, and no series occurs twice at one of them."""
    rises = part.event_time[1:] > part.event_time[:-1]
    if rises.all():
        return True
    if (part.event_time[1:] < part.event_time[:-1]).any():
        return False
    instant = np.concatenate(([0], np.cumsum(rises)))
    size = (int(instant[-1]) + 1) * len(part.series)
    if size > 16 * len(part):
        return _strictly_sorted(part.event_time, part.code)
    seen = np.zeros(size, dtype=np.bool_)
    seen[instant * len(part.series) + part.code] = True
    return int(np.count_nonzero(seen)) == len(part)


def _strictly_sorted(first: npt.NDArray[np.integer], second: npt.NDArray[np.integer]) -> bool:
    """Return whether pairs rise from row to row, by their first numbers and, where these are equal, by the second."""
    same = first[1:] == first[:-1]
    rises = (first[1:] > first[:-1]) | (same & (second[1:] > second[:-1]))
    return bool(rises.all())


def _counted(found: Sequence[tuple[Claims, _Groups]]) -> SharedInstants:
    rows, differing, assets = set[int](), set[int](), set[str]()
    for part, groups in found:
        rows.update(part.ordinal[groups.order[groups.several]].tolist())
        differing.update(part.ordinal[groups.order[groups.differs]].tolist())
        codes = np.unique(part.code[groups.order[groups.several]]).tolist()
        assets.update(f"{part.series[code].asset_type}/{part.series[code].asset}" for code in codes)
    part, groups = next((one for one in found if one[1].differs.any()), found[0])
    shown = groups.order[groups.differs if groups.differs.any() else groups.several][:2]
    return SharedInstants(len(rows), len(differing), frozenset(assets), _example(part, shown))


def _example(part: Claims, shown: Ints) -> str:
    """Return rows, asset, time and values of the first two claims."""
    series = part.series[part.code[shown[0]]]
    numbers = part.ordinal if part.row_number is None else part.row_number
    return (
        f"rows {numbers[shown[0]]} and {numbers[shown[1]]}, {series.asset_type}/{series.asset}, {series.signal} at "
        f"{str(part.event_time[shown[0]].astype('datetime64[ns]').astype('datetime64[s]')).replace('T', ' ')} UTC: "
        f"{part.value[shown[0]]:g} and {part.value[shown[1]]:g}"
    )
