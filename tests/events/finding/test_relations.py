"""Parcels in trucks whose condition is true: as a plain loop over parcels, legs and minutes finds it."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.events import episodes, find
from twinlab.model.flags import Flag
from twinlab.model.rules import Rule
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

DAY = np.datetime64("2026-01-01", "ns")
MINUTE = np.timedelta64(60, "s")
ROWS = 24
#: All times are multiples of it, so that a loop over them finds all that there is.
STEP = 10
MODEL = TwinModel.model_validate(
    {
        "twin": "parcels",
        "origin": "2026-01-01",
        "asset_types": {
            "truck": {"signals": {"temperature": {"unit": "degC", "resolution": 0.1, "cadence": "10min"}}},
            "parcel": {"properties": {"chilled": {"dtype": "boolean"}}},
            "room": {"signals": {"door": {"kind": "state", "cadence": "10min", "states": {0: "closed", 1: "open"}}}},
        },
        "relationships": {"aboard": {"from": "parcel", "to": "truck"}, "docked": {"from": "truck", "to": "room"}},
        "event_types": {"leg": {"asset": "parcel", "links": {"truck": "truck"}}},
    }
)
TRUCKS, PARCELS = ["T1", "T2"], ["P1", "P2", "P3"]
UNTIL = ROWS * STEP


def at(minute):
    return None if minute is None else DAY + minute * MINUTE


def times(minutes):
    return np.array([np.datetime64("NaT", "ns") if one is None else at(one) for one in minutes], dtype="datetime64[ns]")


def twin_of(temperatures, legs, aboard=(), docked=(), doors=None):
    """Temperatures by (row, truck); legs and links of (source, target, first minute, last minute or None)."""
    value = np.array(temperatures, dtype=float).reshape(ROWS, len(TRUCKS))
    flag = np.where(np.isnan(value), Flag.MISSING, Flag.PASS).astype("uint8")
    axis = DAY + np.arange(ROWS) * STEP * MINUTE

    def history(name, values, flags, assets):
        data = {name: (("time", "asset"), values), f"{name}_qc": (("time", "asset"), flags)}
        return xr.Dataset(data, coords={"time": axis, "asset": np.array(assets, dtype=object)})

    def links(rows):
        columns = {"source": [one[0] for one in rows], "target": [one[1] for one in rows]}
        return pd.DataFrame(columns, dtype=object).assign(
            valid_from=times(one[2] for one in rows), valid_until=times(one[3] for one in rows)
        )

    door = np.zeros((ROWS, 1)) if doors is None else np.array(doors, dtype=float).reshape(ROWS, 1)
    events = links(legs).rename(
        columns={"source": "asset", "target": "truck", "valid_from": "start", "valid_until": "end"}
    )
    events = events.assign(
        event_id=[f"L{k}" for k in range(len(legs))],
        type="leg",
        planned_start=times([None] * len(legs)),
        planned_end=times([None] * len(legs)),
    )
    return FakeTwin(
        MODEL,
        histories={
            "truck": history("temperature", value, flag, TRUCKS),
            "room": history("door", door, np.full(door.shape, Flag.PASS, "uint8"), ["R"]),
        },
        assets={
            "truck": pd.DataFrame(index=pd.Index(TRUCKS, name="asset")),
            "room": pd.DataFrame(index=pd.Index(["R"], name="asset")),
            "parcel": pd.DataFrame({"chilled": [True, False, None]}, index=pd.Index(PARCELS, name="asset")),
        },
        events={"leg": events},
        relationships={"aboard": links(aboard), "docked": links(docked)},
    )


def minutes(table):
    return sorted(
        (
            row.asset,
            (row.start - pd.Timestamp(DAY)) // pd.Timedelta("1min"),
            None if pd.isna(row.end) else (row.end - pd.Timestamp(DAY)) // pd.Timedelta("1min"),
        )
        for row in table.itertuples()
    )


WARM = "parcel in truck via leg where truck.temperature > 8 degC"
TEN_HOURS = [9.0, 5.0] * 6 + [5.0, 9.0] * 18


def test_a_parcel_has_the_part_of_the_truck_s_event_in_which_it_was_inside():
    # T1 is warm for the first hour, T2 from then on.
    twin = twin_of(TEN_HOURS, [("P1", "T1", 30, 90), ("P1", "T2", 90, 120), ("P2", "T2", 0, 45), ("P3", "T1", 50, 55)])
    assert minutes(find(twin, WARM)) == [("P1", 30, 60), ("P1", 90, 120), ("P3", 50, 55)]
    assert minutes(find(twin, WARM, lasting="20min", gap="30min")) == [("P1", 30, 120)]
    assert minutes(find(twin, WARM, assets=["P3"])) == [("P3", 50, 55)]
    assert minutes(find(twin, WARM, start=at(100), stop=at(110))) == [("P1", 90, None)]


def test_an_open_end_is_the_next_link_or_the_stop():
    twin = twin_of(TEN_HOURS, [("P1", "T2", 100, None), ("P1", "T1", 130, 140), ("P2", "T2", 200, None)])
    assert minutes(find(twin, WARM)) == [("P1", 100, 130), ("P2", 200, None)]


def test_relationships_are_links_too_and_may_be_chained():
    doors = [0] * 6 + [1] * 6 + [0] * 12
    twin = twin_of(TEN_HOURS, [], [("P1", "T2", None, 80)], [("T2", "R", 70, None)], doors)
    assert minutes(find(twin, "parcel in truck via aboard where temperature > 8 degC")) == [("P1", 60, 80)]
    chained = "parcel in truck via aboard where truck in room where door == open"
    assert minutes(find(twin, chained)) == [("P1", 70, 80)]


def test_a_rule_reports_them():
    twin = twin_of(TEN_HOURS, [("P1", "T1", 30, 90), ("P2", "T2", 30, 90)])
    rule = Rule(on="parcel", when=WARM, lasting="15min")
    assert rule.faults(MODEL) == []
    found = episodes(twin, {"warm": rule}, start=at(0), stop=at(UNTIL))
    assert found[["asset", "since", "raised", "until"]].values.tolist() == [
        ["P1", pd.Timestamp(at(30)), pd.Timestamp(at(45)), pd.Timestamp(at(60))],
        ["P2", pd.Timestamp(at(60)), pd.Timestamp(at(75)), pd.Timestamp(at(90))],
    ]
    assert found["text"][0] == f"{WARM} for 30 min"


# -- the oracle -------------------------------------------------------------------------------------------------------

FALSE, UNKNOWN, TRUE = 0, 1, 2


class Plain:
    """Kleene logic in a loop over parcels, steps and legs."""

    def __init__(self, temperatures, legs):
        self.temperatures = temperatures
        ends = []
        for parcel, truck, first, last in legs:
            later = [one[2] for one in legs if one[0] == parcel and one[2] > first]
            ends.append((parcel, truck, first, min(later, default=UNTIL) if last is None else last))
        self.legs = ends

    def warm(self, truck, row, limit):
        column = TRUCKS.index(truck)
        for k in range(row, max(row - 6, -1), -1):
            if not np.isnan(self.temperatures[2 * k + column]):
                return TRUE if self.temperatures[2 * k + column] > limit else FALSE
        return UNKNOWN

    def inside(self, parcel, row, limit):
        trucks = [leg[1] for leg in self.legs if leg[0] == parcel and leg[2] <= row * STEP < leg[3]]
        return max((self.warm(truck, row, limit) for truck in trucks), default=FALSE)

    def chilled(self, parcel):
        return {"P1": TRUE, "P2": FALSE, "P3": UNKNOWN}[parcel]

    def long(self, truth, steps):
        """For at least so many steps; before the first one, no parcel is in a truck."""
        return [min(truth[max(k - steps, 0) : k + 1] + [FALSE] * (k < steps)) for k in range(len(truth))]


def combined(plain, parcel):
    """Return the truth of each expression at each step."""
    warm, hot = ([plain.inside(parcel, row, limit) for row in range(ROWS)] for limit in (8, 10))
    chilled = [plain.chilled(parcel)] * ROWS
    relation = "in truck via leg where temperature > {} degC"
    warm_text, hot_text = relation.format(8), relation.format(10)
    within = [
        min(a, max(b[max(k - 2, 0) : k + 1] + [FALSE] * (k < 2))) for k, (a, b) in enumerate((one, hot) for one in warm)
    ]
    return {
        f"chilled and ({warm_text})": [min(pair) for pair in zip(chilled, warm, strict=True)],
        f"not ({warm_text})": [2 - one for one in warm],
        f"chilled or not ({warm_text})": [max(a, 2 - b) for a, b in zip(chilled, warm, strict=True)],
        f"({warm_text}) and not ({hot_text})": [min(a, 2 - b) for a, b in zip(warm, hot, strict=True)],
        f"not (chilled and ({warm_text}))": [2 - min(pair) for pair in zip(chilled, warm, strict=True)],
        f"({warm_text}) for at least 20 min": plain.long(warm, 2),
        f"not (({warm_text}) for at least 20 min)": [2 - one for one in plain.long(warm, 2)],
        f"({warm_text}) within 20 min after ({hot_text})": within,
        f"not (({warm_text}) within 20 min after ({hot_text}))": [2 - one for one in within],
    }


@st.composite
def parcels(draw):
    temperatures = draw(st.lists(st.sampled_from([5.0, 9.0, 11.0, np.nan]), min_size=ROWS * 2, max_size=ROWS * 2))
    legs = draw(
        st.lists(
            st.tuples(
                st.sampled_from(PARCELS),
                st.sampled_from(TRUCKS),
                st.integers(0, ROWS - 1),
                st.one_of(st.none(), st.integers(1, 10)),
            ),
            max_size=6,
        )
    )
    return temperatures, [
        (p, t, first * STEP, None if size is None else min((first + size) * STEP, UNTIL)) for p, t, first, size in legs
    ]


@given(parcels(), st.integers(0, 8))
@settings(max_examples=80, deadline=None)
def test_relations_are_what_a_plain_loop_finds(given_parcels, number):
    temperatures, legs = given_parcels
    twin, plain = twin_of(temperatures, legs), Plain(temperatures, legs)
    text = list(combined(plain, "P1"))[number]
    expected = []
    for parcel in PARCELS:
        truth = [one == TRUE for one in combined(plain, parcel)[text]]
        edges = np.flatnonzero(np.diff([False, *truth, False]))
        expected += [(parcel, int(a) * STEP, None if b == ROWS else int(b) * STEP) for a, b in edges.reshape(-1, 2)]
    found = find(twin, text, on="parcel", start=at(0), stop=at(UNTIL))
    assert minutes(found) == sorted(expected, key=lambda one: (one[0], one[1]))


@pytest.mark.parametrize("text", [WARM, f"not ({WARM})"])
def test_without_any_link_or_history_nothing_fails(text):
    twin = twin_of([np.nan] * (2 * ROWS), [])
    assert len(find(twin, text, on="parcel")) == (3 if text.startswith("not") else 0)
