"""A Dask cluster for tests that kill its workers."""

from __future__ import annotations

import contextlib
from typing import Any


class DaskCluster:
    """A Dask cluster of two processes with its client; made anew if a worker that a test has killed isn't replaced."""

    def __init__(self) -> None:
        self._parts = contextlib.ExitStack()
        self._client: Any = None

    def client(self) -> Any:
        if self._client is not None:
            try:
                self._client.wait_for_workers(2, timeout=15)
            except TimeoutError:
                # Dask's nanny ends with its worker if that is killed while it starts.
                self.close()
        if self._client is None:
            import distributed

            options = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": "1GiB", "dashboard_address": ":0"}
            cluster = self._parts.enter_context(distributed.LocalCluster(processes=True, silence_logs=50, **options))
            self._client = self._parts.enter_context(distributed.Client(cluster, set_as_default=False))
        return self._client

    def close(self) -> None:
        self._client = None
        self._parts.close()
