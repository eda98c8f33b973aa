"""The ground of a map: the extent that shows some places, and when other outlines are needed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twinlab.explore.charts.basemap import EUROPE, base_map, extent_of, needs_other_outlines
from twinlab.explore.charts.outlines import Box, mercator

places = st.lists(st.tuples(st.floats(-80, 80), st.floats(-179, 179)), min_size=1, max_size=20)


@given(places)
def test_the_view_holds_every_place_with_a_margin(found):
    latitude, longitude = (np.array(part) for part in zip(*found, strict=False))
    view = extent_of(latitude, longitude)
    x, y = mercator(latitude, longitude)
    assert view.left < x.min() and view.right > x.max()
    assert view.bottom < y.min() and view.top > y.max()


def test_places_unknown_are_left_out_and_nothing_is_shown_as_usual():
    nothing = np.array([np.nan])
    assert extent_of(nothing, nothing) == EUROPE
    one = extent_of(np.array([48.0, np.nan]), np.array([11.0, 5.0]))
    assert one == extent_of(np.array([48.0]), np.array([11.0]))


def test_a_map_of_nothing_looks_at_europe():
    (paris, nairobi), y = mercator(np.array([48.9, -1.3]), np.array([2.4, 36.8]))
    assert EUROPE.left < paris < EUROPE.right < nairobi
    assert y[1] < EUROPE.bottom < y[0] < EUROPE.top


def test_dragging_a_little_needs_no_other_ground_and_far_away_does():
    view = Box(0, 0, 1e6, 1e6)
    assert not needs_other_outlines(view, Box(3e5, 0, 13e5, 1e6))
    assert needs_other_outlines(view, Box(6e6, 0, 7e6, 1e6))
    assert needs_other_outlines(None, view)


def test_the_ground_is_columns_of_lines():
    columns = base_map(EUROPE)
    assert list(columns) == ["land", "borders", "coast"]
    assert all(len(part["xs"]) == len(part["ys"]) > 0 for part in columns.values())


def test_beyond_the_worlds_ends_there_is_nothing():
    edge = float(mercator(np.array([0.0]), np.array([180.0]))[0][0])
    world = Box(-edge, -edge / 2, edge, edge / 2)
    for view in (world, Box(world.left - edge, world.bottom, world.right + edge, world.top)):
        columns = base_map(view)
        assert len(columns["land"]["xs"])
        assert all(abs(line).max() <= edge * 1.000001 for part in columns.values() for line in part["xs"])
    assert not any(len(part["xs"]) for part in base_map(Box(3 * edge, 0, 4 * edge, edge / 4)).values())
