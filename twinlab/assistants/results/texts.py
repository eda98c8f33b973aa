r"""Texts of data as clients get them: what can't be seen is written out, and what is long is cut.

Names of assets, notes and fields of events come from sources, and an assistant reads them beside its instructions. Characters that
hide or reorder text (controls, zero width, direction marks, tags) are shown as ``\u{202e}``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["is_visible", "matching_text", "visible_text", "without_paths"]

#: Categories of Unicode that have no picture of their own: controls, formats, surrogates, private use, unassigned, line and
#: paragraph separators.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
#: Letters that are drawn as nothing though they are letters or marks: fillers, variation selectors, the blank of Braille.
_BLANK = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x2800, 0x3164, 0xFFA0}
_BLANK |= {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
_LONGEST = 300
#: An absolute path: of POSIX with at least two parts, of Windows with a drive, or of a share.
_PATH = re.compile(
    r"""(?<![\w.:/\\-])(?:/[^\s/'"<>|,;:()\[\]]+){2,}/?|(?<!\w)[A-Za-z]:\\[^\s'"<>|,;()\[\]]+|\\\\[^\s'"<>|,;()\[\]]+"""
)


def visible_text(text: object, *, most: int = _LONGEST) -> str:
    r"""Return a text with everything invisible written out, at most so many characters.

    >>> visible_text("gate\u202e1\n<b>")
    'gate\\u{202e}1\\u{a}<b>'
    >>> visible_text("a" * 9, most=4)
    'aaaa… (5 more)'
    """
    given = str(text)
    shown = "".join(one if is_visible(one) else f"\\u{{{ord(one):x}}}" for one in given[:most])
    return shown if len(given) <= most else f"{shown}… ({len(given) - most} more)"


def is_visible(letter: str) -> bool:
    """Return whether a letter has a picture of its own, or is a space."""
    if " " <= letter <= "~":
        return True
    return unicodedata.category(letter) not in _INVISIBLE and ord(letter) not in _BLANK


def matching_text(given: str, texts: Iterable[object]) -> str:
    r"""Return the text that a client means: itself, or the one that is shown to clients like this.

    >>> matching_text("R\\u{200b}1", ["R\u200b1", "R2"]) == "R\u200b1"
    True
    """
    listed = [str(one) for one in texts]
    if given in listed or ("\\u{" not in given and "…" not in given):
        return given
    return next((one for one in listed if visible_text(one) == given), given)


def without_paths(text: str) -> str:
    """Return a text in which absolute paths are only their last part.

    >>> without_paths("expected a folder /home/somebody/pilot/history, got room/B2 at 3 km/h")
    'expected a folder history, got room/B2 at 3 km/h'
    """
    return _PATH.sub(lambda found: re.split(r"[/\\]", found[0].rstrip("/\\"))[-1], text)
