"""Relations in time against their definitions in plain Python."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twinlab as tl
from tests.events.algebra.tables import EXAMPLES, TABLES, Row, end_of, has_time, minutes, table

DISTANCE = st.integers(0, 4)


def related(mine: Row, other: Row) -> bool:
    return has_time(mine) and has_time(other) and mine.asset == other.asset


def common(mine: Row, other: Row) -> bool:
    """Whether they have an instant in common; one without duration is an instant."""
    if not related(mine, other):
        return False
    ends = [end_of(row) + (0.5 if row.end == row.start else 0) for row in (mine, other)]
    return max(mine.start, other.start) < min(ends)


def distance_after(mine: Row, other: Row) -> float:
    """How long after the end of the other one it starts; negative: not after."""
    return mine.start - end_of(other) if related(mine, other) else -1


def expected(rows: list[Row], others: list[Row], relation) -> list[int]:
    return [place for place, mine in enumerate(rows) if any(relation(mine, other) for other in others)]


@EXAMPLES
@given(TABLES, TABLES)
def test_overlaps_are_events_with_an_instant_in_common(rows: list[Row], others: list[Row]) -> None:
    found = tl.events.overlaps(table(rows), table(others))
    assert found["place"].tolist() == expected(rows, others, common)
    assert found.equals(table(rows).loc[found.index])


@EXAMPLES
@given(TABLES, TABLES)
def test_during_means_that_no_instant_is_outside_of_others(rows: list[Row], others: list[Row]) -> None:
    def covered(mine: Row) -> bool:
        if not has_time(mine):
            return False
        theirs = [other for other in others if related(mine, other)]
        # In half minutes, so that an event without duration is one instant and two that touch leave nothing free.
        ends = {id(row): 2 * end_of(row) + (row.end == row.start) for row in [mine, *theirs]}
        inside = set().union(*(range(2 * other.start, min(ends[id(other)], 90)) for other in theirs))
        return set(range(2 * mine.start, min(ends[id(mine)], 90))) <= inside

    found = tl.events.during(table(rows), table(others))
    assert found["place"].tolist() == [place for place, mine in enumerate(rows) if covered(mine)]


@EXAMPLES
@given(TABLES, TABLES, DISTANCE)
def test_follows_means_a_start_while_another_event_lasts_or_soon_after(
    rows: list[Row], others: list[Row], within: int
) -> None:
    def relation(mine: Row, other: Row) -> bool:
        return related(mine, other) and other.start <= mine.start <= end_of(other) + within

    found = tl.events.follows(table(rows), table(others), f"{within}min")
    assert found["place"].tolist() == expected(rows, others, relation)


@EXAMPLES
@given(TABLES, TABLES, st.none() | DISTANCE)
def test_after_and_before_want_one_to_be_over_when_the_other_starts(
    rows: list[Row], others: list[Row], distance: int | None
) -> None:
    most = float("inf") if distance is None else distance
    given_distance = None if distance is None else f"{distance}min"
    after = tl.events.after(table(rows), table(others), given_distance)
    assert after["place"].tolist() == expected(rows, others, lambda m, o: 0 <= distance_after(m, o) <= most)
    before = tl.events.before(table(rows), table(others), given_distance)
    assert before["place"].tolist() == expected(rows, others, lambda m, o: 0 <= distance_after(o, m) <= most)


@EXAMPLES
@given(TABLES, TABLES, DISTANCE)
def test_near_means_overlap_or_a_distance(rows: list[Row], others: list[Row], distance: int) -> None:
    def relation(mine: Row, other: Row) -> bool:
        apart = max(distance_after(mine, other), distance_after(other, mine))
        return common(mine, other) or 0 <= apart <= distance

    found = tl.events.near(table(rows), table(others), f"{distance}min")
    assert found["place"].tolist() == expected(rows, others, relation)


@EXAMPLES
@given(TABLES, TABLES)
def test_overlap_pairs_are_all_of_them_with_the_time_in_common(rows: list[Row], others: list[Row]) -> None:
    found = tl.events.overlap_pairs(table(rows), table(others, "door"))
    wanted = {(i, j) for i, m in enumerate(rows) for j, o in enumerate(others) if common(m, o)}
    pairs = list(zip(found["event"], found["other"], strict=True))
    assert set(pairs) == wanted
    assert len(pairs) == len(wanted)
    for (i, j), start, end in zip(pairs, minutes(found["start"]), minutes(found["end"]), strict=True):
        assert start == max(rows[i].start, others[j].start)
        last = min(end_of(rows[i]), end_of(others[j]))
        assert pd.isna(end) if last > 1000 else end == last
    assert found["event_id"].tolist() == [f"warm{i}" for i, _ in pairs]
    assert found["other_id"].tolist() == [f"door{j}" for _, j in pairs]


@EXAMPLES
@given(TABLES, TABLES)
def test_by_all_ignores_the_asset(rows: list[Row], others: list[Row]) -> None:
    one_asset = [[Row("a", row.start, row.end) for row in some] for some in (rows, others)]
    found = tl.events.overlaps(table(rows), table(others), by="all")
    assert found["place"].tolist() == tl.events.overlaps(*map(table, one_asset))["place"].tolist()


@EXAMPLES
@given(TABLES, TABLES)
def test_several_columns_are_a_key_if_all_are_equal(rows: list[Row], others: list[Row]) -> None:
    tables = [table(some).assign(room=[place % 3 for place in range(len(some))]) for some in (rows, others)]
    found = tl.events.overlaps(*tables, by=["asset", "room"])
    wanted = [
        place
        for place, mine in enumerate(rows)
        if any(common(mine, other) and n % 3 == place % 3 for n, other in enumerate(others))
    ]
    assert found["place"].tolist() == wanted


@EXAMPLES
@given(TABLES)
def test_an_event_with_a_time_overlaps_itself_and_nothing_overlaps_no_events(rows: list[Row]) -> None:
    some, none = table(rows), table([])
    assert tl.events.overlaps(some, some)["place"].tolist() == [n for n, row in enumerate(rows) if has_time(row)]
    for relation in (tl.events.overlaps, tl.events.during, tl.events.after, tl.events.before):
        assert len(relation(some, none)) == 0
    assert len(tl.events.follows(some, none, "1h")) == len(tl.events.near(some, none, "1h")) == 0
    assert len(tl.events.overlap_pairs(some, none)) == 0


def test_an_unknown_key_names_the_column_and_the_nearest() -> None:
    some = table([Row("a", 0, 1)])
    with pytest.raises(tl.UnknownTermError, match="no column 'aset' to group by.*'asset'"):
        tl.events.overlaps(some, some, by="aset")


def test_times_with_a_zone_and_texts_are_refused_with_the_column() -> None:
    some = table([Row("a", 0, 1)])
    zoned = some.assign(end=some["end"].dt.tz_localize("UTC"))
    with pytest.raises(tl.SchemaError, match="without a zone.*column 'end', got datetime64.*UTC.*tz_convert"):
        tl.events.overlaps(some, zoned)
    with pytest.raises(tl.SchemaError, match="column 'start', got str.*to_datetime"):
        tl.events.overlaps(some.assign(start="yesterday"), some)
    with pytest.raises(tl.SchemaError, match="needs the columns start and end; it has"):
        tl.events.overlaps(some.drop(columns="end"), some)


@pytest.mark.parametrize("distance", ["-1min", "soon", "1 fortnight", None, 3.5j])
def test_a_distance_that_is_none_is_refused_with_the_parameter(distance: object) -> None:
    some = table([Row("a", 0, 1)])
    with pytest.raises(tl.SchemaError, match="distance"):
        tl.events.near(some, some, distance)
