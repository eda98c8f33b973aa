"""Fragments of Bokeh's protocol put together to messages, within limits of size, before anything reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["MAX_BYTES", "Assembly", "RefusedMessageError", "Whole"]

#: Largest message with all its fragments, bytes: a spreadsheet that is uploaded comes as one.
MAX_BYTES = 16 * 1024 * 1024
_MAX_HEADER, _MAX_BUFFERS = 4_096, 64
_TYPES = frozenset({"PULL-DOC-REQ", "PATCH-DOC", "SERVER-INFO-REQ"})
_HEADER_KEYS = frozenset({"msgid", "msgtype", "num_buffers", "reqid"})


class RefusedMessageError(Exception):
    """A message that isn't handled; its text says why."""


@dataclass(frozen=True)
class Whole:
    """A whole message."""

    kind: str
    content: dict[str, Any]
    # As they came, for Bokeh's own reader.
    fragments: tuple[str | bytes, ...]


class Assembly:
    """Collects the fragments of one connection: header, metadata, content, then a header and bytes for each buffer.

    Examples
    --------
    >>> assembly = Assembly()
    >>> [assembly.take(part) for part in ('{"msgid": "1", "msgtype": "PULL-DOC-REQ"}', "{}")]
    [None, None]
    >>> assembly.take("{}").kind
    'PULL-DOC-REQ'
    """

    def __init__(self) -> None:
        self._fragments: list[str | bytes] = []
        self._bytes = 0
        self._header: dict[str, Any] = {}
        self._content: dict[str, Any] = {}

    def take(self, fragment: str | bytes) -> Whole | None:
        """Take a fragment; return the message if it is whole.

        Raises
        ------
        RefusedMessageError
            If the fragment can't be part of a message, or the message is too large. The next fragment begins a new one.
        """
        try:
            return self._take(fragment)
        except RefusedMessageError:
            self._clear()
            raise

    def _take(self, fragment: str | bytes) -> Whole | None:
        place = len(self._fragments)
        self._bytes += len(fragment)
        if self._bytes > MAX_BYTES:
            msg = f"a message of more than {MAX_BYTES} bytes"
            raise RefusedMessageError(msg)
        is_buffer = place > 2 and place % 2 == 0
        if isinstance(fragment, bytes) is not is_buffer:
            msg = "text in place of bytes" if is_buffer else "bytes in place of text"
            raise RefusedMessageError(msg)
        if isinstance(fragment, str):
            parsed = _object(fragment, longest=_MAX_HEADER if place != 2 else MAX_BYTES)
            if place == 0:
                self._header = _header(parsed)
            elif place == 2:
                self._content = parsed
            elif place > 2 and (parsed.keys() != {"id"} or not isinstance(parsed["id"], str)):
                msg = "a buffer without its id"
                raise RefusedMessageError(msg)
        self._fragments.append(fragment)
        if len(self._fragments) < 3 + 2 * int(self._header.get("num_buffers", 0)):
            return None
        whole = Whole(self._header["msgtype"], self._content, tuple(self._fragments))
        self._clear()
        return whole

    def _clear(self) -> None:
        self._fragments, self._bytes, self._header, self._content = [], 0, {}, {}


def _header(found: dict[str, Any]) -> dict[str, Any]:
    """Check a header."""
    kind = found.get("msgtype")
    if not isinstance(kind, str) or kind not in _TYPES:
        msg = f"a message of the type {str(kind)[:40]!r}"
        raise RefusedMessageError(msg)
    buffers = found.get("num_buffers", 0)
    fits = isinstance(buffers, int) and not isinstance(buffers, bool) and 0 <= buffers <= _MAX_BUFFERS
    if not found.keys() <= _HEADER_KEYS or not isinstance(found.get("msgid"), str) or not fits:
        msg = "a header that isn't one of Bokeh's"
        raise RefusedMessageError(msg)
    return found


def _object(text: str, *, longest: int) -> dict[str, Any]:
    """Return a JSON object."""
    if len(text) > longest:
        msg = f"a fragment of more than {longest} characters"
        raise RefusedMessageError(msg)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"a fragment that isn't JSON ({type(error).__name__})"
        raise RefusedMessageError(msg) from error
    if not isinstance(found, dict):
        msg = f"a fragment that is a JSON {type(found).__name__}"
        raise RefusedMessageError(msg)
    return found
