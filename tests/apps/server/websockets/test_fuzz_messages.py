"""Any message, in this process: checked and applied to a page as its websocket does. Short here; a million with ``-m soak``."""

import asyncio
import json
import os
import random

import pytest
from bokeh.document import Document
from bokeh.protocol import Protocol
from panel.io.state import set_curdoc

from twinlab.apps import page
from twinlab.apps.server.websockets.assembly import Assembly, RefusedMessageError
from twinlab.apps.server.websockets.messages import FIXED, check_message
from twinlab.explore.kit.session import Session, Shared
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

MESSAGES = 3_000
SOAK = int(os.environ.get("TWINLAB_FUZZ_CHECKED", "1000000"))
KINDS = ["ModelChanged"] * 6 + ["MessageSent"] * 3 + ["ColumnDataChanged", "ColumnsStreamed", "ColumnsPatched", "RootAdded", "RootRemoved", "TitleChanged", "x", 3, None, []]  # fmt: skip
PLAIN = [None, True, False, 0, -1, 1.5, 1e308, 10**30, "", "x", "EAST", "😀", "disabled", [], {}, "[" * 50]
KEYS = [
    "id",
    "type",
    "name",
    "kind",
    "entries",
    "attributes",
    "value",
    "model",
    "data",
    "values",
    "msg_type",
    "array",
    "dtype",
    "attr",
    "new",
]
EVENTS = [
    "button_click",
    "dom_event",
    "document_ready",
    "tap",
    "esm_event",
    "table-edit",
    "cell-click",
    "rangesupdate",
    "x",
]


def built():
    """A page's document, as a server makes it."""
    twin = FakeTwin.example(days=2, trips=10)

    async def build():
        document = Document()
        with set_curdoc(document):
            shown = page(twin, shared=Shared(twin), query="?page=history", session=Session(user="", settings={}))
            shown.server_doc(doc=document, title="fuzzed")
        return document

    return twin, asyncio.run(build())


def value_of(rng, ids, depth=0):
    chosen = rng.random()
    if depth > 3 or chosen < 0.5:
        return rng.choice([*PLAIN, rng.choice(ids)])
    if chosen < 0.75:
        return [value_of(rng, ids, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): value_of(rng, ids, depth + 1) for _ in range(rng.randrange(4))}


def event_of(rng, ids, attrs):
    kind = rng.choice(KINDS)
    event = {"kind": kind, "model": {"id": rng.choice(ids)}, "attr": rng.choice(attrs), "new": value_of(rng, ids)}
    if kind == "MessageSent":
        entries = [["model", {"id": rng.choice(ids)}], [rng.choice(attrs), value_of(rng, ids)]][: rng.choice([1, 1, 2])]
        told = {"type": "event", "name": rng.choice(EVENTS), "values": {"type": "map", "entries": entries}}
        event |= {"msg_type": rng.choice(["bokeh_event"] * 5 + ["x"]), "msg_data": told}
    if rng.random() < 0.2:
        event[rng.choice([*KEYS, "column_source", "patches", "cols"])] = value_of(rng, ids)
    return event


def fragments_of(rng, ids, attrs):
    header = {"msgid": "1", "msgtype": rng.choice(["PATCH-DOC"] * 15 + ["PULL-DOC-REQ", "PUSH-DOC", "ACK", 7])}
    if rng.random() < 0.05:
        header[rng.choice(["num_buffers", "msgid", "x"])] = value_of(rng, ids)
    content = {"events": [event_of(rng, ids, attrs) for _ in range(rng.choice([1, 1, 1, 3]))]}
    if rng.random() < 0.05:
        content = value_of(rng, ids)
    parts = [json.dumps(header), "{}", json.dumps(content)]
    if rng.random() < 0.08:
        place, text = rng.randrange(3), ""
        text = parts[place]
        cut = rng.randrange(len(text) + 1)
        parts[place] = rng.choice(
            [text[:cut], text[:cut] + chr(rng.randrange(1, 0x300)) + text[cut:], rng.randbytes(8), "NaN"]
        )
    return parts


def fixed_of(document):
    """What only the server decides, of all models."""
    out = {"roots": [root.id for root in document.roots], "title": document.title}
    for model in document.models:
        for name in FIXED & set(model.properties()):
            value = getattr(model, name)
            out[model.id, name] = (
                value if isinstance(value, (bool, str, int)) else len(value) if hasattr(value, "__len__") else id(value)
            )
    return out


def fuzz(count, seed, *, applied_every):
    rng = random.Random(seed)
    twin, document = built()
    protocol, assembly = Protocol(), Assembly()
    before = fixed_of(document)
    ids = [model.id for model in document.models]
    attrs = (
        sorted({name for model in document.models for name in model.properties()}) + ["value"] * 50 + ["disabled"] * 5
    )
    handled = refused = 0
    for number in range(count):
        message = None
        try:
            for part in fragments_of(rng, ids, attrs):
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
