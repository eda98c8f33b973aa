"""The track of an asset: good fixes only, broken at gaps, and its planned stops."""

import numpy as np
import pandas as pd
import pytest

from twinlab.explore.views.map.planned_stops import planned_stops
from twinlab.explore.views.map.track import Track, read_track, track_layers
from twinlab.model.flags import Flag
from twinlab.testing import FakeTwin


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=5, trips=50)


def a_track(minutes, gap=30):
    time = np.datetime64("2026-01-01", "ns") + np.array(minutes) * np.timedelta64(60, "s")
    place = np.linspace(47, 48, len(minutes))
    return Track(6, time, place, place - 39, np.timedelta64(gap, "m"))


def columns(track):
    return {part.name: part.columns for part in track_layers(track)}


def test_a_pause_longer_than_the_gap_breaks_the_line():
    track = a_track([0, 10, 20, 90, 100])
    assert track.pieces().tolist() == [[0, 3], [3, 5]]
    assert [len(line) for line in columns(track)["track"]["xs"]] == [3, 2]


def test_arrows_point_the_way():
    arrows = columns(a_track(range(20)))["direction"]
    # To the north-east.
    assert len(arrows["x"]) and (arrows["angle"] < 0).all() and (arrows["angle"] > -90).all()


def test_without_a_track_every_layer_is_there_and_empty():
    assert [len(part) for part in track_layers(None)] == [0, 0, 0, 0]
    assert len(columns(a_track([0]))["direction"]["x"]) == 0


def test_only_good_fixes_within_the_hours_are_on_a_track(twin):
    at = np.datetime64("2026-01-03T12:00", "ns")
    track = read_track(twin, ("van", "V1"), at=at, hours=6)
    names = list(twin.model.asset_types["van"].position)
    raw = twin.history("van", signals=names, assets=["V1"], start=at - np.timedelta64(6, "h"), stop=at)
    good = np.ones(raw.sizes["time"], bool)
    for name in names:
        good &= np.isfinite(raw[name].values[:, 0]) & ~np.isin(
            raw[f"{name}_qc"].values[:, 0], [Flag.FAIL, Flag.MISSING]
        )
    assert np.array_equal(track.time, raw["time"].values[good])
    assert np.array_equal(track.latitude, raw[names[0]].values[good, 0])


def test_what_stands_still_has_no_track(twin):
    assert read_track(twin, ("station", "EAST"), at=np.datetime64("2026-01-03"), hours=6) is None


def test_the_next_stops_are_those_planned_and_not_done_yet(twin):
    events = twin.events("delivery")
    event = events.dropna(subset=["van"]).iloc[0]
    before = event["planned_start"] - pd.Timedelta("1min")
    stops = planned_stops(twin, ("van", event["van"]), at=before.to_datetime64())
    mine = events[events["van"] == event["van"]]
    assert stops
    assert all(one.planned > before.to_datetime64() for one in stops)
    assert [one.planned for one in stops] == sorted(one.planned for one in stops)
    assert stops[0].planned == mine["planned_start"][mine["planned_start"] > before].min()
    assert all(a.asset != b.asset for a, b in zip(stops, stops[1:], strict=False))


def test_long_after_all_plans_nothing_is_ahead(twin):
    assert planned_stops(twin, ("van", "V1"), at=np.datetime64("2027-01-01")) == ()
