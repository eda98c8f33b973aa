"""Arrivals of trips under way, from the share of the way that is covered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.simulate.timetable.positions import PositionFits, arrivals_under_way

FITS = PositionFits(np.array([0.0, 0.5, 1.0]), np.stack([np.linspace(0.9, 1.5, 11), np.linspace(0.5, 3.0, 11)]), 100)


def test_who_is_nearly_there_arrives_soon_and_by_what_is_left():
    share, seen, usual = np.array([0.25, 0.9]), np.array([-60.0, -60.0]), np.array([7200.0, 7200.0])
    u = np.random.default_rng(0).random((4000, 2))
    found = arrivals_under_way(FITS, share, seen, usual, u)
    assert found.mean(axis=0) == pytest.approx([1.2 * 5400 - 60, 1.75 * 720 - 60], rel=0.03)
    assert found[:, 0].min() >= 0.9 * 5400 - 60 - 1


@given(
    st.floats(0, 1),
    st.floats(-86_400, 0),
    st.floats(60, 86_400),
    st.lists(st.floats(1e-9, 1 - 1e-9), min_size=2, max_size=9),
)
def test_nobody_arrives_before_the_start_and_higher_numbers_are_later(share, seen, usual, u):
    numbers = np.sort(np.array(u))[:, None]
    found = arrivals_under_way(FITS, np.array([share]), np.array([seen]), np.array([usual]), numbers)[:, 0]
    assert (found >= 1).all()
    assert (np.diff(found) >= -1e-6).all()
