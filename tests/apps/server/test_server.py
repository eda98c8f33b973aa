"""Serving: addresses, ports, preloading, and notices in place of blank pages."""

import asyncio
import gc
import logging
import socket
import threading
import urllib.error
import urllib.request
import weakref
from dataclasses import replace
from functools import partial

import panel as pn
import pytest
from tornado.ioloop import IOLoop

from twinlab.apps import User, page, serve, start
from twinlab.apps.server.server_tuning import preload_pages
from twinlab.errors import SourceError
from twinlab.explore.kit.session import Shared
from twinlab.explore.page_registry import PAGES, pages_for
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


async def _in_loop(build):
    """Build as a server does: what a page starts beside runs in the server's loop."""
    return build()


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.4", "::", "example.com", ""])
def test_an_address_that_others_can_reach_is_refused(address):
    with pytest.raises(SourceError, match="loopback"):
        start(FakeTwin(TwinModel(twin="empty")), address=address)


def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SourceError, match=str(port)):
            start(FakeTwin(TwinModel(twin="empty")), port=port)


def test_an_empty_twin_is_served_too():
    served = start(FakeTwin(TwinModel(twin="empty", title="Nothing yet")))
    try:
        with urllib.request.urlopen(served.url) as answer:
            text = answer.read().decode()
        assert "Nothing yet" in text
    finally:
        served.stop()


def test_a_twin_that_cannot_be_read_gives_a_page_with_a_notice():
    twin = FakeTwin.example(days=5, trips=5)

    def broken(*_, **__):
        raise SourceError("the disk is gone; plug it in")

    twin.history = broken
    twin.assets = broken
    shown = asyncio.run(_in_loop(partial(page, twin, query="")))
    said = " ".join(str(pane.object) for pane in shown.select(pn.pane.HTML))
    assert "the disk is gone" in said


def test_the_newest_time_is_read_once_a_minute():
    twin = FakeTwin.example(days=5, trips=5)
    now = [0.0]
    shared = Shared(twin, clock=lambda: now[0])
    first = shared.latest()
    twin.history = None
    assert shared.latest() == first
    now[0] = 61.0
    with pytest.raises(TypeError):
        shared.latest()


def test_a_server_answers_once_it_is_ready_and_can_be_stopped_twice():
    said = []

    def ready(served):
        def visit():
            with urllib.request.urlopen(served.url) as answer:
                said.append((answer.status, dict(answer.headers)))
            served.stop()
            served.stop()

        threading.Thread(target=visit).start()

    def run():
        asyncio.set_event_loop(asyncio.new_event_loop())
        serve(FakeTwin(TwinModel(twin="empty")), open_browser=False, warm=True, ready=ready)
        IOLoop.current().close(all_fds=True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=60)
    [(status, headers)] = said
    assert status == 200
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


def test_on_this_machine_a_page_is_served_under_this_machines_names_only():
    served = start(FakeTwin(TwinModel(twin="empty")))
    port = served.url.rsplit(":", 1)[1].strip("/")
    try:
        for host, status in [(f"localhost:{port}", 200), ("127.0.0.1:9000", 200), (f"elsewhere.org:{port}", 421)]:
            request = urllib.request.Request(served.url, headers={"Host": host})
            try:
                with urllib.request.urlopen(request) as answer:
                    assert answer.status == status
            except urllib.error.HTTPError as error:
                error.close()
                assert error.code == status
        with pytest.raises(urllib.error.HTTPError, match="404") as nothing:
            urllib.request.urlopen(f"{served.url}login")
        nothing.value.close()
    finally:
        served.stop()


def test_every_page_is_preloaded_without_errors_and_without_a_readers_settings(caplog, tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path))
    twin = FakeTwin.example(days=5, trips=20)
    built, left = [], []
    shared = Shared(twin)

    def build(*_, **how):
        built.append(how["query"])
        shown = page(twin, **how)
        left.append(weakref.ref(shown))
        return shown

    monkeypatch.setattr("twinlab.apps.server.server_tuning.page", build)
    with caplog.at_level(logging.ERROR, logger="twinlab"):
        asyncio.run(_in_loop(partial(preload_pages, twin, shared)))
    assert built == [f"?page={spec.name}" for spec in pages_for(twin)]
    assert caplog.text == ""
    assert list(tmp_path.iterdir()) == []
    # Their timers would run, and their data stay in memory, until the process ends.
    gc.collect()
    assert [ref() for ref in left if ref() is not None] == []


@pytest.mark.parametrize("spec", PAGES, ids=lambda spec: spec.name)
def test_a_page_that_a_reader_may_not_see_is_not_built_whatever_the_link_says(spec, monkeypatch, tmp_path):
    """The view's class isn't even loaded: nothing of its data is read."""
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path))
    asked = []

    def watched(one):
        roles = () if one.name == spec.name else ("operator",)
        return replace(one, load=lambda: asked.append(one.name) or one.load(), roles=roles)

    monkeypatch.setattr("twinlab.apps.frame.frame.current_user", lambda: User("dora", roles=("operator",)))
    monkeypatch.setattr(PAGES, "_loaded", {one.name: watched(one) for one in PAGES})
    asyncio.run(_in_loop(partial(page, FakeTwin.example(days=5, trips=20), query=f"?page={spec.name}")))
    assert spec.name not in asked
    assert asked
