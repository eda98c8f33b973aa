"""Where it is and what happened to it so far, planned against actual; events as of an instant."""

import numpy as np
import pandas as pd
import pytest

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events import CachedReader, events_at, plan_of, score, story, where
from twinlab.testing import FakeTwin


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=3, trips=50)


@pytest.fixture(scope="module")
def one(twin):
    """A delivery of the second day, done and late by some minutes."""
    table = twin.events("delivery").dropna(subset=["end"])
    return table[table["end"] > table["planned_end"]].sort_values("start").iloc[0]


def test_what_happened_later_is_not_in_an_event_table_and_plans_stay(twin, one):
    between = one["start"] + (one["end"] - one["start"]) / 2
    then = events_at(twin.events("delivery"), between).set_index("event_id").loc[one["event_id"]]
    assert then["start"] == one["start"]
    assert pd.isna(then["end"])
    assert then["planned_end"] == one["planned_end"]
    assert twin.events("delivery")["end"].notna().any()
    with pytest.raises(SchemaError, match="needs the columns start and end"):
        events_at(pd.DataFrame({"a": []}), between)


def test_a_story_tells_events_and_places_in_order_with_planned_against_actual(twin, one):
    told = story(twin, "parcel", one["asset"], at=one["end"])
    assert told["time"].is_monotonic_increasing
    assert told["what"].tolist()[:1] == ["stored at"]
    ended = told[told["what"] == "delivery ended"].iloc[0]
    assert ended["late"] == one["end"] - one["planned_end"]
    assert set(told["what"]) == {
        "stored at",
        "no longer stored at",
        "aboard",
        "no longer aboard",
        "delivery began",
        "delivery ended",
    }
    assert told.loc[told["what"] == "aboard", ["other_type", "other"]].values.tolist() == [["van", one["van"]]]


def test_a_story_ends_at_its_instant_and_what_is_overdue_is_told(twin, one):
    before = story(twin, "parcel", one["asset"], at=one["start"] - pd.Timedelta(hours=1))
    assert not before["what"].str.startswith("delivery").any()
    overdue = one["planned_end"] + (one["end"] - one["planned_end"]) / 2
    told = story(twin, "parcel", one["asset"], at=overdue)
    assert told["time"].max() <= overdue
    assert told[told["what"] == "delivery should have ended"]["late"].tolist() == [overdue - one["planned_end"]]


def test_the_plan_holds_what_was_still_to_come(twin, one):
    early = plan_of(twin, "parcel", one["asset"], at=one["planned_start"] - pd.Timedelta(minutes=5))
    assert early["what"].tolist() == ["delivery begins", "delivery ends"]
    assert early["time"].tolist() == [one["planned_start"], one["planned_end"]]
    assert plan_of(twin, "parcel", one["asset"], at=one["end"]).empty


def test_an_assets_story_holds_events_it_took_part_in_by_a_link(twin, one):
    told = story(twin, "van", one["van"], at=one["end"])
    assert one["event_id"] in set(told["event_id"])
    assert f"{one['asset']} aboard" in set(told["detail"])
    assert len(story(twin, "van", one["van"], at=one["end"], limit=3)) == 3
    kept = story(CachedReader(twin), "van", one["van"], at=one["end"])
    pd.testing.assert_frame_equal(told, kept)


def test_an_asset_of_which_nothing_is_known_has_an_empty_story(twin):
    nothing = story(twin, "parcel", "P1", at="2026-01-02")
    assert nothing.empty
    assert nothing.dtypes.equals(story(twin, "van", "V1", at="2026-01-03").dtypes)
    with pytest.raises(UnknownTermError, match="did you mean 'parcel'"):
        story(twin, "parcl", "P1", at="2026-01-02")


def test_where_follows_a_parcel_from_station_to_van_to_station(twin, one):
    inside = where(twin, "parcel", one["asset"], at=one["start"] + pd.Timedelta(minutes=30))
    assert inside.steps[0][:2] == ("van", one["van"])
    assert inside.age < pd.Timedelta(minutes=6)
    assert inside.event.event_id == one["event_id"]
    assert inside.event.late == one["start"] - one["planned_start"]
    after = where(twin, "parcel", one["asset"], at=one["end"])
    assert after.steps[0][:2] == ("station", one["destination"])
    assert after.age is None
    assert after.event is None


def test_where_says_how_late_it_is_once_its_plan_has_passed(twin, one):
    overdue = one["planned_end"] + (one["end"] - one["planned_end"]) / 2
    place = where(twin, "parcel", one["asset"], at=overdue)
    assert place.event.late == overdue - one["planned_end"]
    assert "delivery " in str(place)


# -- scoring ----------------------------------------------------------------------------------------------------------


def spans(*rows, **columns):
    day = np.datetime64("2026-01-01", "ns")
    nat = np.datetime64("NaT", "ns")
    times = [[nat if row[k] is None else day + np.timedelta64(row[k], "m") for row in rows] for k in (1, 2)]
    return pd.DataFrame(
        {
            "asset": [row[0] for row in rows],
            "since": np.array(times[0], dtype="datetime64[ns]"),
            "until": np.array(times[1], dtype="datetime64[ns]"),
            **columns,
        }
    )


def test_a_score_counts_what_was_found_what_was_missed_and_how_soon():
    truth = spans(("a", 0, 60), ("a", 200, 260), ("b", 0, 60), ("c", 0, None))
    found = spans(("a", 20, 30), ("a", 40, 50), ("b", 100, 110), ("c", 10, None), ("d", 0, 60))
    got = score(found, truth)
    assert (got.found, got.found_matched, got.truth, got.matched) == (5, 3, 4, 2)
    assert (got.precision, got.recall) == (0.6, 0.5)
    assert got.f1 == pytest.approx(2 * 0.6 * 0.5 / 1.1)
    assert got.mean_delay == pd.Timedelta(minutes=15)


def test_slack_forgives_spans_that_only_come_close():
    truth, found = spans(("a", 0, 60)), spans(("a", 65, 70))
    assert score(found, truth).recall == 1
    assert score(found, truth, slack="4min").recall == 0


def test_events_and_rules_are_matched_by_name_where_both_have_them():
    truth = spans(("a", 0, 60), ("a", 0, 60), event_id=["1", "2"], rule=["x", "x"])
    found = spans(("a", 0, 60), ("a", 0, 60), event_id=["1", "3"], rule=["x", "x"])
    assert (score(found, truth).precision, score(found, truth).recall) == (0.5, 0.5)
    assert score(found, truth.assign(rule="y")).recall == 0


def test_nothing_found_and_nothing_true_have_no_score():
    none = spans()
    assert np.isnan(score(none, none).f1)
    assert score(none, spans(("a", 0, 1))).recall == 0
    assert score(spans(("a", 0, 1)), spans(("b", 0, 1))).f1 == 0
    with pytest.raises(SchemaError, match="since and until"):
        score(none[["asset"]], none)
    with pytest.raises(SchemaError, match="duration"):
        score(none, none, slack="some")
