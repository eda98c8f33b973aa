"""Widgets whose choice is acted on at once."""

from __future__ import annotations

from typing import TypeVar

import panel as pn

__all__ = ["prompt"]

#: Milliseconds until a choice is acted on. Not 0: the server first answers that it has heard, and what it sends while it
#: does so has to wait in turn.
_SOON = 5

_Widget = TypeVar("_Widget", bound=pn.widgets.Widget)


def prompt(widget: _Widget) -> _Widget:
    """Return a widget whose choice is acted on at once, as far as a reader can tell.

    Panel waits 50 ms for what may follow a change, which is for typing and dragging. A choice is whole when it's made.

    >>> prompt(pn.widgets.Checkbox(label="Flags")).label
    'Flags'
    """
    # Panel has no public name for it.
    widget._debounce = _SOON  # type: ignore[misc]  # noqa: SLF001
    return widget
