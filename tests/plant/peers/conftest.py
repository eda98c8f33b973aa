"""A plant whose peers listen, in an event loop of its own thread; each peer is started once, for the module that tests it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from twinlab.plant import ParcelSize, Plant
from twinlab.plant.peers.peer import Moment, Peer, moment_of
from twinlab.plant.run.chosen import make_peers

SIZE = ParcelSize(hubs=4, trucks=10, cold_rooms=8, forklifts=4, parcels_a_week=200, weeks=1, seed=3, start="2026-03-23")


class Running:
    """A plant with peers that listen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.plant = Plant(SIZE)
        self.peers: dict[str, Peer] = {}

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def peer(self, name: str) -> Peer:
        """Return a peer; it is started for the first test that wants it."""
        if name not in self.peers:
            peer = make_peers(self.plant, self.folder, [name])[0]
            self.do(peer.start(self._advance(0)))
            self.peers[name] = peer
        return self.peers[name]

    def advance(self, seconds: int) -> Moment:
        """Advance the plant, and let all started peers show it."""
        moment = self._advance(seconds)
        for peer in self.peers.values():
            self.do(peer.publish(moment))
        return moment

    def _advance(self, seconds: int) -> Moment:
        return moment_of(self.plant, self.plant.advance(self.plant.time + seconds))

    def close(self) -> None:
        for peer in self.peers.values():
            self.do(peer.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = Running(tmp_path_factory.mktemp("plant"))
    yield found
    found.close()
