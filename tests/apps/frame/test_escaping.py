"""The frame of a page shows names as text, never as HTML."""

import asyncio
from dataclasses import replace

import pytest

from twinlab.apps.frame.actions import Actions
from twinlab.apps.frame.browser_side import BrowserSide
from twinlab.apps.frame.frame import page
from twinlab.explore import PAGES, Workspace
from twinlab.explore.kit.panes import Html
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


async def _made(twin):
    """A page made in a running loop, as on a server: without one Panel makes a loop of its own and never closes it."""
    return page(twin, query="?page=now")


def test_the_label_of_a_page_and_the_title_of_a_twin_are_text(monkeypatch):
    monkeypatch.setattr(PAGES, "_loaded", {"now": replace(PAGES.get("now"), label=SCRIPT)})
    shown = asyncio.run(_made(FakeTwin(TwinModel(twin="empty", title=SCRIPT))))
    said = [str(pane.object) for pane in shown.select(Html)]
    assert any(f">{ESCAPED}</h1>" in text for text in said)
    assert "<script>" not in " ".join(said)


def test_the_status_of_the_action_bar_is_text():
    workspace = Workspace(FakeTwin(TwinModel(twin="empty")))
    actions = Actions(workspace, BrowserSide(), on_error=lambda _: None)
    actions._show_status(SCRIPT)
    assert ESCAPED in actions._status.object
    assert "<script>" not in actions._status.object
