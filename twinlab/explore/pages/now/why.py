"""What is behind the ticked exception: its rule, its values and their rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
import panel_material_ui as pmui

from twinlab.explore.kit.lineage_pane import LineagePane, can_explain
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["RowWhy"]


class RowWhy:
    """A button beside those for the ticked rows (``pieces``), and the lineage that it shows (``pane``).

    Parameters
    ----------
    twin : TwinReader
        One that can't explain, such as a view of a twin's past, has no button.
    exceptions : callable
        Called without arguments; returns the table of exceptions, with their ``key``.
    """

    def __init__(self, twin: TwinReader, exceptions: Callable[[], pd.DataFrame]) -> None:
        self._exceptions = exceptions
        self._keys: list[str] = []
        self.lineage = LineagePane(twin)
        self.pane = self.lineage.pane
        self.button = pmui.Button(
            label=tr("Why"), icon="account_tree", variant="outlined", size="small", margin=4, disabled=True
        )
        self.button.on_click(lambda _: self.explain())
        self.pieces = [self.button] if can_explain(twin) else []

    def ticked(self, keys: list[str]) -> None:
        """Offer to explain the ticked row, if it is one; what was shown of another one is closed."""
        if keys != self._keys:
            self.lineage.close()
        self._keys = list(keys)
        self.button.disabled = len(keys) != 1

    def explain(self) -> None:
        """Show what is behind the ticked exception."""
        found = self._exceptions()
        hit = found[found["key"].isin(self._keys)]
        if len(hit):
            self.lineage.explain(hit.iloc[0])
        else:
            self.lineage.say(tr("This exception is over."))
