"""Search for an asset by id or name: suggestions, place, history and plan."""

import pandas as pd
import panel as pn
import pytest
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet, UIElement
from pyviz_comms import Comm

from twinlab.explore.kit.link import parse_link
from twinlab.explore.kit.session import Shared
from twinlab.explore.pages.now.page import NowView
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture(scope="module")
def shared():
    return Shared(FakeTwin.example(days=3, trips=60))


@pytest.fixture
def view(shared):
    return NowView(shared.twin, shared=shared)


@pytest.fixture(scope="module")
def aboard(shared):
    """A parcel aboard a van, and when."""
    links = shared.twin.relationships("aboard").dropna(subset=["valid_until"])
    link = links.iloc[len(links) // 2]
    return link["source"], link["target"], link["valid_from"] + (link["valid_until"] - link["valid_from"]) / 2


def test_suggestions_come_from_all_kinds_of_assets(view):
    assert "North yard (NORTH) · station" in view._search.suggestions("north")
    assert any("Vans" in text for text in view._search.suggestions("V3"))
    assert len(view._search.suggestions("0")) <= 20


def test_a_parcel_found_by_its_number_has_the_position_of_its_van(shared, aboard):
    parcel, van, when = aboard
    view = NowView(shared.twin, shared=shared, link=parse_link(f"?find={parcel}&at={when:%Y-%m-%dT%H:%M:%S}"))
    html = view._search._text.object
    assert view._search.answer.visible
    # The answer tells it: no drawer opens beside it.
    assert view.chosen is None
    assert (view.link().asset_type, view.link().assets) == ("parcel", (parcel,))
    assert shared.labels("van")[van] in html
    assert "fix " in html and " old" in html
    assert "Planned against actual" in html
    assert "Its story so far" in html
    assert f"find={parcel}" in view.url()


def test_past_events_end_at_the_instant(shared, aboard):
    parcel, _, when = aboard
    view = NowView(shared.twin, shared=shared, link=parse_link(f"?find={parcel}&at={when:%Y-%m-%dT%H:%M:%S}"))
    assert (view._search.found.story["time"] <= pd.Timestamp(view.at)).all()
    assert (view._search.found.ahead["time"] > pd.Timestamp(view.at)).all()
    assert "What's ahead" in view._search._text.object


def test_a_selected_suggestion_is_shown(view):
    view._search.field.value = view._search.suggestions("north")[0]
    assert view._search.found.asset == "NORTH"
    view._search.field.value = "V3"
    assert view._search.found.asset_type == "van"


def test_an_unknown_name_gives_a_button_for_each_near_match(view):
    view._search.field.value = "NORHT"
    assert view._search.found is None
    assert "NORHT" in view._search._text.object
    labels = [button.label for button in view._search._row[0]]
    assert labels[0].startswith("North yard (NORTH)")
    view._search._row[0][0].clicks += 1
    assert view._search.found.asset == "NORTH"


def test_an_unknown_name_with_markup_is_escaped(view):
    view._search.find("<b>zzzzzzzz</b>")
    assert "&lt;b&gt;zzzzzzzz" in view._search._text.object
    assert view.chosen is None


def test_the_result_opens_other_pages_and_closes(view):
    view._search.find("V3")
    buttons = {button.label: button for button in view._search._row[0]}
    buttons["Show on map"].clicks += 1
    assert (view.asked.page, view.asked.asset_type) == ("map", "van")
    buttons["Details"].clicks += 1
    assert view.chosen == ("van", "V3")
    buttons["Close"].clicks += 1
    assert not view._search.answer.visible
    assert view.link().find is None


def test_the_result_follows_the_instant_of_the_page(view):
    view._search.find("V3")
    before = view._search._text.object
    view._instant.field.value = "2026-01-02 06:00"
    assert "as of 2026-01-02 06:00 UTC" in view._search._text.object
    assert view._search._text.object != before


def test_panes_added_later_in_a_notebook_load_no_style_sheet(view, monkeypatch):
    monkeypatch.setattr(pn.config, "inline", True)
    root = pn.panel(view)._render_model(Document(), Comm())
    stood = set(root.select({"type": UIElement}))
    view._search.find("V3")
    came = set(root.select({"type": UIElement})) - stood
    sheets = [sheet for one in came for sheet in one.stylesheets if isinstance(sheet, ImportedStyleSheet)]
    assert came
    assert [sheet.url for sheet in sheets if "://" in sheet.url] == []
