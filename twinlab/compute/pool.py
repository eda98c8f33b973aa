"""A pool that runs functions: in this thread, on threads of this process, or on a Dask cluster; a bounded number at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from twinlab._cores import cores
from twinlab.errors import SchemaError

if TYPE_CHECKING:
    from twinlab.compute.handles import Handle

__all__ = ["Call", "Pool", "pool_of"]

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

    def as_completed(self, calls: Iterable[tuple[Key, Call]]) -> Iterator[tuple[Key, Any]]:
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


@contextmanager
def pool_of(
    client: Any = None,  # noqa: ANN401  (a distributed.Client)
    *,
    workers: int | None = None,
    handle: Handle | None = None,
    own_thread: bool = True,
) -> Iterator[Pool]:
    """Yield a pool; at its end, whatever the reason, calls that didn't begin are withdrawn.

    Parameters
    ----------
    client : distributed.Client, optional
        Of a Dask cluster; by default threads of this process.
    workers : int, optional
        Number of threads; the number of cores by default.
    handle : Handle, optional
        The twin that a cluster's workers open; it is checked first that they can.
    own_thread : bool
        Let one worker be the thread that asks.

    Raises
    ------
    SchemaError
        If ``client`` is something else, or ``workers`` isn't a number above 0.
    ClusterError
        If the workers have another version of twinlab, or can't open the twin; says what to do.

    Examples
    --------
    >>> with pool_of(workers=2) as pool:
    ...     list(pool.in_order(Call(divmod, (number, 3)) for number in range(4)))
    [(0, 0), (0, 1), (0, 2), (1, 0)]
    """
    if client is not None:
        from twinlab.compute.cluster import ClusterPool  # noqa: PLC0415  (an extra)

        with ClusterPool(client, handle) as found:
            yield found
        return
    count: Any = cores() if workers is None else workers
    if not isinstance(count, int) or count < 1:
        msg = f"expected a number of threads of at least 1, got {workers!r}"
        raise SchemaError(msg)
    if count == 1 and own_thread:
        yield OwnThreadPool(1)
        return
    threads = ThreadPoolExecutor(count, thread_name_prefix="twinlab")
    try:
        yield ThreadPool(threads, count)
    finally:
        threads.shutdown(cancel_futures=True)
