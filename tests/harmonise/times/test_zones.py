"""Local times against zoneinfo, row by row."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import UnknownTermError
from twinlab.harmonise.claims import NAT
from twinlab.harmonise.times.folds import Groups, localise
from twinlab.harmonise.times.zones import MISSING, TWICE, UNIQUE, Zones, ZoneTable, zone

NAMES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
    "Africa/Casablanca",
]
WALLS = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2037, 12, 31))
# Times near the clock changes of Berlin, New York and Lord Howe, and the day that Apia skipped.
EDGES = st.sampled_from(
    [
        datetime(2013, 3, 10, 2),
        datetime(2013, 11, 3, 1),
        datetime(2024, 3, 31, 2),
        datetime(2024, 10, 27, 2),
        datetime(2024, 4, 7, 2),
        datetime(2011, 12, 30),
    ]
)
NEAR = st.builds(lambda edge, minutes: edge + timedelta(minutes=minutes), EDGES, st.integers(-1600, 1600))


def ns(when):
    return ((when - datetime(1970, 1, 1, tzinfo=when.tzinfo)) // timedelta(microseconds=1)) * 1000


def oracle(wall, name):
    """PEP 495: both folds, by zoneinfo."""
    info = ZoneInfo(name)
    one, two = (wall.replace(tzinfo=info, fold=fold).astimezone(UTC) for fold in (0, 1))
    holds = [when.astimezone(info).replace(tzinfo=None) == wall for when in (one, two)]
    if not any(holds):
        return ns(one), MISSING
    return (ns(one), TWICE) if one != two else (ns(one), UNIQUE)


@given(st.lists(st.tuples(WALLS | NEAR, st.sampled_from(NAMES)), min_size=1, max_size=20))
def test_every_wall_time_gets_the_instants_that_zoneinfo_gives_it(cases):
    walls = np.array([ns(wall) for wall, _ in cases])
    codes = np.array([NAMES.index(name) for _, name in cases])
    found = Zones(NAMES, codes).lookup(walls)
    for place, (wall, name) in enumerate(cases):
        earlier, kind = oracle(wall, name)
        assert (found.earlier[place], found.kind[place]) == (earlier, kind), (wall, name)
        if kind == TWICE:
            later = ns(wall.replace(tzinfo=ZoneInfo(name), fold=1).astimezone(UTC))
            assert found.later[place] == later


@given(st.lists(st.tuples(WALLS | NEAR, st.sampled_from(NAMES)), min_size=1, max_size=20))
def test_an_instant_goes_to_local_time_and_back(cases):
    utc = np.array([ns(when) for when, _ in cases])
    zones = Zones(NAMES, np.array([NAMES.index(name) for _, name in cases]))
    wall = zones.to_local(utc)
    for place, (when, name) in enumerate(cases):
        assert wall[place] == ns(when.replace(tzinfo=UTC).astimezone(ZoneInfo(name)).replace(tzinfo=None))
    found = zones.lookup(wall)
    assert ((found.earlier == utc) | (found.later == utc)).all()


def test_a_row_without_a_known_zone_or_time_has_no_instant():
    found = Zones(["Europe/Berlin"], np.array([-1, 0])).lookup(np.array([0, NAT]))
    assert found.earlier.tolist() == [NAT, NAT]


def test_a_misspelt_zone_is_reported_with_the_nearest_one():
    with pytest.raises(UnknownTermError, match="Europe/Berlin"):
        zone("Europe/Berlim")


def resolved(minutes, *, carry=None, codes=None, names=("a",), rank=None, **rules):
    """Minutes after 2013-11-03 00:00 in New York -> minutes after 04:00 UTC."""
    base = ns(datetime(2013, 11, 3))
    wall = base + np.array(minutes, dtype=np.int64) * 60 * 10**9
    groups = Groups(
        np.zeros(len(minutes), dtype=np.int64) if codes is None else np.array(codes),
        names,
        None if rank is None else np.array(rank),
    )
    rules = {"ambiguous": "order", "nonexistent": "refuse"} | rules
    utc, *_ = localise(
        wall,
        Zones(["America/New_York"]).lookup(wall),
        groups=groups,
        carry={} if carry is None else carry,
        carry_key=("t",),
        **rules,
    )
    return [None if at == NAT else int(at - base) // (60 * 10**9) - 240 for at in utc]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("earlier", [0, 60, 180]), ("later", [0, 120, 180]), ("refuse", [0, None, 180]), ("order", [0, 60, 180])],
)
def test_the_repeated_hour_follows_the_stated_rule(rule, expected):
    assert resolved([0, 60, 120], ambiguous=rule) == expected


def test_by_order_the_second_pass_begins_where_the_clock_steps_back():
    assert resolved([45, 60, 75, 90, 105, 60, 75, 90, 105, 120]) == [45, 60, 75, 90, 105, 120, 135, 150, 165, 180]


def test_by_order_hourly_rows_that_stand_still_are_the_second_pass():
    assert resolved([0, 60, 60, 120]) == [0, 60, 120, 180]


def test_by_order_rows_written_twice_stay_in_the_first_pass_while_the_clock_steps_back_later():
    assert resolved([60, 60, 90, 90, 60, 90]) == [60, 60, 90, 90, 120, 150]


def test_by_order_rows_with_the_newest_first_are_read_from_the_end():
    minutes = [0, 60, 75, 90, 60, 75, 90, 120, 180, 240]
    assert resolved(minutes[::-1]) == resolved(minutes)[::-1]
    assert resolved([240, 180, 120, 60, 60, 0]) == [300, 240, 180, 120, 60, 0]


def test_by_order_it_is_the_order_of_arrival_that_counts():
    assert resolved([60, 120, 60, 0], rank=[2, 3, 1, 0]) == [120, 180, 60, 0]


def test_by_order_each_asset_has_its_own_clock():
    assert resolved([60, 60, 60, 60], codes=[0, 1, 0, 1], names=("a", "b")) == [60, 60, 120, 120]


@given(st.integers(1, 7), st.integers(1, 7))
def test_by_order_frames_may_end_anywhere_if_the_carry_is_passed_on(first, second):
    minutes = [45, 60, 75, 90, 105, 60, 75, 90, 105, 120]
    carry, parts = {}, []
    for low, high in ((0, first), (first, first + second), (first + second, len(minutes))):
        if low < high:
            parts += resolved(minutes[low:high], carry=carry)
    assert parts == resolved(minutes)
    assert carry == {}


def test_the_changes_of_a_zone_are_those_of_zoneinfo_and_a_new_decade_is_none():
    span = np.array(["2018-06-01", "2031-06-01"], "M8[ns]").astype(np.int64)
    for name in ("Europe/Berlin", "Africa/Casablanca", "America/Sao_Paulo"):
        found = ZoneTable(name, span).changes()
        assert all(before != after for _, before, after in found)
        for utc, before, after in found:
            at = datetime.fromtimestamp(utc // 10**9, UTC)
            offsets = [(at - timedelta(seconds=s)).astimezone(ZoneInfo(name)).utcoffset() for s in (1, 0)]
            assert [one // timedelta(microseconds=1) * 1000 for one in offsets] == [before, after]
    assert ZoneTable("-05:00", span).changes() == []
    # Istanbul's local mean time ended with a decade.
    (first, *_) = ZoneTable(
        "Europe/Istanbul", np.array(["1878-01-01", "1882-01-01"], "M8[ns]").astype(np.int64)
    ).changes()
    assert str(np.datetime64(first[0], "ns").astype("M8[D]")) == "1879-12-31"
