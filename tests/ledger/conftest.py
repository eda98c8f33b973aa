"""Rows and readings that the tests of the ledger share."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from twinlab.ledger import Frame, Ledger, Reader, Writer

Rows = list[tuple[int, object]]


def _bits(value: Any) -> Any:
    return struct.pack("<d", value) if isinstance(value, float) else value


def _frame_rows(frame: Frame) -> Rows:
    ordinals = frame.ordinals().tolist()
    times = frame.ingest_times().tolist()
    assert frame.rows == len(ordinals)
    assert frame.first == min(ordinals)
    if frame.kind == "retract_file":
        return [(ordinals[0], ("retract", frame.file_id, times[0]))]
    rows = [{k: _bits(v) for k, v in row.items()} for row in frame.batch().to_pylist()]
    if frame.kind == "records":
        numbers, keys = frame.row_numbers(), frame.keys()
        lists = [[None] * frame.rows if x is None else x.tolist() for x in (numbers, keys)]
        meta = (frame.record_type, frame.file_id, tuple(sorted(frame.units.items())))
        return [
            (o, (meta, tuple(r.items()), n, k, t)) for o, r, n, k, t in zip(ordinals, rows, *lists, times, strict=True)
        ]
    return [(o, (tuple(r.items()), t)) for o, r, t in zip(ordinals, rows, times, strict=True)]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


@pytest.fixture(scope="session")
def everything() -> Callable[..., Rows]:
    """Read all rows of [start, stop), as comparable Python values, in order of arrival."""

    def read(reader: Reader, **filters: Any) -> Rows:
        rows: Rows = []
        last = -1
        for frame in reader.frames(**filters):
            assert frame.first >= last, "frames come by ascending first ordinal"
            last = frame.first
            rows += _frame_rows(frame)
        return sorted(rows, key=lambda r: r[0])

    return read


@pytest.fixture(scope="session")
def telemetry() -> Callable[..., pa.RecordBatch]:
    """Return observations of a few tags, all columns in use, with nulls, NaN and a negative zero."""

    def make(rows: int, *, seed: int = 0, start: int = 0) -> pa.RecordBatch:
        rng = np.random.default_rng(seed)
        tag = rng.integers(0, 9, rows)
        value = np.round(rng.normal(20, 5, rows), 2)
        value[rng.random(rows) < 0.02] = np.nan
        value[rng.random(rows) < 0.02] = -0.0
        missing = rng.random(rows) < 0.1
        return pa.RecordBatch.from_pydict(
            {
                "tag": pa.array([f"tag/{t}" for t in tag]).dictionary_encode(),
                "source_time": pa.array(start + np.arange(rows) * 1_000_000_000 + rng.integers(0, 10**9, rows)),
                "source_text": pa.array([None if m else f"at {i}" for i, m in enumerate(missing)]),
                "time_basis": pa.array(["utc" if t % 2 else "local" for t in tag]).dictionary_encode(),
                "epoch": pa.array(np.full(rows, 2)),
                "sequence": pa.array(np.arange(rows)),
                "op": pa.array((rng.random(rows) < 0.05).astype(np.int8)),
                "key": pa.array([f"k{i % 7}" for i in range(rows)]),
                "value": pa.array(value, mask=missing),
                "text": pa.array(["zu heiß" if m else None for m in missing]),
                "unit": pa.array([("degC", "K", None)[t % 3] for t in tag]).dictionary_encode(),
                "status": pa.array(rng.integers(-3, 3, rows).astype(np.int32)),
                "origin_file": pa.array(["a.csv"] * rows).dictionary_encode(),
                "origin_row": pa.array(np.arange(rows) + 3),
            }
        )

    return make


@pytest.fixture(scope="session")
def flights() -> Callable[..., pa.RecordBatch]:
    """Return records of a small table."""

    def make(rows: int, *, seed: int = 0) -> pa.RecordBatch:
        rng = np.random.default_rng(seed)
        return pa.RecordBatch.from_pydict(
            {
                "carrier": pa.array([("UA", "B6", None)[i % 3] for i in range(rows)]),
                "delay": pa.array(rng.normal(0, 10, rows)),
                "hour": pa.array(np.arange(rows) % 24),
            }
        )

    return make


@pytest.fixture(scope="session")
def fill(telemetry: Callable[..., pa.RecordBatch], flights: Callable[..., pa.RecordBatch]) -> Callable[[Writer], None]:
    """Append observations, records and a retraction, a few thousand rows in all."""

    def append(w: Writer) -> None:
        for k in range(12):
            w.append_observations(telemetry(300, seed=k, start=k * 10**12))
            w.append_records(f"t{k % 2}", flights(7, seed=k), file_id=f"f{k}", row_numbers=np.arange(7) + k)
        w.retract_file("f3")
        w.rotate()

    return append
