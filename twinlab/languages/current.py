"""The language for which code runs now: chosen for a block, else that of the page being served, else the environment's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["current_language", "use_from_here", "use_resolver", "using"]

_CHOSEN: ContextVar[str | None] = ContextVar("twinlab_language", default=None)
#: Functions that return the language of what is being served, or None.
_RESOLVERS: list[Callable[[], str | None]] = []


def current_language() -> str:
    """Return the language for which code runs now, such as ``"de"``.

    It is that of the innermost `using`, else that of the page being served, else that of ``TWINLAB_LANGUAGE``, else ``"en"``.

    >>> with using("de"):
    ...     current_language()
    'de'
    """
    chosen = _CHOSEN.get()
    if chosen is not None:
        return chosen
    for resolve in _RESOLVERS:
        found = resolve()
        if found:
            return found
    return os.environ.get("TWINLAB_LANGUAGE") or "en"


@contextmanager
def using(language: str) -> Iterator[None]:
    """Run a block in a language, in this thread or task only.

    Parameters
    ----------
    language : str
        As `available` names it. A language without a catalogue gives English.
    """
    before = _CHOSEN.set(language)
    try:
        yield
    finally:
        _CHOSEN.reset(before)


def use_from_here(language: str) -> None:
    """Use a language for the rest of the current task or thread, such as that of one request; "" changes nothing."""
    if language:
        _CHOSEN.set(language)


def use_resolver(resolve: Callable[[], str | None]) -> None:
    """Add a function that returns the language of what is being served now, or None; adding it twice changes nothing."""
    if resolve not in _RESOLVERS:
        _RESOLVERS.append(resolve)
