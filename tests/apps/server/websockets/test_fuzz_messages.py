"""Any message, in this process: checked and applied to a page as its websocket does. Short here; a million with ``-m soak``."""

import asyncio
import os
import random

import pytest
from bokeh.document import Document
from bokeh.protocol import Protocol
from panel.io.state import set_curdoc

from tests.apps.server.random_messages import fixed_of, named_in, random_message
from twinlab.apps import page
from twinlab.apps.server.current_document import reset_current_document_after_errors
from twinlab.apps.server.websockets.assembly import Assembly, RefusedMessageError
from twinlab.apps.server.websockets.messages import check_message
from twinlab.explore.kit.session import Session, Shared
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

MESSAGES = 3_000
SOAK = int(os.environ.get("TWINLAB_FUZZ_CHECKED", "1000000"))


def built():
    """A page's document, as a server makes it."""
    # As a server does.
    reset_current_document_after_errors()
    twin = FakeTwin.example(days=2, trips=10)

    async def build():
        document = Document()
        with set_curdoc(document):
            shown = page(twin, shared=Shared(twin), query="?page=history", session=Session(user="", settings={}))
            shown.server_doc(doc=document, title="fuzzed")
        return document

    return twin, asyncio.run(build())


def fuzz(count, seed, *, applied_every):
    rng = random.Random(seed)
    twin, document = built()
    protocol, assembly = Protocol(), Assembly()
    before = fixed_of(document)
    ids, attrs = named_in(document)
    # What a page does change is among the many that it doesn't.
    attrs += ["value"] * 50 + ["disabled"] * 5
    handled = refused = 0
    for number in range(count):
        message = None
        try:
            for part in random_message(rng, ids, attrs):
                message = assembly.take(part)
            if message is None:
                continue
            check_message(message, document.models.get_by_id)
        except RefusedMessageError:
            refused += 1
            assembly = Assembly()
            continue
        handled += 1
        if message.kind == "PATCH-DOC" and number % applied_every == 0:
            apply(protocol, message, document)
    assert fixed_of(document) == before
    assert len(twin.notes()) == 0
    return handled, refused


def apply(protocol, message, document):
    """As Bokeh's handler does: an error is answered with a message of an error, and the session goes on."""
    try:
        protocol.assemble(*message.fragments[:3]).apply_to_document(document)
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001
        assert str(error) is not None


def test_any_message_is_refused_or_changes_what_a_browser_may_change():
    handled, refused = fuzz(MESSAGES, 1, applied_every=10)
    assert handled > MESSAGES / 20 and refused > MESSAGES / 20


@pytest.mark.soak
def test_a_million_messages():
    handled, refused = fuzz(SOAK, 2, applied_every=100)
    assert handled and refused
