"""History near the shown instant comes from memory, and equals the twin's history."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinlab.events import positions, present
from twinlab.events.present_state.cached_reader import CachedReader
from twinlab.explore.views.map.preload import PreloadingReader
from twinlab.testing import FakeTwin

HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
START = np.datetime64("2026-01-03T12:00", "ns")
SIGNALS = ("latitude", "longitude")


class Counting(CachedReader):
    """Counts what is read of history."""

    def __init__(self, twin):
        super().__init__(twin)
        self.spans = []

    def history(self, asset_type, **asked):
        self.spans.append((asset_type, asked["start"], asked["stop"]))
        return super().history(asset_type, **asked)


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=5, trips=50)


@given(st.lists(st.integers(-6 * 60, 6 * 60), min_size=1, max_size=6), st.sampled_from([None, ["V3", "V1"]]))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_after_any_steps_the_history_is_the_twins(twin, steps, assets):
    near, at = PreloadingReader(CachedReader(twin)), START
    names = list(twin.model.asset_types["van"].position)
    for minutes in steps:
        at = at + np.timedelta64(minutes, "m")
        for asked in (None, assets):
            span = {"signals": names, "assets": asked, "start": at - DAY, "stop": at}
            xr.testing.assert_identical(near.history("van", **span).compute(), twin.history("van", **span).compute())


def test_a_step_after_the_first_reads_nothing(twin):
    counted = Counting(twin)
    near = PreloadingReader(counted)
    for step in range(12):
        at = START + step * HOUR
        positions(near, "van", at=at)
        present(near, "van", at=at, signals=["speed"])
    # Where the reader began, and once around it, of each.
    assert len(counted.spans) == 4


def test_a_jump_reads_what_was_asked_for_and_no_more(twin):
    counted = Counting(twin)
    near = PreloadingReader(counted)
    for at in (START, START - 2 * DAY):
        near.history("van", signals=["speed"], start=at - DAY, stop=at)
    assert [stop - start for _, start, stop in counted.spans] == [DAY, DAY]


def test_readers_of_one_twin_share_what_was_read(twin):
    counted = Counting(twin)
    for near in (PreloadingReader(counted), PreloadingReader(counted)):
        near.history("van", signals=["speed"], start=START - DAY, stop=START)
    assert len(counted.spans) == 1


def test_what_was_read_is_dropped_when_the_twin_moves(twin):
    class Moving:
        place = 0

        def position(self):
            return self.place

        def __getattr__(self, name):
            return getattr(twin, name)

    moving, clock = Moving(), [0.0]
    kept = CachedReader(moving, clock=lambda: clock[0])
    near, read = PreloadingReader(kept), []
    history = kept.history
    kept.history = lambda *args, **asked: read.append(1) or history(*args, **asked)
    for place in (0, 0, 1):
        moving.place = place
        clock[0] += 2
        near.history("van", signals=["speed"], start=START - DAY, stop=START)
    assert len(read) == 2
