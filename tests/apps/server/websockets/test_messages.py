"""Messages of a page: which are handled, and which are refused before anything reads them."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.apps.server.websockets.assembly import MAX_BYTES, Assembly, RefusedMessageError, Whole
from twinlab.apps.server.websockets.messages import FIXED, check_message

ON = SimpleNamespace(disabled=False, data=None)
OFF = SimpleNamespace(disabled=True, data=None)
#: A component of Panel: its parameters are in a model of their own.
COMPONENT = SimpleNamespace(data=SimpleNamespace(disabled=True))
MODELS = {"on": ON, "off": OFF, "component": COMPONENT}
HEADER = {"msgid": "1", "msgtype": "PATCH-DOC"}


def take(*fragments):
    assembly, found = Assembly(), None
    for fragment in fragments:
        found = assembly.take(fragment if isinstance(fragment, (str, bytes)) else json.dumps(fragment))
    return found


def patch(*events, **more):
    return Whole("PATCH-DOC", {"events": list(events), **more}, ())


def change(model="on", attr="value", new=1, **more):
    return {"kind": "ModelChanged", "model": {"id": model}, "attr": attr, "new": new, **more}


def sent(model="on", name="button_click", msg_type="bokeh_event", **more):
    values = {"type": "map", "entries": [["model", None if model is None else {"id": model}]]}
    return {
        "kind": "MessageSent",
        "msg_type": msg_type,
        "msg_data": {"type": "event", "name": name, "values": values, **more},
    }


def test_a_message_is_whole_with_its_last_buffer():
    header = {**HEADER, "num_buffers": 2}
    parts = [header, {}, {"events": []}, {"id": "a"}, b"\x00\x01", {"id": "b"}, b""]
    for last in range(1, len(parts)):
        assert take(*parts[:last]) is None
    whole = take(*parts)
    assert whole.kind == "PATCH-DOC" and whole.content == {"events": []}
    assert whole.fragments[4] == b"\x00\x01" and len(whole.fragments) == 7


@pytest.mark.parametrize(
    "fragments",
    [
        ['{"msgid": "1", "msgtype": "PUSH-DOC"}'],
        ['{"msgid": "1", "msgtype": "ACK"}'],
        ['{"msgid": "1"}'],
        ['{"msgtype": "PATCH-DOC"}'],
        [{"msgid": 1, "msgtype": "PATCH-DOC"}],
        [{**HEADER, "num_buffers": -1}],
        [{**HEADER, "num_buffers": 65}],
        [{**HEADER, "num_buffers": True}],
        [{**HEADER, "num_buffers": 1.5}],
        [{**HEADER, "num_buffers": "1"}],
        [{**HEADER, "more": 1}],
        ["[]"],
        ["null"],
        [""],
        ["{"],
        [b"{}"],
        ["[" * 100_000],
        [json.dumps({**HEADER, "msgid": "x" * 5_000})],
        [HEADER, b""],
        [{"msgid": "1", "msgtype": ["PATCH-DOC"]}],
        [HEADER, "3"],
        [HEADER, {}, "[1]"],
        [{**HEADER, "num_buffers": 1}, {}, {}, {"id": 1}],
        [{**HEADER, "num_buffers": 1}, {}, {}, {}],
        [{**HEADER, "num_buffers": 1}, {}, {}, {"id": "a"}, "text"],
        [{**HEADER, "num_buffers": 1}, {}, {}, b"bytes"],
    ],
)
def test_what_is_no_message_is_refused_and_the_next_one_is_read(fragments):
    assembly = Assembly()
    with pytest.raises(RefusedMessageError):
        for fragment in fragments:
            assembly.take(fragment if isinstance(fragment, (str, bytes)) else json.dumps(fragment))
    assert assembly.take(json.dumps(HEADER)) is None
    assert assembly.take("{}") is None
    assert assembly.take("{}").kind == "PATCH-DOC"


def test_a_message_that_is_too_large_is_refused_before_it_is_whole():
    assembly = Assembly()
    for part in (json.dumps({**HEADER, "num_buffers": 64}), "{}", "{}"):
        assembly.take(part)
    with pytest.raises(RefusedMessageError, match="bytes"):
        for _ in range(64):
            assembly.take('{"id": "a"}')
            assembly.take(bytes(MAX_BYTES // 8))


@pytest.mark.parametrize(
    "message",
    [
        patch(change()),
        patch(change(attr="value", new={"type": "map", "entries": [["a", 1]]})),
        patch(change("unknown")),
        patch(sent(), sent(None, "document_ready")),
        patch(change("off", attr="dark_theme")),
        patch({"kind": "ColumnsPatched", "column_source": {"id": "on"}, "patches": {}}),
        Whole("PULL-DOC-REQ", {}, ()),
        Whole("SERVER-INFO-REQ", {}, ()),
    ],
)
def test_what_a_page_sends_is_handled(message):
    check_message(message, MODELS.get)


@pytest.mark.parametrize(
    "message",
    [
        patch(change("off")),
        patch(change("component")),
        patch(sent("off")),
        patch(sent("component", "dom_event")),
        patch(change(attr=7)),
        patch(change(attr=None)),
        patch(change(attr="_private")),
        patch(change(model=None)),
        patch({**change(), "model": "on"}),
        patch(sent(msg_type="ipywidgets_bokeh")),
        patch({**sent(), "msg_data": None}),
        patch({**sent(), "msg_data": {"values": [1]}}),
        patch({"kind": "RootAdded", "model": {"id": "on"}}),
        patch({"kind": "RootRemoved", "model": {"id": "on"}}),
        patch({"kind": "TitleChanged", "title": "x"}),
        patch({"kind": ["ModelChanged"]}),
        patch({"kind": "nothing"}),
        patch("event"),
        patch({}),
        patch(change(new={"type": "object", "name": "CustomJS", "id": "x", "attributes": {"code": "alert(1)"}})),
        patch(change(new=[[{"a": {"type": "object", "name": "Div", "id": "x"}}]])),
        patch(change(), references=[{"id": "x"}]),
        Whole("PATCH-DOC", {}, ()),
        Whole("PATCH-DOC", {"events": {}}, ()),
        Whole("PATCH-DOC", {"events": [], "more": 1}, ()),
        patch(*[change()] * 2_001),
        *(patch(change(attr=name)) for name in sorted(FIXED)),
    ],
)
def test_what_only_the_server_may_do_is_refused(message):
    with pytest.raises(RefusedMessageError):
        check_message(message, MODELS.get)


def test_a_model_of_the_page_may_be_written_whole_and_no_other():
    def pressed(name):
        whole = {
            "type": "object",
            "name": "panel.models.esm.ReactComponent",
            "id": name,
            "attributes": {"data": {"type": "object", "name": "x"}},
        }
        return patch(sent(more=whole))

    check_message(pressed("on"), MODELS.get)
    with pytest.raises(RefusedMessageError, match="a new 'panel.models.esm.ReactComponent'"):
        check_message(pressed("another"), MODELS.get)


def test_values_that_are_nested_too_deeply_are_refused():
    value = 1
    for _ in range(60):
        value = {"a": [value]}
    with pytest.raises(RefusedMessageError, match="nested"):
        check_message(patch(change(new=value)), MODELS.get)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["on", "off", "ModelChanged"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["kind", "model", "attr", "id", "new", "events", "type", "name"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(JSON, max_size=4))
def test_any_json_is_handled_or_refused_and_never_an_error(events):
    try:
        check_message(patch(*events), MODELS.get)
    except RefusedMessageError:
        return
    for event in events:
        assert event["kind"] in (
            "ModelChanged",
            "MessageSent",
            "ColumnDataChanged",
            "ColumnsStreamed",
            "ColumnsPatched",
        )


@given(st.lists(st.text(max_size=30) | st.binary(max_size=30) | JSON.map(json.dumps), max_size=8))
def test_any_fragments_are_collected_or_refused_and_never_an_error(fragments):
    assembly = Assembly()
    for fragment in fragments:
        try:
            assembly.take(fragment)
        except RefusedMessageError as error:
            assert str(error)
