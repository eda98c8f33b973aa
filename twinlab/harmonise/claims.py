"""Result types of harmonising: claims (a source states a value of a signal at a time), unknown terms and problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.memo import by_identity
from twinlab.model.flags import Flag
from twinlab.sources.base import Problem

if TYPE_CHECKING:
    import pyarrow as pa

    from twinlab.model.twinmodel import TwinModel

__all__ = [
    "NAT",
    "AssetClaims",
    "Claims",
    "Context",
    "EventClaims",
    "FrameLike",
    "Harmonised",
    "Problem",
    "RelationshipClaims",
    "Series",
    "SharedInstants",
    "UnknownTerm",
    "merged",
]

#: "No time" among int64 nanoseconds; NumPy's own not-a-time.
NAT = int(np.iinfo(np.int64).min)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
T = TypeVar("T")
N = TypeVar("N", np.int64, np.int16, np.int8)
C = TypeVar("C", np.int32, np.int64)


class FrameLike(Protocol):
    """The part of a ledger's frame that harmonising reads."""

    @property
    def kind(self) -> str:
        """One of observations, records, retract_file."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    @property
    def record_type(self) -> str | None:
        """The table's name, for records."""

    def batch(self) -> pa.RecordBatch:
        """Return the rows."""

    def ordinals(self) -> Ints:
        """Return the ledger position of every row."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything besides the mapping that the meaning of a row depends on."""

    model: TwinModel
    # Properties of the assets known so far: asset type -> asset id -> property -> value (zones of airports).
    properties: Mapping[str, Mapping[str, Mapping[str, object]]] = field(default_factory=dict)
    # Last time of each clock at the end of the previous frame. Only `ambiguous: order` reads and writes it; it is
    # empty unless a frame ended within a repeated hour. Pass the same dict to every frame, in frame order.
    carry: dict[tuple[str, ...], tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """One signal of one asset."""

    asset_type: str
    asset: str
    signal: str


@dataclass(frozen=True, slots=True)
class UnknownTerm:
    """A tag, column, unit, asset or state that is neither in the mapping nor in the model."""

    rows: int
    message: str


@dataclass(frozen=True, slots=True)
class Claims:
    """Values of signals as one source states them: one array element per claim, all arrays of equal length n.

    Arrays may be read-only and may share memory (constant columns are broadcast).
    """

    # Series that `code` refers to.
    series: tuple[Series, ...]
    # int32 index into `series`.
    code: npt.NDArray[np.int32]
    # int64 ns since 1970 UTC.
    event_time: Ints
    # float64 in the signal's unit; a state's code number; NaN only where `op` retracts.
    value: Floats
    # int64; 0 where the source has none.
    epoch: Ints
    # int64; -1 where the source has none.
    sequence: Ints
    # int64 position of the row in the ledger; all cells of a wide row have the same one.
    ordinal: Ints
    # int8: 0 observe, 1 retract.
    op: npt.NDArray[np.int8]
    # int32 index into `tags`; (source, tag, event_time) identifies a claim without key and sequence.
    tag: npt.NDArray[np.int32]
    tags: tuple[str, ...]
    # Identity given by the source (None where it gave none), or None if no row has one. All cells of a wide row have the
    # same key, so a claim is identified by `key` and `tag` together.
    key: npt.NDArray[np.object_] | None
    # int16: the claim with the higher priority is used in a cell that two sources report.
    priority: npt.NDArray[np.int16]
    # int64 row number in the file (as shown to people), or None.
    row_number: Ints | None
    # uint8: the source's own flag of the value (see `twinlab.model.flags`), or None if it states none.
    flag: npt.NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        """Return the number of claims."""
        return len(self.code)

    @classmethod
    def empty(cls) -> Claims:
        """Return no claims.

        >>> len(Claims.empty())
        0
        """
        ints = np.empty(0, dtype=np.int64)
        return cls(
            series=(),
            code=np.empty(0, dtype=np.int32),
            event_time=ints,
            value=np.empty(0, dtype=np.float64),
            epoch=ints,
            sequence=ints,
            ordinal=ints,
            op=np.empty(0, dtype=np.int8),
            tag=np.empty(0, dtype=np.int32),
            tags=(),
            key=None,
            priority=np.empty(0, dtype=np.int16),
            row_number=None,
        )

    def select(self, mask: npt.NDArray[np.bool_] | Ints) -> Claims:
        """Return the claims selected by ``mask`` (bool[n] or int positions)."""
        return replace(
            self,
            code=self.code[mask],
            event_time=self.event_time[mask],
            value=self.value[mask],
            epoch=self.epoch[mask],
            sequence=self.sequence[mask],
            ordinal=self.ordinal[mask],
            op=self.op[mask],
            tag=self.tag[mask],
            key=None if self.key is None else self.key[mask],
            priority=self.priority[mask],
            row_number=None if self.row_number is None else self.row_number[mask],
            flag=None if self.flag is None else self.flag[mask],
        )

    @classmethod
    def concat(cls, parts: Sequence[Claims]) -> Claims:
        """Return all claims of ``parts`` in order, with common dictionaries of series and tags."""
        parts = [part for part in parts if len(part)]
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        series, codes = merged([part.series for part in parts], [part.code for part in parts])
        tags, tag = merged([part.tags for part in parts], [part.tag for part in parts])
        return cls(
            series=series,
            code=codes,
            event_time=np.concatenate([part.event_time for part in parts]),
            value=np.concatenate([part.value for part in parts]),
            epoch=_joined([part.epoch for part in parts]),
            sequence=_joined([part.sequence for part in parts]),
            ordinal=np.concatenate([part.ordinal for part in parts]),
            op=_joined([part.op for part in parts]),
            tag=tag,
            tags=tags,
            key=_joined_keys(parts),
            priority=_joined([part.priority for part in parts]),
            row_number=_joined_rows(parts),
            flag=_joined_flags(parts),
        )


def _joined(columns: Sequence[npt.NDArray[N]]) -> npt.NDArray[N]:
    """Return columns one after another; a constant stays broadcast."""
    first = columns[0]
    if all(len(one) and one.strides == (0,) and one[0] == first[0] for one in columns):
        return np.broadcast_to(first[0], sum(map(len, columns)))
    return np.concatenate(columns)


def merged(
    dictionaries: Sequence[tuple[T, ...]], codes: Sequence[npt.NDArray[C]]
) -> tuple[tuple[T, ...], npt.NDArray[C]]:
    """Return the terms of all dictionaries, and the codes one after another, as indexes into these terms.

    >>> merged([("a", "b"), ("c", "a")], [np.array([0, 1]), np.array([0, 1])])
    (('a', 'b', 'c'), array([0, 1, 2, 0]))
    """
    terms, luts = _union(*dictionaries)
    parts = [lut[part].astype(part.dtype, copy=False) for lut, part in zip(luts, codes, strict=True)] if luts else codes
    return terms, np.concatenate(parts)


@by_identity
def _union(*dictionaries: tuple[T, ...]) -> tuple[tuple[T, ...], list[npt.NDArray[np.int32]]]:
    """Return the terms of all dictionaries, and for each dictionary the places of its terms among them."""
    if all(d is dictionaries[0] or d == dictionaries[0] for d in dictionaries):
        return dictionaries[0], []
    index: dict[T, int] = {}
    luts = [np.array([index.setdefault(term, len(index)) for term in one], dtype=np.int32) for one in dictionaries]
    return tuple(index), luts


def _joined_keys(parts: Sequence[Claims]) -> npt.NDArray[np.object_] | None:
    if all(part.key is None for part in parts):
        return None
    return np.concatenate([np.full(len(part), None, dtype=object) if part.key is None else part.key for part in parts])


def _joined_rows(parts: Sequence[Claims]) -> Ints | None:
    if all(part.row_number is None for part in parts):
        return None
    return np.concatenate(
        [np.full(len(part), -1, dtype=np.int64) if part.row_number is None else part.row_number for part in parts]
    )


def _joined_flags(parts: Sequence[Claims]) -> npt.NDArray[np.uint8] | None:
    if all(part.flag is None for part in parts):
        return None
    none = int(Flag.NOT_EVALUATED)
    return np.concatenate(
        [np.full(len(part), none, dtype=np.uint8) if part.flag is None else part.flag for part in parts]
    )


@dataclass(frozen=True, slots=True)
class EventClaims:
    """Rows of a table as events of one type."""

    type: str
    # EVENT_COLUMNS (times as timestamp[ns], null where there is none), the type's links, its properties in model units.
    table: pa.Table
    # int64[n] position in the ledger; `event_id` is the identity, the row with the highest ordinal is used.
    ordinal: Ints
    row_number: Ints | None = None
    # bool[n]: rows that withdraw what an earlier row with the same identity stated; None if none does.
    retracts: Bools | None = None


@dataclass(frozen=True, slots=True)
class AssetClaims:
    """Rows of a table as assets of one type: ``id`` and the mapped properties, in the model's units."""

    asset_type: str
    table: pa.Table
    ordinal: Ints
    row_number: Ints | None = None
    retracts: Bools | None = None


@dataclass(frozen=True, slots=True)
class RelationshipClaims:
    """Rows of a table as links of one type: ``source, target, valid_from, valid_until`` (half-open, null is unbounded)."""

    type: str
    table: pa.Table
    ordinal: Ints
    row_number: Ints | None = None
    retracts: Bools | None = None


@dataclass(frozen=True, slots=True)
class SharedInstants:
    """Rows with a value of an asset at an instant of which another row of the same delivery has a value, too."""

    rows: int
    # Rows whose values differ by more than the resolution.
    differing: int
    # "type/id".
    assets: frozenset[str]
    # Rows, asset, time and values of the first two.
    example: str

    def joined(self, other: SharedInstants | None) -> SharedInstants:
        """Return the counts of both."""
        if other is None:
            return self
        first = other if not self.differing and other.differing else self
        assets = self.assets | other.assets
        return SharedInstants(self.rows + other.rows, self.differing + other.differing, assets, first.example)


@dataclass(frozen=True, slots=True)
class Harmonised:
    """Result of one frame: claims, events, assets, relationships, and everything that could not be harmonised."""

    claims: Claims
    events: tuple[EventClaims, ...] = ()
    assets: tuple[AssetClaims, ...] = ()
    relationships: tuple[RelationshipClaims, ...] = ()
    # "tag 'x'", "column 'y'", "unit 'z'", "airport 'BQN'" -> number of rows, and what to do.
    unknown: Mapping[str, UnknownTerm] = field(default_factory=dict)
    # The first hundred; `problem_count` counts all.
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    # Number of cells that are empty or have a missing-value code.
    missing: int = 0
    # Several values of one series at one instant, if there are any.
    shared: SharedInstants | None = None
