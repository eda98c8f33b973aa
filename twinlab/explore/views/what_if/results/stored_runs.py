"""The stored runs of a twin, to open one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from twinlab.errors import TwinlabError
from twinlab.explore.kit.lineage_pane import plain_table
from twinlab.languages import mark, tr, tr_values

__all__ = ["StoredRuns"]

_COLUMNS = {
    "name": "run",
    "start": mark("start (UTC)"),
    "until": mark("until (UTC)"),
    "scenarios": "scenarios",
    "replications": "futures",
    "created": mark("stored (UTC)"),
}


class StoredRuns:
    """A table of ``twin.scenarios`` (``pane``), hidden while there are none; a press on a row opens that run.

    Parameters
    ----------
    twin : Twin
        Anything with ``scenarios``, a `twinlab.simulate.Catalogue`; without it nothing is shown.
    on_open : callable
        Called with the results and the name.
    """

    def __init__(self, twin: Any, *, on_open: Callable[[Any, str], None]) -> None:
        self._catalogue: Any = getattr(twin, "scenarios", None)
        self._on_open = on_open
        self._names: list[str] = []
        self._table = pn.Column(sizing_mode="stretch_width")
        heading = pmui.Typography(tr("Stored runs"), variant="h6", margin=(10, 10, 0, 10))
        hint = pmui.Typography(tr("Select a row to see its results again."), variant="body2", margin=(2, 10))
        self.pane = pn.Column(heading, hint, self._table, visible=False, sizing_mode="stretch_width")
        self.update()

    def update(self) -> None:
        """Read the list again."""
        if self._catalogue is None or not len(self._catalogue):
            self.pane.visible = False
            return
        table = self._catalogue.table().sort_values("created", ascending=False)
        self._names = table["name"].tolist()
        shown = table[list(_COLUMNS)].assign(scenarios=[", ".join(one) for one in table["scenarios"]])
        self._table[:] = [
            plain_table(shown.reset_index(drop=True), on_pick=self._picked, titles=tr_values(_COLUMNS), page_size=5)
        ]
        self.pane.visible = True

    def _picked(self, place: int) -> None:
        name = self._names[place]
        try:
            found = self._catalogue.open(name)
        except TwinlabError:
            # Somebody deleted it meanwhile.
            self.update()
        else:
            self._on_open(found, name)
