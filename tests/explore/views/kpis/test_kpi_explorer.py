"""KPIs on a page: tiles, chart, table and what is behind a number, all of the one function."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SourceError
from twinlab.events import kpi, kpi_table
from twinlab.explore import EventsAndKpisView, KpiExplorer, parse_link
from twinlab.explore.views.kpis.tiles import tile_html, tile_of
from twinlab.model import Kpi, TwinModel
from twinlab.testing import FakeTwin

KPIS = {
    "cold": Kpi(
        title="Cold <chain>",
        owner="Quality",
        on="cold_room",
        formula="time_share(temperature <= 5 degC)",
        unit="%",
        target=">= 99 %",
    ),
    "on_time": Kpi(on="trip", formula="share(end_delay <= 5 min)", unit="%", groups=["destination"]),
}


@pytest.fixture(scope="module")
def twin():
    found = FakeTwin.example(days=4, trips=120)
    found._model = found.model.model_copy(update={"kpis": KPIS})
    return found


@pytest.fixture
def view(twin):
    return KpiExplorer(twin)


def windows(low, high, value, coverage, **attrs):
    time = np.datetime64("2026-03-01", "ns") + np.arange(len(low)) * np.timedelta64(1, "D")
    columns = {"low": low, "high": high, "value": value, "coverage": coverage, "samples": np.ones(len(low), dtype=int)}
    return xr.Dataset(
        {name: ("time", one) for name, one in columns.items()},
        {"time": time, "settled_until": np.datetime64("2026-03-03", "ns")},
        {
            "every": "1d",
            "title": "Share",
            "units": "%",
            "target": ">= 90 %",
            "target_operator": ">=",
            "target_value": 90.0,
            **attrs,
        },
    )


def test_a_tile_is_of_the_newest_settled_window_and_says_what_is_missing():
    tile = tile_of(windows([0.0, 40.0, 0.0], [100.0, 95.0, 100.0], [50.0, 80.0, np.nan], [0.2, 0.6, 0.0]))
    assert (tile.number, tile.unit, tile.bounds, tile.verdict, tile.window) == (
        "80",
        "%",
        "40 to 95 %",
        "not known",
        "2026-03-02",
    )
    assert tile.known == "40 % of the data is missing or suspect"
    drawn = tile_html(tile, chosen=False)
    assert 'class="lack" style="width:40.0%"' in drawn
    assert "? target ≥ 90 % not known: can be either" in drawn


def test_tiles_of_a_live_twin_say_up_to_when_nothing_more_is_expected():
    data = windows([90.0], [95.0], [92.0], [0.9])
    assert tile_of(data).settled == ""
    live = tile_of(data, live=True)
    assert live.settled == "settled until 2026-03-03 00:00 UTC"
    assert live.settled in tile_html(live, chosen=False)
    data["settled_until"] = ((), np.datetime64("NaT", "ns"))
    assert tile_of(data, live=True).settled == "nothing is settled yet"


@pytest.mark.parametrize(
    ("low", "high", "value", "said"),
    [
        (90.0, 90.0, 90.0, "exact"),
        (90.0, np.inf, 95.0, "at least 90 %"),
        (-np.inf, np.inf, 0.0, "nothing limits it"),
        (np.nan, np.nan, np.nan, "no value in this window"),
    ],
)
def test_a_tile_tells_bounds_that_are_open_or_missing(low, high, value, said):
    tile = tile_of(windows([low], [high], [value], [1.0]))
    assert tile.bounds == said
    assert tile.known == "all data known"
    assert "nan" not in str(tile_html(tile, chosen=True)).casefold()


def test_titles_are_escaped_and_every_face_has_the_numbers_of_the_one_function(twin, view):
    assert "Cold &lt;chain&gt;" in view._grid._drawings["cold"].object
    space = {}
    exec(view.code().replace("twin = FakeTwin", "twin = given or FakeTwin"), {"given": twin}, space)
    xr.testing.assert_identical(space["data"], view.data())
    shown = view.tables()["Cold <chain>"]
    expected = kpi_table(view.data()).iloc[::-1]
    np.testing.assert_array_equal(shown["value (%)"], expected["value"])
    tile = view._grid._tiles["cold"]
    row = expected[expected["time"] == tile.time].iloc[0]
    assert tile.coverage == row["coverage"]


def test_a_group_a_window_and_a_link(twin, view):
    view.kpi = "on_time"
    assert list(view.param.by.objects)[:2] == ["", "destination"]
    view.by = "destination"
    view.picked = (np.datetime64("2026-01-02", "ns"), str(view.data().destination.values[0]))
    made_of = view.tables()["made of trip"]
    assert len(made_of)
    assert view.notice == ""
    view.every = "7d"
    assert view.picked is None
    assert view.url() == "?kpi=on_time&by=destination&every=7d"
    again = KpiExplorer(twin, link=parse_link(view.url()))
    xr.testing.assert_identical(again.data(), view.data())
    # What doesn't group the other one is dropped.
    view.kpi = "cold"
    assert view.by == ""


def test_a_row_of_the_table_is_explained_and_numbers_of_a_period_are_those_of_kpi(twin):
    view = KpiExplorer(twin, link=parse_link("?kpi=cold&from=2026-01-02&to=2026-01-04"))
    expected = kpi(twin, "cold", start="2026-01-02", stop="2026-01-04")
    xr.testing.assert_identical(view.data(), expected)
    view._row_picked(0)
    assert view.picked[0] == np.datetime64("2026-01-03")
    assert "made of cold_room" in view.tables()


def test_wrong_links_become_notices(twin):
    view = KpiExplorer(twin, link=parse_link("?kpi=cool&by=colour&every=3h"))
    for said in ("unknown KPI 'cool'", "unknown group 'colour'", "'3h' can't be chosen"):
        assert said in view.notice
    assert view.kpi == "cold"


def test_a_kpi_that_cannot_be_read_leaves_the_others(twin, monkeypatch):
    def fails(asset_type, **options):
        msg = "the disk is gone"
        raise SourceError(msg)

    monkeypatch.setattr(twin, "history", fails)
    view = KpiExplorer(twin, link=parse_link("?kpi=on_time&from=2026-01-02&to=2026-01-04"))
    assert "the disk is gone" in view._grid._drawings["cold"].object
    assert view.data() is not None


def test_a_twin_without_kpis_says_how_to_get_some():
    view = KpiExplorer(FakeTwin(TwinModel.model_validate({"twin": "empty", "asset_types": {"room": {}}})))
    assert "has no KPIs" in view.__panel__().object
    assert (view.code(), view.data(), view.tables()) == ("", None, {})


def test_the_page_opens_the_part_that_a_link_is_about(twin):
    page = EventsAndKpisView(twin)
    assert (page.part, page.current.kpi) == ("kpis", "cold")
    page.apply(parse_link("?event=trip"))
    assert page.part == "recorded"
    assert len(page.data()) == 120
    page.part = "kpis"
    assert parse_link(page.url()).kpi == "cold"
    asked = EventsAndKpisView(twin, link=parse_link("?part=recorded"))
    assert asked.part == "recorded"
    assert EventsAndKpisView(twin, link=parse_link(asked.url())).part == "recorded"
    assert isinstance(asked.data(), pd.DataFrame)
