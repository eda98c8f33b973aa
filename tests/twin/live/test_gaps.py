"""Gaps are recorded with what became of them; pages read them, and the rows that arrived last, again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import twinlab as tl
from tests.twin.live.test_runner import MINUTE, START, Feed, rows
from twinlab.errors import SourceError
from twinlab.ledger import Records
from twinlab.ledger.journal import FileJournal
from twinlab.model.extensions.live_kind import LiveKind
from twinlab.sources.live import LIVE_KINDS, Filled, Gap, LiveBatch
from twinlab.twin.live.gaps import GapChange, GapLog, RecordedGaps

Make = Callable[[str], tl.Twin]
GAP = Gap("pump", "queue overflow", start_ns=START, stop_ns=START + MINUTE, tags=("a.t",))
OTHER = Gap("fan", "outage", epoch=2, first_sequence=5, stop_sequence=9)


def states(twin: tl.Twin) -> list[tuple[object, ...]]:
    table = twin.gaps("feed")[["stream", "state", "rows", "note"]].astype({"rows": object})
    return [tuple(None if value is pd.NA else value for value in row) for row in table.to_numpy()]


@pytest.fixture
def run(live_twin: Make, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tl.Twin]:
    """Return a function that runs a twin once with a source of a class."""

    def go(source: type[Feed], twin: tl.Twin | None = None) -> tl.Twin:
        source.opened, source.acknowledged, source.filled = [], [], []
        LIVE_KINDS.get("replay")
        kind = LiveKind("replay", source, LIVE_KINDS.get("replay").options)
        monkeypatch.setitem(LIVE_KINDS._loaded, "replay", kind)
        twin = twin or live_twin("{kind: replay, file: none}")
        twin.run(once=True)
        return twin

    return go


class Reports(Feed):
    """Reports two gaps with its third batch; the rows of one come with the sixth."""

    async def fill(self, gap: Gap) -> str:
        await super().fill(gap)
        return "" if gap.stream == "pump" else "the fan has no memory"

    def batch(self, first: int) -> LiveBatch:
        gaps = (GAP, OTHER) if first == 20 else ()
        filled = (Filled(GAP, "the pump's memory", 7),) if first == 50 else ()
        return LiveBatch((rows(first, 10),), offsets={"": first + 10}, gaps=gaps, filled=filled)


def test_a_gap_that_is_filled_says_by_what_and_one_that_is_lost_says_why(run: Callable[..., tl.Twin]) -> None:
    twin = run(Reports)
    assert states(twin) == [("pump", "filled", 7, "the pump's memory"), ("fan", "lost", None, "the fan has no memory")]
    table = twin.gaps()
    assert (table.changed >= table.noted).all()
    assert table.changed.dt.tz is None
    # The next run asks for neither.
    run(Reports, twin)
    assert Reports.filled == []


class Unreachable(Reports):
    async def fill(self, gap: Gap) -> str:
        await super().fill(gap)
        raise SourceError("the pump isn't connected")


class Late(Reports):
    """Has the rows of the gap once it is asked for them."""

    async def batches(self) -> AsyncIterator[LiveBatch]:
        yield LiveBatch((rows(100, 1),), offsets={"": 101})
        async with asyncio.timeout(20):
            while len(self.filled) < 2:  # noqa: ASYNC110  (the runner has no event for it)
                await asyncio.sleep(0.01)
        yield LiveBatch((rows(101, 3),), offsets={"": 104}, filled=(Filled(GAP, "the pump's memory", 3),))
        self.meter.ended()


def test_a_gap_that_could_not_be_asked_for_is_asked_for_by_the_next_run(run: Callable[..., tl.Twin]) -> None:
    class Silent(Unreachable):
        def batch(self, first: int) -> LiveBatch:
            return LiveBatch((rows(first, 10),), offsets={"": first + 10}, gaps=(GAP, OTHER) if first == 20 else ())

    twin = run(Silent)
    assert states(twin) == [
        ("pump", "open", None, "the pump isn't connected"),
        ("fan", "open", None, "the pump isn't connected"),
    ]
    run(Late, twin)
    assert Late.filled == [GAP, OTHER]
    assert states(twin) == [("pump", "filled", 3, "the pump's memory"), ("fan", "lost", None, "the fan has no memory")]


def test_gaps_that_a_source_fills_by_itself_are_one_record_a_minute(tmp_path: Path) -> None:
    journal, now = FileJournal(tmp_path), [100.0]
    log = GapLog(journal, "plc", now=lambda: now[0])
    for second in range(120):
        now[0] = 100.0 + second
        gap = Gap("t", "queue overflow", start_ns=second * 10, stop_ns=second * 10 + 5, tags=("t",))
        log.fill([Filled(gap, "the server's history", 2, opened_ns=START + second)])
    log.fill((), ending=True)
    table = RecordedGaps(journal).table("plc")
    assert table.state.tolist() == ["filled"] * 3
    assert table.rows.tolist() == [2, 120, 118]
    assert table.start.astype("int64").tolist() == [0, 10, 610]
    assert table.stop.astype("int64").tolist() == [5, 605, 1195]
    assert table.noted.astype("int64").tolist() == [START, START + 1, START + 61]
    log.fill((), ending=True)
    assert len(RecordedGaps(journal).table()) == 3


def test_a_gap_that_is_recorded_twice_has_two_rows_and_what_became_of_the_later_one(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    log = GapLog(journal, "plc")
    for _ in range(2):
        log.note([GAP])
    log.change([GapChange(GAP, "asked")])
    log.change([GapChange(GAP, "filled", "part one", 4)])
    log.change([GapChange(GAP, "filled", "part two", 5)])
    GapLog(journal, "other").change([GapChange(GAP, "lost", "not here")])
    table = RecordedGaps(journal).table()
    assert table.state.tolist() == ["open", "filled", "lost"]
    assert table.rows.tolist() == [pd.NA, 9, pd.NA]
    assert table.source.tolist() == ["plc", "plc", "other"]
    assert log.open() == [GAP]


def test_gaps_are_read_once_and_new_ones_are_added(
    live_twin: Callable[[str], tl.Twin], monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = live_twin("{kind: replay, file: log.csv}")
    journal = twin.ledger.journal
    assert twin.gaps().empty
    GapLog(journal, "feed").note([Gap("a", "shed", start_ns=10**18, stop_ns=10**18 + 5)])
    GapLog(journal, "other").note([Gap("", "outage", epoch=2, first_sequence=3, stop_sequence=9)])
    found = twin.gaps("feed")
    assert found[["source", "stream", "reason"]].to_numpy().tolist() == [["feed", "a", "shed"]]
    assert found["stop"].iloc[0] == pd.Timestamp(10**18 + 5)
    assert pd.isna(found["epoch"].iloc[0])
    both = twin.gaps()
    assert list(both["source"]) == ["feed", "other"]
    assert both["stop_sequence"].iloc[1] == 9
    assert pd.isna(both["start"].iloc[1])
    # What a caller does to its table isn't seen by the next one.
    found.loc[0, "stream"] = "changed"
    assert twin.gaps("feed")["stream"].iloc[0] == "a"

    starts: list[int] = []
    read = FileJournal.entries
    monkeypatch.setattr(
        FileJournal, "entries", lambda self, kind, **how: starts.append(how["start"]) or read(self, kind, **how)
    )
    assert len(twin.gaps()) == 2
    assert starts == []
    GapLog(journal, "feed").note([Gap("b", "outage")])
    assert list(twin.gaps("feed")["stream"]) == ["a", "b"]
    assert list(twin.gaps()["stream"]) == ["a", "", "b"]
    assert starts == [journal.position() - 1]
    GapLog(journal, "feed").change([GapChange(Gap("b", "outage"), "lost", "no memory")])
    assert list(twin.gaps("feed")["state"]) == ["open", "lost"]
    assert list(twin.gaps()["state"]) == ["open", "open", "lost"]


def test_last_rows_have_the_columns_of_a_source_that_uses_our_names(live_twin: Callable[[str], tl.Twin]) -> None:
    twin = live_twin("{kind: replay, file: log.csv}")
    rows = pa.RecordBatch.from_pydict({"leg": ["L1", "L2"], "arrived": ["08:00", None], "table": [None, "T"]})
    more = pa.RecordBatch.from_pydict({"hub": ["FRA"], "arrived": ["10:00"]})
    with twin.ledger.writer("feed") as writer:
        writer.append_many([Records("legs", rows), Records("hubs", more)])
    found = twin.recent_rows("feed")
    assert found["table"].tolist() == ["hubs", "legs", "legs"]
    assert found["arrived (source)"].fillna("–").tolist() == ["10:00", "–", "08:00"]
    assert found["table (source)"].dropna().tolist() == ["T"]
    assert pd.api.types.is_datetime64_any_dtype(found["arrived"])
