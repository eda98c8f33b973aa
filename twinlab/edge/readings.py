"""Rows of an edge gateway as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from twinlab.errors import SchemaError

__all__ = ["MAX_TAGS", "Reading", "Readings", "check_reading"]

#: Maximum number of tags of one block of rows.
MAX_TAGS = 1 << 16
_INT32 = 1 << 31
_INT64 = 1 << 63


class Reading(NamedTuple):
    """One value of one tag."""

    tag: str
    time: int
    """Nanoseconds UTC since 1970, by the clock of the machine."""
    value: float | None = None
    text: str | None = None
    status: int | None = None
    """The machine's own quality code."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Rows as columns of equal length."""

    tags: tuple[str, ...]
    """Distinct tags."""
    units: tuple[str | None, ...]
    """Unit of each tag as the machine declares it; None if it declares none."""
    codes: npt.NDArray[np.uint16]
    """Place in ``tags`` of each row's tag."""
    times: npt.NDArray[np.int64]
    """Nanoseconds UTC."""
    values: npt.NDArray[np.float64]
    """Any number where ``has_value`` is false."""
    has_value: npt.NDArray[np.bool_]
    status: npt.NDArray[np.int32]
    """Any number where ``has_status`` is false."""
    has_status: npt.NDArray[np.bool_]
    texts: tuple[str | None, ...] | None = None
    """Text of each row; None if no row has one."""

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def of(cls, readings: Iterable[Reading], units: Mapping[str, str | None] | None = None) -> Self:
        """Return readings as columns.

        Parameters
        ----------
        readings : iterable of Reading
        units : mapping, optional
            Tag -> unit as declared.

        Raises
        ------
        SchemaError
            If a tag is empty, a time or status isn't a whole number that fits, or there are more than 65,536 tags.

        Examples
        --------
        >>> rows = Readings.of([Reading("t1", 0, 4.5), Reading("t1", 1_000, text="open")], {"t1": "degC"})
        >>> len(rows), rows.tags, rows.units
        (2, ('t1',), ('degC',))
        """
        rows = list(readings)
        places: dict[str, int] = {}
        for row in rows:
            check_reading(row)
            places.setdefault(row.tag, len(places))
        if len(places) > MAX_TAGS:
            msg = f"expected at most {MAX_TAGS} tags in one group of rows, got {len(places)}; write fewer rows at once"
            raise SchemaError(msg)
        tags = tuple(places)
        return cls(
            tags=tags,
            units=tuple((units or {}).get(tag) for tag in tags),
            codes=np.array([places[row.tag] for row in rows], dtype=np.uint16),
            times=np.array([row.time for row in rows], dtype=np.int64),
            values=np.array([0.0 if row.value is None else row.value for row in rows], dtype=np.float64),
            has_value=np.array([row.value is not None for row in rows], dtype=np.bool_),
            status=np.array([row.status or 0 for row in rows], dtype=np.int32),
            has_status=np.array([row.status is not None for row in rows], dtype=np.bool_),
            texts=tuple(row.text for row in rows) if any(row.text is not None for row in rows) else None,
        )

    def rows(self) -> list[Reading]:
        """Return the rows one by one."""
        texts = self.texts or (None,) * len(self)
        columns = zip(
            self.codes.tolist(), self.times.tolist(), self.values.tolist(), self.has_value.tolist(), texts,
            self.status.tolist(), self.has_status.tolist(), strict=True,
        )  # fmt: skip
        return [
            Reading(self.tags[code], time, value if has else None, text, status if rated else None)
            for code, time, value, has, text, status, rated in columns
        ]

    def part(self, start: int, stop: int) -> Self:
        """Return the rows [start, stop)."""
        if start <= 0 and stop >= len(self):
            return self
        at = slice(max(start, 0), stop)
        return replace(
            self, codes=self.codes[at], times=self.times[at], values=self.values[at], has_value=self.has_value[at],
            status=self.status[at], has_status=self.has_status[at], texts=self.texts[at] if self.texts else None,
        )  # fmt: skip

    def where(self, mask: npt.NDArray[np.bool_]) -> Self:
        """Return the rows for which a mask is true."""
        texts = (
            None if self.texts is None else tuple(t for t, kept in zip(self.texts, mask.tolist(), strict=True) if kept)
        )
        return replace(
            self, codes=self.codes[mask], times=self.times[mask], values=self.values[mask], has_value=self.has_value[mask],
            status=self.status[mask], has_status=self.has_status[mask], texts=texts,
        )  # fmt: skip

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of several blocks behind each other."""
        if len(parts) == 1:
            return parts[0]
        places: dict[tuple[str, str | None], int] = {}
        codes = []
        for part in parts:
            named = list(zip(part.tags, part.units, strict=True))
            own = np.array([places.setdefault(one, len(places)) for one in named], dtype=np.uint16)
            codes.append(own[part.codes] if named else part.codes)
        if len(places) > MAX_TAGS:
            msg = f"expected at most {MAX_TAGS} tags in one group of rows, got {len(places)}; join fewer rows"
            raise SchemaError(msg)
        texts: list[str | None] = []
        for part in parts:
            texts += part.texts or (None,) * len(part)
        return cls(
            tags=tuple(tag for tag, _ in places),
            units=tuple(unit for _, unit in places),
            codes=np.concatenate(codes),
            times=np.concatenate([part.times for part in parts]),
            values=np.concatenate([part.values for part in parts]),
            has_value=np.concatenate([part.has_value for part in parts]),
            status=np.concatenate([part.status for part in parts]),
            has_status=np.concatenate([part.has_status for part in parts]),
            texts=tuple(texts) if any(part.texts is not None for part in parts) else None,
        )


def check_reading(row: Reading) -> None:
    """Check that a reading can be sent.

    Raises
    ------
    SchemaError
        If its tag, text, time or status can't be.
    """
    try:
        size = len(row.tag.encode())
        _ = (row.text or "").encode()
    except UnicodeEncodeError as error:
        msg = f"tag {row.tag!a}: expected a tag and a text of whole characters, got half of one ({error.reason})"
        raise SchemaError(msg) from error
    if not 0 < size < 0xFFFF:
        msg = f"tag {row.tag[:40]!r}: expected a text of 1 to 65,534 bytes. Rename the tag."
        raise SchemaError(msg)
    if type(row.time) is not int or not -_INT64 <= row.time < _INT64:
        msg = f"tag {row.tag!r}: expected its time as whole nanoseconds UTC since 1970, got {row.time!r}"
        raise SchemaError(msg)
    if row.status is not None and not -_INT32 <= row.status < _INT32:
        msg = f"tag {row.tag!r}: expected a status of 32 bits, got {row.status!r}"
        raise SchemaError(msg)
