"""Events through relationships that change in time, against a loop over all pairs."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twinlab as tl
from tests.events.algebra.tables import EXAMPLES, LAST, TABLES, Row, has_time, instants, table, times_of

#: Parcel, truck, valid from, valid until (None: always before, still).
LINKS = st.lists(
    st.tuples(
        st.sampled_from(["P1", "P2"]),
        st.sampled_from(["a", "b"]),
        st.none() | st.integers(0, 12),
        st.none() | st.integers(0, 18),
    ),
    max_size=6,
)


def links(rows: list[tuple]) -> pd.DataFrame:
    times = table([Row("a", start, end) for _, _, start, end in rows])
    return pd.DataFrame(
        {
            "source": pd.Series([row[0] for row in rows], dtype="str"),
            "target": pd.Series([row[1] for row in rows], dtype="str"),
            "valid_from": times["start"].to_numpy(),
            "valid_until": times["end"].to_numpy(),
        }
    )


def valid(parcel: str, truck: str, rows: list[tuple]) -> set[int]:
    return set().union(
        *(
            range(0 if start is None else start, LAST + 1 if end is None else end)
            for one, other, start, end in rows
            if one == parcel and other == truck
        )
    )


@EXAMPLES
@given(TABLES, LINKS)
def test_a_source_has_the_part_of_each_event_in_which_the_link_is_valid(rows: list[Row], link_rows: list) -> None:
    found = tl.events.through(table(rows), links(link_rows))
    assert found["event_id"].is_unique
    for place, row in enumerate(rows):
        for parcel in ("P1", "P2"):
            parts = found[(found["place"] == place) & (found["asset"] == parcel)]
            during = valid(parcel, row.asset, link_rows)
            if has_time(row) and row.start == row.end:
                assert len(parts) == (row.start in during)
                continue
            wanted = instants(row) & during
            times = times_of(parts)
            assert set().union(*times) == wanted
            assert len(times) == len([at for at in wanted if at - 1 not in wanted])
            assert (parts["target"] == row.asset).all()


@settings(max_examples=10)
@given(TABLES, TABLES, LINKS)
def test_relations_through_a_link_are_relations_to_what_the_link_shows(rows, others, link_rows) -> None:
    parcels = table([Row({"a": "P1", "b": "P2"}.get(row.asset), row.start, row.end) for row in rows])
    seen = tl.events.through(table(others), links(link_rows))
    for one in (
        tl.events.overlaps,
        tl.events.during,
        tl.events.both,
        tl.events.without,
        tl.events.either,
        tl.events.after,
    ):
        assert one(parcels, table(others), through=links(link_rows)).equals(one(parcels, seen))
    assert tl.events.overlap_pairs(parcels, table(others), through=links(link_rows)).equals(
        tl.events.overlap_pairs(parcels, seen)
    )


def test_to_the_target_events_of_what_is_inside_are_returned() -> None:
    moved = links([("P1", "a", 0, 5), ("P1", "b", 5, None)])
    found = tl.events.through(table([Row("P1", 3, 8)]), moved, to="target")
    assert found[["asset", "source"]].values.tolist() == [["a", "P1"], ["b", "P1"]]
    assert found["event_id"].str.startswith(("warm0/a@", "warm0/b@")).all()


def test_a_link_that_is_renewed_does_not_cut_the_event() -> None:
    renewed = links([("P1", "a", 0, 5), ("P1", "a", 5, 9), ("P1", "a", 7, None)])
    found = tl.events.through(table([Row("a", 3, 8)]), renewed)
    assert found["event_id"].tolist() == ["warm0/P1"]


def test_a_link_of_an_event_type_is_a_relationship() -> None:
    deliveries = table([Row("P1", 2, 6), Row("P2", None, 6), Row(None, 1, 2)]).assign(van=["a", "b", "b"])
    found = tl.events.links_from(deliveries, "van")
    assert found[["source", "target"]].values.tolist() == [["P1", "a"]]
    assert list(found.columns) == ["source", "target", "valid_from", "valid_until"]
    seen = tl.events.through(table([Row("a", 0, 4)]), found)
    assert times_of(seen) == [{2, 3}]


def test_links_without_a_column_and_unknown_columns_are_refused_by_name() -> None:
    some = table([Row("a", 0, 1)])
    with pytest.raises(
        tl.SchemaError, match="links need the columns source, target, valid_from, valid_until; these have"
    ):
        tl.events.through(some, links([]).drop(columns="target"))
    with pytest.raises(tl.SchemaError, match="expected to='source' or to='target', got 'left'"):
        tl.events.through(some, links([]), to="left")
    with pytest.raises(tl.UnknownTermError, match="no column 'plane' with assets.*'place'"):
        tl.events.links_from(some, "plane")
