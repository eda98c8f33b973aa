"""Dask arrays that are computed inside a task, or beside tasks: in this process, never as further tasks of the cluster."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dask

__all__ = ["computing_here"]

_LOCK = threading.Lock()
_INSIDE = 0
_SET: dask.config.set | None = None


@contextmanager
def computing_here(scheduler: str) -> Iterator[None]:
    """Let Dask's arrays be computed by this process: another machine may not have the files that they read.

    Dask's configuration is that of the process, so that it is set by the first thread that enters and reset by the last that leaves.

    Parameters
    ----------
    scheduler : str
        ``"synchronous"`` or ``"threads"``.
    """
    global _INSIDE, _SET  # noqa: PLW0603  (as the configuration is)
    with _LOCK:
        if not _INSIDE:
            _SET = dask.config.set(scheduler=scheduler)
        _INSIDE += 1
    try:
        yield
    finally:
        with _LOCK:
            _INSIDE -= 1
            if not _INSIDE and _SET is not None:
                _SET.__exit__(None, None, None)
                _SET = None
