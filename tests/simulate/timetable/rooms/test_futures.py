"""Rooms run forward: temperatures, doors, compressors."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulate.timetable.rooms.known_rooms import DAY, EPOCH, STEP, fits, now
from twinlab.simulate.timetable.rooms.futures import later, room_futures


def run(found, begun, until=DAY, replications=20, seed=0):
    return room_futures(found, begun, until=until, epoch=EPOCH, seed=seed, replications=np.arange(replications))


def test_a_thermostat_keeps_the_temperature_between_its_limits():
    found = run(fits(opening=np.zeros((2, 168))), now())
    assert found.temperature.shape == (20, 288, 2)
    assert found.temperature.min() > 2.9
    assert found.temperature.max() < 5.1
    # It starts and stops again and again.
    assert 0.1 < found.running.mean() < 0.9
    assert not found.door.any()


def test_doors_open_as_often_and_as_long_as_in_the_history():
    found = run(fits(), now(), until=7 * DAY)
    begun = (np.diff(found.door.astype(int), axis=1) == 1).sum() / (20 * 2 * 7 * 24)
    assert begun == pytest.approx(0.5, rel=0.1)
    assert found.door.mean() == pytest.approx(0.5 * 600 / 3600, rel=0.1)


def test_a_room_warms_up_while_its_compressor_has_failed_or_its_door_is_open():
    broken = fits(opening=np.zeros((2, 168)), failing=1e-12, repair=np.full(5, 4 * 3600.0))
    found = run(broken, now(failed_since=np.array([-600.0, np.nan])))
    at = int((4 * 3600 - 600) / STEP) - 1
    assert (found.temperature[:, at, 0] > 7).all()
    assert (found.temperature[:, at, 1] < 5.1).all()
    # Repaired: back between the limits by the next day.
    assert (found.temperature[:, -1, 0] < 5.1).all()
    opened = run(
        fits(opening=np.zeros((2, 168)), open_lasting=np.full(5, 3600.0)), now(open_since=np.array([-300.0, np.nan]))
    )
    assert (opened.temperature[:, 10, 0] > opened.temperature[:, 10, 1] + 2).all()
    assert opened.door[:, 10, 0].all()
    assert not opened.door[:, 11, 0].any()


def test_what_is_not_known_is_drawn_between_the_limits():
    found = run(fits(), now(temperature=np.array([4.0, np.nan])), replications=300)
    assert np.ptp(found.temperature[:, 0, 0]) == 0
    first = found.temperature[:, 0, 1]
    assert 3.3 <= first.min() < 3.5
    assert 4.5 < first.max() <= 4.7


def test_a_room_without_a_compressor_goes_to_its_set_point():
    plain = fits(
        cooling=np.zeros(2), on_above=np.full(2, np.nan), off_below=np.full(2, np.nan), towards=np.full(2, 5.0)
    )
    found = run(replace(plain, opening=np.zeros((2, 168))), now(temperature=np.array([12.0, np.nan])), until=7 * DAY)
    assert found.temperature[:, -1].mean() == pytest.approx(5.0, abs=0.1)
    assert not found.running.any()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 287), st.integers(0, 2**31), st.integers(0, 50))
def test_a_shorter_run_is_the_beginning_of_a_longer_one(steps, seed, replication):
    whole = room_futures(fits(), now(), until=DAY, epoch=EPOCH, seed=seed, replications=np.array([replication]))
    part = room_futures(fits(), now(), until=steps * STEP, epoch=EPOCH, seed=seed, replications=np.array([replication]))
    for name in ("temperature", "door", "running"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[:, :steps])


@given(st.floats(-30, 30), st.floats(0, 1), st.booleans(), st.floats(1, 1e5), st.floats(1, 1e5))
def test_two_steps_are_one_of_their_length(here, door, running, first, second):
    options = {"door": np.full(2, door), "running": np.full(2, running), "warmer": np.zeros(2)}
    once = later(fits(), np.full(2, here), seconds=first + second, **options)
    twice = later(fits(), later(fits(), np.full(2, here), seconds=first, **options), seconds=second, **options)
    np.testing.assert_allclose(once, twice, rtol=1e-9, atol=1e-9)
