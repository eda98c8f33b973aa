"""Shorter waiting times for readers: pages built before the first request, fewer checks and pauses while serving."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bokeh.document import Document
from bokeh.settings import settings
from panel.io.resources import Resources, bundle_resources
from panel.io.state import set_curdoc

from twinlab.apps.frame.frame import page
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.session import Session, Shared
from twinlab.explore.page_registry import pages_for

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["freeze_garbage_collector", "preload_pages", "without_developer_checks"]

_LOG = logging.getLogger(__name__)


def preload_pages(twin: TwinReader, shared: Shared) -> None:
    """Build each page once and discard it, so that imports, event tables and first plots are ready for readers.

    Parameters
    ----------
    twin : TwinReader
        Whose pages are built.
    shared : Shared
        The cache that readers will share; filled by this function.
    """
    for query in [f"?{urlencode({'page': spec.name})}" for spec in pages_for(twin)] or ["?"]:
        document = Document()
        try:
            with set_curdoc(document):
                # Settings in memory only: no reader's file is read or written.
                shown = page(twin, shared=shared, query=query, session=Session(user="", settings={}))
                shown.server_doc(doc=document, title="preload")
                # Panel looks up the scripts and styles of each kind of widget once per process.
                bundle_resources(document.roots, Resources(mode="server"))
                # Bokeh inspects each class of model when it is first serialized.
                document.to_json()
        except READING_ERRORS:
            # Readers see the same error as a notice.
            _LOG.exception("the page %s can't be built in advance", query)
        finally:
            _discard(document)


def _discard(document: Document) -> None:
    """End a page that has no session, as Bokeh ends a session.

    Panel's registers of views, timers and callbacks are of the whole process: without this, the page's timers would run
    until the process ends.
    """
    ended = SimpleNamespace(id="preload", _document=document)
    callbacks, document.session_destroyed_callbacks = document.session_destroyed_callbacks, set()
    for callback in callbacks:
        callback(ended)
    document.clear()


@contextmanager
def without_developer_checks() -> Iterator[None]:
    """Turn off Bokeh's checks for developers inside the ``with`` block.

    Bokeh checks the signature of each callback, which takes a tenth of the time in which a page is built, and the
    integrity of each document. The tests run with both checks on.
    """
    settings.perform_error_diagnostics = False
    settings.perform_document_validation = False
    try:
        yield
    finally:
        del settings.perform_error_diagnostics
        del settings.perform_document_validation
        gc.unfreeze()


def freeze_garbage_collector() -> None:
    """Exclude the objects that exist now from garbage collection: scanning all of them blocks every reader for 0.3 s."""
    gc.collect()
    gc.freeze()
