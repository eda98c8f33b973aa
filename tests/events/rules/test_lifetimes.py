"""Rules and the lifetimes of assets: what was removed is neither silent nor open for ever."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.events import episodes, exceptions
from twinlab.model import TwinModel
from twinlab.testing import FakeTwin, check_rule

DAY, MINUTE = np.datetime64("2026-01-01", "ns"), np.timedelta64(1, "m")
ROWS = 24
TIME = {"dtype": "time"}
MODEL = {
    "twin": "t",
    "origin": "2026-01-01",
    "asset_types": {
        "room": {
            "properties": {"installed": TIME, "removed": TIME},
            "lifetime": {"from": "installed", "until": "removed"},
            "signals": {
                "temperature": {"unit": "degC", "resolution": 0.1, "cadence": "10min"},
                "door": {"kind": "state", "states": {0: "closed", 1: "open"}, "cadence": "10min"},
            },
        }
    },
    "rules": {
        "silent": {"on": "room", "silent": "40min"},
        "open": {"on": "room", "when": "door == open"},
    },
}


def instant(row):
    return np.datetime64("NaT", "ns") if row is None else DAY + row * 10 * MINUTE


def rooms(seen, lives, *, doors=()):
    """Rooms that were observed in the given rows of ten minutes, with the first and the last row of their lifetimes."""
    flag = np.full((ROWS, len(seen)), 9, "uint8")
    for room, rows in enumerate(seen):
        flag[list(rows), room] = 1
    door = np.full((ROWS, len(seen)), np.nan)
    for room, row in doors:
        door[row:, room] = 1.0
    data = {
        "temperature": (("time", "asset"), np.where(flag == 1, 5.0, np.nan)),
        "temperature_qc": (("time", "asset"), flag),
        "door": (("time", "asset"), door),
        "door_qc": (("time", "asset"), np.where(np.isnan(door), 9, 2).astype("uint8")),
    }
    ids = [f"R{k}" for k in range(len(seen))]
    coords = {"time": DAY + np.arange(ROWS) * 10 * MINUTE, "asset": np.array(ids, dtype=object)}
    bounds = {
        name: np.array([instant(life[k]) for life in lives], dtype="datetime64[ns]")
        for k, name in enumerate(("installed", "removed"))
    }
    assets = pd.DataFrame(bounds, index=pd.Index(ids, name="asset"))
    return FakeTwin(
        TwinModel.model_validate(MODEL), histories={"room": xr.Dataset(data, coords)}, assets={"room": assets}
    )


def found_at(twin, row, rule="silent"):
    return exceptions(twin, at=instant(row), rules=[rule])[["asset", "since", "text"]].values.tolist()


def test_a_room_that_was_removed_is_not_silent():
    twin = rooms([[0, 1], [0, 1]], [(None, 4), (None, None)])
    assert [asset for asset, _, _ in found_at(twin, 10)] == ["R1"]


def test_a_silence_ends_with_the_lifetime_and_is_not_over_before():
    twin = rooms([[0]], [(None, 12)])
    assert found_at(twin, 11) == [["R0", pd.Timestamp(DAY), "silent for 1 h 50 min (allowed 40 min)"]]
    assert found_at(twin, 12) == []
    found = episodes(twin, "silent", start=DAY, stop=DAY + 4 * 60 * MINUTE)
    assert found["until"].tolist() == [pd.Timestamp(instant(12))]
    assert found["value"].tolist() == [120.0]


def test_a_room_that_was_never_observed_is_silent_from_its_installation_on():
    twin = rooms([[], []], [(10, None), (None, None)])
    assert [asset for asset, _, _ in found_at(twin, 13)] == ["R1"]
    assert ["R0", pd.Timestamp(instant(10)), "never heard"] in found_at(twin, 15)


def test_a_door_that_was_removed_open_is_not_open_for_ever():
    twin = rooms([[], []], [(None, 6), (None, None)], doors=[(0, 2), (1, 2)])
    assert [asset for asset, _, _ in found_at(twin, 5, "open")] == ["R0", "R1"]
    assert [asset for asset, _, _ in found_at(twin, 6, "open")] == ["R1"]


@pytest.mark.parametrize("rule", ["silent", "open"])
def test_rules_of_assets_with_lifetimes_keep_what_a_kind_promises(rule):
    twin = rooms([[0, 3, 12], [5], [], []], [(1, 20), (None, 14), (6, None), (30, None)], doors=[(0, 2), (1, 4)])
    check_rule(
        MODEL["rules"][rule], twin=twin, start=DAY, stop=DAY + 4 * 60 * MINUTE, expected={"silent": 5, "open": 2}[rule]
    )


LIVES = st.tuples(st.none() | st.integers(0, 20), st.none() | st.integers(0, 30))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sets(st.integers(0, ROWS - 1)), LIVES), min_size=1, max_size=4), st.integers(0, ROWS - 1))
def test_silence_counts_from_the_last_observation_or_the_installation_and_only_within_the_lifetime(made, row):
    twin = rooms([seen for seen, _ in made], [life for _, life in made])
    expected = set()
    for number, (seen, (start, end)) in enumerate(made):
        before = [k for k in seen if k <= row]
        since = max(before, default=None)
        if start is not None:
            since = start if since is None else max(since, start)
        exists = (start is None or start <= row) and (end is None or row < end)
        # Four rows are the 40 minutes that are allowed.
        if exists and (since is None or row - since >= 4):
            expected.add((f"R{number}", pd.NaT if since is None else pd.Timestamp(instant(since))))
    assert {(asset, since) for asset, since, _ in found_at(twin, row)} == expected
