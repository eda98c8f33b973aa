"""Days put together anew: alike, but no copies; faults where the truth says so."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.simulate.synthetic.days import choose_days
from twinlab.simulate.synthetic.events import resampled_events
from twinlab.simulate.synthetic.faults import FAULTS, check_kinds, plant
from twinlab.simulate.synthetic.fidelity import gauge_fidelity, pair_fidelity
from twinlab.simulate.synthetic.privacy import longest_copy, membership_auc, nearest_ratio
from twinlab.simulate.synthetic.values import mixed_gauges, taken

WEEKS, CELLS = 40, 24


@pytest.fixture(scope="module")
def history():
    """Two gauges of two assets: a daily and weekly pattern, and deviations that last for hours and go together."""
    rng = np.random.default_rng(3)
    days = WEEKS * 7
    noise = rng.normal(size=(days * CELLS, 2, 2))
    for hour in range(1, len(noise)):
        noise[hour] += 0.8 * noise[hour - 1]
    noise[:, :, 1] = 0.7 * noise[:, :, 0] + 0.7 * noise[:, :, 1]
    clock = np.arange(days * CELLS)
    pattern = 5 * np.sin(2 * np.pi * clock / CELLS) + 4 * ((clock // CELLS) % 7 >= 5)
    values = pattern[:, None, None] + noise
    one, other = (values[:, :, gauge].reshape(days, CELLS, 2) for gauge in (0, 1))
    return one, other, np.arange(days) % 7


def made(values, weekdays, *, seed=1, mix=0.6):
    days = choose_days(weekdays, weekdays, block=3, rng=np.random.default_rng(seed))
    return mixed_gauges(values, weekdays, days, mix=mix, resolution=None)


@given(st.integers(14, 60), st.integers(1, 40), st.integers(1, 6), st.integers(0, 6), st.integers(0, 99))
def test_each_day_is_made_of_days_of_its_weekday(have, want, block, begin, seed):
    weekdays, wanted = np.arange(have) % 7, (np.arange(want) + begin) % 7
    days = choose_days(weekdays, wanted, block=block, rng=np.random.default_rng(seed))
    assert (weekdays[days.first] == wanted).all()
    assert (weekdays[days.others] == wanted).all()
    assert (days.others != days.first).all()


def test_too_short_a_history_is_refused():
    with pytest.raises(SchemaError, match="two days of each weekday"):
        choose_days(np.arange(8) % 7, np.arange(7), block=2, rng=np.random.default_rng(0))


def test_distribution_autocorrelation_pattern_and_correlation_stay(history):
    one, other, weekdays = history
    synthetic = made(one, weekdays), made(other, weekdays)
    scores = gauge_fidelity(one, synthetic[0])
    assert scores["distribution"] < 0.03
    assert scores["autocorrelation"] < 0.05
    assert scores["daily_pattern"] < 0.2
    assert scores["spread"] == pytest.approx(1, abs=0.05)
    assert pair_fidelity((one, other), synthetic) < 0.03
    # Signals that don't use the same days aren't correlated as before.
    assert pair_fidelity((one, other), (synthetic[0], made(other, weekdays, seed=2))) > 0.05


def test_no_day_is_a_copy_and_an_attacker_guesses(history):
    one, _, weekdays = history
    synthetic = made(one, weekdays)
    assert longest_copy(one.reshape(-1, 2), synthetic.reshape(-1, 2)) == 0
    assert nearest_ratio(one, synthetic) > 0.75
    attack = membership_auc(one, lambda used: made(used, weekdays[: len(used)]))
    assert attack < 0.75
    # The same figures of a bootstrap that copies days, which the figures must find out.
    days = choose_days(weekdays, weekdays, block=3, rng=np.random.default_rng(1))
    assert nearest_ratio(one, taken(one, days)) < 0.01
    assert membership_auc(one, lambda used: used) > 0.99


def test_missing_values_stay_missing_and_values_stay_within_what_has_been(history):
    one, _, weekdays = history
    holes = one.copy()
    holes[:, 5] = np.nan
    days = choose_days(weekdays, weekdays, block=3, rng=np.random.default_rng(1))
    synthetic = mixed_gauges(holes, weekdays, days, mix=0.6, resolution=0.1)
    assert np.isnan(synthetic[:, 5]).all()
    assert np.isfinite(synthetic[:, 6]).all()
    assert synthetic[:, 6].max() <= one.max() + 0.05
    np.testing.assert_allclose(synthetic[:, 6] * 10, np.round(synthetic[:, 6] * 10), atol=1e-6)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_changes_the_cells_that_the_truth_names_alone(kind, history):
    before = history[0].reshape(-1, 2)
    values, busy = before.copy(), np.zeros(before.shape, dtype=bool)
    found = plant(values, kind, cell_hours=1.0, unit="degC", taken=busy, rng=np.random.default_rng(5))
    changed = ~((values == before) | (np.isnan(values) & np.isnan(before)))
    times, assets = np.nonzero(changed)
    assert set(assets) == {found.asset}
    assert found.start <= times.min()
    assert times.max() < found.stop
    assert busy[found.start : found.stop, found.asset].all()


def test_an_unknown_fault_shows_the_nearest():
    with pytest.raises(UnknownTermError, match="stuck"):
        check_kinds(["stuk"])


def test_events_keep_their_day_and_place_and_change_their_delays_about():
    planned = pd.date_range("2026-01-05", periods=14 * 20, freq="72min")
    delay = np.random.default_rng(1).integers(0, 90, len(planned)).astype(float)
    table = pd.DataFrame(
        {"event_id": planned.astype(str), "planned_start": planned, "planned_end": planned + pd.Timedelta("1h")}
    )
    table["start"] = planned + pd.to_timedelta(delay, unit="min")
    table["end"] = table["start"] + pd.Timedelta("50min")
    table["late"], table["asset"] = delay, "a"
    table.loc[::10, ["start", "end"]] = pd.NaT
    table.loc[::10, "late"] = np.nan
    rng = np.random.default_rng(2)
    days = choose_days(np.arange(14) % 7, np.arange(14) % 7, block=2, rng=rng)
    first = np.datetime64("2026-01-05")
    found = resampled_events(table, first, days, begin=np.datetime64("2027-01-04"), numbers=["late"], rng=rng)
    assert found["event_id"].is_unique
    assert found["planned_start"].min() >= pd.Timestamp("2027-01-04")
    assert found["planned_start"].dt.time.isin(planned.time).all()
    happened = found["start"].notna()
    assert (found["end"] - found["start"])[happened].eq(pd.Timedelta("50min")).all()
    # The property is the delay again, and days have the delays that they had.
    assert (
        ((found["start"] - found["planned_start"]).dt.total_seconds() / 60)[happened].eq(found["late"][happened]).all()
    )
    of_day = dict(list(table.groupby(planned.normalize())["late"]))
    for day, source in enumerate(days.first[:5]):
        there = found[found["planned_start"].dt.normalize() == pd.Timestamp("2027-01-04") + pd.Timedelta(days=day)]
        assert sorted(there["late"].dropna()) == sorted(
            of_day[pd.Timestamp(first) + pd.Timedelta(days=int(source))].dropna()
        )
