"""From a sentence that begins with the path of a fault to the fault."""

from __future__ import annotations

import re
from typing import Final

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.check import Finding

__all__ = ["placed"]

_PATH: Final = re.compile(r"[A-Za-z_]+(?:[.\[][^:]*)?(?=: )")
_PART: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def placed(text: str) -> Finding:
    """Return a fault of a sentence such as ``"nodes.north.servers: there is no calendar 'nihgt'"``.

    >>> placed("links[0].to: there is no node 'nroth'").path
    ('links', 0, 'to')
    """
    match = _PATH.match(text)
    if match is None:
        return Finding((), SchemaError, text)
    parts = tuple(int(number) if number else name for number, name in _PART.findall(match[0]))
    message = text[match.end() + 2 :]
    return Finding(parts, UnknownTermError if message.startswith("there is no ") else SchemaError, message)
