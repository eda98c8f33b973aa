"""Rates of arrivals by hour of the week."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.simulate.calibration.arrivals import arrival_rates, hours_in
from twinlab.simulate.timetable.weeks import hour_of_week

START, STOP = np.datetime64("2026-03-02T00:00"), np.datetime64("2026-03-30T00:00")


def poisson(rate, seed=0):
    """Arrivals of groups at rates ``(group, 168)`` an hour over four weeks."""
    random, times, groups = np.random.default_rng(seed), [], []
    hours = np.arange(START.astype("M8[h]"), STOP.astype("M8[h]"))
    for group, of_group in enumerate(rate):
        many = random.poisson(of_group[hour_of_week(hours)])
        inside = np.repeat(hours.astype("M8[s]"), many) + random.integers(0, 3600, many.sum()).astype("m8[s]")
        times.append(inside)
        groups += [f"G{group}"] * len(inside)
    return np.concatenate(times), groups


def test_shrunk_rates_are_nearer_to_the_truth_than_plain_counts():
    pattern = 1 + np.sin(np.arange(168) / 168 * 14 * np.pi)
    truth = np.outer([0.2, 0.5, 2.0, 6.0], pattern) * np.random.default_rng(1).lognormal(0, 0.2, (4, 168))
    times, groups = poisson(truth)
    found = arrival_rates(times, groups, start=START, stop=STOP)
    plain = np.stack(
        [np.bincount(hour_of_week(times[np.array(groups) == f"G{group}"]), minlength=168) / 4 for group in range(4)]
    )
    assert np.abs(found.rate - truth).sum() < 0.85 * np.abs(plain - truth).sum()
    assert found.count.sum() == len(times)
    assert found.expected(START, STOP).sum() == pytest.approx(len(times), rel=0.02)


def test_poisson_arrivals_are_recognised_and_bursts_too():
    times, groups = poisson(np.full((3, 168), 2.0))
    assert arrival_rates(times, groups, start=START, stop=STOP).p_value > 0.01
    bursts = np.repeat(np.random.default_rng(2).choice(times, len(times) // 6), 6)
    assert arrival_rates(bursts, start=START, stop=STOP).p_value < 0.001
    assert "more scattered" in arrival_rates(bursts, start=START, stop=STOP).words


@given(st.integers(0, 500_000), st.integers(1, 1_000_000))
def test_hours_of_a_span_add_up_to_its_length(offset, seconds):
    start = np.datetime64("2026-01-01T00:00:00") + np.timedelta64(offset, "s")
    stop = start + np.timedelta64(seconds, "s")
    assert hours_in(start, stop).sum() == pytest.approx(seconds / 3600)
    assert hours_in(start, stop).min() >= 0


def test_arrivals_outside_the_window_do_not_count():
    times = np.array(["2026-03-01T23:59", "2026-03-02T00:00", "2026-03-30T00:00"], "M8[ns]")
    assert arrival_rates(times, start=START, stop=STOP).count.tolist() == [1]


@pytest.mark.parametrize(
    ("times", "options", "message"),
    [
        (["2026-03-03"], {"start": STOP, "stop": START}, "a start before the stop"),
        (["2025-03-03"], {"start": START, "stop": STOP}, "no arrivals"),
        (["2026-03-03"], {"start": START, "stop": STOP, "groups": ["a", "b"]}, "each of 1 arrivals, got 2"),
    ],
)
def test_a_window_without_arrivals_is_refused(times, options, message):
    with pytest.raises(SchemaError, match=message):
        arrival_rates(np.array(times, "M8[ns]"), **options)
