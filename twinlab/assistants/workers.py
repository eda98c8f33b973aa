"""Threads that run calls: so many at once, each for so many seconds.

A thread can't be stopped. A call that is given up, or that its client has cancelled, continues in its thread until it ends, and takes
the place of another call for as long. Threads don't prevent the process from ending.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from twinlab.assistants.faults import BusyError, TooLongError
from twinlab.assistants.limits import Limits

__all__ = ["Workers"]

T = TypeVar("T")


class Workers:
    """Run calls in threads, with the limits of `Limits`.

    Parameters
    ----------
    limits : Limits
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(limits.at_once)
        self._waiting = 0

    async def run(self, function: Callable[[], T]) -> T:
        """Return what a function returns, run in a thread.

        Raises
        ------
        BusyError
            If too many calls wait.
        TooLongError
            If the function doesn't return in time; the seconds of waiting count.
        """
        limits = self._limits
        if self._waiting >= limits.waiting:
            msg = f"{self._waiting} calls are waiting; ask again in a few seconds"
            raise BusyError(msg)
        try:
            async with asyncio.timeout(limits.seconds):
                self._waiting += 1
                try:
                    await self._places.acquire()
                finally:
                    self._waiting -= 1
                return await self._started(function)
        except TimeoutError as error:
            msg = f"the call took longer than {limits.seconds:g} s and was given up; ask about a shorter span, or fewer assets"
            raise TooLongError(msg) from error

    def _started(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Start a thread that frees its place when it ends, whether or not somebody still waits for it."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def settle(method: str, value: Any) -> None:  # noqa: ANN401  (a result or an exception)
            self._places.release()
            if not result.done():
                getattr(result, method)(value)

        def run() -> None:
            try:
                done: tuple[str, Any] = ("set_result", function())
            except BaseException as error:  # noqa: BLE001  (raised again where the result is awaited)
                # A future refuses StopIteration.
                done = ("set_exception", RuntimeError(str(error)) if isinstance(error, StopIteration) else error)
            try:
                loop.call_soon_threadsafe(settle, *done)
            except RuntimeError:
                # The server has stopped.
                return

        threading.Thread(target=run, name="twinlab-mcp", daemon=True).start()
        return result
