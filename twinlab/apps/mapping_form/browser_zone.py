"""The zone of the browser that shows the form, as a choice for a clock whose zone isn't stated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from twinlab.harmonise.times.zones import available_zones

__all__ = ["BrowserZone"]

# The kernel may run on another machine, so its zone isn't the reader's. A text field is the one widget whose value a
# script can set and the kernel receives; the field may be drawn after the script has run, so the script tries again.
_SCRIPT = """
let tries = 0;
const report = () => {
  const field = document.querySelector(".tl-browser-zone input");
  if (field === null) { if (tries++ < 50) { setTimeout(report, 100); } return; }
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  field.dispatchEvent(new Event("change", {bubbles: true}));
};
report();
"""


class BrowserZone(widgets.VBox):
    """Asks the browser for its zone once the form is shown; nothing of it is visible.

    Where scripts of a notebook don't run, the zone stays unknown.

    Parameters
    ----------
    found : callable
        Called with the zone once the browser has reported it.
    """

    def __init__(self, found: Callable[[str], None]) -> None:
        self._found = found
        self.zone = ""
        self.field = widgets.Text(continuous_update=False)
        self.field.add_class("tl-browser-zone")
        self.field.observe(self._answered, "value")
        script = {"output_type": "display_data", "data": {"application/javascript": _SCRIPT}, "metadata": {}}
        # Without a height of zero it would be an empty line; `display: none` keeps scripts from running.
        hidden = widgets.Layout(height="0", min_height="0", overflow="hidden", visibility="hidden", margin="0")
        super().__init__(children=[self.field, widgets.Output(outputs=(script,))], layout=hidden)

    def _answered(self, change: dict[str, Any]) -> None:
        # What a browser says is used only if it is a zone.
        if change["new"] in available_zones():
            self.zone = change["new"]
            self._found(self.zone)
