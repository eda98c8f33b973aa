"""The link to the glossary, below the list of pages."""

from __future__ import annotations

import panel as pn
import panel_material_ui as pmui

from twinlab.languages import current_language, tr

__all__ = ["glossary_link"]


def glossary_link() -> list[pn.viewable.Viewable]:
    """Return the link, which opens the glossary beside the page; nothing where no server answers it."""
    if pn.state.curdoc is None or pn.state.curdoc.session_context is None:
        return []
    return [
        pmui.Button(
            label=tr("Glossary"), icon="menu_book", icon_size="16px", variant="text", size="small",
            href=f"glossary?lang={current_language()}", target="_blank",
            sx={"textTransform": "none", "fontSize": "12px", "padding": "2px 6px", "minWidth": "0"}, margin=(2, 2),
        )
    ]  # fmt: skip
