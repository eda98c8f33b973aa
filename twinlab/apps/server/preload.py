"""Build every page once before anybody asks: imports, event tables and first plots are then at hand."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bokeh.document import Document
from panel.io.resources import Resources, bundle_resources
from panel.io.state import set_curdoc

from twinlab.apps.frame.frame import page
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.session import Session, Shared
from twinlab.explore.page_registry import pages_for

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["warm_pages"]

_LOG = logging.getLogger(__name__)


def warm_pages(twin: TwinReader, shared: Shared) -> None:
    """Build each page once, for nobody, and let go of it.

    Parameters
    ----------
    twin : TwinReader
        Whose pages these are.
    shared : Shared
        What readers will share; filled by this.
    """
    for query in [f"?{urlencode({'page': spec.name})}" for spec in pages_for(twin)] or ["?"]:
        document = Document()
        try:
            with set_curdoc(document):
                # Settings that are kept nowhere: a hint shown to nobody isn't seen.
                shown = page(twin, shared=shared, query=query, session=Session(user="", settings={}))
                shown.server_doc(doc=document, title="warm")
                # What scripts and styles a page needs is found out once a process.
                bundle_resources(document.roots, Resources(mode="server"))
                # What the browser gets: the first time, Bokeh looks through each kind of model.
                document.to_json()
        except READING_ERRORS:
            # Readers get the same as a notice.
            _LOG.exception("the page %s can't be built before anybody asks", query)
        finally:
            document.clear()
