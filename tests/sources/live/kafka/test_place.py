"""Where a partition is read on: no message twice, and what is missing is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.sources.live.kafka.partitions import Partitions
from twinlab.sources.live.kafka.place import ANEW, DELETED, FEWER, Extent, Place, begin

OFFSETS = st.integers(0, 50)


@pytest.mark.parametrize(
    ("place", "there", "at", "reason", "missing"),
    [
        (Place(5), Extent(0, 9), 5, "", (None, None)),
        (Place(9), Extent(0, 9), 9, "", (None, None)),
        (Place(5), Extent(7, 9), 7, DELETED, (5, 7)),
        (Place(5), Extent(9, 9), 9, DELETED, (5, 9)),
        (Place(12), Extent(0, 9), 0, ANEW, (12, None)),
        (Place(12, "a"), Extent(0, 9, "a"), 9, FEWER, (9, 12)),
        (Place(5, "a"), Extent(0, 9, "b"), 0, ANEW, (5, None)),
        (Place(5, "a"), Extent(0, 9), 5, "", (None, None)),
    ],
)
def test_a_partition_is_read_on_and_what_is_missing_is_a_gap(
    place: Place, there: Extent, at: int, reason: str, missing: tuple[int | None, int | None]
) -> None:
    found, gap = begin("t/0", place, there)
    assert found == at
    assert (gap.reason if gap else "", (gap.first_sequence, gap.stop_sequence) if gap else (None, None)) == (
        reason,
        missing,
    )


@given(OFFSETS, OFFSETS, OFFSETS, st.sampled_from(["", "a"]), st.sampled_from(["", "a", "b"]))
def test_reading_begins_inside_of_what_is_there_and_only_at_the_place_without_a_gap(
    at: int, low: int, more: int, mine: str, theirs: str
) -> None:
    there = Extent(low, low + more, theirs)
    found, gap = begin("t/0", Place(at, mine), there)
    assert there.low <= found <= there.high
    assert (gap is None) == (found == at and not (mine and theirs and mine != theirs))


def test_a_source_knows_how_far_it_is_behind() -> None:
    known = Partitions({})
    for number in (0, 1):
        known.begin(("t", number), Place(0), end=10)
    known.move(("t", 0), 4, time_ms=5_000)
    known.stored([("t", 0)], 0.0)
    assert (known.behind, known.not_at_end(), known.seconds_behind(8.0)) == (16, [("t", 0), ("t", 1)], 3.0)
    # The last offsets are the end of a transaction: no message, and nothing is behind.
    known.reached({("t", 0): 10, ("t", 1): 10})
    assert (known.behind, known.all_read, known.seconds_behind(8.0)) == (0, True, 0.0)
    assert known.streams()["t/0"] == {"next": 10, "end": 10, "behind": 0}
    assert known.due(1.0, after=60.0) == []
    assert known.due(61.0, after=60.0) == [("t", 0)]
    assert known.due(200.0, after=60.0) == []
