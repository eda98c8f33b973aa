"""And, or, not of event tables: sets of instants in plain Python, and the laws of Boolean algebra."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

import twinlab as tl
from tests.events.algebra.tables import DAY, EXAMPLES, LAST, TABLES, Row, instants, minutes, table, times_of
from twinlab.testing import FakeTwin

ASSETS = ("a", "b")
WINDOW = {"start": np.datetime64(DAY, "ns"), "stop": None}
EVERYTHING = set(range(LAST + 1))


def union(rows: list[Row], asset: str) -> set[int]:
    return set().union(*(instants(row) for row in rows if row.asset == asset))


def all_times(found: pd.DataFrame, asset: str) -> set[int]:
    return set().union(*times_of(found, asset))


def as_spans(found: pd.DataFrame) -> list[tuple]:
    """Return the union of a table's events."""
    joined = tl.events.merge(found[found["end"].isna() | (found["start"] < found["end"])])
    times = zip(joined["asset"], minutes(joined["start"]), minutes(joined["end"]), strict=True)
    return sorted((asset, start, -1 if np.isnan(end) else end) for asset, start, end in times)


@EXAMPLES
@given(TABLES, TABLES)
def test_both_and_without_part_each_event_in_two(rows: list[Row], others: list[Row]) -> None:
    inside, outside = (one(table(rows), table(others)) for one in (tl.events.both, tl.events.without))
    for place, row in enumerate(rows):
        theirs = union(others, row.asset)
        for found, wanted in ((inside, instants(row) & theirs), (outside, instants(row) - theirs)):
            parts = times_of(found[found["place"] == place])
            assert set().union(*parts) == wanted
            assert sum(map(len, parts)) == len(wanted)
            # As few parts as possible.
            assert len(parts) == len([at for at in wanted if at - 1 not in wanted])


@EXAMPLES
@given(TABLES, TABLES)
def test_a_part_has_its_events_id_only_if_it_is_the_whole_event(rows: list[Row], others: list[Row]) -> None:
    some = table(rows)
    for found in (tl.events.both(some, table(others)), tl.events.without(some, table(others))):
        assert found["event_id"].is_unique
        for one in found.itertuples():
            event = some[some["place"] == one.place].iloc[0]
            whole = event["start"] == one.start and (
                event["end"] == one.end or (pd.isna(event["end"]) and pd.isna(one.end))
            )
            assert one.event_id == (event["event_id"] if whole else f"{event['event_id']}@{one.start.to_datetime64()}")


@EXAMPLES
@given(TABLES, TABLES)
def test_either_has_the_instants_of_both_tables_in_as_few_events_as_possible(
    rows: list[Row], others: list[Row]
) -> None:
    found = tl.events.either(table(rows), table(others, "door"))
    for asset in ASSETS:
        wanted = union(rows, asset) | union(others, asset)
        assert all_times(found, asset) == wanted
        assert (found["asset"] == asset).sum() == len([at for at in wanted if at - 1 not in wanted])
    assert found["start"].is_monotonic_increasing
    assert found["type"].isin(["warm", "door", "warm or door"]).all()


@EXAMPLES
@given(TABLES)
def test_a_complement_has_all_other_instants_of_the_assets_with_events(rows: list[Row]) -> None:
    found = tl.events.complement(table(rows), **WINDOW)
    for asset in ASSETS:
        wanted = EVERYTHING - union(rows, asset) if any(row.asset == asset for row in rows) else set()
        assert all_times(found, asset) == wanted
    assert found["event_id"].is_unique
    assert list(found.columns) == list(table([]).columns[:-1])


@settings(max_examples=10)
@given(TABLES, TABLES)
def test_the_laws_of_de_morgan(rows: list[Row], others: list[Row]) -> None:
    # The same assets in all tables, so that each has a complement.
    exist = pd.DataFrame({"asset": list(ASSETS), "start": np.datetime64(DAY, "ns"), "end": pd.NaT})
    exist["end"] = exist["end"].astype("datetime64[ns]")
    x, y = table(rows), table(others)

    def opposite(found: pd.DataFrame) -> pd.DataFrame:
        return tl.events.complement(found, exist)

    assert as_spans(opposite(tl.events.either(x, y))) == as_spans(tl.events.both(opposite(x), opposite(y)))
    assert as_spans(opposite(tl.events.both(x, y))) == as_spans(tl.events.either(opposite(x), opposite(y)))
    assert as_spans(opposite(opposite(x))) == as_spans(x)
    assert as_spans(tl.events.without(x, y)) == as_spans(tl.events.both(x, opposite(y)))


@settings(max_examples=10)
@given(TABLES, TABLES, TABLES)
def test_and_or_are_idempotent_commutative_associative_and_distributive(x_rows, y_rows, z_rows) -> None:
    x, y, z = map(table, (x_rows, y_rows, z_rows))
    both, either = tl.events.both, tl.events.either
    assert as_spans(both(x, x)) == as_spans(either(x, x)) == as_spans(x)
    assert as_spans(both(x, y)) == as_spans(both(y, x))
    assert as_spans(either(x, y)) == as_spans(either(y, x))
    assert as_spans(both(both(x, y), z)) == as_spans(both(x, both(y, z)))
    assert as_spans(either(either(x, y), z)) == as_spans(either(x, either(y, z)))
    assert as_spans(both(x, either(y, z))) == as_spans(either(both(x, y), both(x, z)))


def test_a_complement_counts_only_the_lifetime_and_the_window() -> None:
    exist = table([Row("a", 2, 20), Row("b", 5, None), Row("c", 0, 10)])
    found = tl.events.complement(table([Row("a", 4, 6), Row("b", 0, 7)]), exist, stop=exist["end"].iloc[0])
    rows = list(zip(found["asset"], minutes(found["start"]), minutes(found["end"]), strict=True))
    assert rows == [("a", 2, 4), ("a", 6, 20), ("b", 7, 20), ("c", 0, 10)]
    assert found["type"].unique().tolist() == ["not warm"]


def test_lifetimes_of_a_twin_are_a_universe() -> None:
    twin = FakeTwin.example(days=2, trips=10)
    exist = tl.events.lifetime_table(twin, "station")
    found = tl.events.complement(table([]), exist, start="2026-01-01", stop="2026-01-02")
    assert found["asset"].tolist() == exist["asset"].tolist()
    with pytest.raises(tl.SchemaError, match="expected start, or lifetimes with a start"):
        tl.events.complement(table([]), exist)


def test_a_complement_of_all_events_together_is_of_no_asset() -> None:
    found = tl.events.complement(table([Row("a", 0, 3), Row("b", 2, 5)]), by="all", start=np.datetime64(DAY, "ns"))
    assert minutes(found["start"]) == [5]
    assert found["end"].isna().all() and found["asset"].isna().all()


def test_a_window_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(tl.SchemaError, match="expected start before stop"):
        tl.events.complement(table([Row("a", 0, 3)]), start="2026-03-02", stop="2026-03-01")


def test_tables_passed_are_not_changed() -> None:
    some = table([Row("a", 0, 3), Row("a", 2, None), Row(None, 1, 2)])
    before = some.copy(deep=True)
    for one in (tl.events.both, tl.events.either, tl.events.without, tl.events.overlaps):
        one(some, some)
    for one in (tl.events.merge, tl.events.at_start, tl.events.at_end):
        one(some)
    tl.events.complement(some, start="2026-01-01")
    tl.events.shift(some, "1h")
    tl.events.pad(some, "1h")
    tl.events.split(some, every="1min")
    assert some.equals(before)
