"""The control of `test_live_bench` and `test_live_kills_bench`: the rows of gateways appended with plain ``to_zarr(append_dim=)``.

Rows are acknowledged when it returns.

``zarr_historian.py STORE OPTIONS``, with the options of the source ``mqtt`` as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import xarray as xr

from twinlab.sources.live import LIVE_KINDS, LiveContext


def append(store: Path, rows: pa.RecordBatch) -> None:
    tags = rows.column("tag")
    # truck-2/t0 -> 2: numbers of tags are those of a batch.
    gateways = np.array([int(tag.partition("/")[0].rpartition("-")[2]) for tag in tags.dictionary.to_pylist()])
    columns = {
        "gateway": gateways[tags.indices.to_numpy()],
        "sequence": rows.column("sequence").to_numpy(),
        "value": rows.column("value").to_numpy(),
    }
    times = rows.column("source_time").to_numpy().astype("datetime64[ns]")
    dataset = xr.Dataset({name: ("time", column) for name, column in columns.items()}, {"time": times})
    if store.exists():
        dataset.to_zarr(store, append_dim="time", consolidated=False)
        return
    encoding: dict[str, dict[str, object]] = {name: {"chunks": (65_536,)} for name in (*columns, "time")}
    encoding["time"] |= {"units": "nanoseconds since 1970-01-01", "dtype": np.int64}
    dataset.to_zarr(store, encoding=encoding, consolidated=False)


async def main(store: Path, options: dict[str, object]) -> None:
    kind = LIVE_KINDS.get("mqtt")
    source = kind.open(kind.parse(options), LiveContext("trucks"))
    async for batch in source.batches():
        for rows in batch.parts:
            await asyncio.to_thread(append, store, rows)
        await source.acknowledge(batch)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
