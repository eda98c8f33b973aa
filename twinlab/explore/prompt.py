"""Widgets whose choice is acted on at once."""

from __future__ import annotations

from typing import TypeVar

import panel as pn

__all__ = ["prompt"]

_Widget = TypeVar("_Widget", bound=pn.widgets.Widget)


def prompt(widget: _Widget) -> _Widget:
    """Return a widget whose choice is acted on at once.

    Panel waits 50 ms for what may follow a change, which is for typing and dragging. A choice is whole when it's made.

    >>> prompt(pn.widgets.Checkbox(name="Flags")).name
    'Flags'
    """
    # Panel has no public name for it.
    widget._debounce = 0  # type: ignore[misc]  # noqa: SLF001
    return widget
