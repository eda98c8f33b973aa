"""What will probably be late, worst first, from stored predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._html import html
from twinlab.explore.kit.arrivals.hints import why_no_arrivals
from twinlab.explore.kit.arrivals.html import late_html
from twinlab.explore.kit.arrivals.predicted import arrivals_at, probably_late
from twinlab.explore.kit.panes import Html
from twinlab.explore.views.card.html import list_html
from twinlab.languages import local_number

if TYPE_CHECKING:
    import numpy as np

    from twinlab.explore.kit.session import Shared

__all__ = ["LateList"]


class LateList:
    """A list below the exceptions (``pane``), or why there is none; hidden of a twin without delays.

    Parameters
    ----------
    shared : Shared
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.pane = Html("", visible=False, sizing_mode="stretch_width", margin=(4, 14))

    def read(self, at: np.datetime64 | None) -> str:
        """Return the list at an instant; it may be called in a thread."""
        table = arrivals_at(self._shared, at)
        if at is None or table.empty:
            hint = why_no_arrivals(self._shared, at)
            line = html('<p class="small" role="status">{{ hint }}</p>', hint=hint)
            return str(list_html(line)) if hint else ""
        found = late_html(probably_late(table), self._shared.twin.model, at=at)
        if not found:
            text = "<p>✓ Nothing of the {{ count }} events that were predicted is probably late.</p>"
            found = html(text, count=local_number(f"{len(table):,}"))
        return str(list_html(found))

    def show(self, found: str) -> None:
        """Show what `read` returned."""
        self.pane.param.update(object=found, visible=bool(found))
