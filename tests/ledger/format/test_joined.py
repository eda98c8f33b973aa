"""Small frames of observations that are read as one have the rows of the frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.conftest import Rows
from twinlab.ledger import Ledger, Reader
from twinlab.ledger.format import joined as joined_module
from twinlab.ledger.format.joined import SMALL_ROWS


def observed(first: int, rows: int, tags: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({
        "tag": [tags[n % len(tags)] for n in range(rows)],
        "source_time": [(first + n) * 10**9 for n in range(rows)],
        "value": [float(first + n) if n % 3 else None for n in range(rows)],
        "text": [None if n % 3 else f"{n}" for n in range(rows)],
    })  # fmt: skip


#: Rows and tags of a frame, or a record between them.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([1, 2, 5, SMALL_ROWS, SMALL_ROWS + 1]), st.sampled_from([["a"], ["b", "a"], ["c"]])),
        st.none(),
        st.just("rotate"),
    ),
    max_size=20,
)


@settings(max_examples=40, deadline=None)
@given(STEPS, st.data())
def test_joined_frames_have_the_rows_of_all(
    tmp_path_factory: pytest.TempPathFactory,
    everything: Callable[..., Rows],
    steps: list[tuple[int, list[str]] | str | None],
    data: st.DataObject,
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("l"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joined_module, "JOINED_FRAMES", 4)
        with ledger.writer("s") as writer:
            for step in steps:
                if step is None:
                    writer.append_records("t", pa.RecordBatch.from_pydict({"x": [1]}))
                elif isinstance(step, str):
                    writer.rotate()
                else:
                    writer.append_observations(observed(writer.position, *step))
            end = writer.position
        reader = ledger.reader("s")
        start = data.draw(st.integers(0, end))
        stop = data.draw(st.integers(start, end))
        span = {"start": start, "stop": stop}
        assert everything(reader, **span, join=True) == everything(reader, **span)
        for tags in (["a"], ["b", "c"]):
            assert everything(_Cut(reader, tags), **span) == everything(_Cut(reader, tags, join=False), **span)
        ledger.seal("s")
        assert everything(Ledger(ledger.path).reader("s"), **span, join=True) == everything(reader, **span)


class _Cut:
    """A reader of the observations of some tags."""

    def __init__(self, reader: Reader, tags: list[str], *, join: bool = True) -> None:
        self._reader, self._tags, self._join = reader, tags, join

    def frames(self, **span: int) -> object:
        for frame in self._reader.frames(**span, tags=self._tags, join=self._join):
            cut = frame.of_tags(self._tags.__contains__) if frame.kind == "observations" else frame
            if cut is not None:
                assert set(cut.tags) <= set(self._tags)
                yield cut


def test_small_neighbours_are_one_and_blocks_do_not_depend_on_the_start(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.writer("s") as writer:
        for n in range(600):
            writer.append_observations(observed(n, 1, ["a"]))
        writer.append_observations(observed(600, SMALL_ROWS + 1, ["a"]))
        writer.append_observations(observed(900, 1, ["a"]))
    reader = ledger.reader("s")
    assert [frame.rows for frame in reader.frames(join=True)] == [256, 256, 88, SMALL_ROWS + 1, 1]
    assert [frame.rows for frame in reader.frames(start=300, join=True)] == [212, 88, SMALL_ROWS + 1, 1]
    (whole, *_) = reader.frames(join=True)
    frames = list(reader.frames(stop=256))
    assert whole.ingest_time == frames[-1].ingest_time
    assert whole.time_range == (0, 255 * 10**9)
    assert whole.ingest_times().tolist() == [frame.ingest_time for frame in frames]
