"""Find the known term nearest to an unknown one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest"]


def nearest(term: str, known: Iterable[str], *, count: int = 1) -> str:
    """Return ``"; did you mean 'x'?"``, or the known terms, as the end of a message.

    >>> nearest("temprature", ["temperature", "speed"])
    "; did you mean 'temperature'?"
    """
    names = sorted(set(known))
    folded = {name.casefold(): name for name in names}
    close = get_close_matches(term.casefold(), folded, n=count, cutoff=0.6)
    if close:
        return "; did you mean " + " or ".join(repr(folded[name]) for name in close) + "?"
    if not names:
        return "; none is known yet"
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"; known: {shown}"
