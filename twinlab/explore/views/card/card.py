"""The asset card: a summary of one asset, for the drawer of a page and for notebooks."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param

from twinlab._html import html
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.exception_text import LabelsByType
from twinlab.explore.kit.lineage_pane import LineagePane, can_explain
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.panes import Html, loading_pane
from twinlab.explore.kit.session import Shared
from twinlab.explore.views.card.html import card_html
from twinlab.explore.views.card.reading import CardData, read_card
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import numpy as np
    from markupsafe import Markup

    from twinlab.model.reader import TwinReader

__all__ = ["AssetCard"]

_LOG = logging.getLogger(__name__)
#: Page -> label of the button that opens it.
_PAGES = {"history": mark("History"), "map": mark("Map"), "events": mark("Events")}
_FAILED = """\
<div role="alert" style="font:14px/1.5 Roboto,system-ui,sans-serif;overflow-wrap:anywhere">\
<b style="font-weight:500">{{ what }}</b><br>{{ why }}</div>"""


class AssetCard(pn.viewable.Viewer):
    """Summary of one asset: exceptions, location, last values with flags and age, properties, recent events; why each value is what it is.

    Parameters
    ----------
    twin : TwinReader
        The twin to read.
    asset_type, asset : str
        The asset.
    at : datetime64, optional
        The instant; by default that of the newest sample.
    shared : Shared, optional
        Caches for all readers of the twin.
    patient : bool
        Don't read yet; `refresh_later` is called afterwards.
    """

    asked = param.Parameter(default=None, allow_None=True, doc="Link of the page that was requested by a button")

    def __init__(
        self,
        twin: TwinReader,
        asset_type: str,
        asset: str,
        *,
        at: np.datetime64 | None = None,
        shared: Shared | None = None,
        patient: bool = False,
    ) -> None:
        super().__init__()
        self.twin = twin
        self.shared = shared or Shared(twin)
        self.card: CardData | None = None
        self._html = Html("", sizing_mode="stretch_width", margin=(4, 10))
        self._buttons = {page: self._button(page) for page in _PAGES}
        self.lineage = LineagePane(twin)
        self.why = pmui.MenuButton(
            label=tr("Why"), icon="account_tree", items=[], variant="outlined", size="small", margin=4, visible=False
        )
        self.why.on_click(lambda item: self.explain(str(item["signal"])))
        self._links = pn.FlexBox(*self._buttons.values(), self.why, sizing_mode="stretch_width", margin=(2, 6))
        self.turn_to(asset_type, asset, at=at)
        if patient:
            self.say_reading()
        else:
            self.refresh()

    def turn_to(self, asset_type: str, asset: str, *, at: np.datetime64 | None = None) -> None:
        """Select an asset and an instant; `refresh` or `refresh_later` shows it."""
        self.asset_type, self.asset, self.at = asset_type, asset, at
        for page, visible in self._pages().items():
            self._buttons[page].visible = visible
        self.why.visible = False
        self.lineage.close()

    def say_reading(self) -> None:
        """Show the loading state."""
        self._html.object = loading_pane(f"{self.asset_type.replace('_', ' ')} {self.asset}").object

    def refresh(self) -> None:
        """Read and show the card."""
        self._show(*self._read(self.asset_type, self.asset, self.at))

    async def refresh_later(self) -> None:
        """Read the card in a thread and show it, unless another asset was selected meanwhile."""
        requested = self.asset_type, self.asset, self.at
        card, html = await asyncio.to_thread(self._read, *requested)
        if requested == (self.asset_type, self.asset, self.at):
            self._show(card, html)

    def explain(self, signal: str) -> None:
        """Show what is behind the last value of a signal: its rows, mapping, flags and calibration."""
        if self.card is not None and self.card.last is not None:
            self.lineage.explain(f"{self.asset_type}/{self.asset}", signal, self.card.last[f"{signal}_time"])

    def _show(self, card: CardData | None, html: str) -> None:
        self.card, self._html.object = card, html
        last = None if card is None else card.last
        if last is None or not can_explain(self.twin):
            return
        spec = self.twin.model.asset_types[self.asset_type]
        self.why.items = [
            {"label": one.title or readable_name(name), "signal": name}
            for name, one in spec.signals.items()
            if name not in (spec.position or ()) and not pd.isna(last[f"{name}_time"])
        ]
        self.why.visible = bool(self.why.items)

    def _read(self, asset_type: str, asset: str, at: np.datetime64 | None) -> tuple[CardData | None, str]:
        try:
            card = read_card(self.shared, asset_type, asset, at=at)
            return card, card_html(card, self.twin.model, LabelsByType(self.shared))
        except READING_ERRORS as error:
            _LOG.exception("the card of %s/%s can't be read", asset_type, asset)
            return None, failed_html(
                tr("{asset_type}/{asset} can't be shown", asset_type=asset_type, asset=asset), str(error)
            )

    def _pages(self) -> dict[str, bool]:
        """Return which pages show the asset."""
        spec = self.twin.model.asset_types.get(self.asset_type)
        kinds = self.twin.model.event_types.values()
        return {
            "history": spec is not None and bool(spec.signals),
            "map": any(kind.position is not None for kind in self.twin.model.asset_types.values()),
            "events": any(self.asset_type in (kind.asset, *kind.links.values()) for kind in kinds),
        }

    def _button(self, page: str) -> pmui.Button:
        button = pmui.Button(label=tr(_PAGES[page]), variant="outlined", size="small", margin=4)
        button.on_click(lambda _: self._ask(page))
        return button

    def _ask(self, page: str) -> None:
        part = "recorded" if page == "events" else None
        self.asked = Link(page=page, asset_type=self.asset_type, assets=(self.asset,), at=self.at, part=part)

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self._links, self.lineage.pane, self._html, sizing_mode="stretch_width")


def failed_html(what: str, why: str) -> Markup:
    """Return the error state of a card: what can't be shown, and why."""
    return html(_FAILED, what=what, why=why)
