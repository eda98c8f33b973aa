"""The list of open anomalies on page Now, and buttons to accept or reject one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.widgets import row as widget_row
from twinlab.explore.pages.now.foresight.anomaly_rows import OpenAnomalies, anomalies_html, event_name, read_anomalies
from twinlab.explore.views.card.html import list_html
from twinlab.languages import tr

if TYPE_CHECKING:
    import numpy as np

    from twinlab.explore.kit.session import Shared

__all__ = ["AnomalyList"]


class AnomalyList:
    """Open anomalies, worst first (``pane``); hidden of a twin that watches nothing.

    Parameters
    ----------
    shared : Shared
    author : str
        Who judges.
    on_choose : callable
        Called with (asset type, asset) to show an asset.
    on_judged : callable
        Called with a sentence after a verdict, or with what is wrong.
    """

    def __init__(
        self,
        shared: Shared,
        *,
        author: str,
        on_choose: Callable[[tuple[str, str]], None],
        on_judged: Callable[[str], None],
    ) -> None:
        self._shared, self._author = shared, author
        self._on_choose, self._on_judged = on_choose, on_judged
        self._found = OpenAnomalies()
        self.list = Html("", sizing_mode="stretch_width", margin=(0, 14))
        self.chosen = pmui.Select(label=tr("Anomaly"), options={}, size="small", width=300, description="")
        self.note = pmui.TextInput(label=tr("Note"), size="small", width=184, margin=(4, 6))
        self.buttons = {
            name: pmui.Button(label=label, icon=icon, variant="outlined", size="small", margin=4)
            for name, label, icon in (
                ("details", tr("Details"), "info"),
                ("accept", tr("Accept"), "check"),
                ("reject", tr("Reject"), "close"),
            )
        }
        for name, button in self.buttons.items():
            button.on_click(lambda _, name=name: self._pressed(name))
        self._actions = widget_row(
            [self.chosen, self.buttons["details"], self.note, self.buttons["accept"], self.buttons["reject"]],
            margin=(0, 8, 4, 8),
        )
        self.pane = pn.Column(self.list, self._actions, sizing_mode="stretch_width", visible=False)

    def read(self, at: np.datetime64 | None) -> OpenAnomalies:
        """Return what is shown at an instant; it may be called in a thread."""
        return read_anomalies(self._shared, at)

    def show(self, found: OpenAnomalies) -> None:
        """Show what `read` returned; the chosen event stays so while it is open."""
        self._found = found
        text = anomalies_html(found, self._shared.twin.model)
        self.list.object = str(list_html(text)) if text else ""
        options = {event_name(one, found): str(one["id"]) for one in found.rows}
        if options != self.chosen.options:
            known = self.chosen.value if self.chosen.value in options.values() else next(iter(options.values()), None)
            self.chosen.param.update(options=options, value=known)
        self._actions.visible = bool(options)
        self.pane.visible = bool(text)

    def _pressed(self, name: str) -> None:
        row = next((one for one in self._found.rows if one["id"] == self.chosen.value), None)
        if row is None:
            self._on_judged(tr("This anomaly isn't open any more."))
        elif name == "details":
            self._on_choose((str(row["asset_type"]), str(row["asset"])))
        else:
            self._judge(str(row["id"]), name)

    def _judge(self, event: str, name: str) -> None:
        events: Any = getattr(self._shared.twin, "anomaly_events")  # noqa: B009  (not of each reader)
        try:
            done = getattr(events, name)(event, by=self._author, note=str(self.note.value or "").strip())
        except READING_ERRORS as error:
            self._on_judged(tr("The verdict isn't stored: {error}", error=error))
            return
        self.note.value = ""
        self.show(self.read(None if self._found.at is None else self._found.at.to_datetime64()))
        self._on_judged(f"Anomaly {done}.")
