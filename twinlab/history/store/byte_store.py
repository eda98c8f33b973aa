"""Read and write the bytes of chunks by key, in an Icechunk session; a writing session's bytes are buffered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Protocol

import icechunk
from zarr.core.sync import sync

from twinlab.history.store.codecs import corrupt

__all__ = ["ByteStore", "IcechunkBytes", "Request", "SessionBytes"]

#: Maximum number of bytes that are buffered before they go to the session.
_WAITING_BYTES = 8 * 2**20
#: Number of chunks that are written at the same time.
_TOGETHER = 256

#: A key and the span of its bytes: (first, end), (-n, 0) for the last n, None for all.
Request = tuple[str, tuple[int, int] | None]


class ByteStore(Protocol):
    """Reads and writes the bytes of chunks."""

    @property
    def far(self) -> bool:
        """Whether a fetch mostly waits, so that several at the same time take as long as one."""

    def fetch(self, requests: Sequence[Request]) -> list[bytes | None]:
        """Return the bytes of each request; None where the key doesn't exist."""

    def put(self, key: str, data: bytes) -> None:
        """Store the bytes of a key."""

    def delete(self, key: str) -> None:
        """Remove a key if it exists."""


def _bounds(span: tuple[int, int] | None) -> tuple[int | None, int | None] | None:
    if span is None:
        return None
    return (None, -span[0]) if span[0] < 0 else span


def _part(data: bytes | None, span: tuple[int, int] | None) -> bytes | None:
    if data is None or span is None:
        return data
    return data[span[0] :] if span[0] < 0 else data[span[0] : span[1]]


class IcechunkBytes:
    """Chunks of an Icechunk session, those that the session wrote included."""

    far = False

    def __init__(self, session: icechunk.Session) -> None:
        self._store = session.store._store  # noqa: SLF001  (the public wrapper copies every chunk into a Buffer)

    def fetch(self, requests: Sequence[Request]) -> list[bytes | None]:
        """Return the bytes of each request; None where the key doesn't exist."""

        async def one(key: str, span: tuple[int, int] | None) -> bytes | None:
            try:
                return bytes(await self._store.get(key, _bounds(span)))
            except KeyError:
                return None
            except icechunk.IcechunkError as error:
                reason = str(error).strip().splitlines() or [type(error).__name__]
                raise corrupt(key, f"they can't be read ({reason[0]})") from error

        async def every() -> list[bytes | None]:
            return list(await asyncio.gather(*(one(key, span) for key, span in requests)))

        return sync(every())

    def put(self, key: str, data: bytes) -> None:
        """Store the bytes of a key."""
        self.put_all({key: data})

    def delete(self, key: str) -> None:
        """Remove a key if it exists."""
        self.put_all({key: None})

    def put_all(self, parts: Mapping[str, bytes | None]) -> None:
        """Store the bytes of many keys; None removes a key. Metadata is written before and removed after the chunks."""

        async def one(key: str, data: bytes | None) -> None:
            await (self._store.delete(key) if data is None else self._store.set(key, data))

        nodes = {key: data for key, data in parts.items() if key.endswith("zarr.json")}

        async def every() -> None:
            for key, data in nodes.items():
                if data is not None:
                    await one(key, data)
            chunks = ((key, data) for key, data in parts.items() if key not in nodes)
            # Not all at once: what is on its way to a file takes several times its size.
            while some := list(islice(chunks, _TOGETHER)):
                await asyncio.gather(*(one(key, data) for key, data in some))
            for key, data in nodes.items():
                if data is None:
                    await one(key, data)

        sync(every())


class SessionBytes(IcechunkBytes):
    """Chunks of a writable session; unchanged ones are read from the snapshot it started from, which is faster."""

    def __init__(self, session: icechunk.Session, base: ByteStore) -> None:
        super().__init__(session)
        self._base = base
        self._touched: set[str] = set()
        # Buffered: a call of the session per key would cost more than compressing the chunk.
        self._waiting: dict[str, bytes | None] = {}
        self._size = 0

    def fetch(self, requests: Sequence[Request]) -> list[bytes | None]:
        """Return the bytes of each request; None where the key doesn't exist."""
        mine = [r for r in requests if r[0] in self._touched and r[0] not in self._waiting]
        theirs = [r for r in requests if r[0] not in self._touched]
        new, old = iter(super().fetch(mine) if mine else ()), iter(self._base.fetch(theirs))
        return [
            _part(self._waiting[key], span) if key in self._waiting else next(new if key in self._touched else old)
            for key, span in requests
        ]

    def put_all(self, parts: Mapping[str, bytes | None]) -> None:
        """Store the bytes of many keys; None removes a key. They are buffered until `flush`."""
        self._touched.update(parts)
        self._waiting.update(parts)
        self._size += sum(len(data or b"") for data in parts.values())
        ended = any(data is None and key.endswith("zarr.json") for key, data in parts.items())
        if ended or self._size > _WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the buffered bytes to the session."""
        waiting, self._waiting, self._size = self._waiting, {}, 0
        if waiting:
            super().put_all(waiting)
