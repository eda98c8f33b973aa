"""Rows of gateways in the columns of the ledger."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from twinlab.edge.messages import Lost
from twinlab.edge.readings import Readings
from twinlab.model.schema import OBSERVATIONS
from twinlab.sources.live.acceptance import Accepted
from twinlab.sources.live.protocol import Gap

__all__ = ["gaps_of", "observations"]


def observations(parts: Sequence[Accepted]) -> pa.RecordBatch | None:
    """Return accepted rows as one batch of `twinlab.model.schema.OBSERVATIONS`; None if there are none.

    A tag is ``gateway/tag``: what a gateway sends can't be taken for another's. ``origin_file`` is the gateway with the token of its
    outbox.

    Examples
    --------
    >>> from twinlab.edge.readings import Reading
    >>> rows = Readings.of([Reading("temp", 0, 4.5)], {"temp": "degC"})
    >>> observations([Accepted("truck-1", 9, 3, 12, 1, rows)]).to_pylist()
    [{'tag': 'truck-1/temp', 'source_time': 0, 'time_basis': 'utc', 'epoch': 3, 'sequence': 12, 'value': 4.5, 'text': None,
      'unit': 'degC', 'status': None, 'origin_file': 'truck-1/0000000000000009'}]
    """
    found = [(part, part.content) for part in parts if isinstance(part.content, Readings)]
    if not found:
        return None
    tags, units, origins = _Codes(), _Codes(), _Codes()
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("tag", "unit", "epoch", "sequence", "origin")}
    for part, rows in found:
        names = np.array([tags.of(f"{part.gateway}/{tag}") for tag in rows.tags], dtype=np.int32)
        own = np.array([-1 if unit is None else units.of(unit) for unit in rows.units], dtype=np.int32)
        columns["tag"].append(names[rows.codes])
        columns["unit"].append(own[rows.codes])
        columns["epoch"].append(np.full(len(rows), part.epoch, dtype=np.int64))
        columns["sequence"].append(np.arange(part.first, part.first + len(rows), dtype=np.int64))
        columns["origin"].append(np.full(len(rows), origins.of(f"{part.gateway}/{part.token:016x}"), dtype=np.int32))
    joined = {name: np.concatenate(arrays) for name, arrays in columns.items()}
    rows = Readings.join([rows for _, rows in found])
    texts = rows.texts
    arrays = {
        "tag": tags.array(joined["tag"]),
        "source_time": pa.array(rows.times),
        "time_basis": pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(rows), dtype=np.int8)), ["utc"]),
        "epoch": pa.array(joined["epoch"]),
        "sequence": pa.array(joined["sequence"]),
        "value": pa.array(rows.values, mask=~rows.has_value),
        "text": pa.array(texts, pa.string()) if texts is not None else pa.nulls(len(rows), pa.string()),
        "unit": units.array(joined["unit"]),
        "status": pa.array(rows.status, mask=~rows.has_status),
        "origin_file": origins.array(joined["origin"]),
    }
    schema = pa.schema([OBSERVATIONS.field(name) for name in arrays])
    return pa.RecordBatch.from_arrays(list(arrays.values()), schema=schema)


class _Codes:
    """Numbers of distinct texts, in the order of their first occurrence."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def of(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))

    def array(self, codes: np.ndarray) -> pa.DictionaryArray:
        """Return codes as a dictionary column; -1 is null."""
        indices = pa.array(codes, mask=codes < 0)
        return pa.DictionaryArray.from_arrays(indices, pa.array(list(self._places), pa.string()))


def gaps_of(parts: Sequence[Accepted]) -> tuple[Gap, ...]:
    """Return the reports of lost rows among accepted parts."""
    return tuple(
        Gap(
            stream=part.gateway,
            reason="; ".join(part.content.reasons),
            # Times that aren't known are zero.
            start_ns=part.content.low or None,
            stop_ns=part.content.high + 1 if part.content.high else None,
            epoch=part.epoch,
            first_sequence=part.first,
            stop_sequence=part.last + 1,
        )
        for part in parts
        if isinstance(part.content, Lost)
    )
