"""Widgets for the instant of the Now page: a text field, a button for the newest data, and the shown time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.kit.exception_text import time_text
from twinlab.explore.kit.link import Link, parse_link
from twinlab.explore.kit.panes import Html
from twinlab.languages import tr

if TYPE_CHECKING:
    import numpy as np

__all__ = ["InstantWidgets"]

_SHOWN = (
    '<div role="status" style="font:14px/1.5 Roboto,system-ui,sans-serif">'
    "{% if at %}as of <b style='font-weight:500'>{{ at }} UTC</b> · {{ how }}{% else %}no data yet{% endif %}</div>"
)


class InstantWidgets:
    """The shown time (``text``) and the widgets that change it (``field``, ``latest``).

    Parameters
    ----------
    on_change : callable
        Called with the chosen instant, UTC; with None for the newest data.
    on_problem : callable
        Called with a sentence for a text that is no time, and with "" for one that is.
    """

    def __init__(
        self, *, on_change: Callable[[np.datetime64 | None], object], on_problem: Callable[[str], object]
    ) -> None:
        self._on_change, self._on_problem = on_change, on_problem
        self._quiet = False
        self.text = Html("", margin=(4, 14), sizing_mode="stretch_width")
        self.field = pmui.TextInput(
            label=tr("As of (UTC)"), placeholder=tr("the newest data"), size="small", width=190, margin=(6, 6, 6, 10)
        )
        self.field.param.watch(self._typed, "value")
        self.latest = pmui.Button(
            label=tr("Latest"), icon="update", variant="outlined", size="small", margin=(6, 10, 6, 6)
        )
        self.latest.on_click(lambda _: on_change(None))

    def show(self, shown: np.datetime64 | None, *, chosen: np.datetime64 | None) -> None:
        """Show an instant.

        Parameters
        ----------
        shown : datetime64 or None
            Instant of the data on the page, UTC; None without data.
        chosen : datetime64 or None
            Instant that the reader has chosen; None for the newest data.
        """
        self.text.object = html(
            _SHOWN,
            at=None if shown is None else time_text(shown),
            how=tr("the newest data") if chosen is None else tr("a chosen time"),
        )
        self._quiet = True
        self.field.value = "" if chosen is None else time_text(chosen)
        self._quiet = False
        self.latest.disabled = chosen is None

    def row(self) -> pn.Row:
        """Return field and button side by side."""
        return pn.Row(self.field, self.latest)

    def _typed(self, event: Any) -> None:
        if self._quiet:
            return
        text = str(event.new or "").strip()
        link = parse_link("?" + urlencode({"at": text})) if text else Link()
        self._on_problem(" · ".join(link.problems))
        if not link.problems:
            self._on_change(link.at)
