"""Which cells have other claims under other definitions: the claims of the same rows are compared, frame by frame."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.errors import CorruptionError
from twinlab.harmonise.claims import Claims
from twinlab.history.build.group_spec import GroupSpec
from twinlab.history.build.rows.source_view import SourceView
from twinlab.history.index.source_index import hashes_of
from twinlab.history.layout.spans import Span, union

__all__ = ["TILE_ASSETS", "ChangedColumns", "changed_claims", "differing"]

#: Neighbouring assets that share a stored tile.
TILE_ASSETS = 8
#: Cells at most this far apart are one span.
_GAP = 64


@dataclass
class ChangedColumns:
    """The cells of one group with other claims: by tile of `TILE_ASSETS` columns, the signals and the spans of cells."""

    signals: dict[int, set[str]] = field(default_factory=dict)
    spans: dict[int, list[Span]] = field(default_factory=dict)

    def add(self, tile: int, signals: set[str], spans: Sequence[Span]) -> None:
        """Add cells of a tile."""
        self.signals.setdefault(tile, set()).update(signals)
        self.spans[tile] = union(self.spans.get(tile, []), spans, gap=_GAP)


def _numbers(values: Sequence[Hashable], known: dict[Hashable, int]) -> npt.NDArray[np.int64]:
    return np.array([known.setdefault(value, len(known)) for value in values] or [0], dtype=np.int64)


def _columns(claims: Claims, series: dict[Hashable, int], tags: dict[Hashable, int]) -> list[npt.NDArray[np.int64]]:
    """Return all that a claim states as columns of integers that can be compared between two sets of claims."""
    value = np.where(np.isnan(claims.value), np.nan, claims.value + 0.0).view(np.int64)
    columns = [
        claims.ordinal, _numbers(claims.series, series)[claims.code], claims.event_time, value, claims.epoch,
        claims.sequence, claims.op, _numbers(claims.tags, tags)[claims.tag], claims.priority,
    ]  # fmt: skip
    columns.append(np.zeros(len(claims)) if claims.flag is None else claims.flag)
    if claims.key is not None:
        keys = ["" if key is None else f"k{key}" for key in claims.key]
        columns.append(pd.util.hash_array(np.array(keys, dtype=object), categorize=False).view(np.int64))
    else:
        columns.append(np.zeros(len(claims)))
    return [np.asarray(column, dtype=np.int64) for column in columns]


def differing(old: Claims, new: Claims) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which claims of two readings of the same rows the other one doesn't have, as two masks.

    Examples
    --------
    >>> [mask.tolist() for mask in differing(Claims.empty(), Claims.empty())]
    [[], []]
    """
    series: dict[Hashable, int] = {}
    tags: dict[Hashable, int] = {}
    a, b = _columns(old, series, tags), _columns(new, series, tags)
    if len(old) == len(new) and (old.ordinal == new.ordinal).all():
        other = np.zeros(len(old), dtype=np.bool_)
        for x, y in zip(a, b, strict=True):
            other |= x != y
        return other, other
    both = pd.DataFrame({str(n): np.concatenate(pair) for n, pair in enumerate(zip(a, b, strict=True))})
    single = ~both.duplicated(keep=False).to_numpy()
    return single[: len(old)], single[len(old) :]


def _key_hashes(claims: Claims) -> npt.NDArray[np.uint64]:
    """Return the hash of each claim's key; claims without a key have that of an empty text."""
    keys = np.array(
        ["" if key is None else str(key) for key in ([] if claims.key is None else claims.key)], dtype=object
    )
    found: npt.NDArray[np.uint64] = pd.util.hash_array(keys, categorize=False)
    return found


def changed_claims(
    old: SourceView, new: SourceView, specs: Sequence[GroupSpec], *, stop: int
) -> dict[str, ChangedColumns]:
    """Return the cells of each group (by path) that have other claims of a source under other definitions.

    Parameters
    ----------
    old, new : SourceView
        The source under its old and its new mapping and model, indexed up to ``stop``.
    specs : sequence of GroupSpec
        The groups with the columns of both.
    stop : int
        Rows before this ordinal.
    """
    found = {spec.group.path: ChangedColumns() for spec in specs}
    keys = [np.empty(0, dtype=np.uint64)]
    pairs = zip(
        old.harmonised(range(len(old.index)), stop=stop), new.harmonised(range(len(new.index)), stop=stop), strict=True
    )
    for (frame, before), (other, after) in pairs:
        if frame.first != other.first or frame.rows != other.rows:
            msg = f"expected the same frames of {old.name!r} twice, got others from row {frame.first}; run `twinlab verify`"
            raise CorruptionError(msg)
        masks = differing(before.claims, after.claims)
        for claims, mask in zip((before.claims, after.claims), masks, strict=True):
            if mask.any():
                mine = claims.select(mask)
                keys.append(hashes_of(mine))
                for spec in specs:
                    _add(found[spec.group.path], spec, mine)
    hashes = np.unique(np.concatenate(keys))
    if len(hashes):
        # Of the rows with one key only one is valid, which may be another one now.
        for _, again in new.harmonised(new.index.sharing(hashes, stop), stop=stop):
            if again.claims.key is not None:
                mine = again.claims.select(np.isin(_key_hashes(again.claims), hashes))
                for spec in specs:
                    _add(found[spec.group.path], spec, mine)
    return {path: changed for path, changed in found.items() if changed.spans}


def _add(changed: ChangedColumns, spec: GroupSpec, claims: Claims) -> None:
    signal, column = spec.numbered(claims.series)
    mine = signal[claims.code] >= 0
    if not mine.any():
        return
    names = list(spec.signals)
    code = claims.code[mine]
    cells = (claims.event_time[mine] - spec.axis.origin_ns) // spec.axis.cadence_ns
    tiles = column[code] // TILE_ASSETS
    for tile in np.unique(tiles).tolist():
        at = np.unique(cells[tiles == tile])
        breaks = np.flatnonzero(np.diff(at) > _GAP)
        low, high = at[np.append(0, breaks + 1)], at[np.append(breaks, len(at) - 1)] + 1
        used = {names[n] for n in np.unique(signal[code[tiles == tile]]).tolist()}
        changed.add(tile, used, list(zip(low.tolist(), high.tolist(), strict=True)))
