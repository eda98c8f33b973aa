"""A writer that is killed: commits slab after slab and prints each number after its publication. Used by test_publication."""

import sys
from pathlib import Path

import numpy as np

from twinlab.history.layout.grid import Group
from twinlab.history.write.history_store import HistoryStore
from twinlab.history.write.transaction import Transaction
from twinlab.model.twinmodel import Signal

GROUP = Group("truck", "1min")
SIGNAL = Signal(unit="degC", resolution=0.1)
LENGTH = 300


def slab(number: int) -> np.ndarray:
    """Return the values of a slab."""
    k = np.arange(number * LENGTH, (number + 1) * LENGTH)[:, None] + np.array([0, 100_000])
    return (k * 2_654_435_761 % 100_003).astype("int32")


def write_slab(txn: Transaction, number: int) -> None:
    """Write a slab, all cells of which pass, and the number of the next one."""
    txn.ensure_group(GROUP, {"temperature": SIGNAL}, 2)
    values = slab(number)
    flags = np.ones(values.shape, "uint8")
    txn.write_cells(GROUP, number * LENGTH, {"temperature": values}, {"temperature": flags})
    txn.meta["next"] = number + 1


def main(root: Path) -> None:
    """Continue writing from the history's position until killed."""
    store = HistoryStore.open(root)
    with store.lock():
        print("ready", flush=True)  # noqa: T201  (the parent reads it)
        number = int(str(store.view().meta.get("next", 0)))
        while True:
            with store.transaction() as txn:
                write_slab(txn, number)
                txn.commit("slab")
            number += 1
            if number % 7 == 0:
                store.compact(GROUP)
            print(number, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
