"""Search for any asset of any kind by id or label: a field with suggestions, and the answer below it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.events import find_assets
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.kit.exception_text import KindLabels
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.present import asset_index
from twinlab.explore.pages.now.answer import Found, found_html, read_found

if TYPE_CHECKING:
    import numpy as np

    from twinlab.explore.kit.session import Shared

__all__ = ["AssetSearch"]

_MOST = 20
_FRAME = {"border": "1px solid rgba(127,127,127,.4)", "border-radius": "6px"}


class AssetSearch:
    """Field (``field``) and answer (``answer``).

    Parameters
    ----------
    shared : Shared
    on_found : callable
        Called with (asset type, asset) when an asset was found, with None when the answer is closed.
    on_go : callable
        Called with a page's name and (asset type, asset): the reader wants to see it there.
    on_details : callable
        Called with (asset type, asset): the reader wants to see all there is to it.
    pages : mapping
        Page -> what the button to it says.
    """

    def __init__(
        self,
        shared: Shared,
        *,
        on_found: Callable[[tuple[str, str] | None], None],
        on_go: Callable[[str, tuple[str, str]], None],
        on_details: Callable[[tuple[str, str]], None],
        pages: dict[str, str],
    ) -> None:
        self._shared, self._on_found, self._on_go, self._pages = shared, on_found, on_go, pages
        self._on_details = on_details
        self.at: np.datetime64 | None = None
        self.text = ""
        self.found: Found | None = None
        self.field = pmui.AutocompleteInput(
            label="Find any asset: id or name",
            placeholder="where is …?",
            lazy_search=True,
            restrict=False,
            min_characters=1,
            search_strategy="includes",
            size="small",
            sizing_mode="stretch_width",
            margin=(6, 10),
        )
        # The server is asked 300 ms after the last key. A class of its own would be unknown to the browser's half.
        self.field._filter_options = lambda text, *_: self.suggestions(text)  # noqa: SLF001
        self.field.param.watch(self._entered, "value")
        self._text = Html("", sizing_mode="stretch_width", margin=(10, 14, 4, 14))
        # A column: what a FlexBox that stands is given later asks a notebook's browser for styles from elsewhere.
        self._row = pn.Column(sizing_mode="stretch_width")
        self.answer = pn.Column(
            self._text, self._row, visible=False, sizing_mode="stretch_width", margin=(4, 10), styles=_FRAME
        )

    # -- looking up ---------------------------------------------------------------------------------------------------

    def matches(self, text: str) -> list[tuple[str, str, str]]:
        """Return up to 20 (asset type, asset, label) that fit a text, best first."""
        found = find_assets(asset_index(self._shared), text, limit=_MOST)
        return [
            (kind, asset, self._shared.labels(kind).get(asset, asset))
            for kind, asset in zip(found["asset_type"].astype(str), found["asset"].astype(str), strict=True)
        ]

    def suggestions(self, text: str) -> list[str]:
        """Return up to 20 suggestions in words: ``48213 · Parcels``."""
        return [self._words(kind, label) for kind, _, label in self.matches(text)]

    def _words(self, kind: str, label: str) -> str:
        return f"{label} · {self._shared.twin.model.asset_types[kind].title or readable_name(kind)}"

    def _entered(self, event: Any) -> None:
        text = str(event.new or "").strip()
        if text != self.text:
            self.find(text)

    def find(self, text: str) -> None:
        """Show what a text stands for: an asset's answer, else what is nearest; nothing for no text."""
        self.text = text
        if not text:
            self.close()
            return
        wanted = text.rpartition(" · ")[0] or text
        found = find_assets(asset_index(self._shared), wanted, limit=_MOST)
        fits = self.matches(wanted)
        named = [fit for fit in fits if text == self._words(fit[0], fit[2])]
        sure = named or [fit for fit, how in zip(fits, found["match"], strict=True) if how in ("exact", "number")]
        if len(sure) == 1:
            self.show(*sure[0][:2])
        else:
            self._offer(text, sure or fits)

    def show(self, asset_type: str, asset: str) -> None:
        """Show the answer for an asset."""
        self.found = read_found(self._shared, asset_type, asset, at=self.at)
        self._text.object = found_html(self.found, self._shared.twin.model, KindLabels(self._shared))
        self._put(
            *(
                self._button(label, partial(self._on_go, page, (asset_type, asset)))
                for page, label in self._pages.items()
            ),
            self._button("Details", partial(self._on_details, (asset_type, asset))),
            self._button("Close", self.close),
        )
        self.answer.visible = True
        self._on_found((asset_type, asset))

    def refresh(self) -> None:
        """Tell the same of the present instant."""
        if self.found is not None:
            self.found = read_found(self._shared, self.found.asset_type, self.found.asset, at=self.at)
            self._text.object = found_html(self.found, self._shared.twin.model, KindLabels(self._shared))

    def close(self) -> None:
        """Put the answer away."""
        self.text, self.found = "", None
        self.answer.visible = False
        self.field.value = ""
        self._on_found(None)

    def _offer(self, text: str, fits: list[tuple[str, str, str]]) -> None:
        self.found = None
        self._text.object = html(
            '<p role="status" style="font:14px/1.5 Roboto,system-ui,sans-serif;margin:0">{{ said }}</p>',
            said=f"“{text}” isn't the whole name. Is it one of these?" if fits else f"Nothing is called “{text}”.",
        )
        self._put(
            *(
                self._button(self._words(kind, label), partial(self.show, kind, asset))
                for kind, asset, label in fits[:8]
            ),
            self._button("Close", self.close),
        )
        self.answer.visible = True

    def _put(self, *buttons: pmui.Button) -> None:
        self._row[:] = [pn.FlexBox(*buttons, sizing_mode="stretch_width", margin=(0, 8))]

    @staticmethod
    def _button(label: str, act: Callable[[], None]) -> pmui.Button:
        button = pmui.Button(label=label, variant="outlined", size="small", margin=4)
        button.on_click(lambda _: act())
        return button
