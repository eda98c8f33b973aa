"""What is unusual and what will probably be late, together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import panel as pn

from twinlab.explore.pages.now.foresight.anomalies import AnomalyList
from twinlab.explore.pages.now.foresight.anomaly_rows import OpenAnomalies
from twinlab.explore.views.card.late_list import LateList

if TYPE_CHECKING:
    import numpy as np

    from twinlab.explore.views.base import Explorer

__all__ = ["Ahead", "Foresight"]

#: What is unusual, and what is probably late as HTML.
Ahead = tuple[OpenAnomalies, str]


class Foresight:
    """Two lists below the exceptions (``pane``).

    Parameters
    ----------
    page : Explorer
        Its ``chosen`` asset is set by a press on details, its ``notice`` after a verdict.
    author : str
        Who judges anomalies.
    """

    def __init__(self, page: Explorer, *, author: str) -> None:
        self._page = page
        self.anomalies = AnomalyList(page.shared, author=author, on_choose=self._choose, on_judged=self._say)
        self.late = LateList(page.shared)
        self.pane = pn.Column(self.anomalies.pane, self.late.pane, sizing_mode="stretch_width")

    def read(self, at: np.datetime64 | None) -> Ahead:
        """Return what is shown at an instant; it may be called in a thread."""
        return self.anomalies.read(at), self.late.read(at)

    def show(self, found: Ahead) -> None:
        """Show what `read` returned."""
        self.anomalies.show(found[0])
        self.late.show(found[1])

    def _choose(self, asset: tuple[str, str]) -> None:
        self._page.chosen = asset
        self._page.revision += 1

    def _say(self, text: str) -> None:
        self._page.notice = text
