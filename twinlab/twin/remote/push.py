"""Publish a twin in an object store: only objects that aren't there yet, the head last; an interrupted push is continued."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType

from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError, SchemaError, SourceError
from twinlab.history.remote.repository import REPOSITORY
from twinlab.model.storage.price import Money, Price
from twinlab.objects.address import Address
from twinlab.objects.bucket import Bucket
from twinlab.objects.disk_cache import DiskCache, cache_folder, cache_limit
from twinlab.twin.remote.contents import Contents, check_privacy, contents_of, identity, note_segments
from twinlab.twin.remote.head import (
    HEAD,
    MARKER,
    Head,
    list_name,
    marker_bytes,
    newest_push,
    pushed_objects,
    read_marker,
)
from twinlab.twin.remote.payload import Payload
from twinlab.twin.remote.protocol import PushedTwin

__all__ = ["Continued", "PushReport", "list_cache", "push", "send"]

#: Uploads at the same time; a list of what is there is written after so many objects or bytes, at which an interrupted push goes on.
_TOGETHER, _LISTED, _LISTED_BYTES = 8, 2000, 256 * 10**6
#: Beside a twin while a push to the address in it is under way.
_NOTE = ".pushing"
_REFERENCE = f"{REPOSITORY}/refs/branch.main/ref.json"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PushReport:
    """What a push did."""

    url: str
    push: int
    """Number of the push, from 1; of the newest if there was nothing to push."""
    objects: int
    """New objects."""
    bytes: int
    """Bytes of new objects, the head and lists included."""
    total_bytes: int
    """Bytes of all objects of this state."""
    seconds: float
    cost: Money | None = None
    """What the bytes of this state cost a month; None without ``storage.objects.price`` in ``twin.yaml``."""

    def __str__(self) -> str:
        what = f"{self.objects} new objects, {self.bytes / 1e6:,.2f} MB" if self.objects else "nothing new"
        total = f"the twin has {self.total_bytes / 1e6:,.2f} MB there{'' if self.cost is None else f', {self.cost}'}"
        return f"{self.url}: push {self.push}: {what}; {total} ({self.seconds:.1f} s)"


def list_cache() -> DiskCache:
    """Return the cache of lists of pushed objects."""
    return DiskCache(cache_folder() / "lists", limit=cache_limit())


@dataclass(frozen=True)
class Continued:
    """What a historian of a twin in a store pushes: the state that follows a push, with all groups up to some numbers."""

    push: int
    """Number of the push that the historian has continued."""
    groups: Mapping[str, int]
    """Folder of a source -> number of the last group that its files have."""
    confirm: Callable[[], None]
    """Raises an error if another historian has taken over."""


def push(
    twin: PushedTwin,
    address: Address,
    show: Progress,
    publish: Callable[[], object],
    *,
    continued: Continued | None = None,
) -> PushReport:
    """Publish a twin at an address; see `Twin.push`. ``continued`` is of a twin that leased writers write."""
    began = time.perf_counter()
    check_privacy(twin)
    bucket = Bucket(address)
    with Lock(twin.folder / "push.lock", what=f"pushing {twin.folder}"):
        _claim(bucket, identity(twin), twin.model.twin)
        found = newest_push(bucket)
        head, version = found if found is not None else (None, None)
        _check_continued(bucket, head, continued)
        with suppress(HistoryConflictError):
            # A historian that runs publishes by itself.
            publish()
        state = contents_of(twin, head)
        if continued is not None and head is not None:
            # A machine that only appends rows fetches no copies of source files.
            copies = {path: pieces for path, pieces in head.files.items() if path.startswith("ledger/blobs/")}
            state.files = copies | state.files
        known = pushed_objects(bucket, list_cache())
        new = {name: payload for name, payload in state.objects.items() if name not in known}
        with _under_way(twin, bucket) as interrupted:
            there = _unlisted(bucket) if interrupted and new else {}
            sent = send(bucket, new, show, there=there)
        number = 1 if head is None else head.push + 1
        groups = None if continued is None else {**(head.groups or {} if head is not None else {}), **continued.groups}
        fresh = Head(state.twin, state.name, number, state.snapshot, state.positions, state.files, groups)
        if head is not None and (head.snapshot, head.files) == (fresh.snapshot, fresh.files):
            number = head.push
        else:
            data = fresh.to_bytes()
            if continued is not None:
                continued.confirm()
            if head is None:
                bucket.create(HEAD, data)
            else:
                bucket.replace(HEAD, data, version)
            sent += len(data) + _refer(bucket, state.snapshot)
        note_segments(twin.ledger, state.files)
    total, rule = _total(state), twin.model.storage
    price = rule.objects.price if rule is not None and rule.objects is not None else None
    return PushReport(
        address.url, number, len(new), sent, total, time.perf_counter() - began,
        None if price is None else Price.parse(price).of(total),
    )  # fmt: skip


def _check_continued(bucket: Bucket, head: Head | None, continued: Continued | None) -> None:
    """Check that a push loses nothing that others have written in the store.

    Raises
    ------
    HistoryConflictError
        If it would.
    """
    place = bucket.address.place
    if continued is None and head is not None and head.groups is not None:
        msg = (
            f"{place}: the twin is written where it is, by leased writers; a folder can't be pushed over it. Write with "
            f"twinlab.open({bucket.address.url!r}), or push to another prefix"
        )
        raise HistoryConflictError(msg)
    if continued is not None and (head is None or head.push != continued.push):
        msg = f"{place}: another historian has pushed meanwhile; nothing was pushed, call again"
        raise HistoryConflictError(msg)


def _claim(bucket: Bucket, twin: str, name: str) -> None:
    """Make sure that a prefix is this twin's, and that the store can be written safely."""
    data = marker_bytes(twin, name)
    found = read_marker(bucket)
    if found is None:
        other = next(iter(bucket.list()), None)
        if other is not None:
            msg = (
                f"{bucket.address.place}: expected a prefix without objects, or a twin's, got another program's object {other.name!r}; "
                "choose another prefix"
            )
            raise SchemaError(msg)
        bucket.create(MARKER, data)
    elif found[0] != twin:
        msg = f"{bucket.address.place}: expected twin {name!r} of this folder, got another one, {found[1]!r}; choose another prefix"
        raise SchemaError(msg)
    bucket.check_conditional_writes(MARKER, data)


@contextmanager
def _under_way(twin: PushedTwin, bucket: Bucket) -> Iterator[bool]:
    """Note beside a twin that objects are sent; yield whether a push to the same address was interrupted before it had listed all."""
    note, place = twin.folder / _NOTE, bucket.address.place
    interrupted = note.exists() and note.read_text(encoding="utf-8") == place
    note.write_text(place, encoding="utf-8")
    yield interrupted
    note.unlink()


def _unlisted(bucket: Bucket) -> dict[str, int]:
    """Return name and bytes of all objects that are there; one is there as a whole or not at all."""
    return {one.name: one.size for prefix in ("files", REPOSITORY) for one in bucket.list(prefix)}


def send(
    bucket: Bucket, new: dict[str, Payload], show: Progress, *, there: Mapping[str, int] = MappingProxyType({})
) -> int:
    """Upload objects and, as it goes, lists of them; return the bytes of what was sent.

    Parameters
    ----------
    there : mapping
        Bytes of objects that are there, though no list has them: an interrupted push has sent them. They are listed only.
    """
    total, sent, done = sum(payload.size for payload in new.values()), 0, 0

    def one(name: str, payload: Payload) -> tuple[str, int, str, int]:
        body = payload.body()
        sha = payload.sha256(body)
        if name.startswith("files/") and name != f"files/{sha}":
            msg = f"{payload.path} has changed since it was looked at; call again"
            raise SourceError(msg)
        # Names are made of contents, or are random ids: the same name and size is the same object.
        known = there.get(name) == payload.size
        if not known:
            bucket.put(name, body)
        return name, payload.size, sha, 0 if known else payload.size

    with ThreadPoolExecutor(_TOGETHER, thread_name_prefix="push") as threads:
        for some in _batches(new):
            listed = {}
            for name, size, sha, uploaded in threads.map(one, some, some.values()):
                listed[name] = [size, sha]
                sent, done = sent + uploaded, done + size
                show(done, total)
            data = json.dumps(listed, separators=(",", ":")).encode()
            bucket.put(list_name(data), data)
            sent += len(data)
    return sent


def _batches(new: dict[str, Payload]) -> Iterator[dict[str, Payload]]:
    some: dict[str, Payload] = {}
    size = 0
    for name, payload in new.items():
        some[name] = payload
        size += payload.size
        if len(some) >= _LISTED or size >= _LISTED_BYTES:
            yield some
            some, size = {}, 0
    if some:
        yield some


def _refer(bucket: Bucket, snapshot: str) -> int:
    """Let Icechunk's own branch name a snapshot: other programs read the history as an Icechunk repository."""
    data = json.dumps({"snapshot": snapshot}).encode()
    bucket.put(_REFERENCE, data)
    return len(data)


def _total(state: Contents) -> int:
    pieces = {sha: size for pieces in state.files.values() for size, sha in pieces}
    return sum(pieces.values()) + sum(one.size for name, one in state.objects.items() if not name.startswith("files/"))
