"""The workspace without a browser: pages are built when opened, and selections apply to all of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
import pytest

import twinlab.explore.page_registry as all_pages
import twinlab.explore.workspace as workspace_module
from twinlab.errors import SourceError
from twinlab.explore import Link, PageSpec, Workspace, parse_link
from twinlab.explore.views.base import Explorer
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

WINDOW = (np.datetime64("2026-01-02", "ns"), np.datetime64("2026-01-03", "ns"))


class Plain(Explorer):
    """A view that shows whatever its link says."""

    asked = param.Parameter(default=None)
    knows = ("station", "truck")
    built: list[str] = []  # noqa: RUF012

    def __init__(self, twin, **asked):
        super().__init__(twin, **asked)
        self.built.append(type(self).__name__)
        self.state = Link()
        self.apply(self.first_link)

    def link(self):
        return self.state

    def apply(self, link):
        known = link.asset_type is None or link.asset_type in self.knows
        self.notice = "" if known else f"unknown asset type {link.asset_type!r}"
        self.state = replace(link, problems=()) if known else replace(link, asset_type=self.knows[0], assets=None)
        self.revision += 1

    def code(self):
        return f"data = {type(self).__name__!r}"

    def data(self):
        return None

    def tables(self):
        return {}

    def settings(self):
        return {"view": type(self).__name__}

    def figure(self, *, backend="bokeh"):
        return None

    def __panel__(self):
        return pn.pane.HTML(type(self).__name__)


class First(Plain): ...


class Second(Plain):
    knows = ("station",)


class Broken(Plain):
    broken = True

    def __init__(self, twin, **asked):
        if self.broken:
            message = "the disk is gone; plug it in"
            raise SourceError(message)
        super().__init__(twin, **asked)


KINDS = (First, Second, Broken)
SPECS = [PageSpec(kind.__name__.casefold(), kind.__name__, "map", lambda kind=kind: kind) for kind in KINDS]


@pytest.fixture
def twin():
    return FakeTwin(TwinModel(twin="empty"))


@pytest.fixture(autouse=True)
def three_pages(monkeypatch):
    Plain.built.clear()
    pages = all_pages.PageRegistry({kind.__name__.casefold(): f"{__name__}:{kind.__name__}" for kind in KINDS})
    monkeypatch.setattr(pages, "get", {spec.name: spec for spec in SPECS}.__getitem__)
    monkeypatch.setattr(all_pages, "PAGES", pages)
    monkeypatch.setattr(workspace_module, "PAGES", pages)


def test_a_page_is_built_once_when_it_is_first_opened(twin):
    workspace = Workspace(twin)
    assert Plain.built == ["First"]
    first = workspace.current
    workspace.page = "second"
    workspace.page = "first"
    assert Plain.built == ["First", "Second"]
    assert workspace.current is first


def test_selections_apply_to_all_pages_and_other_state_stays_with_its_page(twin):
    workspace = Workspace(twin, link=Link(asset_type="station", assets=("3",), window=WINDOW, signals=("speed",)))
    workspace.page = "second"
    assert workspace.link() == Link(page="second", asset_type="station", assets=("3",), window=WINDOW)
    workspace.current.apply(replace(workspace.current.link(), assets=("4",), layout="rows"))
    workspace.page = "first"
    assert workspace.link() == Link(
        page="first", asset_type="station", assets=("4",), window=WINDOW, signals=("speed",)
    )
    workspace.page = "second"
    assert workspace.link().layout == "rows"


def test_a_page_without_a_window_does_not_reset_that_of_others(twin):
    workspace = Workspace(twin, link=Link(asset_type="station", window=WINDOW))
    workspace.page = "second"
    workspace.current.apply(Link())
    workspace.page = "first"
    # The second page has taken the window over and cleared it, which doesn't apply to the first page.
    assert workspace.link() == Link(page="first", asset_type="station", window=WINDOW)


def test_assets_that_a_page_does_not_have_are_dropped_without_a_notice(twin):
    workspace = Workspace(twin, link=Link(asset_type="station", assets=("3",)))
    workspace.page = "second"
    workspace.page = "first"
    workspace.current.apply(Link(asset_type="truck", assets=("T1",), window=WINDOW))
    workspace.page = "second"
    assert workspace.link() == Link(page="second", asset_type="station", assets=("3",), window=WINDOW)
    assert workspace.notice == ""


def test_a_link_is_applied_without_the_selections_of_other_pages(twin):
    workspace = Workspace(twin, link=Link(asset_type="station", assets=("3",)))
    workspace.page = "second"
    workspace.apply(parse_link("?page=first&type=truck"))
    assert workspace.link() == Link(page="first", asset_type="truck")


def test_an_unknown_page_opens_the_first_with_a_notice(twin):
    workspace = Workspace(twin, link=parse_link("?page=scnd"))
    assert workspace.page == "first"
    assert "unknown page 'scnd'; did you mean 'second'?" in workspace.notice
    workspace.page = "second"
    assert workspace.notice == ""


def test_a_page_that_is_not_open_to_the_reader_is_not_built(twin):
    workspace = Workspace(twin, link=Link(page="second"), allowed=lambda name: name != "second")
    assert workspace.page == "first"
    assert "isn't open to you" in workspace.notice
    assert Plain.built == ["First"]
    assert [spec.name for spec in workspace.pages] == ["first", "broken"]
    with pytest.raises(ValueError, match="second"):
        workspace.page = "second"


def test_a_reader_without_any_page_sees_a_notice(twin):
    workspace = Workspace(twin, allowed=lambda _: False)
    assert "no page here" in workspace.notice
    assert (workspace.link(), workspace.code(), workspace.tables()) == (Link(), "", {})
    workspace.apply(Link(page="first"))
    assert Plain.built == []


def test_a_page_that_cannot_be_built_shows_the_reason_and_can_be_tried_again(twin, monkeypatch):
    workspace = Workspace(twin, page="broken", link=Link(asset_type="station"))
    assert "the disk is gone" in workspace.notice
    said = [pane.object for pane in workspace.body.select(pn.pane.HTML)]
    assert any("the disk is gone" in text for text in said)
    again = next(button for button in workspace.body.select(pmui.Button) if button.label == "Try again")
    workspace.page = "first"
    assert workspace.notice == ""
    workspace.page = "broken"
    assert workspace.current is None
    monkeypatch.setattr(Broken, "broken", False)
    again.clicks += 1
    assert isinstance(workspace.current, Broken)
    assert (workspace.page, workspace.notice) == ("broken", "")


def test_it_follows_the_page_that_is_shown(twin):
    workspace = Workspace(twin)
    before, view = workspace.revision, workspace.current
    view.apply(Link(layout="rows"))
    view.notice = "look here"
    view.chosen = ("station", "3")
    assert workspace.revision > before
    assert (workspace.notice, workspace.chosen, workspace.picks) == ("look here", ("station", "3"), 1)
    view.chosen = ("station", "3")
    assert workspace.picks == 2
    workspace.page = "second"
    assert (workspace.chosen, workspace.picks) == (None, 2)


def test_a_view_may_ask_for_another_page(twin):
    workspace = Workspace(twin, link=Link(window=WINDOW))
    workspace.current.asked = Link(page="second", asset_type="station", assets=("7",))
    assert workspace.link() == Link(page="second", asset_type="station", assets=("7",), window=WINDOW)


def test_code_link_and_settings_are_those_of_the_page(twin):
    workspace = Workspace(twin, page="second", link=Link(asset_type="station"))
    assert workspace.code() == "data = 'Second'"
    assert workspace.url() == "?page=second&type=station"
    assert workspace.settings() == {"page": "Second", "view": "Second"}


def test_two_workspaces_share_no_page(twin):
    one, two = Workspace(twin), Workspace(twin, allowed=lambda name: name == "second")
    one.page = "first"
    assert two.page == "second"
    assert list(one.param.page.objects) == ["first", "second", "broken"]


def test_the_view_of_every_page_has_the_name_of_the_page(monkeypatch):
    monkeypatch.undo()
    for spec in all_pages.PAGES:
        assert spec.load().name_in_link == spec.name
        assert spec.load().label == spec.label


def test_a_twin_without_positions_has_no_map(monkeypatch, twin):
    monkeypatch.undo()
    assert [spec.name for spec in all_pages.pages_for(twin)] == ["now", "history"]


def test_the_history_page_is_the_history_view(tmp_path: Path, monkeypatch):
    monkeypatch.undo()
    from twinlab.explore import HistoryView

    twin = FakeTwin.example(days=5, trips=20)
    link = Link(asset_type="station", signals=("wind_speed",), assets=("WEST",))
    workspace, view = Workspace(twin, page="history", link=link), HistoryView(twin, link=link)
    assert workspace.code() == view.code()
    assert workspace.link() == replace(view.link(), page="history")
