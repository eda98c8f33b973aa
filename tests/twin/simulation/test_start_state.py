"""The state at a start is what plain counts of the history say, and nothing later."""

import numpy as np
import pandas as pd
import pytest

from twinlab.errors import SchemaError
from twinlab.simulate.calibration.start_state import latest_time, positions, start_state

STARTS = ["2026-01-27T21:30", "2026-01-28T06:00", "2026-01-30T12:00", "2026-01-31T23:00"]


@pytest.mark.parametrize("start", STARTS)
def test_parcels_at_hubs_and_under_way_are_those_of_the_history(parcel, calibrated, start):
    found = positions(start_state(parcel, calibrated, start).state)
    at = pd.Timestamp(start)
    stays = parcel.relationships("held_at")
    stays = stays[(stays["valid_from"] < at) & ~(stays["valid_until"] < at)]
    legs = parcel.events("leg")
    legs = legs[(legs["start"] < at) & ~(legs["end"] < at)]
    here, coming = stays.groupby("target").size(), legs.groupby("destination").size()
    assert found["waiting"].to_dict() == here.reindex(found.index, fill_value=0).to_dict()
    assert found["incoming"].to_dict() == coming.reindex(found.index, fill_value=0).to_dict()
    assert found.to_numpy().sum() > 50


def test_the_first_cell_of_the_simulation_has_the_positions_of_the_history(parcel, calibrated):
    state = start_state(parcel, calibrated, STARTS[0]).state
    data = calibrated.model.advance_many(
        state, replications=[0, 1], until=np.datetime64("2026-01-28T21:30"), step=np.timedelta64(1, "h")
    )
    found = positions(state)
    for name in ("waiting", "incoming"):
        first = data[f"hub_{name}"].isel(time=0)
        assert (first == found[name].to_numpy()).all()


def test_nothing_that_happened_after_the_start_is_in_the_state(parcel, calibrated):
    state = start_state(parcel, calibrated, STARTS[1]).state
    for name in ("trip_known_start", "trip_known_end", "entity_known_delivered", "entity_registered"):
        assert not (state[name] >= 0).any()
    assert state["entity_known_delivered"].isnull().all()
    assert int((state["trip_planned_start"] > 0).sum()) > 20


def test_rows_that_came_later_do_not_leak(parcel, calibrated):
    class Late:
        """The twin, without the arrivals of a truck that became known only later."""

        def __getattr__(self, name):
            return getattr(parcel, name)

        def events(self, event_type, **options):
            table = parcel.events(event_type, **options)
            carrier = table["truck"] if "truck" in table else table["asset"]
            return table.assign(end=table["end"].where(carrier != truck))

    legs = parcel.events("leg")
    start = pd.Timestamp("2026-01-28T02:00")
    recent = legs[(legs["end"] < start) & (legs["end"] > start - pd.Timedelta("6h"))]
    truck = recent["truck"].iloc[-1]
    now, then = (positions(start_state(twin, calibrated, start).state) for twin in (parcel, Late()))
    moved = int((recent["truck"] == truck).sum())
    assert then["incoming"].sum() > now["incoming"].sum()
    assert then["incoming"].sum() - now["incoming"].sum() <= moved
    assert then.to_numpy().sum() == now.to_numpy().sum()


def test_now_is_when_something_happened_last(parcel):
    now = latest_time(parcel)
    assert np.datetime64("2026-02-01T12:00") < now <= np.datetime64("2026-02-02T00:00:01")


def test_a_start_after_the_plan_is_refused(parcel, calibrated):
    with pytest.raises(SchemaError, match="no trip that is planned"):
        start_state(parcel, calibrated, "2027-01-01")


def test_trips_under_way_have_the_share_of_the_way_of_their_last_position(parcel, calibrated):
    evening = "2026-01-27T22:00"
    found = start_state(parcel, calibrated, evening)
    state = found.state
    known = ~np.isnan(state["trip_share"].to_numpy())
    left = state["trip_known_start"].to_numpy()
    assert known.sum() >= 3
    assert (left[known] < 0).all()
    assert (state["trip_seen"].to_numpy()[known] < 0).all()
    assert any("from the share of the way" in text for text in found.assumed)
    # A truck that left long ago has more of its way behind it.
    planned = (state["trip_planned_end"] - state["trip_planned_start"]).to_numpy()
    passed = (state["trip_seen"].to_numpy() - left)[known] / planned[known]
    assert np.corrcoef(passed, state["trip_share"].to_numpy()[known])[0, 1] > 0.8
