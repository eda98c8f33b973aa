"""Append rows that are functions of their ordinals, seal now and then, and print the position after each acknowledgement."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from twinlab.ledger import Ledger


def batch(first: int, rows: int) -> pa.RecordBatch:
    n = np.arange(first, first + rows)
    return pa.RecordBatch.from_arrays(
        [
            pa.DictionaryArray.from_arrays(pa.array((n % 7).astype(np.int32)), pa.array([f"t{i}" for i in range(7)])),
            pa.array(n * 1_000),
            pa.array((n * 2654435761 % 100_003) / 100),
        ],
        names=["tag", "source_time", "value"],
    )


def main() -> None:
    ledger = Ledger(Path(sys.argv[1]))
    with ledger.writer("s", segment_rows=4_000) as w:
        sys.stdout.write(f"torn {w.torn.bytes if w.torn else 0} {w.position}\n")
        sys.stdout.flush()
        step = 0
        while True:
            if step % 5 == 4:
                first = w.position
                w.append_many([batch(first, 100), batch(first + 100, 200)])
            else:
                w.append_observations(batch(w.position, 300))
            sys.stdout.write(f"ack {w.position}\n")
            sys.stdout.flush()
            step += 1
            if step % 20 == 0:
                ledger.seal("s")


if __name__ == "__main__":
    main()
