"""Search for an asset of any type by id or label: a text field with suggestions, and the result below it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.events import find_assets
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.kit.exception_text import LabelsByType
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.present import asset_index
from twinlab.explore.pages.now.search_result import SearchResult, read_result, result_html
from twinlab.languages import tr

if TYPE_CHECKING:
    import numpy as np

    from twinlab.explore.kit.session import Shared

__all__ = ["AssetSearch"]

_MAX_MATCHES = 20
_FRAME = {"border": "1px solid rgba(127,127,127,.4)", "border-radius": "6px"}


class AssetSearch:
    """Text field (``field``) and result (``answer``).

    Parameters
    ----------
    shared : Shared
    on_found : callable
        Called with (asset type, asset) when an asset was found, and with None when the result is closed.
    on_go : callable
        Called with the name of a page and (asset type, asset) to open the asset on that page.
    on_details : callable
        Called with (asset type, asset) to show the asset's card.
    pages : mapping
        Name of a page -> label of the button that opens it.
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
        self.found: SearchResult | None = None
        self.field = pmui.AutocompleteInput(
            label=tr("Find any asset: id or name"),
            placeholder=tr("where is …?"),
            lazy_search=True,
            restrict=False,
            min_characters=1,
            search_strategy="includes",
            size="small",
            sizing_mode="stretch_width",
            margin=(6, 10),
        )
        # Called 300 ms after the last key. Not a subclass, which the JavaScript part of the widget wouldn't know.
        self.field._filter_options = lambda text, *_: self.suggestions(text)  # noqa: SLF001
        self.field.param.watch(self._entered, "value")
        self._text = Html("", sizing_mode="stretch_width", margin=(10, 14, 4, 14))
        # A column, because children added to a FlexBox later load their styles from a CDN in a notebook.
        self._row = pn.Column(sizing_mode="stretch_width")
        self.answer = pn.Column(
            self._text, self._row, visible=False, sizing_mode="stretch_width", margin=(4, 10), styles=_FRAME
        )

    # -- searching ----------------------------------------------------------------------------------------------------

    def matches(self, text: str) -> list[tuple[str, str, str]]:
        """Return up to 20 (asset type, asset, label) that match a text, best match first."""
        found = find_assets(asset_index(self._shared), text, limit=_MAX_MATCHES)
        return [
            (kind, asset, self._shared.labels(kind).get(asset, asset))
            for kind, asset in zip(found["asset_type"].astype(str), found["asset"].astype(str), strict=True)
        ]

    def suggestions(self, text: str) -> list[str]:
        """Return up to 20 suggestions as text: ``48213 · Parcels``."""
        return [self._suggestion(kind, label) for kind, _, label in self.matches(text)]

    def _suggestion(self, kind: str, label: str) -> str:
        return f"{label} · {self._shared.twin.model.asset_types[kind].title or readable_name(kind)}"

    def _entered(self, event: Any) -> None:
        text = str(event.new or "").strip()
        if text != self.text:
            self.find(text)

    def find(self, text: str) -> None:
        """Show the asset that a text names, else the best matches; close the result for an empty text."""
        self.text = text
        if not text:
            self.close()
            return
        wanted = text.rpartition(" · ")[0] or text
        found = find_assets(asset_index(self._shared), wanted, limit=_MAX_MATCHES)
        matches = self.matches(wanted)
        named = [match for match in matches if text == self._suggestion(match[0], match[2])]
        exact = named or [
            match for match, how in zip(matches, found["match"], strict=True) if how in ("exact", "number")
        ]
        if len(exact) == 1:
            self.show(*exact[0][:2])
        else:
            self._show_matches(text, exact or matches)

    def show(self, asset_type: str, asset: str) -> None:
        """Show the result for an asset."""
        self.found = read_result(self._shared, asset_type, asset, at=self.at)
        self._text.object = result_html(self.found, self._shared.twin.model, LabelsByType(self._shared))
        self._put(
            *(
                self._button(label, partial(self._on_go, page, (asset_type, asset)))
                for page, label in self._pages.items()
            ),
            self._button(tr("Details"), partial(self._on_details, (asset_type, asset))),
            self._button(tr("Close"), self.close),
        )
        self.answer.visible = True
        self._on_found((asset_type, asset))

    def refresh(self) -> None:
        """Read the result again for the current instant."""
        if self.found is not None:
            self.found = read_result(self._shared, self.found.asset_type, self.found.asset, at=self.at)
            self._text.object = result_html(self.found, self._shared.twin.model, LabelsByType(self._shared))

    def close(self) -> None:
        """Close the result."""
        self.text, self.found = "", None
        self.answer.visible = False
        self.field.value = ""
        self._on_found(None)

    def _show_matches(self, text: str, matches: list[tuple[str, str, str]]) -> None:
        self.found = None
        self._text.object = html(
            '<p role="status" style="font:14px/1.5 Roboto,system-ui,sans-serif;margin:0">{{ message }}</p>',
            message=tr("“{text}” isn't the whole name. Is it one of these?", text=text)
            if matches
            else tr("Nothing is called “{text}”.", text=text),
        )
        self._put(
            *(
                self._button(self._suggestion(kind, label), partial(self.show, kind, asset))
                for kind, asset, label in matches[:8]
            ),
            self._button(tr("Close"), self.close),
        )
        self.answer.visible = True

    def _put(self, *buttons: pmui.Button) -> None:
        self._row[:] = [pn.FlexBox(*buttons, sizing_mode="stretch_width", margin=(0, 8))]

    @staticmethod
    def _button(label: str, act: Callable[[], None]) -> pmui.Button:
        button = pmui.Button(label=label, variant="outlined", size="small", margin=4)
        button.on_click(lambda _: act())
        return button
