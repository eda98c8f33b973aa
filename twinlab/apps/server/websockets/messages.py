"""What a browser's message may do to the page of its session: change what its controls change, and nothing else.

A page reads through a twin that has only what its reader may see, so that no message shows more. What is refused here would
change the page's own rules: the whole document, a control that is off, what a control offers, or code that runs in a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twinlab.apps.server.websockets.assembly import RefusedMessageError, Whole

__all__ = ["FIXED", "check_message"]

_MAX_EVENTS, _MAX_DEPTH = 2_000, 40
#: Kinds of changes. Those of roots and titles, and messages with a whole document, come from servers only.
_KINDS = frozenset({"ModelChanged", "MessageSent", "ColumnDataChanged", "ColumnsStreamed", "ColumnsPatched"})
#: Properties of a control that a page sets whether it is on or off.
_ALWAYS = frozenset({"dark_theme"})
#: Properties that only the server changes.
FIXED = frozenset(
    {
        # Whether a control can be used, and is there.
        "disabled",
        "syncable",
        # Code and references to it.
        "args",
        "bundle",
        "class_name",
        "code",
        "dev",
        "esm",
        "importmap",
        "js_event_callbacks",
        "js_property_callbacks",
        "subscribed_events",
        # What is in a layout.
        "child",
        "children",
        "elements",
        "objects",
        "roots",
        "template",
        "tabs",
    }
)


def check_message(message: Whole, model_of: Callable[[str], Any | None]) -> None:
    """Check what a message wants to change.

    Parameters
    ----------
    message : Whole
    model_of : callable
        Returns the model of the page with an id; None if the page has none, or has none any more.

    Raises
    ------
    RefusedMessageError
        If a browser may not send it.
    """
    if message.kind != "PATCH-DOC":
        return
    events = message.content.get("events")
    if message.content.keys() - {"events", "references"} or not isinstance(events, list):
        msg = "a change without its events"
        raise RefusedMessageError(msg)
    if len(events) > _MAX_EVENTS:
        msg = f"more than {_MAX_EVENTS} changes in a message"
        raise RefusedMessageError(msg)
    if message.content.get("references"):
        msg = "models that the page doesn't have"
        raise RefusedMessageError(msg)
    for event in events:
        kind = event.get("kind") if isinstance(event, dict) else None
        if not isinstance(kind, str) or kind not in _KINDS:
            msg = f"a change of the kind {str(kind)[:40]!r}"
            raise RefusedMessageError(msg)
        _check_values(event, model_of)
        if kind == "MessageSent":
            _check_sent(event, model_of)
        elif kind == "ModelChanged":
            _check_change(event, model_of)


def _check_change(event: dict[str, Any], model_of: Callable[[str], Any | None]) -> None:
    name = event.get("attr")
    if not isinstance(name, str) or name in FIXED or name.startswith("_"):
        msg = f"a change of {str(name)[:40]!r}, which only the server changes"
        raise RefusedMessageError(msg)
    _check_control(event.get("model"), model_of, off=name in _ALWAYS)


def _check_sent(event: dict[str, Any], model_of: Callable[[str], Any | None]) -> None:
    if event.get("msg_type") != "bokeh_event":
        msg = f"a message of the kind {str(event.get('msg_type'))[:40]!r}"
        raise RefusedMessageError(msg)
    sent = event.get("msg_data")
    values = sent.get("values") if isinstance(sent, dict) else None
    if not isinstance(values, dict):
        msg = "an event without its values"
        raise RefusedMessageError(msg)
    entries = values.get("entries")
    pairs = entries if isinstance(entries, list) else list(values.items())
    for pair in pairs:
        if isinstance(pair, (list, tuple)) and len(pair) == 2 and pair[0] == "model" and pair[1] is not None:
            _check_control(pair[1], model_of)


def _check_control(reference: object, model_of: Callable[[str], Any | None], *, off: bool = False) -> None:
    """Refuse a use of a control that is off, unless ``off`` says that this doesn't matter."""
    name = reference.get("id") if isinstance(reference, dict) else None
    if not isinstance(name, str):
        msg = "a change of something that isn't named"
        raise RefusedMessageError(msg)
    model = model_of(name)
    # A component of Panel has its parameters in a model of their own.
    for part in (model, getattr(model, "data", None)):
        if not off and getattr(part, "disabled", False) is True:
            msg = "the use of a control that is off"
            raise RefusedMessageError(msg)


def _check_values(event: dict[str, Any], model_of: Callable[[str], Any | None]) -> None:
    """Refuse new models in the values of a change, and values that are nested too deeply."""
    for value, depth in _nested(event, model_of):
        if depth > _MAX_DEPTH:
            msg = f"values nested more than {_MAX_DEPTH} times"
            raise RefusedMessageError(msg)
        if value.get("type") == "object" and "name" in value and str(value["name"]) not in _PLAIN:
            msg = f"a new {str(value['name'])[:40]!r}"
            raise RefusedMessageError(msg)


#: Objects without code that a chart makes in the browser.
_PLAIN = frozenset({"Range1d", "Selection", "DataRange1d", "FactorRange", "Indices"})


def _nested(value: object, model_of: Callable[[str], Any | None]) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield all mappings in a value with their depth."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, dict):
            # A browser writes a model of the page whole if it was shown after the last message. Bokeh takes the page's own, whatever
            # else is written.
            if one.get("type") == "object" and isinstance(one.get("id"), str) and model_of(one["id"]) is not None:
                continue
            yield one, depth
            waiting += [(part, depth + 1) for part in one.values() if isinstance(part, (dict, list))]
        elif isinstance(one, list):
            waiting += [(part, depth + 1) for part in one if isinstance(part, (dict, list))]
