"""Identity and precedence: which claims are valid.

First, claims of one identity are resolved: the row's key with its tag if it has one, else (epoch, sequence), else
(source, tag, event time). The highest (epoch, sequence) wins; without sequences, the latest position in the ledger. Of
equal ones a retraction wins, then the later time, the larger value, the higher priority and the worse flag, so that the
result never depends on the order of arrival. A retraction with a sequence of its own, without a claim of that sequence,
withdraws the earlier claims of its source for its tag and time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Claims
from twinlab.history.build.kernels import NOT_EVALUATED, RULES, Rows, resolve_cells

__all__ = ["Collector", "Resolved", "resolve"]

Ints = npt.NDArray[np.int64]
_NO_EPOCH = -(2**62)


@dataclass(frozen=True)
class Resolved:
    """Values of one signal's cells, and counts."""

    # float64 [time, asset], NaN where there is no valid claim.
    values: npt.NDArray[np.float64]
    # int16 [time, asset]: number of the value's source, -1 for none.
    chosen: npt.NDArray[np.int16]
    # uint8 [time, asset]: the source's own flag of the value, "not evaluated" if it states none.
    flags: npt.NDArray[np.uint8]
    superseded: int
    disagreements: int


@dataclass
class Collector:
    """Collects the claims of one signal in a window of cells, from any number of sources and frames."""

    origin: int
    cadence: int
    k0: int
    k1: int
    assets: int
    _parts: list[Rows] = field(default_factory=list)
    _keys: list[npt.NDArray[np.object_] | None] = field(default_factory=list)
    _tags: dict[tuple[int, str], int] = field(default_factory=dict)

    def add(self, claims: Claims, asset: npt.NDArray[np.int32], *, source: int, new_from: int = 0) -> None:
        """Add claims of one source.

        Parameters
        ----------
        asset : int32, one for each of ``claims.series``
            Column of the asset; -1 for series of other signals.
        source : int
            Number of the source; numbers must follow the order of the sources' names.
        new_from : int
            Ordinal from which claims are new.
        """
        place = asset[claims.code]
        keyed = _has_key(claims)
        k = (claims.event_time - self.origin) // self.cadence
        inside = (k >= self.k0) & (k < self.k1)
        keep = (place >= 0) & (inside if keyed is None else inside | keyed)
        if not keep.any():
            return
        if not keep.all():
            claims, place, k, inside = claims.select(keep), place[keep], k[keep], inside[keep]
            keyed = None if keyed is None else keyed[keep]
        sequenced = claims.sequence >= 0
        kind = sequenced.astype(np.int8)
        if keyed is not None:
            kind[keyed] = 2
        lut = np.array([self._tags.setdefault((source, tag), len(self._tags)) for tag in claims.tags], dtype=np.int32)
        self._parts.append(
            Rows(
                cell=np.where(inside, (k - self.k0) * self.assets + place, -1),
                time=np.ascontiguousarray(claims.event_time),
                value=np.ascontiguousarray(claims.value),
                kind=kind,
                epoch=np.where(sequenced, claims.epoch, _NO_EPOCH),
                rank=np.where(sequenced, claims.sequence, claims.ordinal),
                op=np.ascontiguousarray(claims.op),
                source=np.full(len(place), source, dtype=np.int16),
                tag=lut[claims.tag],
                priority=np.ascontiguousarray(claims.priority),
                new=claims.ordinal >= new_from,
                flag=np.full(len(place), NOT_EVALUATED) if claims.flag is None else claims.flag,
            )
        )
        self._keys.append(None if keyed is None else np.asarray(claims.key))

    def rows(self) -> tuple[Rows, Ints | None]:
        """Return all rows and, if any has one, the number of each row's key (-1 for none)."""
        if not self._parts:
            empty = [
                np.empty(0, dtype=t) for t in ("i8", "i8", "f8", "i1", "i8", "i8", "i1", "i2", "i4", "i2", "?", "u1")
            ]
            return Rows(*empty), None
        joined = self._parts[0] if len(self._parts) == 1 else Rows(*map(np.concatenate, zip(*self._parts, strict=True)))
        if all(keys is None for keys in self._keys):
            return joined, None
        numbers: dict[str, int] = {}
        out = np.full(len(joined.cell), -1, dtype=np.int64)
        at = 0
        for part, keys in zip(self._parts, self._keys, strict=True):
            for i, key in enumerate(() if keys is None else keys):
                if key is not None:
                    out[at + i] = numbers.setdefault(str(key), len(numbers))
            at += len(part.cell)
        return joined, out


def _has_key(claims: Claims) -> npt.NDArray[np.bool_] | None:
    if claims.key is None:
        return None
    keyed = np.array([key is not None for key in claims.key], dtype=np.bool_)
    return keyed if keyed.any() else None


def _valid(rows: Rows, keys: Ints) -> tuple[npt.NDArray[np.bool_], int]:
    """Return which rows are valid after resolving those with a key, and how many claims were superseded."""
    at = np.flatnonzero(keys >= 0)
    order = at[
        np.lexsort(
            (
                rows.flag[at],
                rows.priority[at],
                rows.value[at],
                rows.time[at],
                rows.op[at],
                rows.rank[at],
                rows.epoch[at],
                keys[at],
                rows.tag[at],
                rows.source[at],
            )
        )
    ]
    same = np.zeros(len(order), dtype=np.bool_)
    same[:-1] = (
        (keys[order][1:] == keys[order][:-1])
        & (rows.tag[order][1:] == rows.tag[order][:-1])
        & (rows.source[order][1:] == rows.source[order][:-1])
    )
    # `same` is true where a later claim of the same identity follows.
    loses = same | (rows.op[order] != 0)
    valid = np.ones(len(keys), dtype=np.bool_)
    valid[order[loses]] = False
    return valid, int(np.count_nonzero(same & rows.new[order] & (rows.op[order] == 0)))


def resolve(collector: Collector, *, combine: str, resolution: float) -> Resolved:
    """Return the values of the cells in the collector's window.

    Parameters
    ----------
    combine : str
        The signal's rule: last, mean, min, max or sum.
    resolution : float
        In the signal's unit; sources that differ by more than this disagree.
    """
    rows, keys = collector.rows()
    shape = (collector.k1 - collector.k0, collector.assets)
    values = np.full(shape, np.nan)
    chosen = np.full(shape, -1, dtype=np.int16)
    flags = np.full(shape, NOT_EVALUATED)
    superseded = 0
    order: Ints = np.arange(len(rows.cell))
    if keys is not None:
        valid, superseded = _valid(rows, keys)
        order = np.flatnonzero(valid)
    order = order[rows.cell[order] >= 0]
    order = order[np.argsort(rows.cell[order], kind="stable")]
    more, disagreements = resolve_cells(
        order, rows, RULES[combine], resolution, values.reshape(-1), chosen.reshape(-1), flags.reshape(-1)
    )
    return Resolved(values, chosen, flags, superseded + more, disagreements)
