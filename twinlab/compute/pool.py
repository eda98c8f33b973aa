"""A pool runs functions, a bounded number at once; here in this thread or on threads of this process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

__all__ = ["Call", "OwnThreadPool", "Pool", "ThreadPool"]

Key = TypeVar("Key")


@dataclass(frozen=True)
class Call:
    """A call of a function, and the part of the work that it does, as errors name it.

    Parameters
    ----------
    function : callable
        Of a module, so that another process can import it. It gives the same result each time, and writes nothing.
    arguments : tuple
        Small, or what `Pool.share` returned.
    place : str
        Such as ``"cold_room, 2026-03, 64 assets from A-001 on"``.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    place: str = ""


class Pool(ABC):
    """Runs calls, at most `ahead` at once beyond what was taken; results that were taken aren't kept."""

    #: Whether calls run in other processes, which open a twin themselves.
    remote = False

    def __init__(self, size: int) -> None:
        self._size = size

    @property
    def size(self) -> int:
        """Calls that are computed at the same time."""
        return self._size

    @property
    def ahead(self) -> int:
        """Calls that are under way or done and not taken yet, at most."""
        return 2 * self.size

    @abstractmethod
    def submit(self, function: Callable[..., Any], *arguments: Any, place: str = "") -> Future[Any]:  # noqa: ANN401
        """Begin a call, and return its future."""

    def share(self, value: Any) -> Any:  # noqa: ANN401
        """Return an argument of calls for a value that many of them need; it is sent to a cluster once."""
        return value

    def in_order(self, calls: Iterable[Call], *, ahead: int | None = None) -> Iterator[Any]:
        """Yield the results of calls, in their order, with at most ``ahead`` under way."""
        left = iter(calls)
        waiting: list[Future[Any]] = []
        try:
            while self._fill(waiting, left, ahead):
                yield waiting.pop(0).result()
        finally:
            _cancel(waiting)

    def as_completed(self, calls: Iterable[tuple[Key, Call]]) -> Generator[tuple[Key, Any]]:
        """Yield key and result of calls, in the order in which they are done."""
        left = iter(calls)
        keys: dict[Future[Any], Key] = {}
        try:
            while True:
                # A cluster may have grown meanwhile.
                for key, one in islice(left, max(0, self.ahead - len(keys))):
                    keys[self._begin(one)] = key
                if not keys:
                    return
                for done in wait(keys, return_when=FIRST_COMPLETED).done:
                    yield keys.pop(done), done.result()
        finally:
            _cancel(keys)

    def _fill(self, waiting: list[Future[Any]], left: Iterator[Call], ahead: int | None) -> bool:
        """Begin calls until enough are under way, and return whether any is."""
        waiting += [self._begin(one) for one in islice(left, max(0, (ahead or self.ahead) - len(waiting)))]
        return bool(waiting)

    def _begin(self, call: Call) -> Future[Any]:
        return self.submit(call.function, *call.arguments, place=call.place)


class ThreadPool(Pool):
    """Threads of this process."""

    def __init__(self, threads: ThreadPoolExecutor, size: int) -> None:
        super().__init__(size)
        self._threads = threads

    def submit(self, function: Callable[..., Any], *arguments: Any, place: str = "") -> Future[Any]:  # noqa: ANN401
        """Begin a call in a thread."""
        return self._threads.submit(_call, function, arguments, place)


class OwnThreadPool(Pool):
    """The thread that asks: a call is computed when it is submitted."""

    ahead = 1

    def submit(self, function: Callable[..., Any], *arguments: Any, place: str = "") -> Future[Any]:  # noqa: ANN401
        """Make a call; what it raises is raised here."""
        out: Future[Any] = Future()
        out.set_result(_call(function, arguments, place))
        return out


def _call(function: Callable[..., Any], arguments: tuple[Any, ...], place: str) -> Any:  # noqa: ANN401
    try:
        return function(*arguments)
    except Exception as error:
        if place:
            error.add_note(f"In the part {place}.")
        raise


def _cancel(futures: Iterable[Future[Any]]) -> None:
    for one in futures:
        one.cancel()
