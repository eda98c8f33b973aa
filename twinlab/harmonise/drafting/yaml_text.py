"""Helpers to write YAML as text: scalars, lists on one line, comments, unique names."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable

__all__ = ["YAML_WORDS", "comment", "flow", "quoted", "unique"]

#: Plain scalars that some YAML parsers read as something other than text.
YAML_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity", "none"])
_PLAIN = re.compile(r"[A-Za-z_°][A-Za-z0-9_°./]*( [A-Za-z0-9_°./]+)*")


def quoted(text: str) -> str:
    """Return a text as a YAML scalar, without quotes where possible.

    >>> quoted("wind speed"), quoted("Temp [°C]"), quoted("no")
    ('wind speed', '"Temp [°C]"', '"no"')
    """
    if _PLAIN.fullmatch(text) and text.casefold() not in YAML_WORDS:
        return text
    # JSON strings are valid double-quoted YAML; characters that YAML can't print stay escaped.
    return "".join(
        char if char.isprintable() else f"\\u{ord(char):04x}" for char in json.dumps(text, ensure_ascii=False)
    )


def flow(items: Iterable[object]) -> str:
    """Return a list in YAML on one line.

    >>> flow([-9999.0, "n/a"])
    '[-9999, n/a]'
    """
    return "[" + ", ".join(quoted(item) if isinstance(item, str) else f"{item:g}" for item in items) + "]"


def comment(text: str) -> str:
    """Return a comment for the end of a line; empty without text.

    >>> comment("check"), comment("")
    ('  # check', '')
    """
    return "  # " + " ".join(text.split()) if text else ""


def unique(name: str, taken: Iterable[str]) -> str:
    """Return ``name``, with a number appended if it is taken.

    >>> unique("truck", ["truck", "truck_2"])
    'truck_3'
    """
    known = set(taken)
    numbered = (f"{name}_{number}" for number in itertools.count(2))
    return next(candidate for candidate in itertools.chain([name], numbered) if candidate not in known)
