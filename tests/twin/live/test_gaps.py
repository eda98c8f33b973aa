"""Recorded gaps and the rows that arrived last, as pages read them again and again."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pytest

import twinlab as tl
from twinlab.ledger import Journal, Records
from twinlab.sources.live import Gap
from twinlab.twin.live.gaps import record_gaps


def test_gaps_are_read_once_and_new_ones_are_added(
    live_twin: Callable[[str], tl.Twin], monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = live_twin("{kind: replay, file: log.csv}")
    journal = twin.ledger.journal
    assert twin.gaps().empty
    record_gaps(journal, "feed", (Gap("a", "shed", start_ns=10**18, stop_ns=10**18 + 5),))
    record_gaps(journal, "other", (Gap("", "outage", epoch=2, first_sequence=3, stop_sequence=9),))
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
    read = Journal.entries
    monkeypatch.setattr(
        Journal, "entries", lambda self, kind, **how: starts.append(how["start"]) or read(self, kind, **how)
    )
    assert len(twin.gaps()) == 2
    assert starts == []
    record_gaps(journal, "feed", (Gap("b", "outage"),))
    assert list(twin.gaps("feed")["stream"]) == ["a", "b"]
    assert list(twin.gaps()["stream"]) == ["a", "", "b"]
    assert starts == [journal.position() - 1]


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
