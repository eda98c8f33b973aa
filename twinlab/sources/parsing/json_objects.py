"""JSON objects as rows: repeated keys are kept, nested objects flattened with dots."""

from __future__ import annotations

import json
from typing import Any

from twinlab.sources.base import Problem, problem_text

__all__ = ["DECODER", "flat_or_problem"]


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object as a dict; a repeated key gets a number, so that no value is lost."""
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    result = {}
    for key, value in pairs:
        result[_free(key, result)] = value
    return result


#: Created once: `json.loads` with options creates a decoder per call, which takes longer than decoding a line.
DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=str)


def flat_or_problem(value: object, number: int) -> dict[str, Any] | Problem:
    """Return a JSON value as a row, nested objects with dots between their keys; a value that is no object is a Problem.

    >>> flat_or_problem({"id": 1, "at": {"x": 2, "y": 3}}, 1)
    {'id': 1, 'at.x': 2, 'at.y': 3}
    """
    if not isinstance(value, dict):
        shown = problem_text(json.dumps(value, ensure_ascii=False))
        return Problem(number, None, shown, f"a JSON {type(value).__name__} where an object was expected")
    return _flat(value) if dict in map(type, value.values()) else value


def _free(key: str, taken: dict[str, Any]) -> str:
    name, count = key, 1
    while name in taken:
        count += 1
        name = f"{key}__{count}"
    return name


def _flat(value: dict[str, Any], prefix: str = "", into: dict[str, Any] | None = None) -> dict[str, Any]:
    result: dict[str, Any] = {} if into is None else into
    for key, item in value.items():
        if isinstance(item, dict) and item:
            _flat(item, f"{prefix}{key}.", result)
        else:
            name = prefix + key
            result[_free(name, result) if name in result else name] = item
    return result
