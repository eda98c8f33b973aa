"""Open a twin in an object store for reading: a folder in the cache has what is small, all else is fetched when it is read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from twinlab._locks import Lock
from twinlab.compute.handles import Opening
from twinlab.errors import SourceError
from twinlab.history.read.reader import HistoryReader
from twinlab.history.remote.repository import REPOSITORY, write_address
from twinlab.objects.address import Address
from twinlab.objects.bucket import Bucket
from twinlab.objects.disk_cache import DiskCache, cache_folder, cache_limit
from twinlab.twin.definitions import ADDRESS
from twinlab.twin.facade import Twin
from twinlab.twin.remote.derived import DERIVED
from twinlab.twin.remote.head import Head, read_head
from twinlab.twin.remote.pull import fetch_file, fetch_piece
from twinlab.twin.remote.refused import refuse_methods
from twinlab.twin.remote.stored_folders import StoredFolders
from twinlab.twin.sharing.opening import at_state, state_of

if TYPE_CHECKING:
    from twinlab.history import Historian
    from twinlab.history.read.pin_cache import State
    from twinlab.ledger import VerifyReport
    from twinlab.sources import Source
    from twinlab.twin.live.status import LiveStatus
    from twinlab.twin.remote.store_status import StoreStatus
    from twinlab.twin.remote.working import WorkingTwin
    from twinlab.twin.report import IngestReport
    from twinlab.twin.writer import TwinWriter

__all__ = ["RemoteTwin", "open_remote"]

_TOGETHER = 16
_HEAD = "head.json"
#: Days after which the folder of a push that nobody opened is removed.
_KEPT_DAYS = 7


@refuse_methods
class RemoteTwin(StoredFolders):
    """A twin in an object store: it is read and explored as any other; `ingest`, `writer` and `run` write to the store.

    It shows the push that was the newest when it was opened, or when rows were written through it; `newest` returns a later one.
    """

    def __init__(self, folder: str | Path) -> None:
        self.bucket = Bucket(Address(**json.loads((Path(folder) / ADDRESS).read_text(encoding="utf-8"))))
        super().__init__(folder)
        self._read_only()

    def __reduce__(self) -> tuple[object, tuple[Address]]:
        """Pickle as the address; another process fetches the newest push itself."""
        return open_remote, (self.bucket.address,)

    @property
    def open_code(self) -> str:
        """Python that opens this twin under the name ``twin``, for the code of explorers."""
        return f"import twinlab as tl\n\ntwin = tl.open({self.bucket.address.url!r})"

    @property
    def counts_usage(self) -> bool:
        """Not here: the folder is a cache."""
        return False

    @property
    def head(self) -> Head:
        """The push that is shown."""
        return Head.from_bytes((self.folder / _HEAD).read_bytes(), self.bucket.address.url)

    @property
    def reader(self) -> HistoryReader:
        """The reader of the twin's history."""
        if self._reader is None:
            self._reader = HistoryReader(self.folder, self.ledger, self._model, self.mappings)
        return self._reader

    def opening(self) -> Opening:
        """Return how the workers of a Dask cluster open the push that is shown, each machine through its own cache."""
        state = state_of(self.reader.pinned(), self.folder)
        return Opening(_open_push, (self.bucket.address, (self.folder / _HEAD).read_bytes(), state), _check_push)

    def newest(self) -> Twin:
        """Return the twin as the newest push has it: this one if nothing was pushed since."""
        head = read_head(self.bucket)
        return self if head == self.head else RemoteTwin(_local_folder(self.bucket, head))

    def verify(self) -> VerifyReport:
        """Fetch every byte of the ledger, groups that no push has yet included, and check it against its checksums."""
        for source in self.ledger.sources():
            self._fetch_source(source)
        report = super().verify()
        if self.head.groups is None:
            return report
        from twinlab.twin.remote.store_status import verify_groups  # noqa: PLC0415

        return verify_groups(self.bucket, report)

    # -- write -----------------------------------------------------------------------------------------------------
    def ingest(self, *sources: str | Path | Source, strict: bool = False) -> IngestReport:
        """Store files or sources in the store, and publish them unless a historian does; see `Twin.ingest`."""
        with self._writing() as working:
            return working.ingest(*sources, strict=strict)

    def writer(self, source: str | None = None, *, standby: bool = False) -> TwinWriter:
        """Open the leased writer of a source, on any machine; see `Twin.writer`.

        A group of rows is one object, which is in the store when ``append`` returns. If this process is silent for more than five seconds,
        another one may take over: then ``append`` raises HistoryConflictError, which names it, and stores nothing.
        """
        entered = ExitStack()
        working = entered.enter_context(self._writing())
        try:
            return working.writer_until(source, entered.close, standby=standby)
        except BaseException:
            entered.close()
            raise

    def run(
        self,
        *,
        once: bool = False,
        seconds: float | None = None,
        metrics_port: int | None = None,
        metrics_host: str = "127.0.0.1",
        standby: bool = False,
        lease_seconds: float = 10.0,
    ) -> LiveStatus:
        """Be the historian of this twin: publish what all writers append, and run its live sources; see `Twin.run`.

        There is one at a time, on any machine. A standby follows the rows meanwhile, and takes over if the historian is silent.
        """
        from twinlab.twin.live.process import RunOptions  # noqa: PLC0415
        from twinlab.twin.remote.historian import run_historian  # noqa: PLC0415

        with self._writing() as working:
            options = RunOptions(once=once, seconds=seconds, metrics_port=metrics_port, metrics_host=metrics_host)
            return run_historian(working, options, standby=standby, lease_seconds=lease_seconds)

    def store_status(self) -> StoreStatus:
        """Return who may write what, and which rows wait for a historian."""
        from twinlab.twin.remote.store_status import read_store_status  # noqa: PLC0415

        return read_store_status(self.bucket)

    @contextmanager
    def _writing(self) -> Iterator[WorkingTwin]:
        """Open a working copy; show the newest push afterwards."""
        from twinlab.twin.remote.working import open_working  # noqa: PLC0415  (most processes only read)

        working = open_working(self.bucket)
        try:
            yield working
        finally:
            working.close()
            with suppress(SourceError):  # of the request before, if that failed
                self._show(_local_folder(self.bucket, read_head(self.bucket)))

    def _show(self, folder: Path) -> None:
        """Show another push in this object."""
        if folder != self.folder:
            self.__dict__.clear()
            self.__init__(folder)  # type: ignore[misc]  # what is cached is of the push before

    # -- inside ----------------------------------------------------------------------------------------------------
    def _read_only(self) -> None:
        self.ledger.fence = self._refuse
        self.ledger.before_reading = self._fetch_source

    def _refuse(self) -> NoReturn:
        url = self.bucket.address.url
        msg = (
            f"{url} is read only but for `ingest`, `writer` and `run`, since all else would be written to this machine's cache only: write to "
            f"the folder that is pushed there, or to a copy: twinlab pull {url} FOLDER. Nothing was written"
        )
        raise SourceError(msg)

    def _current_historian(self) -> Historian:
        self._refuse()

    def _fetch_source(self, source: str) -> None:
        """Fetch the segments of a source, which are in the folder from then on."""
        folder = self.ledger.reader(source).folder
        path = f"ledger/{folder.name}"
        done = folder / ".fetched"
        if done.exists():
            return
        with Lock(folder / "fetch.lock", what=f"fetching source {source!r}", wait=None, named=False):
            for name, pieces in self.head.files.items():
                if name.startswith(f"{path}/") and not (self.folder / name).exists():
                    fetch_file(self.bucket, self.folder / name, pieces)
            done.touch()


def open_remote(url: str | Address) -> RemoteTwin:
    """Open the twin at an address for reading.

    Raises
    ------
    SourceError
        If there is no complete twin, or the store can't be read; says why.
    """
    bucket = Bucket(url if isinstance(url, Address) else Address.parse(url))
    return RemoteTwin(_local_folder(bucket, read_head(bucket)))


def _open_push(address: Address, head: bytes, state: State | None) -> Twin:
    """Open one push in a worker, whatever was pushed since."""
    bucket = Bucket(address)
    return at_state(RemoteTwin(_local_folder(bucket, Head.from_bytes(head, address.url))), state)


def _check_push(address: Address, head: bytes, state: State | None) -> None:  # noqa: ARG001  (as it is opened)
    read_head(Bucket(address))


def _local_folder(bucket: Bucket, head: Head) -> Path:
    """Return the folder with what is small of a push; made if it isn't there."""
    address_hash = hashlib.sha256(json.dumps(bucket.address.to_json(), sort_keys=True).encode()).hexdigest()[:16]
    parent = cache_folder() / "twins" / address_hash
    folder = parent / f"{head.push}-{hashlib.sha256(head.to_bytes()).hexdigest()[:16]}"
    if folder.is_dir():
        os.utime(folder)
        return folder
    parent.mkdir(parents=True, exist_ok=True)
    draft = parent / f".{folder.name}-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        _fill(bucket, head, draft)
        with suppress(OSError):  # another process was first
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _remove_old(parent)
    return folder


def _fill(bucket: Bucket, head: Head, draft: Path) -> None:
    small = {path: pieces for path, pieces in head.files.items() if _is_small(path)}
    cache = DiskCache(cache_folder() / "parts", limit=cache_limit())

    def fetch(path: str) -> None:
        data = b""
        for size, sha in small[path]:
            piece = cache.get(f"files/{sha}")
            if piece is None:
                piece = fetch_piece(bucket, size, sha)
                cache.put(f"files/{sha}", piece)
            data += piece
        target = draft / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    with ThreadPoolExecutor(_TOGETHER, thread_name_prefix="open") as threads:
        list(threads.map(fetch, small))
    reference = draft / REPOSITORY / "refs" / "branch.main" / "ref.json"
    reference.parent.mkdir(parents=True)
    reference.write_text(json.dumps({"snapshot": head.snapshot}), encoding="utf-8")
    write_address(draft / REPOSITORY, bucket.address)
    (draft / ADDRESS).write_text(json.dumps(bucket.address.to_json()), encoding="utf-8")
    (draft / _HEAD).write_bytes(head.to_bytes())


def _is_small(path: str) -> bool:
    """Whether a file is needed to open a twin: all but segments of sources, copies of source files, and lists of what is fetched later."""
    parts = path.split("/")
    if path.startswith(DERIVED):
        return False
    return parts[0] != "ledger" or parts[1] == "_twin" or parts[-1] in ("position", "manifest.json")


def _remove_old(parent: Path) -> None:
    for path in parent.iterdir():
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _KEPT_DAYS * 86_400:
                shutil.rmtree(path, ignore_errors=True)
