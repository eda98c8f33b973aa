"""Functions that numba compiles at their first call, so that a module with kernels is imported without numba (0.2 s)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import Any

__all__ = ["compiled_kernel", "njit", "stored"]

_LOCK = threading.RLock()


class _Kernel:
    """A function that is compiled at its first call; importers call this object in its place."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self._function, self._options = function, options
        self._found: Any = None
        self._ready: Any = None
        update_wrapper(self, function)

    def __call__(self, *args: Any) -> Any:  # noqa: ANN401  (numba types the arguments)
        return (self._ready or self.compiled())(*args)

    def compiled(self) -> Any:  # noqa: ANN401  (numba's own class of functions)
        """Return numba's function, which replaces this one in its module."""
        import numba  # noqa: PLC0415  (the purpose of this class)

        with _LOCK:
            if self._found is None:
                self._found = numba.njit(**self._options)(self._function)
                _depend_on_sources(self._found, self._function)
                # Numba looks up the kernels that a kernel calls among the names of its module, and knows only its own.
                names = self._function.__globals__
                for name, one in list(names.items()):
                    if isinstance(one, _Kernel):
                        names[name] = one.compiled()
                # Other threads call it from now on.
                self._ready = self._found
            return self._found


def compiled_kernel(kernel: Any) -> Any:  # noqa: ANN401  (numba's own class)
    """Return numba's function of a kernel, whatever a module has under its name."""
    return kernel.compiled() if isinstance(kernel, _Kernel) else kernel


def stored(kernel: Any) -> tuple[Path, bool] | None:  # noqa: ANN401
    """Return the folder of a kernel's compiled code, and whether code of the present sources is there; None if it isn't kept."""
    cache = getattr(getattr(compiled_kernel(kernel), "_cache", None), "_cache_file", None)
    if cache is None:
        return None
    return Path(cache._index_path).parent, bool(cache._load_index())  # noqa: SLF001


def _sources(function: Callable[..., Any], found: set[str]) -> set[str]:
    """Return the files of a function and of all kernels among the names of its module, and of theirs."""
    path = function.__code__.co_filename
    if path not in found:
        found.add(path)
        for one in list(function.__globals__.values()):
            called = one._function if isinstance(one, _Kernel) else getattr(one, "py_func", None)  # noqa: SLF001
            if called is not None:
                _sources(called, found)
    return found


def _depend_on_sources(compiled: Any, function: Callable[..., Any]) -> None:  # noqa: ANN401  (numba's own class)
    """Compile anew if a called kernel's file changed; by itself numba compares the file of the function only."""
    cache = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if cache is not None and hasattr(cache, "_source_stamp"):
        states = [(path, Path(path).stat()) for path in sorted(_sources(function, set())) if Path(path).is_file()]
        cache._source_stamp = [(path, state.st_mtime_ns, state.st_size) for path, state in states]  # noqa: SLF001


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:  # noqa: ANN401  (whatever numba takes)
    """Return a decorator as `numba.njit` is, which imports numba at the function's first call.

    A kernel may call kernels of its own module and those that its module imports by name.

    >>> @njit(nogil=True)
    ... def double(number):
    ...     return 2 * number
    >>> double(21)
    42
    """
    return lambda function: _Kernel(function, options)
