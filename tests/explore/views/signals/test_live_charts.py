"""Several signals, small multiples, following, selecting: set a parameter, style at the Bokeh figures."""

import holoviews as hv
import numpy as np
import pytest
import xarray as xr
from bokeh.models import BoxSelectTool, Scatter

from twinlab.explore import HistoryView, SignalExplorer, parse_link
from twinlab.explore.charts.figures import FigurePane
from twinlab.explore.charts.layers import y_extent
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=60, trips=300)


def instants(*texts):
    return tuple(np.datetime64(t, "ns") for t in texts)


def explorer_of(twin, query):
    return SignalExplorer(twin, link=parse_link(query))


def on_screen(explorer):
    """The figures of an explorer as a screen shows them."""
    explorer._charts_pane.pane.get_root()
    return [next(iter(pane.figures().values())) for pane in explorer._charts_pane.pane.select(FigurePane)]


ALL = "?asset=EAST&asset=NORTH&asset=WEST"


def test_signals_of_one_unit_share_a_chart_and_others_stand_below(twin):
    explorer = explorer_of(twin, "?signal=temperature&signal=wind_speed&signal=fan&from=2026-02-01&to=2026-02-01T08:00")
    assert [chart.y_label for chart in explorer.view.charts] == ["air temperature (°C)", "wind speed (mph)", "fan"]
    assert explorer.view.charts[2].states == {0: "off", 1: "running"}
    first, second, third = on_screen(explorer)
    assert first.x_range is second.x_range is third.x_range
    assert third.yaxis[0].major_label_overrides == {0.0: "off", 1.0: "running"}
    assert (second.xaxis[0].axis_label, third.xaxis[0].axis_label) == (None, "time (UTC)")


def test_the_first_signal_can_be_set_alone(twin):
    explorer = explorer_of(twin, "?signal=temperature&signal=fan")
    explorer.signal = "wind_speed"
    assert explorer.signals == ["wind_speed"]
    explorer.signals = ["fan", "temperature"]
    assert explorer.signal == "fan"


def test_small_multiples_have_a_chart_an_asset_on_the_same_axes(twin):
    explorer = explorer_of(twin, ALL + "&layout=multiples&from=2026-02-01&to=2026-02-03")
    figures = on_screen(explorer)
    assert [figure.title.text for figure in figures] == ["East quay (EAST)", "North yard (NORTH)", "West gate (WEST)"]
    assert len({(figure.y_range.start, figure.y_range.end) for figure in figures}) == 1
    assert len({id(figure.x_range) for figure in figures}) == 1
    assert all(figure.yaxis[0].axis_label == "°C" for figure in figures)
    assert explorer.link().layout == "multiples"


def test_small_multiples_draw_signals_of_one_unit_and_say_so(twin):
    explorer = explorer_of(twin, ALL + "&layout=multiples&signal=temperature&signal=fan")
    assert "small charts share one value axis" in explorer.notice
    assert explorer.view.request.signals == ("temperature",)
    explorer.layout = "together"
    assert explorer.notice == ""
    assert explorer.view.request.signals == ("temperature", "fan")


@pytest.mark.parametrize("query", [ALL, ALL + "&layout=multiples", ALL + "&compare=-7d&signal=temperature&signal=fan"])
def test_a_moved_window_is_refreshed_in_place(twin, query):
    explorer = explorer_of(twin, query + "&from=2026-02-01&to=2026-02-05")
    before = on_screen(explorer)
    explorer.window = instants("2026-02-10", "2026-02-14")
    after = [next(iter(pane.figures().values())) for pane in explorer._charts_pane.pane.select(FigurePane)]
    assert all(x is y for x, y in zip(before, after, strict=True))
    assert before[0].x_range.start == instants("2026-02-10")[0].astype("datetime64[ms]").astype(int)
    curve = next(r for r in before[0].renderers if r.name and "value" in r.data_source.data)
    drawn = curve.data_source.data["time"].astype("datetime64[ms]")
    assert drawn[0] <= np.datetime64("2026-02-10") < drawn[2]
    low, high = y_extent(explorer.view.charts[0].traces)
    assert before[0].y_range.start <= low < high <= before[0].y_range.end


def test_another_asset_and_another_signal_are_refreshed_in_place(twin):
    explorer = explorer_of(twin, "?asset=EAST&from=2026-02-01&to=2026-02-01T08:00")
    (figure,) = on_screen(explorer)
    explorer.assets = ["WEST"]
    explorer.assets = ["WEST", "EAST"]
    explorer.signal = "fan"
    assert figure.yaxis[0].axis_label == "fan"
    assert figure.yaxis[0].major_label_overrides == {0.0: "off", 1.0: "running"}
    explorer.signal = "wind_speed"
    assert figure.yaxis[0].major_label_overrides == {}
    (pane,) = explorer._charts_pane.pane.select(FigurePane)
    assert next(iter(pane.figures().values())) is figure
    assert [r.name for r in figure.renderers if r.name in ("West gate (WEST)", "East quay (EAST)")]


def test_states_are_drawn_as_steps(twin):
    explorer = explorer_of(twin, "?signal=fan&asset=EAST&from=2026-02-01&to=2026-02-01T16:00")
    (figure,) = on_screen(explorer)
    line = next(r for r in figure.renderers if r.name == "East quay (EAST)" and "low" in r.data_source.data)
    time, value = line.data_source.data["time"], line.data_source.data["value"]
    changes = np.flatnonzero(np.diff(value))
    assert len(changes) > 0
    assert (time[changes] == time[changes + 1]).all()


def test_flags_keep_their_shapes_on_charts_pane(twin):
    explorer = explorer_of(twin, "?signal=wind_speed&asset=EAST")
    (figure,) = on_screen(explorer)
    marks = {
        r.name: r.glyph.marker
        for r in figure.renderers
        if isinstance(r.glyph, Scatter) and r.name in ("suspect", "fail")
    }
    assert marks == {"suspect": "triangle", "fail": "x"}
    failed = next(r for r in figure.renderers if r.name == "fail")
    assert failed.data_source.data["written"].tolist() == [1048.36]
    assert figure.y_range.start < failed.data_source.data["at"][0] < figure.y_range.end


def test_two_screens_show_the_same_charts(twin):
    explorer = explorer_of(twin, "?asset=EAST")
    explorer._charts_pane.pane.get_root()
    explorer._charts_pane.pane.get_root()
    (pane,) = explorer._charts_pane.pane.select(FigurePane)
    first, second = pane.figures().values()
    explorer.window = instants("2026-02-10", "2026-02-14")
    assert first.x_range.start == second.x_range.start == instants("2026-02-10")[0].astype("datetime64[ms]").astype(int)


def test_a_zoom_on_one_chart_is_the_window_of_all(twin):
    explorer = explorer_of(twin, "?signal=temperature&signal=wind_speed")
    figures = on_screen(explorer)
    start, stop = (float(t.astype("datetime64[ms]").astype(int)) for t in instants("2026-02-10", "2026-02-10T02:00"))
    zoomed = next(
        cb.args["zoomed"] for cb in figures[1].js_event_callbacks["rangesupdate"] if cb.args["zoomed"].name == "zoomed"
    )
    zoomed.tags = [start, stop]
    assert explorer.window == instants("2026-02-10", "2026-02-10T02:00")
    assert explorer.view.plan.raw


def test_a_selected_span_narrows_the_events_and_gives_them_back(twin):
    view = HistoryView(twin)
    everything = len(view.events.shown())
    view.signals.selecting = True
    (figure,) = on_screen(view.signals)
    assert any(isinstance(tool, BoxSelectTool) for tool in figure.toolbar.tools)
    view.signals._brushed(
        tuple(float(t.astype("datetime64[ms]").astype(int)) for t in instants("2026-02-12", "2026-02-10"))
    )
    assert view.signals.brush == instants("2026-02-10", "2026-02-12")
    some = len(view.events.shown())
    assert 0 < some < everything
    assert "selected span" in view.signals._legend.object
    assert view.link().in_view is None
    view.signals.selecting = False
    assert view.signals.brush is None
    assert len(view.events.shown()) == everything


def test_weeks_back_and_forward(twin):
    explorer = explorer_of(twin, "?from=2026-02-10&to=2026-02-12")
    explorer.step_weeks(-1)
    assert explorer.window == instants("2026-02-03", "2026-02-05")
    explorer.step_back()
    assert explorer.shown == instants("2026-02-10", "2026-02-12")
    explorer.step_back()
    assert explorer.shown == instants("2026-02-10", "2026-02-12")
    explorer.step_forward()
    assert explorer.window == instants("2026-02-03", "2026-02-05")


class Live:
    """A twin to which data arrive: first without its last two days, then with them."""

    def __init__(self, twin):
        data = twin.history("station")
        early = data.isel(time=slice(0, data.sizes["time"] - 2 * 1440))
        self.early, self.late = (FakeTwin(twin.model, histories={"station": d}) for d in (early, data))
        self.arrived = False

    def position(self):
        return int(self.arrived)

    def __getattr__(self, name):
        return getattr(self.late if self.arrived else self.early, name)


def test_a_following_window_keeps_its_width_and_moves_to_the_newest_sample(twin):
    live = Live(twin)
    explorer = explorer_of(live, "?asset=EAST&from=2026-02-20&to=2026-02-21")
    explorer.follow = True
    width = np.timedelta64(1, "D")
    end = explorer.shown[1]
    assert explorer.shown == (end - width, end)
    explorer.update_to_newest()
    assert explorer.shown[1] == end
    live.arrived = True
    explorer.update_to_newest()
    assert explorer.shown[1] == np.datetime64("2026-03-01T22:00")
    assert explorer.shown[1] - explorer.shown[0] == width
    explorer.follow = False
    kept = explorer.shown
    live.arrived = False
    explorer.update_to_newest()
    assert explorer.shown == kept


def test_who_zooms_is_not_moved_by_new_data(twin):
    live = Live(twin)
    explorer = explorer_of(live, "?asset=EAST&from=2026-02-20&to=2026-02-21")
    explorer.follow = True
    explorer._on_zoom(instants("2026-02-27", "2026-02-27T02:00"))
    assert not explorer.follow
    live.arrived = True
    explorer.update_to_newest()
    assert explorer.shown == instants("2026-02-27", "2026-02-27T02:00")


@pytest.mark.parametrize(
    "query", ["?asset=EAST", ALL + "&layout=multiples&compare=-7d", "?signal=fan&signal=temperature"]
)
@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_a_figure_can_be_had_for_screens_and_for_paper(twin, query, backend):
    figure = explorer_of(twin, query).figure(backend=backend)
    assert isinstance(figure, (hv.Overlay, hv.Layout))
    assert hv.renderer(backend).get_plot(figure).state is not None


def test_tables_carry_units_and_words(twin):
    explorer = explorer_of(
        twin, "?asset=EAST&signal=temperature&signal=fan&from=2026-02-01&to=2026-02-01T08:00&compare=-7d"
    )
    tables = explorer.tables()
    assert list(tables) == ["air temperature", "fan"]
    temperature = tables["air temperature"]
    assert list(temperature) == ["period", "time (UTC)", "own time (UTC)", "asset", "air temperature (°C)", "flag"]
    other = temperature[temperature["period"] != "shown"]
    assert ((other["time (UTC)"] - other["own time (UTC)"]) == np.timedelta64(7, "D")).all()
    assert set(tables["fan"]["state"]) <= {"off", "running", ""}
    explorer.window = None
    assert "mean of air temperature (°C)" in explorer.tables()["air temperature"]
    assert "running (% of time)" in explorer.tables()["fan"]


def test_settings_say_what_was_chosen(twin):
    settings = explorer_of(twin, "?asset=EAST&compare=-7d&from=2026-02-01&to=2026-02-02").settings()
    assert settings["Signals"] == "air temperature"
    assert settings["From (UTC)"] == "2026-02-01 00:00"
    assert settings["Compared with"].startswith("a week earlier")
    assert settings["Aligned by"] == "the clock of UTC"


def test_the_view_has_the_data_of_its_chart_and_the_events_as_sheets(twin):
    view = HistoryView(twin)
    assert list(view.tables()) == ["air temperature", "Trips"]
    xr.testing.assert_identical(view.data(), view.signals.view.data)
    assert view.settings()["Kind of asset"] == "station"


def test_every_control_has_a_name(twin):
    widgets = [w for w in explorer_of(twin, "").controls().select() if hasattr(w, "label")]
    assert len(widgets) > 12
    assert all(widget.label for widget in widgets)


def test_the_old_name_of_following_still_works_and_warns(twin):
    explorer = explorer_of(twin, "?signal=temperature")
    with pytest.warns(DeprecationWarning, match="update_to_newest"):
        explorer.look_for_news()
