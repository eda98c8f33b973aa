"""Observations as a batch in the ledger's schema, from values as a client library returns them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

__all__ = ["Observed", "observations"]

#: A float64 has every integer up to this.
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Observed:
    """One value of one tag."""

    tag: str
    time_ns: int
    """UTC."""
    value: float | str | None
    """Number or text as the peer has it; None is no value."""
    status: int | None = None
    """Code of 32 bits, as the peer has it."""


def observations(rows: Iterable[Observed]) -> pa.RecordBatch:
    """Return observations with the ``time_basis`` "utc".

    A number is in ``value``; a text, and an integer that a float64 can't have exactly, in ``text``.

    >>> batch = observations([Observed("a", 0, 2**53 + 1), Observed("b", 1, 2.5, status=0x80340000)])
    >>> batch.column("text").to_pylist(), batch.column("value").to_pylist(), batch.column("status").to_pylist()
    (['9007199254740993', None], [None, 2.5], [None, -2144075776])
    """
    tags, times, values, texts, statuses = [], [], [], [], []
    for row in rows:
        tags.append(row.tag)
        times.append(row.time_ns)
        number, text = _split(row.value)
        values.append(number)
        texts.append(text)
        # The ledger's status is signed.
        statuses.append(None if row.status is None else (row.status + 2**31) % 2**32 - 2**31)
    return pa.record_batch(
        {
            "tag": pa.array(tags, pa.string()),
            "source_time": pa.array(times, pa.int64()),
            "time_basis": pa.array(["utc"] * len(tags), pa.string()),
            "value": pa.array(values, pa.float64()),
            "text": pa.array(texts, pa.string()),
            "status": pa.array(statuses, pa.int32()),
        }
    )


def _split(value: float | str | None) -> tuple[float | None, str | None]:
    if value is None or isinstance(value, str):
        return None, value
    if isinstance(value, int) and abs(value) > _EXACT and int(float(value)) != value:
        return None, str(value)
    return float(value), None
