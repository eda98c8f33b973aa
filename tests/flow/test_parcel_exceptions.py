"""The rules of the parcel twin against its known truth: precision and recall of each rule, and where parcels are."""

import pandas as pd
import pytest

import twinlab as tl
from twinlab.events import AssetIndex, CachedReader, episodes, exceptions, score, where
from twinlab.plant import ParcelSize

SIZE = ParcelSize.small()
START, STOP = pd.Timestamp(SIZE.begin).tz_localize(None), pd.Timestamp(SIZE.stop).tz_localize(None)


@pytest.fixture(scope="module")
def parcel():
    return CachedReader(tl.demo("parcel", size=SIZE))


@pytest.fixture(scope="module")
def truth(parcel):
    return pd.read_csv(parcel.folder / "truth" / "situations.csv", dtype=str, parse_dates=["start", "end"])


@pytest.mark.parametrize("rule", ["too_warm", "door_open", "silent_truck", "low_battery", "late_leg"])
def test_each_rule_finds_what_is_true_and_little_else(parcel, truth, rule):
    true = truth[truth["rule"] == rule]
    found = episodes(parcel, rule, start=START, stop=STOP)
    got = score(found, true)
    assert got.truth > 0
    assert got.recall >= 0.9, str(got)
    assert got.precision >= 0.9, str(got)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_active_exceptions_at_an_instant_are_the_episodes_that_contain_it(parcel, share):
    now = START + (STOP - START) * share
    active = exceptions(parcel, at=now)
    for rule in parcel.model.rules:
        spans = episodes(parcel, rule, start=now - pd.Timedelta(days=2), stop=now + pd.Timedelta(days=2))
        current = spans[~(spans["raised"] > now) & ~(spans["until"] <= now)]
        assert sorted(current["key"]) == sorted(active.loc[active["rule"] == rule, "key"])


def test_a_parcel_is_found_by_its_number_with_its_place(parcel):
    leg = parcel.events("leg").dropna(subset=["start", "end"]).iloc[40]
    hit = AssetIndex(parcel, ["parcel"]).find(f"parcel {leg['asset']}").iloc[0]
    assert hit["asset"] == leg["asset"]
    place = where(parcel, "parcel", hit["asset"], at=leg["start"] + (leg["end"] - leg["start"]) / 2)
    assert place.steps[0][:2] == ("truck", leg["truck"])
    assert place.event.event_id == leg["event_id"]
