"""The heat map explorer, without a browser: set a parameter, look at what is drawn."""

import re

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SourceError
from twinlab.explore.kit.link import Link, parse_link
from twinlab.explore.views.heatmap.explorer import HeatExplorer
from twinlab.explore.views.heatmap.figure import fill_heat, make_heat
from twinlab.explore.views.heatmap.plot import refresh_heat
from twinlab.explore.views.heatmap.reading import heat_dataset
from twinlab.explore.views.heatmap.style import FLAG_COLORS, row_ticks, shown_values
from twinlab.explore.views.heatmap.text import caption
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=60, trips=20)


def instants(*texts):
    return tuple(np.datetime64(t, "ns") for t in texts)


def fleet(count, *, days=2):
    """Many assets with one signal, and a hall each."""
    model = TwinModel.model_validate(
        {
            "twin": "fleet",
            "asset_types": {
                "sensor": {
                    "properties": {"hall": {"title": "hall"}},
                    "signals": {"level": {"unit": "m", "resolution": 0.01, "cadence": "15min"}},
                }
            },
        }
    )
    ids = [f"S{i:04d}" for i in range(count)]
    time = np.datetime64("2026-01-01", "ns") + np.arange(96 * days) * np.timedelta64(15, "m")
    level = np.arange(count, dtype=float) + np.zeros((len(time), 1))
    data = xr.Dataset({"level": (("time", "asset"), level)}, coords={"time": time, "asset": np.array(ids, object)})
    halls = pd.DataFrame({"hall": [f"H{i % 3}" for i in range(count)]}, index=pd.Index(ids, name="asset"))
    return FakeTwin(model, histories={"sensor": data}, assets={"sensor": halls})


def test_it_opens_on_the_first_signal_of_all_assets(twin):
    view = HeatExplorer(twin)
    assert (view.asset_type, view.signal, view.heat, view.measure) == ("station", "temperature", "values", "mean")
    assert view.rows.labels == ("East quay (EAST)", "North yard (NORTH)", "West gate (WEST)")
    assert "4 h rollup · 2026-01-01 00:00 to 2026-03-02 00:00 UTC · 3 assets" in view._heading.object


@pytest.mark.parametrize(
    ("window", "title"),
    [
        (None, "4 h rollup"),
        (("2026-01-17", "2026-02-14"), "2 h bins of the hourly rollup"),
        (("2026-01-18T20:00", "2026-01-20T03:00"), "4 min bins of raw samples"),
        (("2026-01-18T23:00", "2026-01-19T02:00"), "raw samples, 1 min"),
    ],
)
@pytest.mark.parametrize("signal", ["temperature", "wind_speed"])
def test_the_code_in_a_fresh_namespace_gives_the_view_s_data(twin, window, title, signal):
    view = HeatExplorer(twin, link=Link(signals=(signal,), window=window and instants(*window)))
    assert view.rows.cells.plan.title == title
    namespace = {}
    exec(view.code(), namespace)
    twin_again = FakeTwin.example(days=60, trips=20)
    assert isinstance(namespace["data"], xr.Dataset)
    xr.testing.assert_identical(view.data(), heat_dataset(twin_again, view._request, view.rows.cells.plan))
    xr.testing.assert_identical(namespace["data"], view.data())


def test_zooming_refreshes_the_plot_in_place(twin):
    view = HeatExplorer(twin)
    plot = hv.renderer("bokeh").get_plot(view.figure())
    image = next(iter(plot.subplots.values()))
    source, figure, tools = image.handles["source"], plot.state, len(plot.state.tools)
    view._on_zoom(instants("2026-01-18T23:00", "2026-01-19T02:00"))
    refresh_heat(plot, view.rows, view._style(), window=view.shown)
    assert (plot.state, image.handles["source"], len(figure.tools)) == (figure, source, tools)
    drawn = source.data["image"][0]
    np.testing.assert_array_equal(drawn, view.rows.value.astype("float32"))
    np.testing.assert_array_equal(source.data["missing"][0], view.rows.counts[4])
    start = pd.Timestamp(view.rows.cells.time[0])
    assert source.data["x"] == [start.timestamp() * 1000]
    assert source.data["dw"] == [180 * 60_000]


def test_a_screen_gets_a_zoom_without_a_new_plot(twin):
    view = HeatExplorer(twin)
    view.__panel__().get_root()
    before = view._map.pane[0]
    (chart,) = view._map.charts()
    source = chart.renderers[0].data_source
    view._on_zoom(instants("2026-01-18T23:00", "2026-01-19T02:00"))
    assert view._map.pane[0] is before
    assert source.data["image"][0].shape == (3, 180)
    view.signal = "wind_speed"
    assert view._map.pane[0] is before
    assert "mean wind speed (mph)" in view._legend.object


def test_cells_without_a_value_let_the_hatched_ground_through(twin):
    view = HeatExplorer(twin, link=parse_link("?heat=flags&from=2026-01-18T23:00&to=2026-01-19T02:00"))
    codes = shown_values(view.rows, view._style())
    missing = view.rows.worst == Flag.MISSING
    assert missing.any()
    assert np.isnan(codes[missing]).all()
    assert not np.isnan(codes[~missing]).any()
    assert Flag.MISSING not in FLAG_COLORS


def test_flags_in_close_view_carry_letters(twin):
    view = HeatExplorer(twin, link=parse_link("?heat=flags.worst&from=2026-01-31T00:00&to=2026-01-31T02:00"))
    text = list(view.figure())[1]
    assert set(text.dimension_values("text")) == {"S"}
    # One letter for the stretch of forty samples.
    assert len(text) == 1
    assert int((view.rows.worst == Flag.SUSPECT).sum()) == 40


def test_the_legend_counts_every_flag_in_view(twin):
    view = HeatExplorer(twin, link=Link(heat="flags"))
    assert "suspect S: 40 samples" in view._legend.object
    assert "missing M: 180 samples" in view._legend.object


def test_the_legend_of_values_is_their_scale_with_its_unit(twin):
    view = HeatExplorer(twin)
    low, high = (f"{round(float(end), 2):.4g}" for end in (np.nanmin(view.rows.value), np.nanmax(view.rows.value)))
    said = re.sub("<[^>]*>", "", view._legend.object).replace("−", "-")
    assert re.search(rf"mean air temperature \(°.\): {re.escape(low)}\s+to\s+{re.escape(high)}pass", said)
    view.heat = "flags"
    assert "gradient" not in view._legend.object


def test_a_plot_that_leaves_says_above_what_it_shows_for_beside_a_low_bar_it_would_be_cut(twin):
    chart = hv.render(HeatExplorer(twin).figure(), backend="bokeh")
    assert re.fullmatch(r"mean air temperature \(°.\)", chart.title.text)
    assert [bar.title for bar in chart.right if hasattr(bar, "color_mapper")] == [""]


def test_a_click_says_which_asset_and_when(twin):
    view = HeatExplorer(twin)
    view._on_pick(1, 6)
    assert view.picked == ("NORTH", instants("2026-01-02", "2026-01-02T04:00"))
    assert view.chosen == ("station", "NORTH")
    again = HeatExplorer(twin, link=parse_link(view.url()))
    assert again.picked == view.picked
    again.__panel__().get_root()
    framed = again._map.charts()[0].renderers[2].data_source
    assert (framed.data["bottom"], framed.data["top"]) == ([1], [2])


def test_a_click_on_several_assets_means_the_one_with_the_most_judged_samples(twin):
    view = HeatExplorer(twin, link=Link(signals=("wind_speed",), heat="flags"))
    view.by = "height"
    groups = {members: i for i, members in enumerate(view.rows.members)}
    row, column = next((i, c) for m, i in groups.items() for c in np.flatnonzero(view.rows.worst[i] == Flag.FAIL))
    view._on_pick(row, int(column))
    assert view.picked[0] == "EAST"


def test_a_link_brings_everything_back(twin):
    query = "?type=station&find=a&heat=values.max.order-worst.by-height&signal=wind_speed&from=2026-01-10T00:00:00&to=2026-01-20T00:00:00"
    view = HeatExplorer(twin, link=parse_link(query))
    assert not view.notice
    assert (view.measure, view.order, view.by, view.find) == ("max", "worst", "height", "a")
    assert view.url() == query


def test_a_wrong_value_in_a_link_becomes_a_notice(twin):
    view = HeatExplorer(twin, link=parse_link("?heat=valeus.mean&signal=wind&type=statoin"))
    assert "unknown heat map 'valeus'" in view.notice
    assert "unknown signal 'wind'" in view.notice
    assert "unknown asset type 'statoin'" in view.notice
    assert view.rows is not None


def test_a_failure_while_reading_becomes_a_notice_and_the_picture_stays(twin, monkeypatch):
    view = HeatExplorer(twin)
    before = view.rows

    def gone(*_, **__):
        message = "expected the disk, but it's gone"
        raise SourceError(message)

    monkeypatch.setattr("twinlab.explore.views.heatmap.explorer.read_heat", gone)
    view.measure = "max"
    assert "it's gone" in view.notice
    assert view.rows is before


@pytest.mark.parametrize("reading", ["data_span", "read_heat"])
def test_a_failure_before_there_is_a_picture_stands_in_its_place_until_it_can_be_read(reading, monkeypatch):
    def gone(*_, **__):
        message = "expected the disk, but it's gone"
        raise SourceError(message)

    with monkeypatch.context() as broken:
        broken.setattr(f"twinlab.explore.views.heatmap.explorer.{reading}", gone)
        view = HeatExplorer(fleet(3))
    said, again = view._map.pane[0]
    assert "The heat map can't be shown" in said.object
    assert "gone" in said.object
    assert view.notice == ""
    again.clicks += 1
    assert view.rows.labels == ("S0000", "S0001", "S0002")
    assert len(view._map.pane) == 1
    assert view._map.pane[0] is view._map._chart


def test_a_thousand_assets_fit_a_screen_and_the_caption_says_how():
    view = HeatExplorer(fleet(1000))
    assert len(view.rows.labels) == 334
    assert "1,000 rows drawn in 334 of 3: mean of their values" in caption(view.rows, view.shown)
    assert view.rows.value[0, 0] == pytest.approx(1.0)
    assert 10 < len(row_ticks(view.rows)) < 40
    view.measure = "max"
    assert view.rows.value[0, 0] == 2.0


def test_assets_are_found_by_text_and_grouped_by_a_property():
    view = HeatExplorer(fleet(30))
    view.find = "h1"
    assert view.rows.labels == tuple(f"S{i:04d}" for i in range(1, 30, 3))
    view.find = "nowhere"
    assert not view.rows.labels
    assert view.figure() is None
    view.find, view.by = "", "hall"
    assert view.rows.labels == ("H0 (10)", "H1 (10)", "H2 (10)")
    assert view.rows.value[:, 0].tolist() == [13.5, 14.5, 15.5]


def test_two_explorers_do_not_share_their_choices(twin):
    first, second = HeatExplorer(twin), HeatExplorer(fleet(3))
    assert "sensor" not in first.param.asset_type.objects
    assert list(second.param.signal.objects) == ["level"]
    assert "height" in first.param.by.objects


def test_a_twin_without_observations_says_what_to_do():
    model = TwinModel.model_validate(
        {"twin": "new", "asset_types": {"pump": {"signals": {"p": {"unit": "bar", "resolution": 1}}}}}
    )
    view = HeatExplorer(FakeTwin(model))
    assert "Ingest a source" in view._map.pane[0].object
    assert (view.code(), view.data(), view.tables(), view.settings(), view.figure()) == ("", None, {}, {}, None)


def test_it_leaves_as_tables_and_as_a_picture(twin, tmp_path):
    view = HeatExplorer(twin, link=Link(heat="flags"))
    tables = view.tables()
    assert tables["worst flag"].shape == (360, 4)
    assert tables["samples by flag"]["missing"].sum() == 180
    for name in ("heat.svg", "heat.png"):
        assert view.picture(tmp_path / name).stat().st_size > 5_000
    assert HeatExplorer(twin).settings()["cells show"] == "mean air temperature (°C)"


def test_a_figure_has_the_names_of_all_rows_and_its_ticks_those_that_fit(twin):
    view = HeatExplorer(twin)
    chart = make_heat(view.rows, view._style(), window=view.shown, on_zoom=print, on_tap=print)
    axis = chart.yaxis[0]
    assert list(axis.formatter.args["names"].data["labels"]) == list(view.rows.labels)
    assert axis.ticker.ticks == [0.5, 1.5, 2.5]
    many = HeatExplorer(fleet(1000))
    fill_heat(chart, many.rows, many._style(), window=many.shown)
    assert axis.formatter.args["names"].data["labels"][1] == "S0003"
