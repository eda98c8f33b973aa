"""A writer is frozen between two steps, and another process takes over: what the first wrote later isn't read, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from twinlab._locks import break_locks_like
from twinlab.errors import HistoryConflictError, SourceError
from twinlab.ledger import Ledger

Make = Callable[..., pa.RecordBatch]
Everything = Callable[..., list[tuple[int, Any]]]


class Fence:
    """Lets another writer take over at the ``at``-th call, as while the process is frozen there; later calls refuse."""

    def __init__(self, at: int, take_over: Callable[[], None]) -> None:
        self._left, self._take_over, self._lost = at, take_over, False

    def __call__(self) -> None:
        if self._lost:
            raise HistoryConflictError("another process has taken over")
        self._left -= 1
        if not self._left:
            self._take_over()
            self._lost = True


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("segment_rows", [4_000_000, 25])
def test_what_a_frozen_writer_writes_later_is_in_files_that_nobody_reads(
    tmp_path: Path, telemetry: Make, everything: Everything, step: int, segment_rows: int
) -> None:
    frozen, other = Ledger(tmp_path), Ledger(tmp_path)
    taken: list[Any] = []
    with frozen.writer("s", segment_rows=segment_rows) as writer:
        for seed in range(3):
            writer.append_observations(telemetry(10, seed=seed, start=seed * 10**12))
        reader = Ledger(tmp_path).reader("s")
        before = everything(reader)

        def take_over() -> None:
            break_locks_like(tmp_path / "s" / "lock", tmp_path)
            other.take_over()
            taken.append(other.writer("s", segment_rows=segment_rows))
            taken[0].append_observations(telemetry(10, seed=8, start=8 * 10**12))

        frozen.fence = Fence(step, take_over)
        # The third call comes after the sync: then these rows are acknowledged, and the other process has them.
        refused = pytest.raises((HistoryConflictError, SourceError)) if step < 3 else nullcontext()
        with refused:
            writer.append_observations(telemetry(10, seed=5, start=5 * 10**12))
        with pytest.raises(HistoryConflictError):
            writer.append_observations(telemetry(10, seed=6, start=6 * 10**12))
        with pytest.raises(HistoryConflictError):
            frozen.journal.append("note", {})
    taken[0].append_observations(telemetry(10, seed=9, start=9 * 10**12))
    assert taken[0].position == (60 if step == 3 else 50)
    taken[0].close()
    found = everything(Ledger(tmp_path).reader("s"))
    assert found == everything(reader)
    assert found[: len(before)] == before
    assert other.verify().ok, str(other.verify())
    with Ledger(tmp_path).writer("s") as again:
        assert again.torn is None


def test_a_source_without_rows_is_taken_over(tmp_path: Path, telemetry: Make) -> None:
    ledger = Ledger(tmp_path)
    ledger.take_over()
    with ledger.writer("s"):
        pass
    ledger.take_over()
    with ledger.writer("s") as writer:
        assert writer.append_observations(telemetry(3)).position == 3
