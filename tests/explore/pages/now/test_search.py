"""Where is it? Any asset of any kind is found by id or name, and told through what it's in."""

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


def test_a_parcel_is_found_by_its_number_and_told_through_the_van_it_was_in(shared, aboard):
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


def test_the_story_tells_nothing_of_the_future(shared, aboard):
    parcel, _, when = aboard
    view = NowView(shared.twin, shared=shared, link=parse_link(f"?find={parcel}&at={when:%Y-%m-%dT%H:%M:%S}"))
    assert (view._search.found.story["time"] <= pd.Timestamp(view.at)).all()
    assert (view._search.found.ahead["time"] > pd.Timestamp(view.at)).all()
    assert "What's ahead" in view._search._text.object


def test_a_suggestion_that_was_taken_is_shown(view):
    view._search.field.value = view._search.suggestions("north")[0]
    assert view._search.found.asset == "NORTH"
    view._search.field.value = "V3"
    assert view._search.found.asset_type == "van"


def test_what_isnt_found_offers_the_nearest_and_a_button_for_each(view):
    view._search.field.value = "NORHT"
    assert view._search.found is None
    assert "NORHT" in view._search._text.object
    labels = [button.label for button in view._search._row[0]]
    assert labels[0].startswith("North yard (NORTH)")
    view._search._row[0][0].clicks += 1
    assert view._search.found.asset == "NORTH"


def test_what_nothing_is_called_is_said_without_markup_of_its_own(view):
    view._search.find("<b>zzzzzzzz</b>")
    assert "&lt;b&gt;zzzzzzzz" in view._search._text.object
    assert view.chosen is None


def test_the_answer_leads_to_the_other_pages_and_closes(view):
    view._search.find("V3")
    buttons = {button.label: button for button in view._search._row[0]}
    buttons["Show on map"].clicks += 1
    assert (view.asked.page, view.asked.asset_type) == ("map", "van")
    buttons["Details"].clicks += 1
    assert view.chosen == ("van", "V3")
    buttons["Close"].clicks += 1
    assert not view._search.answer.visible
    assert view.link().find is None


def test_the_answer_moves_to_another_instant_with_the_page(view):
    view._search.find("V3")
    before = view._search._text.object
    view._instant.field.value = "2026-01-02 06:00"
    assert "as of 2026-01-02 06:00 UTC" in view._search._text.object
    assert view._search._text.object != before


def test_what_a_notebooks_page_is_given_later_brings_its_styles_along(view, monkeypatch):
    monkeypatch.setattr(pn.config, "inline", True)
    root = pn.panel(view)._render_model(Document(), Comm())
    stood = set(root.select({"type": UIElement}))
    view._search.find("V3")
    came = set(root.select({"type": UIElement})) - stood
    sheets = [sheet for one in came for sheet in one.stylesheets if isinstance(sheet, ImportedStyleSheet)]
    assert came
    assert [sheet.url for sheet in sheets if "://" in sheet.url] == []
