"""The layout *fleet* of the History page: a heat map of all assets replaces the charts."""

import numpy as np
import pytest
import xarray as xr

from twinlab.explore import HistoryView, parse_link
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=20, trips=50)


def instants(*texts):
    return tuple(np.datetime64(t, "ns") for t in texts)


FLEET = "?layout=fleet&signal=wind_speed&asset=WEST&from=2026-01-05&to=2026-01-08"


def test_the_heat_map_shows_the_signal_and_the_window_of_the_charts(twin):
    view = HistoryView(twin, link=parse_link(FLEET))
    heat = view.fleet.heat
    assert (heat.signal, heat.heat, heat.shown) == ("wind_speed", "values", instants("2026-01-05", "2026-01-08"))
    assert view.fleet.body.visible
    assert not view.signals.charts.visible
    # The charts that nobody sees aren't read.
    assert view.signals.view is None
    assert (view.link().layout, view.link().assets) == ("fleet", ("WEST",))


def test_code_data_and_tables_are_those_of_the_heat_map(twin):
    view = HistoryView(twin, link=parse_link(FLEET))
    heat = view.fleet.heat
    assert view.code() == heat.code()
    xr.testing.assert_identical(view.data(), heat.data())
    assert view.settings() == heat.settings()
    assert list(view.tables()) == [*heat.tables(), "Trips"]
    assert view.figure() is not None
    view.signals.layout = "together"
    assert view.code() == view.signals.code() != ""


def test_heat_map_and_charts_are_synchronized(twin):
    view = HistoryView(twin, link=parse_link(FLEET))
    heat, charts = view.fleet.heat, view.signals
    heat._on_zoom(instants("2026-01-06", "2026-01-07"))
    assert charts.shown == view.events.window == instants("2026-01-06", "2026-01-07")
    charts.step_back()
    assert heat.shown == instants("2026-01-05", "2026-01-08")
    heat.signal = "fan"
    assert (charts.signals, charts.signal) == (["fan"], "fan")
    heat.asset_type = "van"
    assert (charts.asset_type, charts.signal) == ("van", heat.signal)
    charts.asset_type = "station"
    assert (heat.asset_type, heat.signal) == ("station", charts.signal)
    heat.reset()
    assert charts.window is None


def test_a_click_on_a_cell_selects_its_asset_and_shows_its_chart(twin):
    view = HistoryView(twin, link=parse_link(FLEET))
    heat = view.fleet.heat
    heat._on_pick(0, 3)
    assert view.chosen == ("station", "EAST")
    assert (view.signals.layout, view.signals.assets) == ("together", ["EAST"])
    assert view.signals.shown == instants("2026-01-05", "2026-01-08")
    assert view.signals.charts.visible
    assert view.signals.view.request.signals == ("wind_speed",)
    assert view.fleet.heat is None
    view.signals.layout = "fleet"
    assert view.fleet.heat is heat
    assert heat.picked is None


def test_the_link_of_the_fleet_opens_the_same_fleet(twin):
    view = HistoryView(twin, link=parse_link(FLEET))
    view.fleet.heat.param.update(measure="max", order="worst", find="gate")
    again = HistoryView(twin, link=parse_link(view.url()))
    assert again.link() == view.link()
    assert (again.fleet.heat.measure, again.fleet.heat.find) == ("max", "gate")
    assert again.notice == ""
    again.apply(parse_link("?signal=temperature"))
    assert again.fleet.heat is None
    assert again.link().find is None


def test_a_signal_selected_among_others_comes_first(twin):
    view = HistoryView(twin, link=parse_link("?layout=fleet&signal=wind_speed&signal=temperature"))
    view.fleet.heat.signal = "temperature"
    assert view.signals.signals == ["temperature", "wind_speed"]
    view.signals.layout = "together"
    assert view.signals.view.request.signals == ("temperature", "wind_speed")
