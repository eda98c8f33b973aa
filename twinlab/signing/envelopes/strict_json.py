"""Strict reading of JSON from outside: anything that two readers could understand differently is refused."""

from __future__ import annotations

import json
import math
from typing import Any

from twinlab.errors import CommandRejectedError

__all__ = ["MAX_BYTES", "MAX_DEPTH", "read_json"]

#: A command has a few hundred bytes; with base64 and several signatures a few thousand.
MAX_BYTES = 16 * 1024
#: The envelope has three levels.
MAX_DEPTH = 8
#: Larger integers aren't exact as float64, so that two readers could get different numbers.
_MAX_DIGITS = 16


def read_json(data: bytes, *, what: str) -> dict[str, Any]:
    """Return an object of JSON with unique keys, finite numbers and few levels.

    Parameters
    ----------
    data : bytes
        UTF-8, at most 16 KiB.
    what : str
        What the bytes are, for messages: "envelope".

    Raises
    ------
    CommandRejectedError
        If the bytes are too many, no UTF-8, no JSON or no object; if a key comes twice, a number isn't finite or has more
        than 16 digits before the point, or more than eight levels are nested.

    >>> read_json(b'{"value": 6}', what="command")
    {'value': 6}
    """
    if len(data) > MAX_BYTES:
        msg = f"{what}: expected at most {MAX_BYTES} bytes, got {len(data)}"
        raise CommandRejectedError(msg)
    try:
        found = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=lambda pairs: _unique(pairs, what),
            parse_constant=lambda text: _refuse_number(text, what),
            parse_float=lambda text: _finite(text, what),
            parse_int=lambda text: _integer(text, what),
        )
    except UnicodeDecodeError as error:
        msg = f"{what}: expected UTF-8, got the byte 0x{data[error.start]:02x} at position {error.start}"
        raise CommandRejectedError(msg) from error
    except json.JSONDecodeError as error:
        msg = f"{what}: expected JSON, got {error.msg} at position {error.pos}"
        raise CommandRejectedError(msg) from error
    except RecursionError as error:
        raise _too_deep(what) from error
    if not isinstance(found, dict):
        msg = f"{what}: expected an object of JSON, got {type(found).__name__}"
        raise CommandRejectedError(msg)
    _check_depth(found, what)
    return found


def _unique(pairs: list[tuple[str, Any]], what: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"{what}: expected each key once, got {twice[:40]!r} twice"
        raise CommandRejectedError(msg)
    return found


def _refuse_number(text: str, what: str) -> float:
    msg = f"{what}: expected a finite number of at most {_MAX_DIGITS} digits, got {text[:40]}"
    raise CommandRejectedError(msg)


def _finite(text: str, what: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text, what)


def _integer(text: str, what: str) -> int | float:
    return int(text) if len(text.lstrip("-")) <= _MAX_DIGITS else _refuse_number(text, what)


def _check_depth(found: dict[str, Any], what: str) -> None:
    level: list[Any] = [found]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for value in level
            for part in (value.values() if isinstance(value, dict) else value)
            if isinstance(part, (dict, list))
        ]
        if not level:
            return
    raise _too_deep(what)


def _too_deep(what: str) -> CommandRejectedError:
    return CommandRejectedError(f"{what}: expected at most {MAX_DEPTH} levels of nesting, got more")
