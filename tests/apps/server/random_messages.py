"""Messages as a browser sends them to a page, of which some parts are changed at random."""

import json

from twinlab.apps.server.websockets.messages import FIXED

KINDS = ["ModelChanged"] * 6 + ["MessageSent"] * 3 + ["ColumnDataChanged", "ColumnsStreamed", "ColumnsPatched", "RootAdded", "RootRemoved", "TitleChanged", "x", 3, None, []]  # fmt: skip
TYPES = ["PATCH-DOC"] * 20 + ["PULL-DOC-REQ", "SERVER-INFO-REQ", "PUSH-DOC", "ACK", "OK", "ERROR", "x", 7]
PLAIN = [None, True, False, 0, -1, 1.5, 1e308, 10**30, "", "x", "EAST", "😀", "p1001", "disabled", [], {}, "[" * 50]
KEYS = [
    "id", "type", "name", "kind", "entries", "attributes", "value", "model", "data", "values", "msg_type", "array", "dtype", "shape",
    "order", "attr", "new",
]  # fmt: skip
EVENTS = [
    "button_click", "dom_event", "document_ready", "tap", "esm_event", "table-edit", "cell-click", "rangesupdate", "x",
]  # fmt: skip
MORE_KEYS = [*KEYS, "column_source", "patches", "cols", "rollover"]


def named_in(document):
    """Return the ids of a page's models, and the names of their properties."""
    return [model.id for model in document.models], sorted(
        {name for model in document.models for name in model.properties()}
    )


def fixed_of(document):
    """Return what only the server decides, of all models of a page."""
    out = {"roots": [root.id for root in document.roots], "title": document.title}
    for model in document.models:
        for name in FIXED & set(model.properties()):
            value = getattr(model, name)
            out[model.id, name] = (
                value if isinstance(value, (bool, str, int)) else len(value) if hasattr(value, "__len__") else id(value)
            )
    return out


def random_message(rng, ids, attrs):
    """Return the fragments of a message.

    Parameters
    ----------
    rng : random.Random
    ids, attrs : list of str
        See `named_in`.
    """
    header = {"msgid": str(rng.randrange(10**6)), "msgtype": rng.choice(TYPES)}
    if rng.random() < 0.05:
        header[rng.choice(["num_buffers", "msgid", "msgtype", "x"])] = _value(rng, ids)
    content = {"events": [_event(rng, ids, attrs) for _ in range(rng.choice([1, 1, 1, 2, 5]))]}
    if rng.random() < 0.05:
        content = _value(rng, ids)
    parts = [json.dumps(header), "{}", json.dumps(content)]
    if rng.random() < 0.08:
        place = rng.randrange(3)
        text = parts[place]
        cut = rng.randrange(len(text) + 1)
        parts[place] = rng.choice(
            [text[:cut], text[:cut] + chr(rng.randrange(1, 0x300)) + text[cut:], rng.randbytes(8), "[" * 2000, "NaN"]
        )
    return parts


def _event(rng, ids, attrs):
    kind = rng.choice(KINDS)
    event = {"kind": kind, "model": {"id": rng.choice(ids)}, "attr": rng.choice(attrs), "new": _value(rng, ids)}
    if kind == "MessageSent":
        entries = [["model", {"id": rng.choice(ids)}], [rng.choice(attrs), _value(rng, ids)]][: rng.choice([1, 1, 2])]
        data = {"type": "event", "name": rng.choice(EVENTS), "values": {"type": "map", "entries": entries}}
        event |= {"msg_type": rng.choice(["bokeh_event"] * 5 + ["x"]), "msg_data": data}
    if rng.random() < 0.2:
        event[rng.choice(MORE_KEYS)] = _value(rng, ids)
    return event


def _value(rng, ids, depth=0):
    chosen = rng.random()
    if depth > 3 or chosen < 0.5:
        return rng.choice([*PLAIN, rng.choice(ids)])
    if chosen < 0.75:
        return [_value(rng, ids, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): _value(rng, ids, depth + 1) for _ in range(rng.randrange(4))}
