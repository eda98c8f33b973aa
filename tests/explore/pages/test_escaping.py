"""Names, notes and error texts reach a page as text, never as HTML."""

import numpy as np
import pytest

from twinlab.explore import PAGES, Link
from twinlab.explore.kit.panes import Html, code_html
from twinlab.explore.kit.session import Shared
from twinlab.explore.kit.tables.table_filters import EventFilter
from twinlab.explore.pages.events.page import _filters_html
from twinlab.explore.pages.now.dispatch.reading import RefusedRow, SheetChange, SheetChanges
from twinlab.explore.pages.now.page import NowView
from twinlab.explore.pages.now.search_result import read_result, result_html
from twinlab.explore.pages.now.tile_buttons import TileStrip
from twinlab.explore.pages.now.tiles import Tile
from twinlab.explore.pages.now.workbook_exchange import difference_html
from twinlab.explore.pages.quality.page import QualityView
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin
from twinlab.testing.example_model import EXAMPLE_MODEL

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


def hostile(value, key=""):
    """A model whose titles are scripts."""
    if isinstance(value, dict):
        return {name: hostile(one, name) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(hostile(one) for one in value)
    return SCRIPT + value if key == "title" and isinstance(value, str) else value


@pytest.fixture(scope="module")
def twin():
    """A twin in which every title, name and event id is a script."""
    plain = FakeTwin.example(days=3, trips=60)
    model = TwinModel.model_validate(hostile(EXAMPLE_MODEL))
    names = {kind: model.asset_types[kind].label for kind in plain._assets}
    assets = {
        kind: table if names[kind] is None else table.assign(**{names[kind]: SCRIPT + table[names[kind]].astype(str)})
        for kind, table in plain._assets.items()
    }
    return FakeTwin(
        model,
        histories=plain._histories,
        events={kind: table.assign(event_id=SCRIPT + table["event_id"]) for kind, table in plain._events.items()},
        assets=assets,
        relationships=plain._relationships,
    )


def texts(view):
    """What all panes of a view say."""
    return [str(pane.object) for pane in view.__panel__().select(Html)]


# The page Sources needs a twin with live sources; its own tests have one.
@pytest.mark.parametrize("page", [page.name for page in PAGES if page.name != "sources"])
def test_no_pane_of_a_page_has_a_title_or_a_name_as_html(twin, page):
    if not PAGES.get(page).has(twin):
        # The view says so without any name of the twin.
        assert texts(PAGES.get(page).load()(twin, link=Link())) != []
        return
    view = PAGES.get(page).load()(twin, link=Link())
    if page == "now":
        view._search.show("van", str(twin.assets("van").index[0]))
    if page == "events":
        view.current.table.filters = (EventFilter("event_id", "=", SCRIPT),)
    said = " ".join(texts(view))
    assert ESCAPED in said
    assert "<script>" not in said


def test_the_result_of_a_search_escapes_names_titles_and_events(twin):
    shared = Shared(twin)
    worst = twin.assets("van").index[0]
    said = result_html(read_result(shared, "van", str(worst), at=None), twin.model, {})
    assert "<script>" not in said
    assert f"<h2>{ESCAPED}" in said
    assert said.count(ESCAPED) > 2


def test_a_search_for_html_is_shown_as_text(twin):
    view = NowView(twin)
    view._search.find(SCRIPT + "no such thing")
    assert f"“{ESCAPED}no such thing” isn" in view._search._text.object
    assert "<script>" not in " ".join(texts(view))


def test_a_tile_escapes_its_number_title_and_detail():
    strip = TileStrip(on_press=lambda _: None)
    strip.show([Tile("", SCRIPT, SCRIPT, SCRIPT)], active="")
    [pane] = strip.pane.select(Html)
    assert pane.object.count(ESCAPED) == 3
    assert "<script>" not in pane.object


def test_the_changes_of_a_workbook_are_escaped():
    changes = SheetChanges(
        SCRIPT,
        changes=(SheetChange(3, "key", SCRIPT, SCRIPT + "!", acknowledged_before=False, acknowledged=False),),
        refused=(RefusedRow(4, SCRIPT),),
    )
    said = difference_html(changes, {"key": SCRIPT})
    assert said.count(ESCAPED) == 5
    assert "<script>" not in said


def test_the_error_of_an_unreadable_workbook_is_shown_as_text(twin, monkeypatch):
    def broken(*_, **__):
        raise ValueError(SCRIPT)

    view = NowView(twin)
    monkeypatch.setattr("twinlab.explore.pages.now.workbook_exchange.read_sheet", broken)
    view.sheet.compare(b"no workbook")
    assert ESCAPED in view.sheet._text.object
    assert "<script>" not in view.sheet._text.object


def test_filters_of_the_events_page_are_text():
    said = _filters_html([SCRIPT, SCRIPT], empty=False)
    assert said.count(ESCAPED) == 2
    assert "<script>" not in said


def test_the_heading_above_samples_names_the_asset_as_text(twin):
    view = QualityView(twin, link=Link(asset_type="station", signals=("wind_speed",)))
    row, column = np.argwhere(view.heat.rows.worst != Flag.PASS)[0]
    view.heat._on_pick(int(row), int(column))
    heading = view._beneath[1].object
    assert ESCAPED in heading
    assert "<script>" not in heading


def test_code_is_shown_as_text():
    assert f">{ESCAPED}</pre>" in code_html(SCRIPT)


def test_a_browser_gets_a_text_that_is_escaped_once():
    plain, marked = Html("<b>&lt;i&gt;</b>"), Html("")
    marked.object = code_html("<i>")
    assert plain.get_root().text == "&lt;b&gt;&amp;lt;i&amp;gt;&lt;/b&gt;"
    assert marked.get_root().text.endswith("&amp;lt;i&amp;gt;&lt;/pre&gt;")
