"""The world's outlines: decoded once, cut to a view, in Web Mercator."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twinlab.explore.charts.outlines as room
from twinlab.explore.charts.outlines import Box, cut_outlines, level_of, mercator, to_degrees


def box(south, north, west, east):
    x, y = mercator(np.array([south, north]), np.array([west, east]))
    return Box(float(x[0]), float(y[0]), float(x[1]), float(y[1]))


WORLD, EUROPE = box(-80, 84, -180, 180), box(42, 56, -6, 20)


@given(st.floats(-85, 85), st.floats(-180, 180))
def test_a_projected_place_comes_back_to_its_degrees(latitude, longitude):
    x, y = mercator(np.array(latitude), np.array(longitude))
    assert to_degrees(float(x), float(y)) == pytest.approx((latitude, longitude), abs=1e-6)


def test_the_shipped_file_is_small():
    assert Path(room._FILE).stat().st_size <= 700_000


def test_a_wide_view_is_drawn_coarsely_and_a_near_one_finely():
    assert (level_of(WORLD), level_of(EUROPE)) == ("110m", "50m")
    assert cut_outlines(EUROPE).level == "50m"


@pytest.mark.parametrize("view", [WORLD, EUROPE, box(40, 42, -75, -73)])
def test_what_is_cut_lies_in_the_view_and_little_beyond(view):
    cut = cut_outlines(view)
    near = view.expanded(0.06)
    for ring in cut.land:
        assert ring.dtype == np.float32
        assert ring[:, 0].min() >= near.left - 1 and ring[:, 0].max() <= near.right + 1
        assert ring[:, 1].min() >= near.bottom - 1 and ring[:, 1].max() <= near.top + 1


def inside(ring, x, y):
    """Even-odd rule: the slow standard."""
    (x0, y0), (x1, y1) = ring.T.astype(float), np.roll(ring, -1, axis=0).T.astype(float)
    straddles = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
    return bool((straddles & (x < at)).sum() % 2)


@pytest.mark.parametrize(
    ("latitude", "longitude", "land"),
    [
        (48.1, 11.6, True),  # Munich
        (56.0, 3.0, False),  # the North Sea
        (42.0, 51.0, False),  # the Caspian Sea, a hole in the land
        (66.0, -175.0, True),  # Chukotka, beyond the date line
        (0.0, -30.0, False),  # the Atlantic
    ],
)
def test_land_is_where_land_is(latitude, longitude, land):
    x, y = (float(v) for v in mercator(np.array(latitude), np.array(longitude)))
    view = Box(x - 2e5, y - 2e5, x + 2e5, y + 2e5)
    for level in ("50m", "110m"):
        assert sum(inside(ring, x, y) for ring in cut_outlines(view, level=level).land) % 2 == land


def test_no_line_jumps_across_the_map():
    cut = cut_outlines(WORLD)
    steps = [np.abs(np.diff(line[:, 0])).max() for line in (*cut.coast, *cut.borders)]
    assert max(steps) < 5e6


def test_borders_part_countries_and_coasts_do_not():
    cut = cut_outlines(EUROPE)
    assert cut.borders and cut.coast
    # Between Germany and France there is a border, and no coast.
    x, y = mercator(np.array([48.5]), np.array([7.8]))
    rhine = Box(x[0] - 3e4, y[0] - 3e4, x[0] + 3e4, y[0] + 3e4)
    near = cut_outlines(rhine)
    assert near.borders and not near.coast
