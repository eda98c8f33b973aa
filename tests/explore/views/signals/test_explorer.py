"""The signal explorer, without a browser: set a parameter, style at what is drawn."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SourceError
from twinlab.explore import HistoryView, Link, SignalExplorer, parse_link
from twinlab.explore.charts.reading import MAX_POINTS
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=60, trips=300)


def instants(*texts):
    return tuple(np.datetime64(t, "ns") for t in texts)


PUMPS = {
    "twin": "new",
    "asset_types": {
        "valve": {"signals": {"travel": {"unit": "mm", "resolution": 0.1}}},
        "pump": {
            "label": "name",
            "properties": {"name": {"dtype": "text"}},
            "signals": {"pressure": {"unit": "bar", "resolution": 0.1}},
        },
    },
}


def pumps(*ids):
    """A pressure of 1 bar at some pumps."""
    time = np.datetime64("2026-01-01", "ns") + np.arange(3) * np.timedelta64(1, "m")
    pressure = (("time", "asset"), np.ones((3, len(ids))))
    return xr.Dataset({"pressure": pressure}, coords={"time": time, "asset": list(ids)})


def test_it_opens_on_everything_of_the_first_asset(twin):
    explorer = SignalExplorer(twin)
    assert (explorer.asset_type, explorer.signal, explorer.assets) == ("station", "temperature", ["EAST"])
    assert explorer.shown == instants("2026-01-01", "2026-03-02")
    assert explorer.view.plan.title == "hourly rollup"


def test_zooming_goes_from_the_rollup_to_raw_samples(twin):
    explorer = SignalExplorer(twin)
    titles = []
    for stop in ("2026-02-20", "2026-01-20", "2026-01-10T02:00"):
        explorer._on_zoom(instants("2026-01-10", stop))
        titles.append(explorer.view.plan.title)
        assert max(len(t.time) for t in explorer.view.traces) <= MAX_POINTS + 3
    assert titles == ["hourly rollup", "15 min rollup", "raw samples, 1 min"]
    assert explorer.window == instants("2026-01-10", "2026-01-10T02:00")
    explorer.reset()
    assert explorer.view.plan.title == "hourly rollup"


def test_a_failed_sample_keeps_its_value_in_a_rollup(twin):
    explorer = SignalExplorer(twin)
    explorer.signal = "wind_speed"
    assert explorer.view.traces[0].fail.value.tolist() == [1048.36]
    assert "fail: 1 sample" in explorer._legend.object


def test_two_explorers_do_not_share_their_choices(twin):
    other = FakeTwin(TwinModel.model_validate(PUMPS), histories={"pump": pumps("1")})
    first, second = SignalExplorer(twin), SignalExplorer(other)
    assert list(first.param.asset_type.objects) == ["station", "van", "cold_room"]
    assert list(second.param.asset_type.objects) == ["pump"]
    assert list(SignalExplorer.param.asset_type.objects) == []
    assert list(SignalExplorer.param.assets.objects) == []
    third = SignalExplorer(twin)
    first.signal = "wind_speed"
    first.assets = ["WEST"]
    assert (third.signal, third.assets) == ("temperature", ["EAST"])


def test_a_value_outside_the_choices_is_refused(twin):
    explorer = SignalExplorer(twin)
    with pytest.raises(ValueError, match="signal"):
        explorer.signal = "pressure"


@pytest.mark.parametrize(
    "zoom", [("2026-01-10", "2026-02-20"), ("2026-01-10", "2026-01-20"), ("2026-01-10", "2026-01-11")]
)
def test_copied_code_gives_the_views_numbers_in_a_fresh_kernel(twin, zoom):
    explorer = SignalExplorer(twin, link=Link(signals=("wind_speed",), assets=("EAST", "WEST"), window=instants(*zoom)))
    part = "wind_speed" if explorer.view.plan.raw else "wind_speed_mean"
    program = explorer.code() + f"print(float(data[{part!r}].sum()), data.sizes['time'])"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    total, count = done.stdout.split()
    assert float(total) == float(explorer.view.data[part].sum())
    assert int(count) == explorer.view.data.sizes["time"]


def test_the_link_of_a_view_opens_the_same_view(twin):
    view = HistoryView(twin)
    view.signals.param.update(signal="wind_speed", assets=["WEST", "EAST"], window=instants("2026-01-10", "2026-01-11"))
    view.events.in_view = True
    again = HistoryView(twin, link=parse_link(view.url()))
    assert again.link() == view.link()
    assert again.signals.view.title == view.signals.view.title


def test_a_link_with_wrong_values_opens_with_a_notice(twin):
    explorer = SignalExplorer(twin, link=parse_link("?type=statoin&signal=wnd_speed&asset=SOUTH&from=now-ish&to=2026"))
    assert explorer.view is not None
    for word in ("did you mean 'station'", "did you mean 'wind_speed'", "'SOUTH'", "now-ish"):
        assert word in explorer.notice
    assert explorer._alert.visible


def test_a_twin_without_signals_says_so():
    explorer = SignalExplorer(FakeTwin(TwinModel(twin="empty")))
    assert "no signals yet" in explorer._charts_pane.pane[0].object
    assert explorer.code() == ""
    assert explorer.url() == ""
    assert explorer.view is None


def test_a_twin_without_observations_says_so():
    explorer = SignalExplorer(FakeTwin(TwinModel.model_validate(PUMPS)))
    assert explorer.view is None
    assert "has observations yet" in explorer._charts_pane.pane[0].object


def test_only_assets_with_observations_are_offered_under_their_names():
    known = pd.DataFrame({"name": ["in the yard", "by the dock", None]}, index=pd.Index(["1", "2", "3"], name="asset"))
    twin = FakeTwin(
        TwinModel.model_validate(PUMPS), histories={"pump": pumps("2", "3")}, assets={"pump": known, "valve": known}
    )
    explorer = SignalExplorer(twin)
    assert list(explorer.param.asset_type.objects) == ["pump"]
    assert explorer.param.assets.names == {"by the dock (2)": "2", "3": "3"}
    assert explorer.assets == ["2"]
    assert not explorer.can_draw("pump", "1")
    assert not explorer.can_draw("valve", "1")


def test_a_failing_read_becomes_a_notice_and_the_chart_stays():
    twin = FakeTwin.example(days=60, trips=5)
    explorer = SignalExplorer(twin)
    before = explorer.view

    def broken(*_, **__):
        raise SourceError("the disk is gone; plug it in")

    twin.history = broken
    explorer.window = instants("2026-01-10", "2026-01-11")
    assert "the disk is gone" in explorer.notice
    assert explorer.view is before


def test_what_cannot_be_read_is_not_told_as_if_nothing_had_arrived():
    twin = FakeTwin.example(days=2, trips=5)
    explorer = SignalExplorer(twin)

    def broken(*_, **__):
        raise SourceError("the disk is gone; plug it in")

    twin.history = broken
    fresh = SignalExplorer(twin, shared=explorer.shared, link=Link(signals=("fan",)))
    assert "the disk is gone" in fresh.notice
    assert "notice above says why" in fresh._charts_pane.pane[0].object


def test_flags_can_be_hidden(twin):
    explorer = SignalExplorer(twin)
    explorer.show_flags = False
    assert "suspect" not in explorer._legend.object


def test_at_most_six_assets_are_offered_to_one_chart(twin):
    explorer = SignalExplorer(twin)
    explorer.assets = ["EAST", "NORTH", "WEST"]
    assert len(explorer.view.traces) == 3
    explorer.assets = []
    assert explorer.view is None


def test_choosing_an_event_moves_the_chart_to_it_and_to_its_asset(twin):
    view = HistoryView(twin, link=Link(assets=("NORTH",)))
    rows = view.events.shown()
    event = rows[(rows["origin"] == "WEST") & (rows["status"] == "done")].iloc[0]
    view.events.selected = event
    assert view.signals.assets == ["WEST"]
    start, stop = view.signals.shown
    assert start < event["start"] < event["end"] < stop
    assert view.signals.marked == (event["start"], event["end"])
    assert view.signals.view.plan.raw
    view.events.selected = None
    assert view.signals.marked is None


def test_the_charts_window_filters_the_events_when_asked(twin):
    view = HistoryView(twin, link=Link(window=instants("2026-01-10", "2026-01-12")))
    everything = len(view.events.shown())
    view.events.in_view = True
    some = len(view.events.shown())
    assert 0 < some < everything
    view.signals.window = instants("2026-01-10", "2026-01-30")
    assert some < len(view.events.shown()) < everything
    view.events.in_view = False
    assert len(view.events.shown()) == everything
