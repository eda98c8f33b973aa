"""Which document is the current one after an error: none, where Bokeh leaves the document of the page that failed."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bokeh.io import doc

if TYPE_CHECKING:
    from bokeh.document import Document
    from bokeh.document.locking import UnlockedDocumentProxy

__all__ = ["reset_current_document_after_errors"]

_LOCK = threading.Lock()


def reset_current_document_after_errors() -> None:
    """Make Bokeh forget the current document of a callback or a message that raised an error.

    Bokeh's own context manager has no ``finally``. After one error, the document of that page would be the current one
    for everything in the process that has no page of its own, threads included, even when its session has ended: a
    message of one reader that can't be applied is enough. Calling it again changes nothing.
    """
    doc.patch_curdoc = _patch_curdoc


@contextmanager
def _patch_curdoc(document: Document | UnlockedDocumentProxy) -> Iterator[None]:
    """Make a document the current one inside the ``with`` block, as Bokeh's function of this name, but after errors too."""
    patched = doc._PATCHED_CURDOCS  # noqa: SLF001  (Bokeh has no public name for it)
    own = weakref.ref(document)
    # A proxy lives only as long as somebody refers to it, and Bokeh's function doesn't either.
    del document
    patched.append(own)
    try:
        yield
    finally:
        # Callbacks in other threads end in any order: only the own entry is removed.
        with _LOCK:
            del patched[max(place for place, one in enumerate(patched) if one is own)]
