"""What a process that does nothing but serve pages leaves out, so that its readers wait less."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from bokeh.settings import settings

__all__ = ["lean", "set_aside"]


@contextmanager
def lean() -> Iterator[None]:
    """Leave out what Bokeh checks for those who write pages, until the end.

    Each callback's signature, which takes a tenth of the time that a page is made in, and whether a document holds together.
    The tests leave both on.
    """
    settings.perform_error_diagnostics = False
    settings.perform_document_validation = False
    try:
        yield
    finally:
        del settings.perform_error_diagnostics
        del settings.perform_document_validation
        gc.unfreeze()


def set_aside() -> None:
    """Let the garbage collector pass over what stands by now: looking through all of it stops every reader for 0.3 s."""
    gc.collect()
    gc.freeze()
