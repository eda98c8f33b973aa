"""A process that writes rows ``n = 0, 1, …`` of one source to a twin in a store, until all are there: ``URL SOURCE ROWS BATCH``.

It writes ``ready`` to its standard output before it waits for its turn, then a line ``rows seconds`` for each acknowledged batch: how many
rows are durable now, and when.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pyarrow as pa

import twinlab as tl
from twinlab.errors import HistoryConflictError, SourceError

START = np.datetime64("2026-01-01", "ns").astype(np.int64)


def batch(source: str, first: int, count: int) -> pa.RecordBatch:
    """Return rows whose values say which they are: a second apart, in tags of ten."""
    number = np.arange(first, first + count)
    return pa.RecordBatch.from_pydict(
        {
            "tag": pa.array([f"{source}/{n % 10}/t" for n in number.tolist()]),
            "source_time": pa.array(START + number * 1_000_000_000, pa.timestamp("ns", "UTC")).cast(pa.int64()),
            "time_basis": pa.array(["utc"] * count),
            "value": pa.array((number % 1000) / 10),
        }
    )


def main(url: str, source: str, rows: int, size: int) -> None:
    """Write until all rows are there; a lost lease or a cut is no reason to end."""
    while True:
        try:
            twin = tl.open(url)
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            with twin.writer(source, standby=True) as writer:
                at = int(writer.offsets.get("line", 0))
                while at < rows:
                    count = min(size, rows - at)
                    ack = writer.append(batch(source, at, count), offsets={"line": at + count})
                    at += count
                    sys.stdout.write(f"{ack.position} {time.time()}\n")
                    sys.stdout.flush()
            return
        except (HistoryConflictError, SourceError) as error:
            sys.stderr.write(f"{error}\n")
            time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
