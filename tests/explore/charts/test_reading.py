"""Reading for a chart: enough for its pixels, never more than can be sent, equal to the rollup."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import UnknownTermError
from twinlab.explore.charts.reading import MAX_POINTS, coarsen, cover, data_span, latest_time, plan_reading
from twinlab.history.layout import grid
from twinlab.model.twinmodel import TwinModel, parse_duration
from twinlab.testing import FakeTwin

MINUTE = 60 * 10**9
STEPS = ("15min", "1h", "4h", "1d")


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=12, trips=50)


@given(st.integers(1, 20 * 365 * 1440), st.sampled_from([1, 5, 60]), st.integers(0, 4))
def test_no_window_sends_more_points_than_a_curve_may_have(minutes, cadence, few):
    steps = [s for s in STEPS if parse_duration(s) >= 4 * cadence * MINUTE][:few]
    plan = plan_reading(minutes * MINUTE, cadence_ns=cadence * MINUTE, steps=steps)
    assert minutes * MINUTE / (plan.cell_ns * plan.factor) <= MAX_POINTS


@given(st.integers(1, 20 * 365 * 1440))
def test_a_rollup_is_read_only_where_it_has_a_cell_a_bin(minutes):
    plan = plan_reading(minutes * MINUTE, cadence_ns=MINUTE, steps=STEPS)
    assert plan.step is None or minutes * MINUTE >= 500 * parse_duration(plan.step)


def test_close_up_the_samples_themselves_are_read():
    assert plan_reading(2_000 * MINUTE, cadence_ns=MINUTE, steps=STEPS).title == "raw samples, 1 min"


def test_states_are_never_averaged_from_samples():
    assert plan_reading(3_000 * MINUTE, cadence_ns=MINUTE, steps=STEPS, merge_raw=False).step == "15min"


@pytest.mark.parametrize(("step", "factor"), [(None, 60), ("15min", 4)])
def test_merged_cells_equal_the_rollup_of_the_same_width(twin, step, factor):
    fine = twin.history("station", signals=["wind_speed"], step=step)
    coarse = twin.history("station", signals=["wind_speed"], step="1h")
    cell = MINUTE if step is None else parse_duration(step)
    merged = coarsen(fine, "wind_speed", factor=factor, cell_ns=cell)
    assert (merged.time.values == coarse.time.values).all()
    for part in ("min", "max", "mean", "count", "fail", "missing"):
        np.testing.assert_allclose(merged[f"wind_speed_{part}"].values, coarse[f"wind_speed_{part}"].values, rtol=1e-12)


def test_a_reading_covers_its_window_with_a_cell_to_spare():
    window = (np.datetime64("2026-01-03T00:10", "ns"), np.datetime64("2026-01-03T00:20", "ns"))
    start, stop = cover(window, plan_reading(10 * MINUTE, cadence_ns=MINUTE, steps=STEPS))
    assert (start, stop) == (np.datetime64("2026-01-03T00:09"), np.datetime64("2026-01-03T00:21"))


def test_the_span_of_a_signal_is_that_of_its_samples(twin):
    start, stop = data_span(twin, asset_type="station", signal="temperature")
    assert (start, stop) == (np.datetime64("2026-01-01"), np.datetime64("2026-01-13"))


@pytest.mark.parametrize("cells", [1, 15, 60, 4096])
def test_the_newest_time_is_that_of_a_sample_and_not_of_a_rollup(twin, cells, monkeypatch):
    monkeypatch.setattr(grid, "_SEARCHED", cells)
    assert latest_time(twin) == np.datetime64("2026-01-12T21:59")


def legs(**times):
    columns = ("start", "end", "planned_start", "planned_end")
    table = {
        name: pd.to_datetime(pd.Series(times.get(name, [None, None]))).astype("datetime64[ns]") for name in columns
    }
    model = TwinModel.model_validate(
        {"twin": "legs", "asset_types": {"courier": {}}, "event_types": {"leg": {"asset": "courier"}}}
    )
    return FakeTwin(model, events={"leg": pd.DataFrame({"event_id": ["1", "2"], "asset": "C1", **table})})


def test_the_newest_time_of_a_twin_without_samples_is_that_of_an_event():
    begun = {"start": ["2026-01-03T10:00", "2026-01-03T12:00"], "end": ["2026-01-03T11:00", None]}
    assert latest_time(legs(**begun, planned_end=["2026-01-03T11:00", "2026-01-09T00:00"])) == np.datetime64(
        "2026-01-03T12:00"
    )
    assert latest_time(legs(planned_start=["2026-01-03", "2199-01-01"])) == np.datetime64("2026-01-03")
    assert latest_time(legs(start=["2199-01-01", None])) is None


def test_the_fake_twin_names_the_nearest_known_term(twin):
    with pytest.raises(UnknownTermError, match="did you mean 'temperature'"):
        twin.history("station", signals=["temprature"])
