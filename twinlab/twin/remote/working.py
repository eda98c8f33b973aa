"""A working copy of a twin in an object store: leased writers append its rows, and whoever has the historian's lease publishes them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError, SchemaError
from twinlab.history import BuildReport
from twinlab.history.remote.repository import REPOSITORY
from twinlab.history.store.opening import existing_path
from twinlab.ledger.groups.group import Group, group_name
from twinlab.ledger.groups.leased import GroupRule, LeasedGroups
from twinlab.ledger.groups.working_copy import noted_number
from twinlab.ledger.journal import JOURNAL
from twinlab.objects.bucket import Bucket, Missing
from twinlab.objects.disk_cache import cache_folder
from twinlab.objects.lease import LeaseRecord, StoreLease, machine_clock, read_lease
from twinlab.twin.facade import Twin
from twinlab.twin.ingest import resolve_source
from twinlab.twin.progress import progress_bar
from twinlab.twin.remote.contents import chunk_names, snapshot_names
from twinlab.twin.remote.head import Head, pushed_objects
from twinlab.twin.remote.published import (
    HISTORIAN_LEASE,
    NewestPush,
    allow_leased_writers,
    group_numbers,
    source_folders,
    sync_source,
)
from twinlab.twin.remote.pull import Fetching, file_order, refer, same_content
from twinlab.twin.remote.push import Continued, list_cache, push
from twinlab.twin.writer import TwinWriter, source_to_write

if TYPE_CHECKING:
    from twinlab.history import Historian
    from twinlab.sources import Source
    from twinlab.twin.report import IngestReport

__all__ = ["WorkingTwin", "open_working"]

#: Seconds for which a request about a lease is sent again, and after which another historian takes over.
_LEASE_PATIENCE, _LEASE_SECONDS = 2.0, 10.0
#: Objects of at most so many bytes may be a fence, which is never removed.
_SMALL = 1024
_STATE = "working.json"


class WorkingTwin(Twin):
    """A folder in the cache that one process writes through; what counts is in the store.

    Parameters
    ----------
    folder : Path
        Locked by ``lock``; its definitions and its journal are up to date.
    bucket : Bucket
    lock : Lock
    rule : GroupRule
    """

    def __init__(self, folder: Path, bucket: Bucket, lock: Lock, rule: GroupRule) -> None:
        self.bucket, self._slot, self._rule = bucket, lock, rule
        self._numbers: dict[str, int] = {}
        self._sent: set[str] = set()
        self._fences: set[str] = set()
        self._other: tuple[LeaseRecord | None, float] = (None, 0.0)
        self._publishing = threading.Lock()
        self.waits = True
        """Whether a publication waits to see if another historian is alive."""
        super().__init__(folder)
        self.ledger.groups = lambda source, wait: LeasedGroups(rule, source, wait=wait)
        self.ledger.blobs.after_copy = self._send_copy

    def close(self) -> None:
        """Let another process use the folder."""
        super().close()
        self._slot.release()

    # -- write -----------------------------------------------------------------------------------------------------
    def ingest(self, *sources: str | Path | Source, strict: bool = False) -> IngestReport:
        """Store files or sources, see `Twin.ingest`; whoever has the lease of the historian publishes them."""
        resolved = [resolve_source(source, self.mappings) for source in sources]
        known = {path.name for path in (self.folder / "mapping").glob("*.yaml")}
        fresh = [one.name for one in resolved if one.mapping is not None and f"{one.name}.yaml" not in known]
        if fresh and self._another_historian() is not None:
            msg = (
                f"source {fresh[0]!r} brings a mapping, which the historian of {self.bucket.address.url} publishes: expected none that "
                "runs; stop it, ingest, then start it again. Nothing was taken in"
            )
            raise SchemaError(msg)
        self.sync([JOURNAL, *(one.name for one in resolved)])
        return super().ingest(*resolved, strict=strict)

    def writer(self, source: str | None = None, *, standby: bool = False) -> TwinWriter:
        """Open a leased writer, see `Twin.writer`."""
        return self.writer_until(source, lambda: None, standby=standby)

    def writer_until(self, source: str | None, closed: Callable[[], object], *, standby: bool = False) -> TwinWriter:
        """Open a leased writer; ``closed`` is called once it is closed."""
        return _StoreWriter(self, source, closed, standby=standby)

    def sync(self, sources: list[str] | None = None) -> None:
        """Fetch what other writers have appended to sources, all by default."""
        head = self._newest.head()
        newest = {folder: numbers[-1] for folder, numbers in group_numbers(self.bucket).items()}
        wanted = None if sources is None else {self.ledger.reader(source).folder.name for source in sources}
        for folder in sorted(source_folders(head) | set(newest)):
            last = max(newest.get(folder, 0), (head.groups or {}).get(folder, 0))
            if (wanted is None or folder in wanted) and self._numbers.get(folder, -1) < last:
                with suppress(HistoryConflictError):  # a writer of this process has it
                    self._numbers[folder] = sync_source(self._rule, self.folder / "ledger", folder)

    # -- publish ---------------------------------------------------------------------------------------------------
    def publish(self, lease: StoreLease) -> BuildReport:
        """Bring the history up to date with all groups in the store, and push it.

        Raises
        ------
        HistoryConflictError
            If another historian has taken over.
        """
        with self._publishing:
            lease.confirm()
            head = self._newest.head()
            self._take(head)
            self.sync()
            self._fetch_copies(head)
            report = self._catch_up()
            if self.model.events:
                self.update_events()
            groups = {folder: noted_number(self.folder / "ledger" / folder) for folder in self._folders()}
            if not report.commits and groups == dict(head.groups or {}):
                return report
            continued = Continued(head.push, groups, lease.confirm)
            with progress_bar("push", unit="B") as show:
                done = push(self, self.bucket.address, show, lambda: None, continued=continued)
            self._note(done.push)
            self._remove(self._newest.head())
            return report

    def historian_lease(self, *, seconds: float = _LEASE_SECONDS, wait: float = 0.0) -> StoreLease:
        """Take the lease of the historian; errors and parameters as `StoreLease`."""
        what = f"the history of {self.bucket.address.url}"
        return StoreLease(
            self._rule.leases, HISTORIAN_LEASE, what=what, seconds=seconds, wait=wait, while_waiting=self.sync
        )

    def publish_if_free(self) -> BuildReport:
        """Publish, unless another historian is alive, which does it then."""
        other = None if self.waits else self._another_historian()
        if other is None:
            try:
                with self.historian_lease() as lease:
                    return self.publish(lease)
            except HistoryConflictError:
                other = read_lease(self._rule.leases, HISTORIAN_LEASE)[0]
                if other is None or other.released:
                    raise
        return BuildReport(notes=[f"the rows are stored; the historian, {other.holder}, publishes them"])

    # -- inside ----------------------------------------------------------------------------------------------------
    @property
    def _newest(self) -> NewestPush:
        return cast("NewestPush", self._rule.published)

    def _current_historian(self) -> Historian:
        return cast("Historian", _Publishing(self))

    def _catch_up(self) -> BuildReport:
        return super()._current_historian().catch_up()

    def _folders(self) -> list[str]:
        return sorted(
            path.name for path in (self.folder / "ledger").iterdir() if path.is_dir() and path.name != "blobs"
        )

    def _another_historian(self) -> LeaseRecord | None:
        """Return the historian that has the lease, without waiting; None if it has released it or is silent."""
        record = read_lease(self._rule.leases, HISTORIAN_LEASE)[0]
        seen, since = self._other
        if record is None or record.released:
            return None
        if record != seen:
            self._other = (record, machine_clock())
        elif machine_clock() - since >= record.seconds:
            return None
        return record

    def _take(self, head: Head) -> None:
        """Continue a push of another historian: take its definitions and its history."""
        if self._state().get("push") == head.push:
            return
        take_definitions(self.bucket, self.folder, head)
        with progress_bar("pull", unit="B") as show:
            run = Fetching(self.bucket, self.folder, pushed_objects(self.bucket, list_cache()), show)
            repository = self.folder / REPOSITORY
            run.files({path: head.files[path] for path in (f"history/seals/{head.snapshot}",)})
            run.objects(snapshot_names(repository, head.snapshot))
            run.objects(chunk_names(repository, head.snapshot))
        refer(self.folder, head.snapshot)
        self.reload()
        self._note(head.push)

    def _state(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / _STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if existing_path(self.folder / "history").exists() else {}

    def _note(self, number: int) -> None:
        (self.folder / _STATE).write_text(json.dumps({"push": number}), encoding="utf-8")

    def _send_copy(self, path: Path) -> None:
        """Store the copy of a source file before its rows."""
        name = path.relative_to(self.folder / "ledger").as_posix()
        if name not in self._sent and f"ledger/{name}" not in self._newest.head().files:
            self.bucket.put(name, path)
        self._sent.add(name)

    def _fetch_copies(self, head: Head) -> None:
        """Fetch the copies of source files that no push has yet."""
        for one in list(self.bucket.list("blobs")):
            target = self.folder / "ledger" / one.name
            if f"ledger/{one.name}" in head.files:
                self.bucket.delete(one.name)
            elif not target.exists():
                data, _ = self.bucket.get(one.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                draft = target.with_name(f".{target.name}.tmp")
                draft.write_bytes(data)
                draft.replace(target)

    def _remove(self, head: Head) -> None:
        """Remove the groups that a push has, but for fences: what a writer that lost its lease tries to write next must be there."""
        old: list[str] = []
        for one in self.bucket.list("ledger"):
            folder, number = one.name.split("/")[1], one.name.rpartition("/")[2]
            if (
                "/groups/" not in one.name
                or int(number) > (head.groups or {}).get(folder, 0)
                or one.name in self._fences
            ):
                continue
            if one.size <= _SMALL and self._is_fence(group_name(folder, int(number))):
                self._fences.add(one.name)
                continue
            old.append(one.name)
        self.bucket.delete(*old)

    def _is_fence(self, name: str) -> bool:
        try:
            return Group.from_bytes(self.bucket.get(name)[0], name).is_fence
        except Missing:
            return False


class _Publishing:
    """What a writer and `Twin.ingest` call to publish."""

    def __init__(self, twin: WorkingTwin) -> None:
        self._twin = twin

    def catch_up(self, _progress: object = None, *, gather: bool = False) -> BuildReport:  # noqa: ARG002
        """Publish all rows, unless another historian does."""
        return self._twin.publish_if_free()


class _StoreWriter(TwinWriter):
    """A leased writer of a source, which publishes if no other process does."""

    def __init__(self, twin: WorkingTwin, source: str | None, closed: Callable[[], object], *, standby: bool) -> None:
        self._twin, self._closed = twin, closed
        twin.waits = False
        historian = cast("Historian", _Publishing(twin))
        super().__init__(twin.ledger, source_to_write(twin.mappings, source), lambda: historian, standby=standby)

    def close(self) -> None:
        """Publish what isn't published, and release the source."""
        if not self._open:
            return
        self._twin.waits = True
        try:
            super().close()
        finally:
            self._closed()


def open_working(bucket: Bucket) -> WorkingTwin:
    """Open a working copy of the twin in a store, which only this process writes through.

    Raises
    ------
    SourceError
        If there is no complete twin, or the store has no conditional writes, or can't be read.
    """
    head = allow_leased_writers(bucket)
    folder, lock = _free_folder(bucket)
    try:
        rule = GroupRule(bucket, Bucket(bucket.address, patience=_LEASE_PATIENCE), NewestPush(bucket))
        for path in (folder / "mapping").glob("*.yaml"):
            if path.relative_to(folder).as_posix() not in head.files:
                path.unlink()
        take_definitions(bucket, folder, head)
        sync_source(rule, folder / "ledger", JOURNAL)
        return WorkingTwin(folder, bucket, lock, rule)
    except BaseException:
        lock.release()
        raise


def take_definitions(bucket: Bucket, folder: Path, head: Head) -> None:
    """Write model, mappings and all else of a push that is neither rows nor history."""
    wanted = {
        path: pieces
        for path, pieces in head.files.items()
        if not path.startswith(("ledger/", "history/")) and not same_content(folder / path, pieces)
    }
    Fetching(bucket, folder, {}, lambda _done, _total: None).files(
        {path: wanted[path] for path in sorted(wanted, key=file_order)}
    )


def _free_folder(bucket: Bucket) -> tuple[Path, Lock]:
    """Return a folder in the cache that no other process uses, and its lock."""
    text = json.dumps(bucket.address.to_json(), sort_keys=True)
    parent = cache_folder() / "working" / hashlib.sha256(text.encode()).hexdigest()[:16]
    for number in count():
        folder = parent / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(HistoryConflictError):
            return folder, Lock(folder / "process.lock", what=f"the working copy {folder}")
    raise AssertionError
