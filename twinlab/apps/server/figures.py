"""Health and metrics of the processes that serve pages, on an address of their own, apart from the pages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from twinlab.twin.health.checks import Check
from twinlab.twin.health.endpoint import HealthEndpoint, parse_place
from twinlab.twin.health.exposition import Family
from twinlab.twin.health.families import folder_families, process_families

__all__ = ["Figures", "ServingState"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServingState:
    """What one process that serves pages does."""

    name: str
    ready: bool
    pid: int | None = None
    sessions: int = 0
    """Open pages."""
    connections: int = 0
    """Open connections, those of pages included."""
    served: int = 0
    """Connections since the start."""
    restarts: int = 0


class Figures:
    """Answers ``/health`` and ``/metrics`` about a server.

    Parameters
    ----------
    folder : Path, optional
        The twin's.
    state : callable
        Returns what each process does.
    """

    def __init__(self, folder: Path | None, state: Callable[[], Sequence[ServingState]]) -> None:
        self._folder, self._state = folder, state
        self._endpoint = HealthEndpoint(self._checks, self._families)

    async def start(self, place: str | None) -> None:
        """Listen at ``"PORT"`` or ``"HOST:PORT"``; not at all for None.

        Raises
        ------
        SourceError
            If others can reach the address and there is no token.
        """
        if place is not None:
            host, port = parse_place(place)
            port = await self._endpoint.start(port, host=host)
            _LOG.info("health and metrics: http://%s:%d/metrics", f"[{host}]" if ":" in host else host, port)

    async def close(self) -> None:
        """Listen no more."""
        await self._endpoint.close()

    def _checks(self) -> list[Check]:
        state = self._state()
        ready = sum(one.ready for one in state)
        kind = "ok" if ready == len(state) else "warning" if ready else "failed"
        return [Check("pages", kind, f"{ready} of {len(state)} processes answer")]  # type: ignore[arg-type]

    def _families(self) -> Iterator[Family]:
        state = self._state()
        for name, text, of in (
            ("ready", "1 if the process answers.", lambda one: one.ready),
            ("sessions", "Open pages.", lambda one: one.sessions),
            ("connections", "Open connections.", lambda one: one.connections),
        ):
            yield Family(
                f"twinlab_serve_{name}", "gauge", text, [({"worker": one.name}, float(of(one))) for one in state]
            )
        for name, text, of in (
            ("connections_accepted", "Connections since the start.", lambda one: one.served),
            ("restarts", "Processes that were started after another one had ended.", lambda one: one.restarts),
        ):
            yield Family(
                f"twinlab_serve_{name}", "counter", text, [({"worker": one.name}, float(of(one))) for one in state]
            )
        yield from process_families({one.name: one.pid for one in state if one.pid is not None})
        if self._folder is not None:
            yield from folder_families(self._folder)
