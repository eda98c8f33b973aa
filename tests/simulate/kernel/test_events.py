"""A traced run: event tables that agree with the signals."""

import numpy as np
import pytest

from tests.simulate.kernel.networks import HOUR, START, parcels
from twinlab.model.schema import EVENT_COLUMNS


@pytest.fixture(scope="module")
def traced():
    model = parcels()
    return model.advance(model.initial_state(start=START), until=START + 24 * HOUR, step=24 * HOUR, trace=True)


def test_a_traced_run_has_the_same_state_and_results(traced):
    model = parcels()
    plain = model.advance(model.initial_state(start=START), until=START + 24 * HOUR, step=24 * HOUR)
    assert plain.events == {}
    assert plain.state.identical(traced.state)
    assert plain.results.identical(traced.results)


def test_event_tables_have_the_columns_of_event_tables(traced):
    assert set(traced.events) == {"visit", "leg", "trip", "breakdown"}
    for kind, table in traced.events.items():
        assert list(table.columns[: len(EVENT_COLUMNS)]) == list(EVENT_COLUMNS)
        assert set(table["type"]) <= {kind}
        assert table["event_id"].is_unique
        assert (table["end"] >= table["start"]).all()


def test_events_agree_with_the_signals(traced):
    visits, legs, trips = (traced.events[kind] for kind in ("visit", "leg", "trip"))
    results = traced.results
    served = results["hub_served"].isel(time=0)
    counts = visits["asset"].value_counts()
    assert [counts[hub] for hub in served["hub"].values] == served.values.tolist()
    wait = visits["waiting_time"].mean()
    assert wait == pytest.approx(float(results["waiting_time"]), rel=0.05)
    by_truck = legs[legs["truck"].notna()]
    # Trips and loads under way at the end aren't there.
    assert 0 <= float(results["truck_trips"].sum()) - len(trips) <= 6
    assert len(by_truck) <= trips["load"].sum() <= float(results["truck_carried"].sum())
    assert (legs.loc[legs["truck"].isna(), "destination"] == "depot").all()
    hours = (by_truck["planned_end"] - by_truck["planned_start"]) / np.timedelta64(1, "h")
    assert hours.to_numpy() == pytest.approx(1.0)


def test_the_legs_of_an_entity_follow_each_other(traced):
    legs = traced.events["leg"].sort_values("start")
    for _, own in legs.groupby("asset"):
        assert (own["origin"].iloc[1:].to_numpy() == own["destination"].iloc[:-1].to_numpy()).all()


def test_a_trace_larger_than_its_array_is_complete(traced, monkeypatch):
    from twinlab.simulate.kernel import model as module

    monkeypatch.setattr(module, "TRACED_ROWS", 10)
    model = parcels()
    again = model.advance(model.initial_state(start=START), until=START + 24 * HOUR, step=24 * HOUR, trace=True)
    for kind, table in traced.events.items():
        assert table.equals(again.events[kind])
    assert again.state.identical(traced.state)
