"""The end of a session: nothing of its page stays in memory, whether its reader has left or the server stops."""

import gc
import threading
import urllib.request
import weakref

import pytest

from twinlab.apps import start
from twinlab.explore.page_registry import pages_for
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=3, trips=30)


def visit(served, page):
    with urllib.request.urlopen(f"{served.url}?page={page}") as answer:
        answer.read()


def on_server(served, ask):
    """What a coroutine function returns, in the server's loop."""
    done, out = threading.Event(), []

    async def run():
        out.append(await ask())
        done.set()

    served._loop.add_callback(run)
    assert done.wait(30)
    return out[0]


def documents(served):
    [context] = served._server._tornado._applications.values()
    return [weakref.ref(session.document) for session in context.sessions]


def test_pages_are_freed_when_their_readers_leave_and_when_the_server_stops(twin):
    served = start(twin, warm=False)
    try:
        [context] = served._server._tornado._applications.values()

        async def end():
            found = documents(served)
            for session in context.sessions:
                session.request_expiration()
            await context._cleanup_sessions(0)
            return found

        left = {}
        for spec in pages_for(twin):
            visit(served, spec.name)
            [left[spec.name]] = on_server(served, end)
        gc.collect()
        assert len(left) > 3
        assert [name for name, document in left.items() if document() is not None] == []
        visit(served, "history")
        [there] = documents(served)
        assert there() is not None
    finally:
        served.stop()
    gc.collect()
    assert there() is None
