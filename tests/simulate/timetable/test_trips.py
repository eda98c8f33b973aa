"""Delays of trips: distributions, effects of the day, what is known at the start."""

from dataclasses import replace

import numpy as np
import pytest

from twinlab.errors import SchemaError
from twinlab.simulate.timetable.day_effects import Known
from twinlab.simulate.timetable.delays import fit_delays
from twinlab.simulate.timetable.trips import TripFits, Trips, simulate_trips

DAY, HOUR = 86_400, 3600
EPOCH = 1_767_571_200  # Monday, 2026-01-05
NOTHING = Known(np.zeros(0), *(np.zeros(0, np.int64) for _ in range(3)), np.zeros(0))


def history(days=60, spread=0.0, seed=0, never=0.0):
    """Delays of 40 trips a day between 8 and 18 o'clock, with an effect of the day on their logarithm."""
    random = np.random.default_rng(seed)
    epoch = (
        EPOCH + np.repeat(np.arange(days), 40) * DAY + np.tile(np.sort(random.integers(8 * HOUR, 18 * HOUR, 40)), days)
    )
    effect = np.repeat(random.normal(0, spread, days), 40)
    delay = 300 * np.exp(effect + random.normal(0, 0.7, len(epoch)))
    delay[random.random(len(epoch)) < never] = np.inf
    return epoch, delay


def fitted(**options):
    epoch, delay = history(**options)
    seen = np.where(np.isfinite(delay), epoch + np.nan_to_num(delay, posinf=0), 2**60).astype(np.int64)
    group = np.zeros(len(epoch), dtype=np.int64)
    one = fit_delays(delay, group, epoch, seen, growing=True, groups=1, day_start=3)
    lasting = np.random.default_rng(9).normal(0, 0.05, len(epoch))
    two = fit_delays(lasting, group, epoch, seen, growing=False, groups=1, day_start=3)
    return TripFits(one, two, turnaround=600.0)


def trips(count=200, *, begin=8 * HOUR, carrier=None, every=180.0, **known):
    planned = begin + every * np.arange(count)
    whole, nothing = np.zeros(count, dtype=np.int64), np.full(count, np.nan)
    made = Trips(
        whole, whole, np.arange(count) if carrier is None else np.full(count, carrier), whole, planned, planned + HOUR, nothing,
        nothing, np.zeros(count, bool), np.zeros(count, bool), np.ones(count), np.full(count, -np.inf), np.zeros(count),
    )  # fmt: skip
    return replace(made, **known)


def run(planned, fits, *, known=NOTHING, replications=200, seed=1, epoch=EPOCH + 100 * DAY):
    return simulate_trips(planned, fits, (known, NOTHING), epoch=epoch, seed=seed, replications=np.arange(replications))


def test_simulated_delays_have_the_distribution_of_the_history():
    fits = fitted(never=0.05)
    planned = trips()
    start, end, cancelled = run(planned, fits)
    delay = (start - planned.planned_start)[~cancelled]
    real = history(never=0.05)[1]
    assert np.allclose(
        np.quantile(delay, [0.1, 0.5, 0.9]), np.quantile(real[np.isfinite(real)], [0.1, 0.5, 0.9]), rtol=0.1
    )
    assert cancelled.mean() == pytest.approx(0.05, abs=0.01)
    assert np.isnan(end[cancelled]).all()


def test_days_that_differ_by_chance_have_no_effect_and_real_effects_are_found():
    assert fitted(spread=0.0).start.effects.spread == 0
    effects = fitted(spread=0.7, days=150).start.effects
    assert 0.4 < effects.spread / effects.noise < 1.6


def test_delays_of_one_day_go_together_only_if_they_did():
    def between(fits):
        planned = trips()
        start = run(planned, fits)[0]
        return np.std(np.log(start - planned.planned_start).mean(axis=1))

    assert between(fitted(spread=0.7, days=150)) > 4 * between(fitted(spread=0.0))


def test_a_bad_morning_makes_the_afternoon_worse():
    fits = fitted(spread=0.7, days=150)
    epoch = EPOCH + 100 * DAY + 12 * HOUR
    planned = trips(count=60, begin=0.0)

    def afternoon(morning):
        before = (epoch - HOUR * 3 + 180 * np.arange(60)).astype(np.int64)
        late = np.full(60, float(morning))
        known = Known(late, np.zeros(60, np.int64), before, (before + late).astype(np.int64), np.zeros(0))
        return np.median(run(planned, fits, known=known, epoch=epoch)[0] - planned.planned_start)

    assert afternoon(3000) > 1.8 * afternoon(60)


def test_what_has_happened_stays_and_what_is_late_gets_later():
    planned = trips(count=3, begin=-2 * HOUR, every=1800.0)
    planned = replace(planned, start=np.array([-7000.0, -5400.0, np.nan]), end=np.array([-3000.0, np.nan, np.nan]))
    start, end, _ = run(planned, fitted())
    assert (start[:, 0] == -7000).all()
    assert (end[:, 0] == -3000).all()
    assert (start[:, 1] == -5400).all()
    assert (end[:, 1] > 0).all()
    assert (start[:, 2] > 0).all()


def test_no_carrier_leaves_before_it_has_arrived_and_turned_round():
    start, end, _ = run(trips(count=20, carrier=3, every=600.0), fitted())
    assert (start[:, 1:] - end[:, :-1] >= 600 - 1e-6).all()


def test_booked_trips_are_not_cancelled_and_cancelled_ones_stay_so():
    planned = trips(count=100)
    planned = replace(planned, confirmed=np.arange(100) < 50, cancelled=np.arange(100) >= 90)
    cancelled = run(planned, fitted(never=0.3))[2]
    assert not cancelled[:, :50].any()
    assert cancelled[:, 90:].all()
    assert 0.2 < cancelled[:, 50:90].mean() < 0.4


def test_a_replication_depends_on_seed_and_number_only():
    fits, planned = fitted(spread=0.7, days=150), trips()
    many = run(planned, fits, replications=5)[0]
    alone = simulate_trips(
        planned, fits, (NOTHING, NOTHING), epoch=EPOCH + 100 * DAY, seed=1, replications=np.array([3])
    )[0]
    assert np.array_equal(many[3], alone[0])
    assert not np.array_equal(many[3], run(planned, fits, replications=5, seed=2)[0][3])


def test_too_few_trips_are_refused():
    with pytest.raises(SchemaError, match="at least 60 trips"):
        fit_delays(np.ones(3), *(np.zeros(3, np.int64),) * 3, growing=True, groups=1, day_start=0)
