"""Tasks that end when they are cancelled, and calls of threads that are waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import TypeVar

__all__ = ["cancel_all", "in_thread"]

Result = TypeVar("Result")

#: Seconds after which a task that goes on is cancelled again.
_AGAIN = 0.5


async def cancel_all(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended, whatever their results.

    One cancellation isn't enough: before Python 3.12, `asyncio.wait_for` loses it if what it waits for is done at the same moment, and
    client libraries use it.
    """
    running = {task for task in tasks if not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_AGAIN)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen


async def in_thread(function: Callable[..., Result], *arguments: object) -> Result:
    """Call a function in a thread. If that is cancelled, wait until it is done: a query that still runs has the connection."""
    task = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
