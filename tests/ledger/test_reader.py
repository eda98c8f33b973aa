"""Reading a source: windows of positions, filters, columns, and rows that are appended meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from twinlab.ledger import Ledger, Writer

Make = Callable[..., pa.RecordBatch]
Everything = Callable[..., list[tuple[int, Any]]]
Fill = Callable[[Writer], None]


def test_only_the_columns_asked_for_are_decoded(ledger: Ledger, telemetry: Make) -> None:
    with ledger.writer("s") as w:
        w.append_observations(telemetry(50))
    (frame,) = ledger.reader("s").frames()
    assert frame.batch(columns=("value", "tag")).schema.names == ["tag", "value"]


def test_a_window_of_positions_cuts_frames_exactly(
    ledger: Ledger, telemetry: Make, flights: Make, everything: Everything
) -> None:
    with ledger.writer("s") as w:
        w.append_observations(telemetry(100))
        w.append_records("t", flights(10), row_numbers=np.arange(10) * 2)
        w.append_observations(telemetry(100, seed=1))
    reader = ledger.reader("s")
    whole = everything(reader)
    for start, stop in ((0, 1), (37, 105), (99, 101), (100, 110), (103, 210), (210, 400), (5, 5)):
        assert everything(reader, start=start, stop=stop) == whole[start:stop]


def test_a_reader_opened_before_the_rows_sees_them_once_they_are_acknowledged(ledger: Ledger, telemetry: Make) -> None:
    reader = ledger.reader("s")
    assert reader.position() == 0
    assert list(reader.frames()) == []
    with ledger.writer("s") as w:
        for k in range(3):
            w.append_observations(telemetry(10, seed=k))
            assert reader.position() == sum(f.rows for f in reader.frames()) == 10 * (k + 1)


@pytest.mark.parametrize("sealed", [False, True])
def test_filters_skip_frames_but_never_a_row_that_fits(
    ledger: Ledger, everything: Everything, monkeypatch: pytest.MonkeyPatch, sealed: bool, fill: Fill
) -> None:
    monkeypatch.setattr("twinlab.ledger.seal.GROUP_ROWS", 200)
    with ledger.writer("s", segment_rows=1000) as w:
        fill(w)
        w.append_observations(
            pa.RecordBatch.from_pydict({"tag": ["rare"] * 3, "source_time": [5, 6, 7], "value": [1.0, 2.0, 3.0]})
        )
        w.rotate()
    if sealed:
        ledger.seal("s")
    reader = ledger.reader("s")
    whole = everything(reader)
    observed = [(o, dict(r[0])) for o, r in whole if isinstance(r[0], tuple) and len(r) == 2]
    others = {o for o, _ in whole} - {o for o, _ in observed}
    assert len(observed) == 3603
    for tags, span in (
        ({"rare"}, None), ({"tag/1", "rare"}, None), (None, (10**12, 2 * 10**12)), ({"tag/5"}, (5, 10**10)), ({"none"}, None), (None, (6, 7)),
    ):  # fmt: skip
        got = {o for o, _ in everything(reader, tags=tags, time=span)}
        wanted = {
            o for o, r in observed
            if (tags is None or r["tag"] in tags) and (span is None or span[0] <= r["source_time"] < span[1])
        }  # fmt: skip
        assert wanted <= got
        assert others <= got, "records and retractions always come"
    assert sum(f.rows for f in reader.frames(tags={"rare"}) if f.kind == "observations") <= 203


def test_readers_see_a_true_beginning_while_a_writer_appends_and_seals(
    ledger: Ledger, telemetry: Make, everything: Everything
) -> None:
    reader = ledger.reader("s")
    seen: list[Any] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def look() -> None:
        try:
            while not done.is_set():
                position = reader.position()
                rows = everything(reader, start=max(0, position - 900))
                assert len(rows) >= min(position, 900)
                seen.append(rows)
        except BaseException as error:  # noqa: BLE001 - shown by the main thread
            errors.append(error)

    threads = [threading.Thread(target=look) for _ in range(2)]
    with ledger.writer("s", segment_rows=500) as w:
        for thread in threads:
            thread.start()
        for k in range(40):
            w.append_observations(telemetry(50, seed=k))
            if k % 8 == 7:
                ledger.seal("s")
        done.set()
        for thread in threads:
            thread.join()
    assert not errors, errors
    whole = everything(reader)
    assert len(whole) == 2000
    for rows in seen:
        first = rows[0][0] if rows else 0
        assert rows == whole[first : first + len(rows)]
