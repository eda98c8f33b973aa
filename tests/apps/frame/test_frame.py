"""A closed page leaves nothing in the server's memory."""

import asyncio

from panel.io.state import state

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
