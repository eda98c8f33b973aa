"""A probe in a river, generated: spikes, noise, level shifts, visits and drift between them."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.model import AssetType
from twinlab.model.calibration import calibrated
from twinlab.quality import (
    QUALITY_TESTS,
    affected_flags,
    departure_flags,
    drift_flags,
    drift_from_visits,
    find_visits,
    level_shift_flags,
    reset_flags,
    run_tests,
    variability_flags,
    visit_calibrations,
    visit_flags,
)

QUARTER = np.timedelta64(15, "m")
N = 96 * 40
TIMES = np.datetime64("2026-01-01", "ns") + np.arange(N) * QUARTER


def river(seed: int = 0) -> xr.Dataset:
    """Four signals of one probe with a daily course, and two visits in which it is out of the water for half an hour."""
    rng = np.random.default_rng(seed)
    hour = np.arange(N) / 4
    course = np.sin(2 * np.pi * hour / 24)
    data = {
        "temperature": 8 + 2 * course + 0.02 * rng.normal(size=N),
        "ph": 8.2 + 0.15 * course + 0.005 * rng.normal(size=N),
        "oxygen": 9 - 0.5 * course + 0.02 * rng.normal(size=N),
        "conductivity": 350 + 5 * course + 0.3 * rng.normal(size=N),
    }
    for at in (96 * 10, 96 * 30):
        data["temperature"][at : at + 2] += 5
        data["ph"][at : at + 2] -= 0.12
        data["oxygen"][at : at + 2] += 1.5
        data["conductivity"][at : at + 2] = 0
    return xr.Dataset({name: ("time", values) for name, values in data.items()}, {"time": TIMES})


def spans(mask: xr.DataArray | np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.r_[0, np.asarray(mask).astype(np.int8), 0]))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def test_an_excursion_of_some_values_departs_and_the_course_of_the_day_does_not():
    values = river()["temperature"]
    values[2000:2003] += 6
    found = departure_flags(values, window="4h")
    assert spans(found == 3) == [(960, 962), (2000, 2003), (2880, 2882)]
    assert set(np.unique(found)) == {1, 3}
    assert not (departure_flags(values[100:900], window="4h") == 3).any()


def test_noise_is_found_where_it_is():
    values = river()["ph"]
    rng = np.random.default_rng(1)
    values[1500:1700] += 0.2 * rng.normal(size=200)
    found = np.flatnonzero(variability_flags(values, window="3h") == 3)
    inside = (found >= 1490) & (found < 1710)
    assert inside.sum() > 190
    assert (~inside).sum() == 0


def test_a_level_that_went_away_and_came_back_is_a_shift_and_a_step_that_stays_is_none():
    values = river()["oxygen"].copy()
    values[1200:2400] -= 1.2
    assert spans(level_shift_flags(values) == 3) == [(1200, 2400)]
    assert not (level_shift_flags(values, longest="10d") == 3).any()
    values[2400:] -= 1.2
    assert not (level_shift_flags(values) == 3).any()


def test_visits_are_when_several_signals_depart():
    data = river()
    data["ph"][500] += 0.5
    found = find_visits(data)
    assert [(a <= at < b) for (a, b), at in zip(spans(found), (960, 2880), strict=True)] == [True, True]
    small = river()["ph"]
    assert spans(visit_flags(small, data.drop_vars("ph")) == 3) == [(960, 962), (2880, 2882)]
    # By itself it isn't far enough off.
    assert not (departure_flags(small, window="2h", limit=40) == 3).any()
    with pytest.raises(SchemaError, match="at least two signals"):
        find_visits(data[["ph"]])
    with pytest.raises(SchemaError, match=r"got \['salt'\]"):
        visit_flags(small, data.drop_vars("ph"), signals=["salt"])


def test_the_drift_between_two_visits_is_undone():
    data = river()
    true = data["ph"].copy()
    data["ph"][962:2880] += np.linspace(0, 0.3, 2880 - 962)
    visits = find_visits(data)
    (found,) = drift_from_visits(data["ph"], visits)
    assert found.method == "visits"
    assert found.slope_interval[0] < 0.3 / 20 * 30 < found.slope_interval[1]
    assert abs(found.until - TIMES[2880]) < np.timedelta64(2, "h")
    fixed = calibrated(data["ph"], visit_calibrations(data["ph"], visits, asset="river/1", signal="ph"))
    middle = slice(970, 2870)
    assert float(abs(fixed - true)[middle].mean()) < 0.15 * float(abs(data["ph"] - true)[middle].mean())
    assert float(abs(fixed - true)[2890:].max()) == 0
    assert drift_from_visits(river()["ph"], visits) == ()
    assert found.finding("river/1", "ph").until == found.until


def test_a_shift_is_undone_by_an_offset():
    data = river()
    true = data["oxygen"].copy()
    data["oxygen"][1200:2400] -= 1.2
    (fix,) = visit_calibrations(data["oxygen"], find_visits(data), asset="river/1", signal="oxygen")
    assert fix.offset == pytest.approx(1.2, abs=0.05)
    assert float(abs(calibrated(data["oxygen"], fix) - true).max()) < 0.05


@pytest.mark.parametrize("name", ["departure", "variability", "level_shift", "drift", "visit"])
def test_each_test_of_the_registry_is_lazy_and_gives_the_same(name):
    data = xr.concat([river(seed) for seed in range(5)], "asset").assign_coords(asset=list("abcde"))
    data["ph"][0, 1500:1700] += 0.2 * np.random.default_rng(1).normal(size=200)
    data["ph"][1, 700] = np.nan
    options = {
        "departure": {"window": "4h"},
        "variability": {"window": "3h"},
        "visit": {"signals": ["temperature", "oxygen"]},
    }
    signals = {
        "ph": {"unit": "1", "resolution": 0.001, "tests": {name: options.get(name, {})}},
        **{other: {"unit": "1", "resolution": 0.01} for other in ("temperature", "oxygen", "conductivity")},
    }
    kind = AssetType.model_validate({"signals": signals})
    data = data.transpose("time", "asset")
    there = run_tests(data, kind)[f"ph_{name}_qc"]
    lazy = run_tests(data.chunk(time=1000, asset=2), kind)[f"ph_{name}_qc"]
    assert lazy.chunks is not None
    assert there.dtype == lazy.dtype == np.uint8
    assert there.dims == data["ph"].dims
    np.testing.assert_array_equal(lazy, there)
    assert int(there[700, 1]) == 9
    assert QUALITY_TESTS.get(name).scope != "signal"


def test_drift_flags_begin_at_the_onset_and_what_cannot_be_decided_is_not_evaluated():
    rng = np.random.default_rng(0)
    days = np.datetime64("2026-01-01", "ns") + np.arange(120) * np.timedelta64(1, "D")
    values = xr.DataArray(rng.normal(0, 0.1, (120, 5)), {"time": days, "asset": list("abcde")}, ("time", "asset"))
    values[60:, 0] += 0.05 * np.arange(60)
    flags = drift_flags(values)
    assert (flags[:50, 0] == 1).all()
    assert (flags[70:, 0] == 3).all()
    assert (flags[:, 1:] == 1).all()
    assert (drift_flags(values[:30]) == 2).all()
    assert (drift_flags(values, against="past") == 2).all()
    assert (drift_flags(values, against="past", season=False)[70:, 0] == 3).all()


def test_uneven_times_and_wrong_limits_are_refused():
    values = river()["ph"]
    with pytest.raises(SchemaError, match="regular cadence"):
        departure_flags(values[[0, 1, 3, 4]], window="1h")
    with pytest.raises(SchemaError, match="at least 3 steps"):
        departure_flags(values, window="15min")
    for test in (departure_flags, variability_flags):
        with pytest.raises(SchemaError, match="expected limit as a positive number, got -1"):
            test(values, window="4h", limit=-1)
    with pytest.raises(SchemaError, match="expected limit"):
        level_shift_flags(values, limit=float("nan"))


@settings(max_examples=10)
@given(offset=st.integers(-1000, 1000), power=st.integers(-3, 3), seed=st.integers(0, 99))
def test_flags_depend_neither_on_the_unit_nor_on_the_direction_of_time(offset, power, seed):
    values = river(seed)["temperature"][:1600]
    values[700:720] += 4
    other = values * 2.0**power + offset
    for test, options in ((departure_flags, {"window": "12h"}), (variability_flags, {"window": "3h"})):
        first = test(values, **options, resolution=0.02)
        np.testing.assert_array_equal(first, test(other, **options, resolution=0.02 * 2.0**power))
    back = values.copy(data=values.values[::-1])
    found = departure_flags(back, window="12h", resolution=0.02)
    np.testing.assert_array_equal(found.values[::-1], departure_flags(values, window="12h", resolution=0.02))


@pytest.mark.parametrize("values", [[], [np.nan] * 200, [1.0] * 200, [np.inf, 1.0] * 100])
def test_degenerate_series_have_flags_of_their_shape(values):
    signal = xr.DataArray(np.array(values, dtype=float), {"time": TIMES[: len(values)]}, "time")
    for found in (
        departure_flags(signal, window="2h"),
        variability_flags(signal, window="2h"),
        level_shift_flags(signal),
    ):
        assert found.shape == signal.shape
        assert not (found == 4).any()
        np.testing.assert_array_equal(found == 9, np.isnan(signal))


def test_a_level_that_rises_under_ice_is_flagged_and_a_flood_isnt():
    rng = np.random.default_rng(3)
    level = 20 + 0.002 * np.arange(N) + 0.1 * rng.normal(size=N)
    level[1000:1100] += 15
    level[2000:2300] += 15 * rng.random(300) + 2
    water = 4 + 0.1 * rng.normal(size=N)
    water[2000:2260] = 0.02
    water[3000] = 0.0
    level[3001] += 15
    data = xr.Dataset({"level": ("time", level), "water": ("time", water)}, {"time": TIMES})
    options = {"given": "water", "span": (-1, 0.1), "after": "12h"}
    found = affected_flags(data["level"], data, **options)
    # The ice that is still there after the water has warmed; neither the flood nor a single reading of nothing.
    assert spans(found == 3) == [(2000, 2300)]
    assert (affected_flags(data["level"].chunk(time=500), data.chunk(time=500), **options) == found).all()
    late = affected_flags(data["level"], data, **{**options, "after": "15min"})
    assert spans(late == 3)[-1][1] == 2261
    frozen = data.assign(water=xr.zeros_like(data["water"]))
    assert not (affected_flags(frozen["level"], frozen, **options) == 3).any()
    with pytest.raises(SchemaError, match="span as"):
        affected_flags(data["level"], data, given="water", span=(1, 0))
    with pytest.raises(SchemaError, match="signal 'ice' among the others"):
        affected_flags(data["level"], data, given="ice", span=(0, 1))


def test_only_what_drifted_beyond_the_limit_before_a_visit_is_flagged():
    data = river()
    others = data[["temperature", "oxygen", "conductivity"]]
    fouled = data["ph"].copy()
    fouled[962:2882] += np.linspace(0, 3, 1920)
    found = reset_flags(fouled, others, limit=2)
    ((start, stop),) = spans(found == 3)
    assert abs(start - (962 + 1280)) < 60 and stop in range(2880, 2884)
    assert not (reset_flags(data["ph"], others, limit=0.5) == 3).any()
    assert not (reset_flags(fouled, others, limit=4) == 3).any()
    # A third of pH 8 is 2.7: a smaller part of the drift is beyond it.
    ((later, _),) = spans(reset_flags(fouled, others, limit=2, share=0.33) == 3)
    assert later > start + 200
    with pytest.raises(SchemaError, match="positive limit or share"):
        reset_flags(fouled, others)
    with pytest.raises(ValueError, match="limit in the signal's unit"):
        QUALITY_TESTS.get("reset").parse({"signals": ["x"]}, unit="1")


def test_visits_are_in_the_hours_of_work():
    data = river()
    # Both visits are at midnight UTC.
    assert find_visits(data, hours=(22, 6)).sum() == find_visits(data).sum() > 0
    assert not find_visits(data, hours=(6, 22)).any()
    assert find_visits(data, hours=(8, 18), zone="Asia/Tokyo").any()
    with pytest.raises(SchemaError, match="hours as"):
        find_visits(data, hours=(8, 25))
    with pytest.raises(SchemaError, match="time zone such as"):
        find_visits(data, hours=(8, 18), zone="Mars")
