"""Serving: to this machine only, quickly, and with notices in place of blank pages."""

import socket
import urllib.request

import panel as pn
import pytest

from twinlab.apps import page, start
from twinlab.explore.shared import Shared
from twinlab.errors import SourceError
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


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
    shown = page(twin, query="")
    said = " ".join(str(pane.object) for pane in shown.select(pn.pane.HTML))
    assert "the disk is gone" in said
    assert "History can't be shown" in said.replace("&#x27;", "'")


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
