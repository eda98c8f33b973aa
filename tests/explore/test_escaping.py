"""Names that look like HTML are shown as they are written, wherever HTML is made from them."""

import copy

import numpy as np
import pandas as pd
import pytest

from twinlab.explore import AssetCard, HeatExplorer, MapView, SignalExplorer, parse_link
from twinlab.explore.charts.legend import title_html
from twinlab.explore.charts.sparkline import sparkline
from twinlab.explore.files.report import report_html, table_html
from twinlab.explore.kit.panes import empty_pane, error_pane, loading_pane
from twinlab.explore.kit.session import Shared
from twinlab.explore.views.card.card import failed_html
from twinlab.explore.views.map.routes import route_layers
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin
from twinlab.testing.example_model import EXAMPLE_MODEL

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

HOSTILE = """<script>alert(1)</script>&"'<img src=x>"""
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#34;&#39;&lt;img src=x&gt;"


def named_like_html(part):
    """The same part of a model, with every title made hostile."""
    if not isinstance(part, dict):
        return part
    return {
        key: f"{HOSTILE} {value}" if key == "title" and isinstance(value, str) else named_like_html(value)
        for key, value in part.items()
    }


@pytest.fixture(scope="module")
def shared():
    plain = FakeTwin.example(days=3, trips=60)
    assets = {kind: plain.assets(kind).copy() for kind in plain.model.asset_types}
    for kind, column in (("station", "name"), ("van", "plate")):
        assets[kind][column] = HOSTILE
    twin = FakeTwin(
        TwinModel.model_validate(named_like_html(copy.deepcopy(EXAMPLE_MODEL))),
        histories=plain._histories,
        events=plain._events,
        assets=assets,
        relationships=plain._relationships,
    )
    return Shared(twin)


def is_escaped(html):
    text = str(html)
    assert "<script>" not in text
    assert "<img" not in text
    assert "&amp;lt;" not in text
    assert ESCAPED in text
    return True


def test_headings_and_legends_of_charts(shared):
    explorer = SignalExplorer(shared.twin, shared=shared, link=parse_link("?type=station&signal=temperature"))
    assert is_escaped(explorer._heading.object)
    assert is_escaped(explorer._legend.object)
    assert is_escaped(title_html(HOSTILE, HOSTILE))
    assert is_escaped(sparkline(np.array([1.0, 2.0]), label=HOSTILE))


@pytest.mark.parametrize("heat", ["values", "flags.not_pass"])
def test_heading_and_legend_of_a_heat_map(shared, heat):
    explorer = HeatExplorer(
        shared.twin, shared=shared, link=parse_link(f"?type=station&signal=temperature&heat={heat}")
    )
    assert is_escaped(explorer._heading.object)
    if heat == "values":
        assert is_escaped(explorer._legend.object)


@pytest.mark.parametrize("color", ["", "exceptions", "station.temperature", "station.fan"])
def test_summary_legend_and_tooltips_of_a_map(shared, color):
    view = MapView(shared.twin, shared=shared)
    view.color = color
    assert is_escaped(view._summary.object)
    assert is_escaped(view._legend.object)
    (markers,) = [layer for layer in view._parts(1.0) if layer.name == "assets"]
    assert all(is_escaped(tip) and type(tip) is str for tip in markers.columns["tip"])


def test_tooltips_of_routes():
    places = pd.DataFrame({"latitude": [48.0, 52.0], "longitude": [11.0, 13.0]}, index=["a", "b"])
    found = pd.DataFrame({"origin": ["a"], "destination": ["b"], "count": [3], "delay": [2.0]})
    labels = {end: {"a": HOSTILE, "b": HOSTILE} for end in ("origin", "destination")}
    _, routes, *_ = route_layers(found, {"origin": places, "destination": places}, labels)
    assert [is_escaped(tip) and type(tip) is str for tip in routes.columns["tip"]] == [True]


@pytest.mark.parametrize(("kind", "asset"), [("station", "NORTH"), ("van", "V1"), ("cold_room", None)])
def test_asset_cards(shared, kind, asset):
    from twinlab.events import exceptions

    found = exceptions(shared.reader, at=shared.latest())
    asset = asset or str(found.loc[found["rule"] == "too_warm", "asset"].iloc[0])
    assert is_escaped(AssetCard(shared.twin, kind, asset, shared=shared)._html.object)
    assert is_escaped(failed_html(HOSTILE, HOSTILE))


def test_what_a_browser_gets_of_a_pane_is_escaped_once(shared):
    pane = AssetCard(shared.twin, "station", "NORTH", shared=shared)._html
    # Panel sends HTML escaped once, and its own JavaScript undoes that.
    assert "&lt;h2&gt;" in pane.get_root().text
    assert "&amp;lt;h2" not in pane.get_root().text


def test_loading_empty_and_error_states():
    for pane in (
        loading_pane(HOSTILE),
        empty_pane(HOSTILE, HOSTILE),
        error_pane(HOSTILE, HOSTILE, retry=lambda: None)[0],
    ):
        assert is_escaped(pane.object)


def test_reports(shared):
    explorer = SignalExplorer(shared.twin, shared=shared, link=parse_link("?type=station&signal=temperature"))
    text = str(report_html([explorer]))
    assert HOSTILE not in text
    assert "<script>alert(1)" not in text
    assert is_escaped(text[text.index("<body><header>") :].partition('<div class="plot">')[0])
    assert is_escaped(table_html(pd.DataFrame({HOSTILE: [HOSTILE, "b"]}), limit=1))
