"""A pane of HTML whose text changes without anything else being sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import panel as pn

if TYPE_CHECKING:
    from bokeh.model import Model

__all__ = ["Html"]


class Html(pn.pane.HTML):
    """HTML that stays without a network in a notebook, however often its text changes.

    Panel's own pane states all its properties anew with every text, the addresses of its style sheets on Panel's CDN
    among them. In a notebook that undoes ``pn.extension(inline=True)``, which writes the sheets into a model only where
    the model is first shown. The sheets don't depend on the text, so those that the model has are kept.

    >>> Html("<b>45 °F</b>").object
    '<b>45 °F</b>'
    """

    # Never what ``pn.panel`` chooses for an object.
    priority = 0

    def _update(self, ref: str, model: Model) -> None:  # noqa: ARG002  (Panel passes both)
        properties = self._get_properties(model.document)
        properties.pop("stylesheets", None)
        model.update(**properties)
