"""Arrays that grow at their end, and their order: lists of Python objects would take ten times the memory and time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Column", "Order", "Table"]

#: Elements added since the last sort are searched one by one; beyond this number they are sorted, too.
_UNSORTED = 4096


class Column:
    """A one-dimensional array of one type that grows at its end.

    While all elements are equal only one of them is kept, since a source's epoch, for example, hardly ever changes.

    >>> c = Column("i8"); c.append(5); c.extend([5, 7]); c.values.tolist()
    [5, 5, 7]
    """

    __slots__ = ("_state",)

    def __init__(self, kind: npt.DTypeLike, values: npt.ArrayLike = ()) -> None:
        # Array, whether all elements equal its only one, and number of elements: one tuple, so that other threads see
        # a state as a whole.
        self._state: tuple[npt.NDArray[Any], bool, int] = (np.empty(0, dtype=kind), False, 0)
        self.extend(values)

    def __len__(self) -> int:
        """Return the number of elements."""
        return self._state[2]

    @property
    def values(self) -> npt.NDArray[Any]:
        """The elements, not to be changed."""
        data, same, size = self._state
        return np.broadcast_to(data[0], size) if same else data[:size]

    def append(self, value: object) -> None:
        """Add one element."""
        self.extend(np.array([value], dtype=self._state[0].dtype))

    def extend(self, values: npt.ArrayLike) -> None:
        """Add elements."""
        data, same, old = self._state
        fresh = np.asarray(values, dtype=data.dtype)
        size = old + len(fresh)
        if size == old:
            return
        if same or not old:
            first = data[0] if old else fresh[0]
            if (fresh == first).all():
                self._state = (data if old else fresh[:1].copy(), True, size)
                return
        if same or size > len(data):
            whole = np.empty(max(16, size * 5 // 4), data.dtype)
            whole[:old] = data[0] if same else data[:old]
            data = whole
        data[old:size] = fresh
        self._state = (data, False, size)

    def cut(self, count: int) -> Column:
        """Return a column of the first ``count`` elements."""
        return Column(self._state[0].dtype, self.values[:count])


class Table:
    """Columns of equal length.

    >>> t = Table({"n": "i4", "time": "i8"}); t.add(1, 500); t["time"].tolist()
    [500]
    """

    __slots__ = ("columns",)

    def __init__(self, kinds: Mapping[str, npt.DTypeLike], found: Mapping[str, npt.ArrayLike] | None = None) -> None:
        self.columns = {name: Column(kind, (found or {}).get(name, ())) for name, kind in kinds.items()}

    def __len__(self) -> int:
        """Return the number of rows."""
        # Rows are added column by column: the last one counts, so that other threads see only complete rows.
        return len(next(reversed(self.columns.values())))

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Return the elements of a column, not to be changed."""
        return self.columns[name].values

    def add(self, *row: object) -> None:
        """Add one row, its values in the order of the columns."""
        for column, value in zip(self.columns.values(), row, strict=True):
            column.append(value)

    def extend(self, *arrays: npt.ArrayLike) -> None:
        """Add rows, one array for each column in order."""
        for column, values in zip(self.columns.values(), arrays, strict=True):
            column.extend(values)

    def cut(self, count: int) -> Table:
        """Return a table of the first ``count`` rows."""
        kinds = {name: column.values.dtype for name, column in self.columns.items()}
        return Table(kinds, {name: column.values[:count] for name, column in self.columns.items()})

    def before(self, number: int) -> Table:
        """Return the rows before row range ``number``; the column ``number`` must ascend."""
        return self.cut(int(self["number"].searchsorted(number)))


class Order:
    """The ascending order of a column, kept while the column grows.

    >>> c = Column("i8", [3, 1, 2]); o = Order(c); o.between(2, 4).tolist()
    [2, 0]
    """

    __slots__ = ("_column", "_sorted")

    def __init__(self, column: Column) -> None:
        self._column = column
        # Positions of the first elements in order of their values; replaced as a whole, so that threads can share it.
        self._sorted: npt.NDArray[np.int32] = np.empty(0, dtype=np.int32)

    def between(self, low: int, high: int) -> npt.NDArray[np.int64]:
        """Return the positions of the elements in [low, high), by value and position."""
        values = self._column.values
        done = self._brought_up_to_date(values)
        first, stop = _place(values, done, low), _place(values, done, high)
        found = done[first:stop].astype(np.int64)
        rest = values[len(done) :]
        more = len(done) + np.flatnonzero((rest >= low) & (rest < high))
        if not len(more):
            return found
        found = np.concatenate([found, more])
        return found[np.argsort(values[found], kind="stable")]

    def equal_to(self, wanted: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the positions of the elements that are in ``wanted``, in no particular order."""
        values = self._column.values
        done = self._brought_up_to_date(values)
        known = values[done]
        first, stop = known.searchsorted(wanted), known.searchsorted(wanted, side="right")
        parts = [done[a:b] for a, b in zip(first.tolist(), stop.tolist(), strict=True) if a < b]
        more = len(done) + np.flatnonzero(np.isin(values[len(done) :], wanted))
        return np.concatenate([*parts, more]).astype(np.int64)

    def _brought_up_to_date(self, values: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        done = self._sorted
        fresh = values[len(done) :]
        if len(fresh) <= _UNSORTED:
            return done
        if len(fresh) * 4 > len(done):
            done = np.argsort(values, kind="stable").astype(np.int32)
        else:
            order = np.argsort(fresh, kind="stable")
            places = values[done].searchsorted(fresh[order], side="right")
            done = np.insert(done, places, (len(done) + order).astype(np.int32))
        self._sorted = done
        return done


def _place(values: npt.NDArray[Any], order: npt.NDArray[np.int32], value: int) -> int:
    """Return how many elements are less than ``value``, from their order, without copying them."""
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        if values[order[middle]] < value:
            low = middle + 1
        else:
            high = middle
    return low
