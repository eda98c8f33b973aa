"""Comparison with another period: by the clock of a stated zone, or by the starts of events."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.explore import HistoryView, Link, SignalExplorer, align_period, parse_link
from twinlab.explore.charts.reading import MAX_POINTS
from twinlab.explore.views.signals.compare import parse_shift, period_text
from twinlab.explore.views.signals.periods import clock_period, shift_to
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

HOUR = 3600 * 10**9


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=60, trips=300)


def instants(*texts):
    return tuple(np.datetime64(t, "ns") for t in texts)


def times(*texts):
    return np.array(texts, "datetime64[ns]")


def ran(code):
    names = {}
    exec(compile(code, "copied code", "exec"), names)
    return names["data"]


def test_by_default_a_week_is_168_hours():
    assert parse_shift("-7d").own_times(times("2026-03-30T08:00")) == times("2026-03-23T08:00")


def test_by_a_zones_clock_a_week_over_the_change_keeps_the_wall_time():
    # On 29 March 2026 clocks in Berlin went from UTC+1 to UTC+2: 10:00 there is 08:00 UTC after, 09:00 UTC before.
    assert parse_shift("-7d@Europe/Berlin").own_times(times("2026-03-30T08:00")) == times("2026-03-23T09:00")


def test_the_hour_that_the_clock_skipped_is_a_gap():
    own = parse_shift("-7d@Europe/Berlin").own_times(times("2026-04-05T00:30", "2026-04-05T01:30"))
    assert np.isnat(own[0])
    assert own[1] == np.datetime64("2026-03-29T01:30")


def test_the_hour_that_was_passed_twice_stands_for_its_first_passage():
    own = parse_shift("-7d@Europe/Berlin").own_times(times("2026-11-01T01:30"))
    assert own[0] == np.datetime64("2026-10-25T00:30")


def test_a_year_earlier_is_the_same_date():
    assert parse_shift("-1y").own_times(times("2025-03-01")) == times("2024-03-01")


@given(st.integers(1, 400), st.sampled_from(["d", "w", "h", "min", "s"]), st.sampled_from("+-"))
def test_elapsed_shifts_move_every_instant_alike(count, unit, sign):
    shown = times("2026-03-28T12:00", "2026-03-29T12:00", "2026-10-25T01:30")
    moved = parse_shift(f"{sign}{count}{unit}").own_times(shown) - shown
    assert len(set(moved.tolist())) == 1


@pytest.mark.parametrize("text", ["7d", "-0d", "-7", "last week", "-7d@Europe/Berlinn", "--7d", ""])
def test_a_shift_that_is_none_is_refused(text):
    with pytest.raises(SchemaError, match=r"expected a shift|no IANA time zone"):
        parse_shift(text)


def test_titles_say_how_far():
    assert [parse_shift(t).title for t in ("-7d", "-1d", "-28d", "+1y", "-1h", "-90min")] == [
        "a week earlier",
        "a day earlier",
        "4 weeks earlier",
        "a year later",
        "an hour earlier",
        "90 minutes earlier",
    ]


def test_the_legend_names_the_days_of_the_other_period():
    window = instants("2026-03-12", "2026-03-19")
    assert clock_period("-7d", window).label == "a week earlier, 5–11 Mar 2026"
    assert period_text(instants("2025-12-30", "2026-01-03")) == "30 Dec 2025 – 2 Jan 2026"
    assert period_text(instants("2026-03-05T06:00", "2026-03-05T08:00")) == "5 Mar 2026, 06:00–08:00"


def test_a_start_of_ones_own_becomes_a_shift():
    window = instants("2026-03-12T06:00", "2026-03-13")
    assert shift_to("2026-03-05T06:00", window) == "-7d"
    assert shift_to("2026-03-12T04:30", window) == "-90min"
    assert shift_to("2026-03-13T06:00", window) == "+1d"


def test_cells_that_are_not_there_are_nan_and_not_evaluated():
    time = np.datetime64("2026-01-01", "ns") + np.arange(3) * np.timedelta64(1, "h")
    data = xr.Dataset(
        {"t": (("time", "asset"), np.ones((3, 1))), "t_qc": (("time", "asset"), np.ones((3, 1), "uint8"))},
        coords={"time": time, "asset": ["a"]},
    )
    moved = align_period(data, start="2026-01-02", stop="2026-01-02T05:00", cell_ns=HOUR, shift="-1d")
    assert moved.time.values[0] == np.datetime64("2026-01-02")
    assert np.isnan(moved["t"].values.ravel()).tolist() == [False, False, False, True, True]
    assert moved["t_qc"].values.ravel().tolist() == [1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-02-01&to=2026-02-08&compare=-7d",
        "from=2026-02-01&to=2026-02-02&compare=-1d",
        "from=2026-01-10&to=2026-02-28&compare=-7d&signal=wind_speed",
        "from=2026-02-01&to=2026-02-08&compare=-7d@America/New_York",
    ],
)
def test_the_other_period_lies_under_the_shown_one_value_by_value(twin, query):
    explorer = SignalExplorer(twin, link=parse_link("?asset=EAST&" + query))
    part = explorer.signal if explorer.view.plan.raw else f"{explorer.signal}_mean"
    data, shift = explorer.data(), np.timedelta64(7 if "-7d" in query else 1, "D")
    alone = SignalExplorer(
        twin, link=Link(assets=("EAST",), signals=(explorer.signal,), window=tuple(t - shift for t in explorer.shown))
    ).data()
    under = data[part].isel(period=1)
    both = np.intersect1d(under.time.values - shift, alone.time.values)
    assert len(both) > 100
    np.testing.assert_array_equal(under.sel(time=both + shift).values, alone[part].sel(time=both).values)


@pytest.mark.parametrize(
    "query",
    [
        "compare=-7d&from=2026-02-01&to=2026-02-08&asset=EAST&asset=WEST",
        "compare=-1d@Europe/Berlin&from=2026-02-01&to=2026-02-01T08:00&signal=wind_speed",
        "compare=-7d&from=2026-02-01&to=2026-02-20&signal=temperature&signal=fan&signal=wind_speed",
        "layout=multiples&asset=EAST&asset=WEST&from=2026-02-01&to=2026-02-03",
    ],
)
def test_copied_code_gives_the_data_of_the_view(twin, query):
    explorer = SignalExplorer(twin, link=parse_link("?" + query))
    assert explorer.notice == ""
    xr.testing.assert_identical(ran(explorer.code()), explorer.data())


def test_no_curve_of_another_period_has_more_points_than_a_curve_may_have(twin):
    explorer = SignalExplorer(twin, link=parse_link("?compare=-7d"))
    for days in (1, 3, 11, 40):
        start = np.datetime64("2026-01-15", "ns")
        explorer.window = (start, start + np.timedelta64(days, "D"))
        assert max(len(trace.time) for trace in explorer.view.traces) <= MAX_POINTS + 3


def test_another_period_is_lighter_and_has_its_own_words(twin):
    explorer = SignalExplorer(twin, link=parse_link("?compare=-7d&from=2026-02-01&to=2026-02-08"))
    shown, other = explorer.view.traces
    assert (shown.faint, other.faint) == (0, 1)
    assert "a week earlier, 25–31 Jan 2026" in explorer._legend.object
    assert "aligned by UTC" in explorer.view.title
    explorer.zone = "Europe/Berlin"
    assert "by the clock of Europe/Berlin" in explorer.view.title
    explorer.compare = ""
    assert len(explorer.view.traces) == 1


def test_the_link_keeps_the_other_period(twin):
    explorer = SignalExplorer(twin, link=parse_link("?compare=-7d@Europe/Berlin"))
    assert "compare=-7d%40Europe%2FBerlin" in explorer.url()
    assert SignalExplorer(twin, link=parse_link(explorer.url())).link() == explorer.link()


def test_a_wrong_other_period_is_told_and_the_chart_stands(twin):
    explorer = SignalExplorer(twin, link=parse_link("?compare=yesterday"))
    assert "compare='yesterday' is ignored" in explorer.notice
    assert explorer.view is not None


def test_earlier_events_of_the_same_asset_are_drawn_against_time_since_their_starts(twin):
    view = HistoryView(twin)
    rows = view.events.shown()
    event = rows[rows["status"] == "done"].iloc[100]
    view.events.selected = event
    view.signals.compare = "event"
    request = view.signals.view.request
    assert request.since == event["start"]
    assert len(request.periods) == 3
    assert len({trace.place for trace in view.signals.view.traces}) == 4
    starts = [period.shift.own_times(np.array([request.since]))[0] for period in request.periods]
    assert starts == sorted(starts, reverse=True)
    same = rows[(rows["origin"] == event["origin"]) | (rows["destination"] == event["origin"])]
    assert set(pd.to_datetime(starts)) <= set(same["start"])
    again = HistoryView(twin, link=parse_link(view.url()))
    assert [t.label for t in again.signals.view.traces] == [t.label for t in view.signals.view.traces]
    xr.testing.assert_identical(ran(view.code()), view.data())


def test_without_a_chosen_event_the_page_says_what_to_do(twin):
    explorer = SignalExplorer(twin)
    explorer.compare = "event"
    assert "Choose an event in the table" in explorer.notice
    assert explorer.view is not None
    assert "there is no trip" in SignalExplorer(twin, link=parse_link("?compare=event:trip:nobody")).notice
