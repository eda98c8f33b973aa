"""KPIs over the time of assets: equal to pandas on full data, and the true value inside the bounds whatever is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events import kpi
from twinlab.events.finding.finder import find
from twinlab.events.kpis.over_time.cells import read_type_cells
from twinlab.model import Kpi

DAY = np.datetime64("2026-03-02", "ns")
DAYS, CELLS = 3, 96  # of a quarter of an hour
ROOMS = ["R1", "R2", "R3"]
LIMITS = np.array([8.0, 5.0, 10.0])


def room(formula: str, **more: object) -> Kpi:
    return Kpi.model_validate({"on": "room", "formula": formula, **more})


def daily(values: np.ndarray) -> np.ndarray:
    """Return the daily mean over all rooms."""
    return values.reshape(DAYS, CELLS, -1).mean(axis=(1, 2))


def test_the_share_of_time_is_that_of_plain_numbers_and_has_no_width_on_full_data(houses, plain):
    data = plain.truth()
    found = kpi(houses(data), room("time_share(warmth <= limit)", unit="%", target=">= 90 %"))
    np.testing.assert_allclose(found.value, 100 * daily(data.warmth.values <= LIMITS))
    np.testing.assert_array_equal(found.low, found.value)
    np.testing.assert_array_equal(found.high, found.value)
    assert (found.coverage == 1).all()
    assert (found.samples == 3 * CELLS).all()
    assert found.attrs["units"] == found.value.attrs["units"] == "%"
    assert found.attrs["target_value"] == 90
    assert found.settled_until == DAY + np.timedelta64(DAYS, "D")


FORMULAS = {
    "time_mean(warmth)": lambda d: daily(d.warmth.values),
    "time_mean(warmth - limit)": lambda d: daily(d.warmth.values - LIMITS),
    "time_max(warmth)": lambda d: d.warmth.values.reshape(DAYS, -1).max(axis=1),
    "time_min(warmth)": lambda d: d.warmth.values.reshape(DAYS, -1).min(axis=1),
    "total(power)": lambda d: daily(d.power.values) * 24 * 3,
    "time_total(door == open)": lambda d: daily(d.door.values == 1) * 24 * 3,
    "time_share(door == open and warmth > 6 degC)": lambda d: daily((d.door.values == 1) & (d.warmth.values > 6)),
    "time_share(not (door == open or warmth > 6 degC))": lambda d: daily((d.door.values == 0) & (d.warmth.values <= 6)),
    "time_share(abs(warmth - 5 degC) < 2 degC)": lambda d: daily(np.abs(d.warmth.values - 5) < 2),
    "total(power) / time_total(door == open)": lambda d: daily(d.power.values) / daily(d.door.values == 1),
    "time_max(warmth) - time_min(warmth)": lambda d: np.ptp(d.warmth.values.reshape(DAYS, -1), axis=1),
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_each_function_is_that_of_plain_numbers_without_width_on_full_data(formula, houses, plain):
    data = plain.truth()
    found = kpi(houses(data), room(formula))
    np.testing.assert_allclose(found.value, FORMULAS[formula](data))
    np.testing.assert_array_equal(found.low, found.value)
    np.testing.assert_array_equal(found.high, found.value)


WINDOWED = [
    "time_share(mean(warmth) over 1h > 5 degC)",
    "time_share(max(warmth) over 45 min > 8 degC for at least 30 min)",
    "time_share(door == open within 1h after warmth > 9 degC)",
    "time_share(change(warmth) over 30 min > 3 degC)",
    "time_share(rate(warmth) > 4 degC/h)",
    "total(meter)",
    "total(meter) / total(power)",
    "kinetic_mean(warmth)",
    "time_share(count(warmth) over 1h >= 3)",
    "time_share(mean(door == open) over 1h > 50 %)",
    "time_mean(mean(warmth > 6 degC and door == open) over 90 min)",
]


@pytest.mark.parametrize("formula", [*FORMULAS, *WINDOWED])
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), lost=st.floats(0.0, 0.6), wrong=st.floats(0.0, 0.3))
def test_the_true_value_is_inside_the_bounds_whatever_is_missing_or_suspect(formula, seed, lost, wrong, houses, plain):
    rng = np.random.default_rng(seed)
    full = plain.truth(seed)
    shape = full.warmth.shape
    runs = np.repeat(rng.random((shape[0] // 4, shape[1])) < lost, 4, axis=0)
    data = plain.with_gaps(full, runs, suspect=rng.random(shape) < wrong)
    true = kpi(houses(full), room(formula), every="4h", by="house")
    found = kpi(houses(data), room(formula), every="4h", by="house", start=true.time.values[0], stop="2026-03-05")
    # What the first window looks back on isn't known. Without a room in B the KPI doesn't exist there.
    value = true.value.values[1:]
    exists = ~np.isnan(value)
    assert (found.low.values[1:] <= value + 1e-9)[exists].all()
    assert (found.high.values[1:] >= value - 1e-9)[exists].all()
    inside = np.isnan(found.value) | ((found.low <= found.value) & (found.value <= found.high))
    assert inside.all()


def test_a_longer_gap_widens_the_bounds_and_nothing_known_leaves_what_the_sensor_can_report(houses, plain):
    full = plain.truth()
    widths = []
    for cells in (0, 4, 40, CELLS):
        mask = np.zeros(full.warmth.shape, dtype=bool)
        mask[:cells] = True
        found = kpi(
            houses(plain.with_gaps(full, mask)), room("time_mean(warmth)"), start=DAY, stop=DAY + np.timedelta64(1, "D")
        )
        widths.append(float((found.high - found.low)[0]))
        assert found.coverage[0].item() == pytest.approx(1 - cells / CELLS)
    assert widths == sorted(widths)
    assert (widths[0], widths[-1]) == (0.0, 60.0)
    assert np.isnan(found.value[0])
    without = kpi(
        houses(plain.with_gaps(full, mask)), room("time_mean(free)"), start=DAY, stop=DAY + np.timedelta64(1, "D")
    )
    assert (without.low[0], without.high[0]) == (-np.inf, np.inf)


def test_an_asset_counts_in_a_group_while_its_relationship_is_valid(houses, plain):
    data = plain.truth()
    found = kpi(houses(data), room("time_mean(warmth)"), by="house")
    assert found.sizes == {"time": DAYS, "house": 2}
    frame = data.warmth.to_series().rename("warmth").reset_index()
    spans = plain.links().fillna({"valid_from": pd.Timestamp.min, "valid_until": pd.Timestamp.max})
    joined = frame.merge(spans, left_on="asset", right_on="source")
    joined = joined[(joined.time >= joined.valid_from) & (joined.time < joined.valid_until)]
    expected = joined.groupby([joined.time.dt.floor("D"), "target"]).warmth.mean().unstack()
    np.testing.assert_allclose(found.value, expected)
    # On the third day there is no room in B: the KPI doesn't exist.
    assert np.isnan(found.sel(house="B").value[2])
    assert np.isnan(found.sel(house="B").low[2])


def test_groups_are_properties_relationships_and_assets(houses, plain):
    twin = houses()
    assert kpi(twin, room("time_mean(warmth)"), by="kind").kind.values.tolist() == ["cold", "warm"]
    assert kpi(twin, room("time_mean(warmth)"), by="part_of").part_of.values.tolist() == ["A", "B"]
    by_asset = kpi(twin, room("time_mean(warmth)"), by="asset")
    np.testing.assert_allclose(by_asset.value, plain.truth().warmth.values.reshape(DAYS, CELLS, -1).mean(axis=1))
    assert by_asset.asset.values.tolist() == ROOMS
    with pytest.raises(UnknownTermError, match="got by='huose'; did you mean 'house'"):
        kpi(twin, room("time_mean(warmth)"), by="huose")


def test_parts_of_a_span_give_the_same_numbers_as_the_whole(houses, plain, monkeypatch):
    twin = houses(plain.with_gaps(plain.truth(), np.random.default_rng(3).random((DAYS * CELLS, 3)) < 0.1))
    definition = room("time_share(mean(warmth) over 2h > 5 degC)")
    whole = kpi(twin, definition, every="1h")
    monkeypatch.setattr("twinlab.events.kpis.over_time.results._CELLS", 5)
    monkeypatch.setattr("twinlab.events.kpis.over_time.results._FEWEST", 2)
    xr.testing.assert_allclose(kpi(twin, definition, every="1h"), whole)
    part = kpi(twin, definition, every="1h", start="2026-03-03T05:30", stop="2026-03-03T09:00")
    xr.testing.assert_allclose(part, whole.sel(time=slice("2026-03-03T05:00", "2026-03-03T08:00")))


def test_windows_after_the_last_data_are_not_settled_and_can_be_anything(houses, plain):
    found = kpi(houses(), room("time_share(warmth > 5 degC)"), start="2026-03-04", stop="2026-03-07")
    assert found.low.values[1:].tolist() == [0, 0]
    assert found.high.values[1:].tolist() == [1, 1]
    assert found.coverage.values.tolist() == [1, 0, 0]


def test_the_mean_kinetic_temperature_is_that_of_its_formula(houses, plain):
    data = plain.truth()
    found = kpi(houses(data), Kpi.model_validate({"on": "room", "mean_kinetic_temperature": {"signal": "warmth"}}))
    kelvin = data.warmth.values + 273.15
    expected = 10_000 / -np.log(daily(np.exp(-10_000 / kelvin))) - 273.15
    np.testing.assert_allclose(found.value, expected)
    # Above the mean, since warm hours count more.
    assert (found.value > daily(data.warmth.values)).all()


def test_spans_and_steps_that_make_no_windows_are_refused(houses, plain):
    twin = houses()
    with pytest.raises(SchemaError, match="divides a day or is whole days"):
        kpi(twin, room("time_mean(warmth)"), every="5h")
    with pytest.raises(SchemaError, match="start before stop"):
        kpi(twin, room("time_mean(warmth)"), start="2026-03-03", stop="2026-03-02")
    week = kpi(twin, room("time_mean(warmth)"), every="7d", start="2026-03-02")
    assert week.time.values.tolist() == [DAY.astype("int64")]


def test_the_rise_of_a_counter_is_exact_across_a_gap_and_bounded_where_the_gap_crosses_windows(houses, plain):
    full = plain.truth()
    mask = np.zeros(full.meter.shape, dtype=bool)
    mask[CELLS + 4 : CELLS + 40] = True  # within the second day
    mask[2 * CELLS - 8 : 2 * CELLS + 8, 0] = True  # across midnight
    found = kpi(houses(plain.with_gaps(full, mask)), room("total(meter)"), by="asset")
    meter = full.meter.values
    true = np.diff(meter[[CELLS - 1, 2 * CELLS - 1, 3 * CELLS - 1]], axis=0)
    np.testing.assert_allclose(found.value[1, 1:], true[0, 1:])
    np.testing.assert_allclose((found.high - found.low)[1:, 1:], 0, atol=1e-9)
    width = meter[2 * CELLS + 8, 0] - meter[2 * CELLS - 9, 0]
    np.testing.assert_allclose((found.high - found.low)[1:, 0], width)
    assert (found.low[1:, 0] <= true[:, 0]).all()
    assert (found.high[1:, 0] >= true[:, 0]).all()


def test_a_counter_that_starts_anew_while_reports_are_missing_has_no_upper_bound(houses, plain):
    full = plain.truth()
    full.meter.values[150:] -= full.meter.values[150] - 0.5
    whole = kpi(houses(full), room("total(meter)"), by="asset")
    assert np.isfinite(whole.high[1:]).all()
    mask = np.zeros(full.meter.shape, dtype=bool)
    mask[140:160] = True
    found = kpi(houses(plain.with_gaps(full, mask)), room("total(meter)"), by="asset")
    assert np.isinf(found.high[1]).all()
    assert np.isfinite(found.high[2]).all()
    assert (found.low <= whole.value + 1e-9).values[1:].all()


@pytest.mark.parametrize(
    "formula", ["time_mean(warmth)", "time_max(warmth)", "time_min(free)", "time_mean(free) - time_min(free)"]
)
@pytest.mark.parametrize("by", [None, "kind", "asset"])
def test_rollups_give_the_numbers_of_the_cells(formula, by, houses, plain, monkeypatch):
    rng = np.random.default_rng(5)
    shape = (DAYS * CELLS, 3)
    # Whole hours are missing, a few cells are suspect: of some windows rollups say all, of others they don't.
    mask = np.repeat(rng.random((DAYS * CELLS // 4, 3)) < 0.2, 4, axis=0)
    suspect = rng.random(shape) < 0.02
    twin = houses(plain.with_gaps(plain.truth(), mask, suspect=suspect))
    read = []
    monkeypatch.setattr(
        "twinlab.events.kpis.over_time.results.read_type_cells",
        lambda *args, **more: read.append(more) or read_type_cells(*args, **more),
    )
    stored = kpi(twin, room(formula), by=by, every="4h")
    spans = sum(one["stop_ns"] - one["start_ns"] for one in read)
    monkeypatch.setattr("twinlab.events.kpis.over_time.results.from_rollups", lambda *_: None)
    xr.testing.assert_allclose(kpi(twin, room(formula), by=by, every="4h"), stored)
    whole = sum(one["stop_ns"] - one["start_ns"] for one in read) - spans
    assert 0 < spans < whole


def test_the_time_in_a_condition_is_that_of_the_events_which_find_finds(houses, plain):
    rng = np.random.default_rng(8)
    mask = np.repeat(rng.random((DAYS * CELLS // 4, 3)) < 0.3, 4, axis=0)
    twin = houses(plain.with_gaps(plain.truth(), mask))
    for condition in (
        "warmth > 6 degC and door == open",
        "mean(warmth) over 1h > 5 degC",
        "warmth > 5 degC for at least 30 min",
    ):
        stop = np.datetime64("2026-03-05", "ns")
        found = find(twin, condition, on="room", start=DAY, stop=stop)
        hours = (found["end"].fillna(pd.Timestamp(stop)) - found["start"]).dt.total_seconds().sum() / 3600
        total = kpi(twin, room(f"time_total({condition})"), start=DAY, stop=stop)
        assert float(total.value.sum()) == pytest.approx(hours)
