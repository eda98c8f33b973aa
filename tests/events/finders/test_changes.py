"""What became of events: their ids stay, and are unique."""

from __future__ import annotations

import numpy as np
import pytest

from twinlab.events.algebra.spans import Spans
from twinlab.events.finders.changes import changed_events
from twinlab.events.finders.state import FinderState
from twinlab.model.finders import Finder

HOUR = 3600 * 10**9


def hours(*spans: tuple[int, int]) -> Spans:
    table = np.array(spans, dtype=np.int64).reshape(-1, 2) * HOUR
    return Spans(np.zeros(len(table), dtype=np.int64), table[:, 0], table[:, 1], 1)


def named(hour: int) -> str:
    return f"warm/a/1970-01-01T{hour:02}:00:00"


def became(old: Spans, new: Spans, ids: dict[tuple[str, int], str]) -> tuple[dict, list[tuple]]:
    finder = Finder(on="room", when="temperature > 8 degC")
    before = FinderState("", {}, 24 * HOUR, ("a",), old, ids)
    found, table = changed_events({"warm": finder}, {"warm": before}, {"warm": 24 * HOUR}, ("a",), old, new)["warm"]
    return found, list(table.itertuples(index=False, name=None))


def test_what_is_as_it_was_has_no_row() -> None:
    assert became(hours((1, 2), (5, 9)), hours((1, 2), (5, 9)), {}) == ({}, [])


@pytest.mark.parametrize(
    ("old", "new", "ids", "rows"),
    [
        ([(6, 9)], [(5, 9)], {("a", 5 * HOUR): named(6)}, [("moved", named(6), named(6))]),
        (
            [(1, 9)],
            [(1, 3), (4, 9)],
            {("a", 4 * HOUR): named(1), ("a", 1 * HOUR): named(1) + "/2"},
            [("moved", named(1), named(1)), ("split", named(1) + "/2", named(1))],
        ),
        ([(1, 2)], [(3, 4)], {}, [("appeared", named(3), ""), ("withdrawn", "", named(1))]),
        ([], [], {}, []),
    ],
)
def test_an_event_is_the_old_one_that_it_overlaps_most(old: list, new: list, ids: dict, rows: list) -> None:
    assert became(hours(*old), hours(*new), {}) == (ids, rows)


def test_a_new_event_never_has_the_id_of_another_one() -> None:
    # The event from 2 to 3 has the id of one that began at 6; now another one begins there.
    old, ids = hours((2, 3)), {("a", 2 * HOUR): named(6)}
    found, rows = became(old, hours((2, 3), (6, 7)), ids)
    assert found == ids | {("a", 6 * HOUR): named(6) + "/2"}
    assert rows == [("appeared", named(6) + "/2", "")]
