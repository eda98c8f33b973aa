"""The climatology test against a slow oracle, and its seasons."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.model import Signal
from twinlab.quality import SeasonSpan, climatology_flags, flag_cells

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]


@st.composite
def seasons(draw: st.DrawFn) -> SeasonSpan:
    low = draw(st.integers(-5, 5))
    high = low + draw(st.integers(1, 5))
    first = draw(st.integers(0, 23))
    end = draw(st.integers(0, 24).filter(lambda hour: hour != first))
    months = draw(st.sets(st.integers(1, 12), min_size=1))
    fail = (low - draw(st.integers(0, 2)), high + draw(st.integers(0, 2))) if draw(st.booleans()) else None
    return SeasonSpan((low, high), fail, sorted(months), (first, end))


def _slow(values: np.ndarray, times: np.ndarray, spans: list[SeasonSpan], zone: str) -> list[int]:
    found = []
    for value, stamp in zip(values, pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(zone), strict=True):
        flag = 9 if np.isnan(value) else 2
        for span in spans:
            first, end = span.hours
            hours = range(first, end) if first < end else [*range(first, 24), *range(end)]
            if flag != 9 and stamp.month in span.months and stamp.hour in hours:
                flag = 1 if span.suspect[0] <= value <= span.suspect[1] else 3
                if span.fail is not None and not span.fail[0] <= value <= span.fail[1]:
                    flag = 4
        found.append(flag)
    return found


@settings(max_examples=60, deadline=None)
@given(spans=st.lists(seasons(), min_size=1, max_size=4), zone=st.sampled_from(ZONES), seed=st.integers(0, 99))
def test_a_value_is_judged_by_the_last_span_of_its_month_and_hour(
    spans: list[SeasonSpan], zone: str, seed: int
) -> None:
    random = np.random.default_rng(seed)
    steps = random.integers(1, 40 * 86_400, 40) * np.timedelta64(1, "s")
    times = np.datetime64("2025-10-20T00:10", "ns") + np.cumsum(steps)
    values = random.integers(-9, 9, (40, 2)).astype(float)
    values[random.random((40, 2)) < 0.2] = np.nan
    array = xr.DataArray(values, {"time": times}, ("time", "asset"))
    expected = np.stack([_slow(column, times, spans, zone) for column in values.T], axis=1)
    assert (climatology_flags(array, spans=spans, zone=zone).to_numpy() == expected).all()
    lazy = climatology_flags(array.chunk(time=7), spans=spans, zone=zone)
    assert lazy.chunks is not None
    assert (lazy.to_numpy() == expected).all()


def test_the_hour_that_summer_time_repeats_is_judged_twice_alike() -> None:
    times = np.array(["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"], "datetime64[ns]")
    array = xr.DataArray([5.0, 5.0, 5.0], {"time": times}, "time")
    night = [SeasonSpan((0, 4), hours=(2, 3))]
    assert climatology_flags(array, spans=night, zone="Europe/Berlin").values.tolist() == [3, 3, 2]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"suspect": (5, 5)}, "low < high"),
        ({"suspect": (0, 5), "fail": (1, 9)}, "inside fail"),
        ({"suspect": (0, 5), "months": [13]}, "months out of 1 to 12"),
        ({"suspect": (0, 5), "hours": (3, 3)}, r"hours as \[from, to\)"),
        ({"suspect": (0, 5), "hours": (24, 3)}, "from in 0 to 23"),
    ],
)
def test_a_wrong_season_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        SeasonSpan(**wrong)


def test_no_span_and_an_unknown_zone_are_refused() -> None:
    array = xr.DataArray([5.0], {"time": [np.datetime64(0, "ns")]}, "time")
    with pytest.raises(SchemaError, match="at least one span"):
        climatology_flags(array, spans=[])
    with pytest.raises(SchemaError, match="time zone such as 'Europe/Berlin'"):
        climatology_flags(array, spans=[SeasonSpan((0, 1))], zone="Mars/Olympus")


def test_the_build_judges_by_season_in_the_signals_unit() -> None:
    spans = [{"suspect": ["32 degF", "68 degF"], "months": [1]}, {"suspect": [10, 30], "months": [7], "hours": [8, 20]}]
    signal = Signal(unit="degC", resolution=0.1, cadence="1h", tests={"climatology": {"spans": spans}})
    july = int(np.datetime64("2026-07-01T06", "ns").astype(np.int64))
    flags = flag_cells(np.full((4, 1), 5.0), signal=signal, start_ns=july)
    # Six and seven o'clock have no span: no test judges these values.
    assert flags.ravel().tolist() == [1, 1, 3, 3]
    january = int(np.datetime64("2026-01-01", "ns").astype(np.int64))
    assert flag_cells(np.array([[5.0], [25.0]]), signal=signal, start_ns=january).ravel().tolist() == [1, 3]


def test_wrong_options_name_their_place() -> None:
    with pytest.raises(ValueError, match=r"tests.climatology.spans[\s\S]*inside fail"):
        Signal(resolution=0.1, tests={"climatology": {"spans": [{"suspect": [0, 5], "fail": [1, 9]}]}})
    with pytest.raises(ValueError, match=r"tests.climatology.zone[\s\S]*time zone"):
        Signal(resolution=0.1, tests={"climatology": {"spans": [{"suspect": [0, 5]}], "zone": "Mars"}})
