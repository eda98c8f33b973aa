"""Read the variables of a Dataset from a store ahead: while some are read, further ones of the same rectangle are fetched.

Dask computes as many variables at a time as there are cores, and each waits for answers. The first variable of a rectangle fetches no
other; then twice as many are under way as were asked for, so that a Dataset of fifty variables takes a few round trips, and at most two
thirds of what is fetched are in vain.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from concurrent.futures import Future
from functools import partial
from threading import Lock
from typing import Any, Protocol

from numpy.typing import NDArray

from twinlab.objects.waiting import started

__all__ = ["ReadAhead"]

#: Cells of a rectangle up to which others are read ahead: those of a chart. Larger reads wait for bytes rather than for answers.
_CELLS = 2**17
#: Rectangles that are remembered.
_RECTANGLES = 4


class _Readable(Protocol):
    """A variable that isn't read yet."""

    def rectangle(self, first: int, stop: int, columns: NDArray[Any], /) -> NDArray[Any]:
        """Return cells or windows of stored columns."""


class ReadAhead:
    """Reads rectangles of the variables of one Dataset.

    Parameters
    ----------
    variables : dict of key to variable
        In the order in which they are read ahead.
    """

    def __init__(self, variables: Mapping[Hashable, _Readable]) -> None:
        self._variables = dict(variables)
        self._lock = Lock()
        # Of each rectangle: the variables that were asked for or are read ahead, and the reads that nobody has asked for yet.
        self._seen: dict[Hashable, set[Hashable]] = {}
        self._ahead: dict[tuple[Hashable, Hashable], Future[NDArray[Any]]] = {}
        self._asked: dict[Hashable, int] = {}

    def read(self, key: Hashable, first: int, stop: int, columns: NDArray[Any]) -> NDArray[Any]:
        """Return a rectangle of the variable ``key``."""
        variable = self._variables[key]
        if (stop - first) * columns.size > _CELLS:
            return variable.rectangle(first, stop, columns)
        place = (first, stop, columns.tobytes())
        with self._lock:
            future = self._ahead.pop((place, key), None)
            self._start(place, key, (first, stop, columns))
        return variable.rectangle(first, stop, columns) if future is None else future.result()

    def _start(self, place: Hashable, key: Hashable, rectangle: tuple[int, int, NDArray[Any]]) -> None:
        """Note that a variable is asked for; start reads of others until enough are under way."""
        if place not in self._seen:
            while len(self._seen) >= _RECTANGLES:
                self._forget(next(iter(self._seen)))
            self._seen[place], self._asked[place] = set(), 0
        seen = self._seen[place]
        seen.add(key)
        self._asked[place] += 1
        wanted = 2 * (self._asked[place] - 1) - sum(1 for where, _ in self._ahead if where == place)
        for other, variable in self._variables.items():
            if wanted <= 0:
                return
            if other not in seen:
                future = started(partial(variable.rectangle, *rectangle))
                if future is None:
                    return
                seen.add(other)
                self._ahead[place, other] = future
                wanted -= 1

    def _forget(self, place: Hashable) -> None:
        del self._seen[place], self._asked[place]
        for key in [key for key in self._ahead if key[0] == place]:
            self._ahead.pop(key).cancel()
