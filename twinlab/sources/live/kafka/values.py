"""Values of messages as objects: JSON, CSV, numbers and texts. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from twinlab.errors import SchemaError
from twinlab.sources.base import Problem
from twinlab.sources.live.kafka.options import TopicRule
from twinlab.sources.parsing.json_objects import DECODER, flat_or_problem
from twinlab.sources.parsing.numerals import PLAIN, parse_numbers

__all__ = ["decoder_of", "key_columns"]

#: Returns the objects that a message's value has; raises SchemaError if it can't be read.
Decode = Callable[[bytes], list[dict[str, Any]]]


def decoder_of(rule: TopicRule) -> Decode:
    """Return the function that reads the values of a topic's messages.

    >>> decoder_of(TopicRule())(b'{"at": {"x": 1}}'), decoder_of(TopicRule(format="number"))(b"4.5")
    ([{'at.x': 1}], [{'value': 4.5}])
    """
    if rule.format == "json":
        return _json
    if rule.format == "number":
        return _number
    if rule.format == "text":
        return lambda value: [{"value": _text(value)}]
    names, delimiter = rule.columns, rule.delimiter
    return lambda value: _csv(value, names, delimiter)


def key_columns(key: bytes | None, names: list[str]) -> dict[str, Any]:
    """Return the columns that a message's key has: the whole key if one is named, else those of a JSON object.

    Raises
    ------
    SchemaError
        If there is no key, or it lacks a column.

    >>> key_columns(b"7", ["id"]), key_columns(b'{"site": "a", "no": 3}', ["site", "no"])
    ({'id': '7'}, {'site': 'a', 'no': 3})
    """
    if key is None:
        msg = f"expected a key for {', '.join(names)}, got none"
        raise SchemaError(msg)
    objects = _objects(_text(key)) if key.lstrip()[:1] == b"{" else None
    if objects is None and len(names) == 1:
        return {names[0]: _text(key)}
    found = objects[0] if objects else {}
    missing = [name for name in names if name not in found]
    if missing:
        msg = f"expected a key that is a JSON object with {', '.join(names)}, got {_text(key)[:200]!r}"
        raise SchemaError(msg)
    return {name: found[name] for name in names}


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"expected text in UTF-8, got the byte {value[error.start]:#04x} at {error.start}"
        raise SchemaError(msg) from None


def _json(value: bytes) -> list[dict[str, Any]]:
    text = _text(value)
    found = _objects(text)
    if found is not None:
        return found
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        parts = [_objects(line) for line in lines]
        if all(part is not None for part in parts):
            return [row for part in parts if part is not None for row in part]
    raise SchemaError(_why_not_json(text))


def _objects(text: str) -> list[dict[str, Any]] | None:
    """Return the objects of a JSON document; None if it is none."""
    try:
        document = DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    rows = [flat_or_problem(one, 1) for one in (document if isinstance(document, list) else [document])]
    wrong = next((row for row in rows if isinstance(row, Problem)), None)
    if wrong is not None:
        raise SchemaError(wrong.reason)
    return [row for row in rows if not isinstance(row, Problem)]


def _why_not_json(text: str) -> str:
    if not text.strip():
        return "expected JSON, got an empty value"
    try:
        DECODER.decode(text)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at character {error.pos + 1}"
    except (ValueError, RecursionError) as error:  # an integer of thousands of digits; brackets in brackets
        return f"not JSON that can be read: {error}"
    raise AssertionError  # it was none a moment ago


def _number(value: bytes) -> list[dict[str, Any]]:
    import pyarrow as pa  # noqa: PLC0415  (the other formats need none)

    text = _text(value).strip()
    number = parse_numbers(pa.array([text], pa.string()), PLAIN).values[0].as_py() if text else None
    if number is None:
        msg = f"expected a number, got {text[:200]!r}"
        raise SchemaError(msg)
    return [{"value": number}]


def _csv(value: bytes, names: list[str] | None, delimiter: str) -> list[dict[str, Any]]:
    try:
        rows = list(csv.reader(io.StringIO(_text(value), newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        msg = f"not CSV: {error}"
        raise SchemaError(msg) from None
    rows = [row for row in rows if row]
    if names is None:
        if len(rows) < 2:
            msg = f"expected a line with the names of the columns and lines of cells, got {len(rows)} lines: state `columns`"
            raise SchemaError(msg)
        names, rows = rows[0], rows[1:]
    if not rows:
        msg = "expected lines of cells, got none"
        raise SchemaError(msg)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            msg = f"expected {len(names)} cells ({', '.join(names)}), got {len(row)} in line {number}"
            raise SchemaError(msg)
    return [dict(zip(names, row, strict=True)) for row in rows]
