"""The page around the views: a closed one leaves nothing in the server's memory, and roles decide what is in it."""

import asyncio

import panel_material_ui as pmui
import pytest
from panel.io.state import state

from twinlab.apps import User
from twinlab.apps.frame.frame import page
from twinlab.testing import FakeTwin


async def _made():
    """A page made in a running loop, as on a server: without one Panel makes a loop of its own and never closes it."""
    return page(FakeTwin.example(days=1, trips=3), query="?page=history")


def test_a_page_does_not_follow_whether_the_server_is_busy():
    shown = asyncio.run(_made())
    watched = [watcher.fn for watcher in state.param.watchers.get("busy", {}).get("value", [])]
    assert all(getattr(getattr(fn, "__self__", None), "self", None) is not shown for fn in watched)
    state._add_busy_event("one")
    try:
        assert not shown.busy
    finally:
        state._remove_busy_event("one")


async def _opened(query):
    return page(FakeTwin.example(days=1, trips=3), query=query)


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
def test_a_reader_without_the_role_gets_neither_the_entry_of_a_page_nor_the_page_by_its_address(monkeypatch, tmp_path):
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path))
    shown = {}
    for role in ("viewer", "steward"):
        monkeypatch.setattr("twinlab.apps.frame.frame.current_user", lambda role=role: User("dora", roles=(role,)))
        opened = asyncio.run(_opened("?page=quality"))
        [menu] = opened.select(pmui.MenuList)
        notices = " ".join(str(alert.object) for alert in opened.select(pmui.Alert))
        shown[role] = [item["label"] for item in menu.items], menu.active, "isn't open to you" in notices
    assert shown["viewer"] == (["Now", "Map", "History", "Events & KPIs"], (0,), True)
    assert shown["steward"] == (["Now", "Map", "History", "Events & KPIs", "Quality"], (4,), False)
