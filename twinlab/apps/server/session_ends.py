"""End the sessions of a server that stops, which Bokeh leaves in memory with their timers."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bokeh.server.contexts import ApplicationContext
    from bokeh.server.session import ServerSession
    from bokeh.server.tornado import BokehTornado

__all__ = ["end_sessions"]

_LOG = logging.getLogger(__name__)
#: Seconds that a callback of a page may take to its end.
_PATIENCE = 5.0


async def end_sessions(tornado: BokehTornado) -> None:
    """Destroy all sessions, as if their readers had left.

    Panel's registers of views, timers and callbacks are of the whole process: they refer to the documents of sessions
    that weren't destroyed, and so to all that their pages have read.
    """
    for context in tornado._applications.values():  # noqa: SLF001  (Bokeh has no public name for it)
        for session in list(context.sessions):
            try:
                await asyncio.wait_for(_end(context, session), _PATIENCE)
            except TimeoutError:
                _LOG.warning("a callback of a page still ran when the server stopped")


async def _end(context: ApplicationContext, session: ServerSession) -> None:
    """Destroy a session as soon as no callback of its page runs."""
    # Nobody is written to any more.
    session._subscribed_connections.clear()  # noqa: SLF001  (Bokeh has no public name for them)
    while not session.destroyed:
        # Left as it is while a callback waits for the document.
        await context._discard_session(session, lambda _: True)  # noqa: SLF001  (the same)
        await asyncio.sleep(0)
