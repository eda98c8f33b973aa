"""The groups of a source in a store: write the next one, once and for all; follow those that others wrote."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

from twinlab.errors import HistoryConflictError, SourceError
from twinlab.ledger.groups.group import Group, group_name, group_number
from twinlab.objects.bucket import Listed, Missing

__all__ = ["Chain", "GroupObjects", "OvertakenError"]

#: Groups that are fetched at the same time, if there are more than a few.
_TOGETHER, _FEW = 8, 4
#: Seconds between two tries of a request that a cut has made uncertain.
_AGAIN = 0.2


class GroupObjects(Protocol):
    """The requests that groups need, such as those of a `Bucket`."""

    def get(self, name: str) -> tuple[bytes, str | None]:
        """Return an object and its version."""

    def create(self, name: str, data: bytes) -> str | None:
        """Store an object that isn't there."""

    def list(self, prefix: str) -> Iterable[Listed]:
        """Return the objects below a prefix."""


class OvertakenError(HistoryConflictError):
    """Another writer has written the group with this number."""

    def __init__(self, group: Group) -> None:
        super().__init__(f"source {group.source!r}: {group.holder} has written group {group.number}")
        self.group = group


class Chain:
    """The groups of one source.

    Parameters
    ----------
    objects : GroupObjects
    folder : str
        Name of the source's folder in the ledger.
    source : str
    """

    def __init__(self, objects: GroupObjects, folder: str, source: str) -> None:
        self._objects, self.folder, self.source = objects, folder, source

    def get(self, number: int) -> Group | None:
        """Return a group, None if there is none with this number.

        Raises
        ------
        CorruptionError
            If it is damaged.
        """
        name = group_name(self.folder, number)
        try:
            data, _ = self._objects.get(name)
        except Missing:
            return None
        return Group.from_bytes(data, name)

    def after(self, number: int) -> Iterator[Group]:
        """Yield the groups after a number, in order, up to the first that isn't there."""
        found = self.get(number + 1)
        if found is None:
            return
        yield found
        number += 1
        while numbers := [one for one in self.numbers() if one > number]:
            for one in self._fetched(sorted(numbers)):
                if one is None or one.number != number + 1:
                    return
                yield one
                number += 1

    def _fetched(self, numbers: list[int]) -> Iterator[Group | None]:
        if len(numbers) <= _FEW:
            yield from map(self.get, numbers)
            return
        with ThreadPoolExecutor(_TOGETHER, thread_name_prefix="groups") as threads:
            yield from threads.map(self.get, numbers)

    def numbers(self) -> list[int]:
        """Return the numbers of the groups that are there."""
        listed = self._objects.list(f"ledger/{self.folder}/groups")
        return [number for number in (group_number(one.name) for one in listed) if number is not None]

    def append(
        self,
        group: Group,
        *,
        check: Callable[[], None],
        patience: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Write a group. If the store's answer is lost, it is read back, and sent again if it isn't there.

        Parameters
        ----------
        group : Group
        check : callable
            Called before the request is sent again; raises an error if this process may not write any more.
        patience : float
            Seconds for which an uncertain request is cleared up.

        Raises
        ------
        OvertakenError
            If another writer has written the group with this number: this one isn't in the store, and never will be.
        SourceError
            If it stays unknown whether the group is in the store.
        """
        name, data, until = group_name(self.folder, group.number), group.to_bytes(), clock() + patience
        while True:
            problem: Exception | None = None
            try:
                self._objects.create(name, data)
            except HistoryConflictError:
                pass  # perhaps by this very group, sent before
            except SourceError as error:
                problem = error
            else:
                return
            try:
                found = self.get(group.number)
            except SourceError as error:
                problem = error
            else:
                if found is not None and found.id == group.id:
                    return
                if found is not None:
                    raise OvertakenError(found)
            if clock() >= until:
                msg = (
                    f"source {self.source!r}: the store didn't answer for {patience:g} s, so that it is unknown whether the last rows are "
                    f"stored ({problem}); they weren't acknowledged. Open the writer again and look at its position and offsets"
                )
                raise SourceError(msg) from problem
            sleep(_AGAIN)
            with suppress(SourceError):
                check()
