"""Serve one client over standard input and output."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from twinlab.assistants.caller import Callers
from twinlab.assistants.limits import Limits
from twinlab.assistants.server import mcp_server, require_mcp

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["serve_stdio"]


def serve_stdio(
    open_twin: Callable[[], TwinReader],
    *,
    as_roles: Sequence[str] | None = None,
    proposals: bool = False,
    limits: Limits | None = None,
) -> None:
    """Serve a twin until the client closes standard input.

    Standard output belongs to the protocol: whatever else writes there, in Python or in a library, goes to standard error.

    Parameters
    ----------
    open_twin : callable
        Returns the twin.
    as_roles : sequence of str, optional
        Show no more than these roles of the twin's policy may see; see `Callers`.
    proposals, limits
        As for `assistants`.

    Raises
    ------
    SourceError
        If the SDK isn't installed.
    """
    require_mcp()
    with _streams() as (taken, given):
        callers = Callers(open_twin(), as_roles=as_roles)

        async def run() -> None:
            import anyio  # noqa: PLC0415  (comes with the SDK)
            from mcp.server.stdio import stdio_server  # noqa: PLC0415  (an extra)

            server = mcp_server(callers, proposals=proposals, limits=limits)
            async with stdio_server(anyio.wrap_file(taken), anyio.wrap_file(given)) as (read, write):
                await server.run(read, write, server.create_initialization_options())

        asyncio.run(run())


@contextmanager
def _streams() -> Iterator[tuple[TextIO, TextIO]]:
    """Yield the streams of the client; meanwhile standard input is empty, and standard output is standard error.

    The SDK does the same while it serves. A twin is opened before, and so are loops and loggers that write.
    """
    sys.stdout.flush()
    stdin, stdout = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        # Not closed: a thread may still wait for a line.
        taken = os.fdopen(stdin, "r", encoding="utf-8", errors="replace", closefd=False)
        given = os.fdopen(stdout, "w", encoding="utf-8", newline="\n", closefd=False)
        yield taken, given
    finally:
        sys.stdout.flush()
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        os.close(nothing)
