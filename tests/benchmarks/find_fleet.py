"""A year of temperatures of a fleet at one minute, as a twin's history and as an expert would store it in Parquet.

``TWINLAB_BENCH_TRUCKS`` (1000) trucks over ``TWINLAB_BENCH_DAYS`` (365) days are 525.6 million cells: 3 % missing in outages,
0.2 % suspect, 0.05 % failed, which read 40 degrees too much. One truck in a hundred was in a fire: three spans of hours above
70 degC. Built once in ``TWINLAB_BENCH_DIR`` (0.7 GB, three minutes) and kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import telemetry
from numpy.typing import NDArray

from twinlab.history import HistoryReader
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Group
from twinlab.history.write.history_store import HistoryStore
from twinlab.ledger import Ledger
from twinlab.model.twinmodel import TwinModel

TRUCKS = int(os.environ.get("TWINLAB_BENCH_TRUCKS", "1000"))
DAYS = int(os.environ.get("TWINLAB_BENCH_DAYS", "365"))
CELLS = DAYS * 1440
ORIGIN = "2013-01-01"
GROUP = Group("truck", "1min")
#: Trucks that were ever above 70 degC: one in a hundred.
HOT = 100
#: What an expert sets: integers in the sensor's resolution, sorted, delta encodings, zstd, row groups of a quarter of a
#: series, whose statistics exclude those that can't have a hit.
SCHEMA = pa.schema([("series", pa.int16()), ("minute", pa.int32()), ("number", pa.int32()), ("flag", pa.uint8())])
OPTIONS: dict[str, Any] = {
    "compression": "zstd", "use_dictionary": ["series", "flag"],
    "column_encoding": {"minute": "DELTA_BINARY_PACKED", "number": "DELTA_BINARY_PACKED"},
}  # fmt: skip
ROW_GROUP = 131_072


@dataclass(frozen=True)
class Fleet:
    """The history and the peer's file."""

    root: Path
    #: All rows with their flags, as the twin stores them.
    rows: Path

    def reader(self) -> HistoryReader:
        """Return a reader of the history; its ledger is empty."""
        return HistoryReader(self.root, Ledger(self.root / "ledger"), model(), {})


def model() -> TwinModel:
    """Return the model of the fleet."""
    signals = {"temperature": {"unit": "degC", "resolution": 0.1, "cadence": "1min"}}
    return TwinModel.model_validate({"twin": "fleet", "origin": ORIGIN, "asset_types": {"truck": {"signals": signals}}})


def series(number: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return stored integers and flags of a truck."""
    rng = np.random.default_rng(number)
    # The fourth fifth of the kinds of telemetry are temperatures.
    values = telemetry.series(3 * TRUCKS + number, CELLS, seconds=60.0, assets=5 * TRUCKS)
    if number % HOT == HOT // 2:
        for first in rng.integers(0, CELLS - 400, 3):
            values[first : first + rng.integers(60, 400)] += 800
    flags = np.ones(CELLS, np.uint8)
    flags[rng.integers(0, CELLS, CELLS // 500)] = 3
    wrong = rng.integers(0, CELLS, CELLS // 2000)
    values[wrong] += 400
    flags[wrong] = 4
    for first, long in zip(rng.integers(0, CELLS, CELLS // 1000), rng.geometric(1 / 30, CELLS // 1000), strict=True):
        flags[first : first + long] = 9
    values[flags == 9] = sentinel(np.int32)
    return values, flags


def build(folder: Path) -> Fleet:
    """Build the history and the peer's file, unless they are there."""
    root = folder / f"find-{TRUCKS}x{DAYS}"
    fleet = Fleet(root, root / "rows.parquet")
    if not (root / "done").exists():
        signal = model().asset_types["truck"].signals["temperature"]
        store = HistoryStore.create(root / "history", origin_ns=model().origin_ns)
        with pq.ParquetWriter(fleet.rows, SCHEMA, **OPTIONS) as rows, store.lock(), store.transaction() as txn:
            txn.ensure_group(GROUP, {"temperature": signal}, TRUCKS)
            for first, values, flags in _bands():
                parts = {"temperature": values.T}, {"temperature": flags.T}
                txn.write_cells(GROUP, 0, *parts, first_asset=first)
                for place in range(len(values)):
                    rows.write_table(_table(first + place, values[place], flags[place]), row_group_size=ROW_GROUP)
            txn.meta["assets"] = {"truck": [f"T{n:04d}" for n in range(TRUCKS)]}
            txn.commit("benchmark")
        (root / "done").touch()
    return fleet


def _bands() -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.uint8]]]:
    for first in range(0, TRUCKS, 64):
        found = [series(number) for number in range(first, min(first + 64, TRUCKS))]
        yield first, np.stack([one for one, _ in found]), np.stack([one for _, one in found])


def _table(number: int, values: NDArray[np.int32], flags: NDArray[np.uint8]) -> pa.Table:
    minute = np.flatnonzero(flags != 9).astype(np.int32)
    columns = np.full(len(minute), number, np.int16), minute, values[minute], flags[minute]
    return pa.table([pa.array(one) for one in columns], schema=SCHEMA)
