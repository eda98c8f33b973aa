"""What the server keeps of a page that is closed."""

from panel.io.state import state

from twinlab.apps.frame import page
from twinlab.testing import FakeTwin


def test_a_page_neither_follows_nor_is_kept_by_what_the_server_is_busy_with():
    shown = page(FakeTwin.example(days=1, trips=3), query="?page=history")
    watched = [watcher.fn for watcher in state.param.watchers.get("busy", {}).get("value", [])]
    assert all(getattr(getattr(fn, "__self__", None), "self", None) is not shown for fn in watched)
    state._add_busy_event("one")
    try:
        assert not shown.busy
    finally:
        state._remove_busy_event("one")
