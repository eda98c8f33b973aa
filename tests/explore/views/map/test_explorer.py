"""The map explorer: positions, time steps in place, box selection, and code that reproduces its numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import panel as pn
import pytest
from bokeh.events import SelectionGeometry

from twinlab.errors import SourceError
from twinlab.events import positions
from twinlab.explore import MapView, parse_link
from twinlab.explore.charts.outlines import mercator
from twinlab.explore.kit.session import Shared
from twinlab.explore.views.map.figure import fill_map
from twinlab.explore.views.map.reading import EXCEPTIONS, contained_kinds, placed_kinds
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=5, trips=50)


@pytest.fixture(scope="module")
def shared(twin):
    return Shared(twin)


@pytest.fixture
def view(twin, shared):
    return MapView(twin, shared=shared)


def drawn(view, name="assets"):
    return next(part for part in view._parts(1.0) if part.name == name).columns


def test_kinds_with_a_position_are_placed_and_those_inside_them_carried(twin):
    assert placed_kinds(twin.model) == ["station", "van"]
    assert set(contained_kinds(twin.model)) == {"cold_room", "parcel"}


def test_positions_drawn_are_the_positions_given(twin, view):
    table = pd.concat({kind: positions(twin, kind, at=view.at) for kind in ("station", "van")}).dropna(
        subset=["latitude", "longitude"]
    )
    x, y = mercator(table["latitude"].to_numpy(), table["longitude"].to_numpy())
    columns = drawn(view)
    assert np.array_equal(columns["x"], x)
    assert np.array_equal(columns["y"], y)


def test_what_is_carried_is_counted_where_it_is(twin, view):
    table = view._shot.table
    at_stations = positions(twin, "cold_room", at=view.at)["via"].value_counts()
    for kind, asset, inside in zip(table["asset_type"], table["asset"], table["inside"], strict=False):
        assert inside.get("cold_room", 0) == at_stations.get(f"{kind}/{asset}", 0)
    known = positions(twin, "parcel", at=view.at)["latitude"].notna().sum()
    assert sum(one.get("parcel", 0) for one in table["inside"]) == known


def shown(view, name="assets"):
    """The source of a layer as a screen has it."""
    (figure,) = view._map.figures()
    return next(one.data_source for one in figure.renderers if one.name == name)


def test_another_instant_moves_the_map_in_place(view):
    pn.panel(view).get_root()
    source, figures, panes = shown(view), view._map.figures(), list(view._map.pane)
    before = dict(source.data)
    view._player.move(-5)
    assert list(view._map.pane) == panes
    assert view._map.figures() == figures
    assert not np.array_equal(source.data["x"], before["x"])
    assert np.array_equal(source.data["x"], drawn(view)["x"])


def test_a_step_sends_only_the_columns_that_changed(view):
    pn.panel(view).get_root()
    source, track = shown(view), shown(view, "track")
    # At both instants all of the same assets have a fix.
    before, track_before = dict(source.data), dict(track.data)
    view._player.move(-5)
    replaced = {name for name, values in source.data.items() if values is not before[name]}
    assert {"x", "y", "tip"} <= replaced
    assert not {"marker", "size"} & replaced
    # No track is drawn, so nothing of it is sent.
    assert all(track.data[name] is track_before[name] for name in track_before)


def test_the_same_instant_again_sends_nothing(view):
    pn.panel(view).get_root()
    (figure,) = view._map.figures()
    before = {one.name: dict(one.data_source.data) for one in figure.renderers}
    fill_map(figure, view._parts(view._map.metres_a_pixel))
    for one in figure.renderers:
        assert all(one.data_source.data[name] is values for name, values in before[one.name].items())


def test_a_stale_fix_is_hollow_and_grey(view):
    stale = view._shot.table["stale"].to_numpy()
    columns = drawn(view)
    assert stale.any()
    assert set(columns["fill_alpha"][stale]) == {0.0}
    assert set(columns["color"][stale]) == {"#808080"}
    assert set(columns["fill_alpha"][~stale]) == {0.9}


def test_each_kind_has_a_shape_and_a_colour_of_its_own(view):
    columns, table = drawn(view), view._shot.table
    fresh = ~table["stale"].to_numpy()
    looks = {
        kind: {*zip(columns["marker"][mine], columns["color"][mine], strict=False)}
        for kind in ("station", "van")
        if (mine := (table["asset_type"] == kind).to_numpy() & fresh).any()
    }
    shapes = [next(iter(look))[0] for look in looks.values()]
    assert all(len(look) == 1 for look in looks.values())
    assert len(set(shapes)) == 2


def test_a_tap_chooses_and_a_box_selects(view):
    table = view._shot.table
    view._pick([0])
    assert view.chosen == (table["asset_type"][0], table["asset"][0])
    assert len(drawn(view, "chosen")["x"]) == 1
    view._pick([0, 1, 2])
    assert view.selected == tuple(zip(table["asset_type"][:3], table["asset"][:3], strict=False))
    assert view.link().assets == tuple(table["asset"][:3])


def test_a_link_with_an_instant_and_an_asset_opens_there(twin, shared, view):
    view.at = np.datetime64("2026-01-03T12:00", "ns")
    view.chosen = ("van", "V1")
    again = MapView(twin, shared=shared, link=parse_link(view.url()))
    assert again.at == view.at
    assert again.chosen == ("van", "V1")
    assert again.url() == view.url()


def test_wrong_values_in_a_link_are_told(twin, shared):
    view = MapView(twin, shared=shared, link=parse_link("?type=statoin&layout=colourful"))
    assert "did you mean 'station'" in view.notice
    assert "unknown colour 'colourful'" in view.notice
    assert view._shot is not None


def test_copied_code_in_a_fresh_namespace_gives_the_maps_numbers(view):
    view.at = np.datetime64("2026-01-03T12:00", "ns")
    space = {}
    exec(view.code(), space)
    pd.testing.assert_frame_equal(space["data"], view.data())


def test_a_signal_colours_its_kind_along_a_scale(view):
    view.color = "station.temperature"
    columns, table = drawn(view), view._shot.table
    assert table["value"].notna().sum() == view._shot.values["station"]["temperature"].notna().sum()
    assert "°C" in view._legend.object
    assert set(columns["color"][(table["asset_type"] == "van").to_numpy()]) == {"#808080"}


def test_exceptions_colour_by_severity(view):
    view.color = EXCEPTIONS
    standing = view._shot.exceptions
    worst = dict(zip(zip(standing["asset_type"], standing["asset"], strict=False), standing["severity"], strict=False))
    table = view._shot.table
    for kind, asset, severity in zip(table["asset_type"], table["asset"], table["severity"], strict=False):
        if (kind, asset) in worst:
            assert severity


def test_an_instant_before_all_fixes_lists_who_has_no_position(view):
    view.at = np.datetime64("2025-12-01", "ns")
    assert len(view._shot.unlocated["van"]) == 8
    assert "Vans: 8 without a position" in view._summary.object


def test_typing_nonsense_leaves_the_map_where_it_is(view):
    before = view.at
    view._player._text.value = "the day after tomorrow"
    assert view._player._text.error_state
    assert view.at == before
    view._player._text.value = "2026-01-02T08:00"
    assert view.at == np.datetime64("2026-01-02T08:00")
    assert not view._player._text.error_state


def test_two_maps_of_one_twin_do_not_disturb_each_other(twin, shared):
    one, two = MapView(twin, shared=shared), MapView(twin, shared=shared)
    one.kinds = ["station"]
    one.at = np.datetime64("2026-01-02", "ns")
    assert set(two.kinds) == {"station", "van", "cold_room", "parcel"}
    assert two.at != one.at


def test_no_kind_chosen_and_no_kind_placed_are_said(view):
    view.kinds = []
    assert "Choose at least one kind of asset" in view._map.pane[0].object
    assert view.code() == ""
    assert view.data() is None
    empty = MapView(FakeTwin(TwinModel(twin="empty")))
    assert "No kind of asset of this twin has a position" in empty._map.pane[0].object
    assert empty.figure() is None


def test_a_twin_without_observations_says_what_to_do_in_the_maps_place():
    model = {"latitude": {"unit": "degree", "resolution": 0.001}, "longitude": {"unit": "degree", "resolution": 0.001}}
    kinds = {"truck": {"signals": model, "position": ["latitude", "longitude"]}}
    view = MapView(FakeTwin(TwinModel.model_validate({"twin": "new", "asset_types": kinds})))
    assert "Nothing to show on a map yet" in view._map.pane[0].object
    assert "Ingest a source" in view._map.pane[0].object
    assert (view._summary.object, view._legend.object) == ("", "")
    # No slider over no time.
    assert len(view.__panel__()) == 2


def test_on_paper_land_is_as_pale_as_on_a_screen(view, tmp_path):
    pixels = plt.imread(view.picture(tmp_path / "map.png"))[..., :3].reshape(-1, 3)
    colors, count = np.unique(np.round(pixels * 255).astype(int), axis=0, return_counts=True)
    assert {tuple(colors[k].tolist()) for k in np.argsort(count)[-2:]} <= {(0xE6, 0xEA, 0xEE), (255, 255, 255)}


def test_a_map_that_can_not_be_read_says_why_in_its_place_until_it_can(twin, shared, monkeypatch):
    def gone(*_, **__):
        message = "expected the disk, but it's gone"
        raise SourceError(message)

    with monkeypatch.context() as broken:
        broken.setattr("twinlab.explore.views.map.explorer.snapshot", gone)
        view = MapView(twin, shared=shared)
    said, again = view._map.pane[0]
    assert "The map can't be shown" in said.object
    assert "gone" in said.object
    again.clicks += 1
    assert view._map.is_shown
    assert view.data() is not None


def test_sheets_carry_units_and_name_who_has_no_position(view):
    sheets = view.tables()
    assert {"latitude (°)", "fix (UTC)", "age of the fix (min)"} <= set(sheets["Vans"].columns)
    assert "air temperature (°C)" in sheets["station"]
    assert len(sheets["Vans"]) == 8


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_the_map_leaves_as_a_picture(view, tmp_path, ending):
    view.chosen = ("van", "V1")
    assert view.picture(tmp_path / f"map{ending}").stat().st_size > 5_000


def test_an_instant_set_in_python_moves_the_slider_too(view):
    view.at = np.datetime64("2026-01-02T06:30", "ns")
    assert view._player._text.value == "2026-01-02 06:30"


def test_a_reader_who_zooms_in_gets_more_names_and_fewer_on_a_narrow_screen(view):
    pn.panel(view).get_root()
    named = lambda: len(shown(view, "names").data["text"])  # noqa: E731
    (figure,) = view._map.figures()
    before, box = named(), view._extent()
    view._map._moved((box.left, box.bottom, box.right, box.top), 60)
    narrow = named()
    near = box.expanded(-0.49)
    view._map._moved((near.left, near.bottom, near.right, near.top), 900)
    assert narrow < before < named()
    view.show_all()
    assert named() == before
    assert view._map.figures() == [figure]


def test_a_tap_is_heard_again_on_the_same_marker(view):
    pn.panel(view).get_root()
    (figure,) = view._map.figures()
    shown(view).selected.indices = [1]
    picks = []
    view.param.watch(lambda event: picks.append(event.new), "chosen", onlychanged=False)
    for _ in range(2):
        figure._trigger_event(SelectionGeometry(figure, geometry={"type": "point"}, final=True))
    assert len(picks) == 2
    assert picks[0] == picks[1] == view.chosen
