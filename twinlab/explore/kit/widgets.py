"""Widgets: rows that wrap (on a phone: scroll sideways), toggle styles, and widgets without Panel's debounce."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import panel as pn

__all__ = ["TOGGLES", "TOGGLES_LABEL", "row", "without_debounce"]

#: Style of toggle buttons: labels on one line, in normal case.
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
#: Style of their group label, like that of a text field.
TOGGLES_LABEL = ".MuiFormLabel-root { font-size: 12px !important; line-height: 1.2 !important; margin-bottom: 2px; }"

# A row that scrolls keeps the chart near the top of a phone's screen.
_ROW = """
:host {display: flex; flex-flow: row wrap; align-items: center; gap: 2px 6px;}
@media (max-width: 600px) {
  :host {
    flex-wrap: nowrap; overflow-x: auto; overflow-y: hidden; scrollbar-width: thin;
    min-width: 0; max-width: calc(100vw - 20px);
    /* Fading shows that the row continues. */
    mask-image: linear-gradient(to right, #000 calc(100% - 32px), transparent);
    padding-right: 32px;
  }
  :host > * {flex: none;}
}
"""


class _Row(pn.Row):
    """A row without a minimum width; Panel would make its parents as wide as all widgets on one line."""

    def _compute_sizing_mode(self, children: Any, props: Any) -> dict[str, Any]:
        found = super()._compute_sizing_mode(children, props)
        return {name: value for name, value in found.items() if name != "min_width"}


def row(widgets: Sequence[Any], *, margin: tuple[int, int, int, int]) -> pn.Row:
    """Return widgets in a row that wraps; on a phone the row scrolls sideways instead.

    >>> len(row([pn.widgets.Checkbox(label="Flags")], margin=(0, 0, 0, 0)))
    1
    """
    for widget in widgets:
        widget.align = "center"
    return _Row(*widgets, stylesheets=[_ROW], sizing_mode="stretch_width", margin=margin)


#: Milliseconds of debounce. Not 0: the server's acknowledgement is sent first, and other messages would wait for it.
_DEBOUNCE_MS = 5

_Widget = TypeVar("_Widget", bound=pn.widgets.Widget)


def without_debounce(widget: _Widget) -> _Widget:
    """Return a widget whose changes are handled without Panel's debounce.

    Panel waits 50 ms for further changes, which suits typing and dragging. A choice is final at once.

    >>> without_debounce(pn.widgets.Checkbox(label="Flags")).label
    'Flags'
    """
    # Panel has no public name for it.
    widget._debounce = _DEBOUNCE_MS  # type: ignore[misc]  # noqa: SLF001
    return widget
