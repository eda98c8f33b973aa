"""Give memory that was freed back to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

import pyarrow as pa

__all__ = ["release_memory"]


@cache
def _c_library() -> ctypes.CDLL | None:
    """Return the C library of this process if it can be asked to trim: that of GNU."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "malloc_trim") else None


def release_memory() -> None:
    """Return freed memory to the system: allocators keep it, so that a process would stay as large as its largest step.

    It costs some milliseconds; call it after a step that needs much more memory than the usual ones.
    """
    pa.default_memory_pool().release_unused()
    library = _c_library()
    if library is not None:
        library.malloc_trim(0)
