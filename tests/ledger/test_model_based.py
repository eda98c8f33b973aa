"""The ledger compared with a plain list, after appends, crashes, reopening, retraction and sealing in any order."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from twinlab.ledger import Ledger, Records
from twinlab.ledger.writer import Writer

values = st.floats(width=64) | st.integers(-10_000, 10_000).map(lambda k: k / 100) | st.none()
observation = st.tuples(
    st.sampled_from(["a", "b", "Kühlraum 3", "d"]),
    st.integers(-(2**62), 2**62) | st.integers(0, 100).map(lambda k: k * 1_000_000_000),
    values,
    st.sampled_from(["degC", "K", None]),
    st.none() | st.text(max_size=5),
)
observations = st.lists(observation, min_size=1, max_size=30)
files = st.sampled_from(["f1", "f2", "f3"])


def _batch(rows: list[Any]) -> pa.RecordBatch:
    tag, time, value, unit, text = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(tag).dictionary_encode(),
            pa.array(time, pa.int64()),
            pa.array(value, pa.float64()),
            pa.array(unit, pa.string()).dictionary_encode(),
            pa.array(text, pa.string()),
        ],
        names=["tag", "source_time", "value", "unit", "text"],
    )


def _records(numbers: list[int], file_id: str) -> Records:
    rows = pa.RecordBatch.from_pydict({"n": pa.array(numbers, pa.int64())})
    return Records("table", rows, np.array(numbers), file_id, None, None)


class Beside(RuleBasedStateMachine):
    """The ledger must have the rows of the list."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.ledger = Ledger(self.root)
        self.rows: list[Any] = []
        self.retracted: dict[str, int] = {}
        self.writer: Writer

    @initialize(limit=st.sampled_from([10, 60, 10_000]))
    def begin(self, limit: int) -> None:
        self.limit = limit
        self.writer = self.ledger.writer("s", segment_rows=limit)

    @rule(rows=observations)
    def append(self, rows: list[Any]) -> None:
        ack = self.writer.append_observations(_batch(rows))
        self.rows += [("observation", *r) for r in rows]
        assert ack.position == len(self.rows)

    @rule(numbers=st.lists(st.integers(-9, 9), min_size=1, max_size=9), file_id=files)
    def append_table(self, numbers: list[int], file_id: str) -> None:
        self.writer.append_many([_records(numbers, file_id)])
        self.rows += [("record", file_id, n) for n in numbers]

    @rule(
        parts=st.lists(observations, min_size=1, max_size=3),
        numbers=st.lists(st.integers(0, 9), min_size=1, max_size=3),
    )
    def append_group(self, parts: list[Any], numbers: list[int]) -> None:
        self.writer.append_many([*map(_batch, parts), _records(numbers, "f1")])
        self.rows += [("observation", *r) for rows in parts for r in rows] + [("record", "f1", n) for n in numbers]

    @rule(rows=observations)
    def fail_within_a_group(self, rows: list[Any]) -> None:
        try:
            with self.writer.group():
                self.writer.append_observations(_batch(rows))
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    @rule(file_id=files)
    def retract(self, file_id: str) -> None:
        self.writer.retract_file(file_id)
        self.retracted[file_id] = len(self.rows)
        self.rows.append(("retract", file_id))

    @rule()
    def reopen(self) -> None:
        self.writer.close()
        self.writer = self.ledger.writer("s", segment_rows=self.limit)
        assert self.writer.torn is None

    @rule(rows=observations, share=st.floats(0, 1))
    def die_while_writing(self, rows: list[Any], share: float) -> None:
        folder = self.root / "s"
        segment = max(folder.glob("*.seg"), default=None)
        if segment is None or self.writer.position % 2:
            return
        before, published = segment.read_bytes(), (folder / "position").read_bytes()
        with tempfile.TemporaryDirectory() as other:
            # The frame that would have been written next: written by a copy of this ledger.
            shutil.copytree(folder, Path(other) / "s")
            with Ledger(other).writer("s") as w:
                w.append_observations(_batch(rows))
            frame = (Path(other) / "s" / segment.name).read_bytes()[len(before) :]
        kept = frame[: int(share * len(frame))]
        self.writer.close()
        segment.write_bytes(before + kept)
        (folder / "position").write_bytes(published)
        self.writer = self.ledger.writer("s", segment_rows=self.limit)
        if len(kept) == len(frame) and frame:
            self.rows += [("observation", *r) for r in rows]
            assert self.writer.torn is None

    @rule()
    def seal(self) -> None:
        self.ledger.seal("s")

    @rule()
    def rotate_and_seal(self) -> None:
        self.writer.rotate()
        self.ledger.seal("s")

    @invariant()
    def holds_what_the_list_holds(self) -> None:
        for reader in (self.ledger.reader("s"), Ledger(self.root).reader("s")):
            assert reader.position() == len(self.rows)
            found: list[Any] = [None] * len(self.rows)
            for frame in reader.frames():
                for ordinal, row in zip(frame.ordinals().tolist(), self._rows_of(frame), strict=True):
                    found[ordinal] = row
            assert repr(found) == repr(self.rows)
            assert reader.retracted_files() == self.retracted

    @staticmethod
    def _rows_of(frame: Any) -> list[Any]:
        if frame.kind == "retract_file":
            return [("retract", frame.file_id)]
        if frame.kind == "records":
            return [("record", frame.file_id, r["n"]) for r in frame.batch().to_pylist()]
        names = ("tag", "source_time", "value", "unit", "text")
        return [("observation", *(r[n] for n in names)) for r in frame.batch().to_pylist()]

    def teardown(self) -> None:
        if hasattr(self, "writer"):
            self.writer.close()
            assert self.ledger.verify().ok
        shutil.rmtree(self.root)


Beside.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestTheLedgerHoldsWhatAListWouldHold = Beside.TestCase
