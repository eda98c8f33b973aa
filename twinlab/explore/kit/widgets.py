"""Widgets: rows that wrap (on a phone: scroll sideways), toggle styles, and widgets without Panel's debounce."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import panel as pn

__all__ = ["TOGGLES", "TOGGLES_LABEL", "prompt", "row"]

#: Words that are pressed, side by side: each on one line, written as everywhere else.
TOGGLES = {
    "& .MuiToggleButton-root": {
        "whiteSpace": "nowrap",
        "textTransform": "none",
        "letterSpacing": "normal",
        "fontSize": "14px",
        "lineHeight": 1.5,
    },
    "& .MuiToggleButton-root.Mui-selected + .MuiToggleButton-root.Mui-selected": {
        "borderLeft": "1px solid rgba(255, 255, 255, 0.5)"
    },
}
#: Their label as small as that of a field.
TOGGLES_LABEL = ".MuiFormLabel-root { font-size: 12px !important; line-height: 1.2 !important; margin-bottom: 2px; }"

# On a phone the chart or map stays near the top so.
_ROW = """
:host {display: flex; flex-flow: row wrap; align-items: center; gap: 2px 6px;}
@media (max-width: 600px) {
  :host {
    flex-wrap: nowrap; overflow-x: auto; overflow-y: hidden; scrollbar-width: thin;
    min-width: 0; max-width: calc(100vw - 20px);
    /* What fades out goes on. */
    mask-image: linear-gradient(to right, #000 calc(100% - 32px), transparent);
    padding-right: 32px;
  }
  :host > * {flex: none;}
}
"""


class _Row(pn.Row):
    """A row that asks for no more room than there is: Panel wants all that stand around it as wide as all on one line."""

    def _compute_sizing_mode(self, children: Any, props: Any) -> dict[str, Any]:
        found = super()._compute_sizing_mode(children, props)
        return {name: value for name, value in found.items() if name != "min_width"}


def row(widgets: Sequence[Any], *, margin: tuple[int, int, int, int]) -> pn.Row:
    """Return widgets on one line, or on several where the screen is wide but not wide enough.

    >>> len(row([pn.widgets.Checkbox(label="Flags")], margin=(0, 0, 0, 0)))
    1
    """
    for widget in widgets:
        widget.align = "center"
    return _Row(*widgets, stylesheets=[_ROW], sizing_mode="stretch_width", margin=margin)


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
