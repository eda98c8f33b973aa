"""The pool of a call: this thread, threads of this process, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from twinlab._cores import cores
from twinlab.compute.pool import OwnThreadPool, Pool, ThreadPool
from twinlab.errors import SchemaError

if TYPE_CHECKING:
    from twinlab.compute.handles import Handle

__all__ = ["pool_of"]


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
    >>> from twinlab.compute.pool import Call
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
        msg = f"expected workers= as a number of threads of at least 1, got {workers!r}"
        raise SchemaError(msg)
    if count == 1 and own_thread:
        yield OwnThreadPool(1)
        return
    threads = ThreadPoolExecutor(count, thread_name_prefix="twinlab")
    try:
        yield ThreadPool(threads, count)
    finally:
        threads.shutdown(cancel_futures=True)
