"""A pool of the workers of a Dask cluster."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from twinlab.compute.checks import check_client, check_workers, worker_address
from twinlab.compute.nested import computing_here
from twinlab.compute.pool import Pool
from twinlab.compute.version import package_version
from twinlab.errors import ClusterError, HistoryConflictError, SourceError, TwinlabError

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

    from twinlab.compute.handles import Handle

__all__ = ["ClusterPool"]

#: How often a task is tried again, elsewhere if possible, after an error that may pass: a network, a disk.
_RETRIES = 2
#: Seconds between looks at the number of the cluster's threads.
_FRESH = 2.0
#: Seconds between looks whether a cluster has lost all workers, and after which tasks don't wait for others any more.
_LOOK, _ALONE = 5.0, 300.0


class ClusterPool(Pool):
    """The workers of a Dask cluster; a task whose worker is lost is computed by another one.

    Parameters
    ----------
    client : distributed.Client
    handle : Handle, optional
        The twin that the workers open.
    """

    remote = True

    def __init__(self, client: Client, handle: Handle | None = None) -> None:
        check_client(client)
        check_workers(client, handle)
        super().__init__(1)
        self._client, self._asked = client, -_FRESH
        self._begun: dict[DaskFuture[Any], Future[Any]] = {}
        self._ended = threading.Event()
        self._local = ExitStack()

    @property
    def size(self) -> int:
        """Threads of the cluster, which may grow and shrink, at most some seconds ago."""
        now = time.monotonic()
        if now - self._asked > _FRESH:
            self._size, self._asked = max(1, sum(self._client.nthreads().values())), now
        return self._size

    def __enter__(self) -> Self:
        self._local.enter_context(computing_here("threads"))
        threading.Thread(target=self._watch, name="twinlab-cluster", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._local.close()
        # Tasks that a worker computes now end there, and their results are dropped.
        if self._client.status == "running":
            self._client.cancel(list(self._begun.copy()))

    def share(self, value: Any) -> Any:  # noqa: ANN401
        """Send a value once; as the result of a task, so that it is there again if a worker is lost, unlike scattered data."""
        return self._client.submit(_same, value, pure=False)

    def submit(self, function: Callable[..., Any], *arguments: Any, place: str = "") -> Future[Any]:  # noqa: ANN401
        """Begin a task; the future raises errors that say which part and which worker."""
        task = self._client.submit(_run, package_version(), place, function, *arguments, pure=False, retries=_RETRIES)
        out: Future[Any] = Future()
        self._begun[task] = out
        out.add_done_callback(partial(_withdraw, weakref.ref(task)))
        task.add_done_callback(partial(self._take, out, place))
        return out

    def _take(self, out: Future[Any], place: str, task: DaskFuture[Any]) -> None:
        """Take the result of a task that is done, and let the cluster forget it: else it would compute it again for nobody."""
        # Not if it was withdrawn, also at this moment.
        with suppress(InvalidStateError):
            try:
                found = task.result()
            except CancelledError:
                out.set_exception(ClusterError(_LOST.format(place=place)))
            except Exception as error:  # noqa: BLE001  (it is raised where the result is taken)
                out.set_exception(_explained(error, place))
            else:
                out.set_exception(found.error) if isinstance(found, _Failed) else out.set_result(found)
        self._begun.pop(task, None)
        task.release()

    def _watch(self) -> None:
        """End tasks with an error once the cluster has had no worker for minutes, after it had some: nobody else would say so."""
        seen, since = False, time.monotonic()
        while not self._ended.wait(_LOOK) and self._client.status == "running":
            if self._client.nthreads():
                seen, since = True, time.monotonic()
            elif seen and time.monotonic() - since > _ALONE:
                for out in list(self._begun.copy().values()):
                    with suppress(InvalidStateError):
                        out.set_exception(ClusterError(_ALL_LOST.format(minutes=_ALONE / 60)))


def _withdraw(begun: weakref.ref[DaskFuture[Any]], out: Future[Any]) -> None:
    task = begun() if out.cancelled() else None
    if task is not None and task.client.status == "running":
        task.cancel()


_ALL_LOST = (
    "the cluster has had no worker for {minutes:.0f} min: they ended, usually for want of memory, and nothing starts them again; look at their"
    " logs, give them more memory (memory_limit=), start some, and repeat the call"
)
_LOST = "the cluster dropped the part {place!r}: it was closed, or the client lost its connection; make a new client and repeat the call"


def _explained(error: Exception, place: str) -> Exception:
    from distributed import KilledWorker  # noqa: PLC0415  (an extra)

    if not isinstance(error, KilledWorker):
        return error
    msg = (
        f"the part {place!r} was begun {error.allowed_failures + 1} times, and each time its worker ended, at last"
        f" {getattr(error.last_worker, 'address', error.last_worker)}; the usual reason is too little memory: give the workers more"
        " (memory_limit=), or fewer threads each, and look at their logs"
    )
    return ClusterError(msg)


class _Failed:
    """An error that another try wouldn't change."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _same(value: Any) -> Any:  # noqa: ANN401
    return value


def _run(version: str, place: str, function: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401
    """Make a call in a worker."""
    if version != package_version():
        msg = (
            f"expected twinlab {version} on all workers, but worker {worker_address()} has {package_version()}; install the same"
            " version there, then restart it"
        )
        return _Failed(ClusterError(msg))
    try:
        with computing_here("synchronous"):
            return function(*arguments)
    except Exception as error:
        error.add_note(f"In the part {place!r}, on worker {worker_address()}.")
        if isinstance(error, TwinlabError) and not isinstance(error, (SourceError, HistoryConflictError)):
            return _Failed(error)
        raise
