"""KPIs over events: equal to pandas where all is known, and the true value inside the bounds whatever isn't."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.events import kpi
from twinlab.model import Kpi

SPAN = {"start": "2026-03-02", "stop": "2026-03-05"}


def trip(formula: str, **more: object) -> Kpi:
    return Kpi.model_validate({"on": "trip", "formula": formula, **more})


def delay(table: pd.DataFrame) -> pd.Series:
    return (table.end - table.planned_end).dt.total_seconds()


FORMULAS = {
    "share(end_delay <= 15 min)": lambda t: (delay(t) <= 900).mean(),
    "share(end_delay <= 15 min where not cancelled)": lambda t: (delay(t[~t.cancelled]) <= 900).mean(),
    "count(trip where cause == 'rain')": lambda t: float((t.cause == "rain").sum()),
    "mean(end_delay)": lambda t: delay(t).mean(),
    "mean(load where end_delay > 0 s)": lambda t: t.load[delay(t) > 0].mean(),
    "median(load)": lambda t: t.load.median(),
    "quantile(duration, 0.9)": lambda t: (t.end - t.start).dt.total_seconds().quantile(0.9),
    "max(load)": lambda t: t.load.max(),
    "min(load where cause == 'rain')": lambda t: t.load[t.cause == "rain"].min(),
    "sum(load)": lambda t: t.load.sum(),
    "sum(end_delay where end_delay > 0 s)": lambda t: delay(t)[delay(t) > 0].sum(),
    "sum(load) / count(trip)": lambda t: t.load.mean(),
    "1 - share(cancelled)": lambda t: 1 - t.cancelled.mean(),
}


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("by", [None, "destination", "cause", "kind", "asset"])
def test_each_function_is_that_of_pandas_without_width_where_all_is_known(formula, by, houses, plain):
    table = plain.trips()
    found = kpi(houses(), trip(formula), by=by, **SPAN)
    key = table.asset.map({"R1": "cold", "R2": "cold", "R3": "warm"}) if by == "kind" else by and table[by]
    days = table.planned_start.dt.floor("D")
    if by is None:
        expected = pd.Series({day: FORMULAS[formula](part) for day, part in table.groupby(days)})
    else:
        parts = table.groupby([days, key])
        expected = pd.Series({place: FORMULAS[formula](part) for place, part in parts}).unstack()
        assert found[by].values.tolist() == expected.columns.tolist()
    if not formula.startswith(("count", "sum(load)")):
        np.testing.assert_allclose(found.value, expected)
    else:
        np.testing.assert_allclose(found.value.fillna(0), expected.fillna(0))
    np.testing.assert_allclose(found.low, found.value)
    np.testing.assert_allclose(found.high, found.value)
    assert (found.coverage == 1).all()


@pytest.mark.parametrize("formula", FORMULAS)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), lost=st.sampled_from([0.05, 0.3, 0.8]))
def test_the_true_value_is_inside_the_bounds_whatever_is_not_known(formula, seed, lost, houses, plain):
    rng = np.random.default_rng(seed)
    full = plain.trips(seed)
    table = full.copy()
    table["cancelled"] = table["cancelled"].astype(object)
    for column in ("start", "end", "load", "cause", "destination", "cancelled"):
        gone = rng.random(len(table)) < lost
        table[column] = table[column].mask(gone, pd.NaT if column in ("start", "end") else None)
    found = kpi(houses(events=table), trip(formula), every="1d", by="destination", **SPAN)
    true = kpi(houses(events=full), trip(formula), every="1d", by="destination", **SPAN).reindex_like(found)
    exists = ~np.isnan(true.value.values)
    assert (found.low.values <= true.value.values + 1e-9)[exists].all()
    assert (found.high.values >= true.value.values - 1e-9)[exists].all()
    inside = np.isnan(found.value) | ((found.low <= found.value) & (found.value <= found.high))
    assert inside.all()


def test_an_event_whose_group_is_not_known_may_be_in_each(houses, plain):
    table = plain.trips()
    table.loc[table.planned_start < "2026-03-03", "destination"] = None
    found = kpi(houses(events=table), trip("count(trip)"), by="destination", **SPAN)
    first = int((table.planned_start < "2026-03-03").sum())
    assert found.value[0].values.tolist() == [0, 0]
    assert found.high[0].values.tolist() == [first, first]
    np.testing.assert_array_equal(found.high[1:], found.value[1:])


def test_windows_that_are_not_settled_may_get_more_events(houses, plain):
    table = plain.trips()
    twin = houses(events=table)
    table = twin.events("trip")
    twin._events["trip"] = table[table.event_id != "last"]  # the last actual time is now within the third day
    counts = kpi(twin, trip("count(trip)"), **SPAN)
    assert np.isfinite(counts.high[:2]).all()
    assert np.isinf(counts.high[2])
    assert counts.settled_until == table[table.event_id != "last"].end.max()
    share = kpi(twin, trip("share(end_delay <= 15 min)"), **SPAN)
    assert (share.low[2], share.high[2]) == (0, 1)
    assert 0 < share.coverage[2] < 1


def test_without_any_event_a_count_is_zero_and_a_share_does_not_exist(houses, plain):
    twin = houses()
    twin._events["trip"] = twin.events("trip").iloc[:0]
    count = kpi(twin, trip("count(trip)"), **SPAN)
    # Nothing says up to when there were none.
    assert (count.value.values.tolist(), count.low.values.tolist()) == ([0, 0, 0], [0, 0, 0])
    assert np.isinf(count.high).all()
    assert np.isnat(count.settled_until.values)
    share = kpi(twin, trip("share(end_delay <= 15 min)"), by="destination", **SPAN)
    assert share.sizes == {"time": 3, "destination": 0}
    with pytest.raises(SchemaError, match="has no data yet; give start and stop"):
        kpi(twin, trip("count(trip)"))


def test_several_links_to_one_asset_type_need_a_choice(houses):
    twin = houses()
    with pytest.raises(SchemaError, match="write by='origin' or 'destination'"):
        kpi(twin, trip("count(trip)"), by="house", **SPAN)
    chosen = kpi(twin, trip("count(trip)", groups=["destination"]), by="house", **SPAN)
    by_link = kpi(twin, trip("count(trip)"), by="destination", **SPAN)
    np.testing.assert_array_equal(chosen.value, by_link.value)


def test_a_relationship_of_the_asset_counts_at_the_time_of_the_event(houses, plain):
    table = plain.trips()
    found = kpi(houses(), trip("count(trip)"), by="part_of", **SPAN)
    noon = pd.Timestamp("2026-03-03T12:00")
    house = np.where((table.asset == "R3") & (table.planned_start < noon), "B", "A")
    expected = table.groupby([table.planned_start.dt.floor("D"), house]).size().unstack(fill_value=0)
    np.testing.assert_array_equal(found.value, expected)


def test_a_formula_of_time_and_events_is_grouped_by_what_both_lead_to(houses, plain):
    table, data = plain.trips(), plain.truth()
    definition = Kpi.model_validate(
        {
            "on": "room",
            "energy_per_event": {"event": "trip", "signal": "door", "states": ["open"], "power": "2 kW"},
            "groups": ["origin"],
        }
    )
    found = kpi(houses(), definition, by="house", **SPAN)
    assert found.attrs["units"] == "kWh"
    hours = data.door.values[:96, :2].sum() / 4  # on the first day, R1 and R2 are in A
    first = ((table.planned_start < "2026-03-03") & (table.origin == "A")).sum()
    np.testing.assert_allclose(found.sel(house="A").value[0], 2 * hours / first)


def test_which_time_puts_an_event_into_a_window_can_be_chosen(houses, plain):
    table = plain.trips()
    for at in ("planned_start", "start", "planned_end", "end"):
        found = kpi(houses(), trip("count(trip)", at=at), every="1h", **SPAN)
        expected = table[at].dt.floor("h").value_counts().reindex(found.time.values, fill_value=0)
        np.testing.assert_array_equal(found.value, expected)
