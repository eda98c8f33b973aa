"""A folder of keys outside of the twin: a file for each person, with a key for each month."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from twinlab._files import replace_file, sync_folder
from twinlab._locks import Lock
from twinlab.errors import SchemaError, SourceError
from twinlab.signing.subjects.ciphers import KEY_BYTES
from twinlab.signing.subjects.pseudonyms import Pseudonyms

__all__ = ["KeyFolder", "file_subject"]

#: Endings of a file that is being written, and of one whose keys are being destroyed.
_DRAFT, _OLD = ".tmp", ".old"
_SECRET = "secret"  # noqa: S105  (a file's name)
#: Beginning of the "name" of a file; that of a person has no such character.
_FILE = "\x1ffile "
#: Threads that write files of keys.
_THREADS = 16
_MONTH = re.compile(r"\d{4}-\d{2}")
_ID = re.compile(r"[0-9a-f]{32}")


def file_subject(file_id: str) -> str:
    """Return the name under which a folder has the key of a copy of a file."""
    return _FILE + file_id


class KeyFolder:
    """Keys of people, by a random id for each and the month in which their data arrived.

    The folder is the secret: who can read it can read all personal data of the twin. Its files are for its owner only. Back it up
    apart from the twin, and only as long as a person may be forgotten with a delay.

    Parameters
    ----------
    path : Path or str
        The folder; made by the first key.
    twin : Path or str, optional
        The twin's folder, in which it mustn't be.

    Raises
    ------
    SchemaError
        If the folder is inside of the twin's.
    """

    def __init__(self, path: Path | str, *, twin: Path | str | None = None) -> None:
        self.path = Path(path)
        if twin is not None and self.path.resolve().is_relative_to(Path(twin).resolve()):
            msg = f"expected a folder of keys outside of the twin {twin}, got {path}: a backup of the twin would have the keys, too"
            raise SchemaError(msg)
        # Id -> contents of its file; name of a person -> id.
        self._entries: dict[str, dict[str, dict[str, str]]] = {}
        self._ids: dict[str, str] = {}
        self._stamp: tuple[int, int] | None = None
        self._guard = threading.RLock()
        self._pseudonyms: Pseudonyms | None = None

    def __repr__(self) -> str:
        return f"KeyFolder({str(self.path)!r})"

    # -- people ------------------------------------------------------------------------------------------------------
    def subjects(self) -> list[str]:
        """Return the names of the people who have a key, sorted."""
        with self._guard:
            self._read()
            return sorted(name for name in self._ids if not name.startswith(_FILE))

    def files(self) -> list[str]:
        """Return the ids of the files whose copies have a key, sorted."""
        with self._guard:
            self._read()
            return sorted(name.removeprefix(_FILE) for name in self._ids if name.startswith(_FILE))

    def subject_id(self, subject: str) -> str | None:
        """Return the id of a person; None for somebody without a key."""
        with self._guard:
            self._read()
            return self._ids.get(subject)

    def months(self, subject: str) -> list[str]:
        """Return the periods of a person's keys that exist, sorted; empty for nobody."""
        with self._guard:
            self._read()
            return sorted(self._keys_of(subject))

    def make(self, subjects: Iterable[str], month: str) -> dict[str, tuple[str, bytes]]:
        """Return the id and the key of each person for a month; missing ones are made, and durable when this returns.

        Parameters
        ----------
        subjects : iterable of str
            Names of people.
        month : str
            ``"2026-03"``.

        Raises
        ------
        SourceError
            If the folder can't be written.
        """
        wanted = dict.fromkeys(subjects)
        with self._guard:
            self._read()
            missing = [name for name in wanted if month not in self._keys_of(name)]
            if missing:
                self._add(missing, month)
            return {name: (self._ids[name], bytes.fromhex(self._keys_of(name)[month])) for name in wanted}

    def _keys_of(self, name: str) -> Mapping[str, str]:
        entry = self._entries.get(self._ids.get(name, ""))
        return {} if entry is None else entry["keys"]

    def _add(self, names: Iterable[str], month: str) -> None:
        try:
            self._create()
            with self._locked():
                made: dict[str, dict[str, dict[str, str]]] = {}
                for name in names:
                    if month not in self._keys_of(name):
                        keys = {**self._keys_of(name), month: os.urandom(KEY_BYTES).hex()}
                        made[self._ids.get(name) or os.urandom(16).hex()] = {"subject": {"name": name}, "keys": keys}
                # A file system writes what several threads sync at once together.
                with ThreadPoolExecutor(_THREADS) as pool:
                    list(pool.map(self._write, made, made.values()))
                sync_folder(self.path)
                self._know({**self._entries, **made})
        except OSError as error:
            msg = f"keys in {self.path} can't be written: {error.strerror}; no personal data were stored. Check disk and permissions"
            raise SourceError(msg) from error

    def key(self, subject_id: str, month: str) -> bytes | None:
        """Return a key; None if it was destroyed or isn't in this folder."""
        with self._guard:
            self._read()
            entry = self._entries.get(subject_id)
            found = None if entry is None else entry["keys"].get(month)
            return None if found is None else bytes.fromhex(found)

    def destroy(self, subject: str, *, before: str | None = None, of: str | None = None) -> list[str]:
        """Destroy the keys of a person; return their periods.

        Parameters
        ----------
        subject : str
            Name of the person, or of a file as `file_subject` gives it.
        before : str, optional
            Only keys of earlier months, ``"2026-03"``; by default those of all months, and those of pseudonyms.
        of : str, optional
            With ``before``: only keys of this class, ``"personal"`` or ``"sensitive"``.

        The bytes are overwritten once the keys that stay are durable; after a crash in between, the next change of the folder does
        it. A file system that copies on write, and backups of this folder, may have them longer.

        Raises
        ------
        SourceError
            If the folder can't be written: call this again.
        """
        return self._destroy(
            lambda: self._ids.get(subject), lambda period: before is None or _is_before(period, before, of)
        )

    def periods(self) -> dict[str, tuple[str, ...]]:
        """Return the periods of the keys that exist, by the random ids of people and of copies of files."""
        with self._guard:
            self._read()
            return {one: tuple(sorted(entry["keys"])) for one, entry in sorted(self._entries.items())}

    def destroy_periods(self, subject_id: str, periods: Container[str]) -> list[str]:
        """Destroy some keys of an id; return their periods. Raises as `destroy`."""
        return self._destroy(lambda: subject_id, lambda period: period in periods)

    def _destroy(self, chosen: Callable[[], str | None], is_chosen: Callable[[str], bool]) -> list[str]:
        with self._guard:
            if not self.path.is_dir():
                return []
            try:
                with self._locked():
                    one = chosen()
                    if one is None or one not in self._entries:
                        return []
                    about, keys = self._entries[one]["subject"], self._entries[one]["keys"]
                    gone = sorted(filter(is_chosen, keys))
                    if gone:
                        entry = {
                            "subject": about,
                            "keys": {month: key for month, key in keys.items() if month not in gone},
                        }
                        left = bool(entry["keys"])
                        self._replace(one, entry if left else None)
                        others = {name: known for name, known in self._entries.items() if name != one}
                        self._know({**others, one: entry} if left else others)
                    return gone
            except OSError as error:
                msg = f"keys in {self.path} can't be destroyed: {error.strerror}; check disk and permissions, and destroy them again"
                raise SourceError(msg) from error

    def _replace(self, one: str, entry: dict[str, dict[str, str]] | None) -> None:
        """Put an entry, or nothing, in the place of a file whose bytes are overwritten."""
        path, old = self.path / f"{one}.json", self.path / f".{one}{_OLD}"
        if entry is None:
            path.rename(old)
        else:
            # A second name of the old bytes: the path never is without a complete file.
            try:
                os.link(path, old)
            except OSError:
                # A file system without hard links, such as a memory stick's.
                with path.open("r+b") as file:
                    self._write(one, entry)
                    _overwrite(file)
            else:
                self._write(one, entry)
        sync_folder(self.path)
        self._destroy_file(old)
        sync_folder(self.path)

    def _destroy_file(self, path: Path) -> None:
        """Overwrite the bytes of a file, and remove it; not the bytes of a key that nothing has replaced."""
        current = self.path / f"{path.name[1:].removesuffix(_OLD)}.json"
        if path.exists():
            if not (current.exists() and current.samefile(path)):
                with path.open("r+b") as file:
                    _overwrite(file)
            path.unlink()

    # -- pseudonyms --------------------------------------------------------------------------------------------------
    def pseudonyms(self) -> Pseudonyms:
        """Return the pseudonyms of this folder's secret, which is made on first use."""
        with self._guard:
            if self._pseudonyms is None:
                self._create()
                self._pseudonyms = Pseudonyms((self.path / _SECRET).read_bytes())
            return self._pseudonyms

    # -- files -------------------------------------------------------------------------------------------------------
    def _create(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        secret = self.path / _SECRET
        if not secret.exists():
            with self._locked():
                if not secret.exists():
                    self._put(secret, os.urandom(KEY_BYTES))
                    sync_folder(self.path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Have the folder alone, read it, and finish what a process that was killed has left."""
        with Lock(self.path / "lock", what=f"the keys in {self.path}", wait=30.0, named=False):
            left = [path for path in self.path.glob(".*") if path.name.endswith((_DRAFT, _OLD))]
            for path in left:
                self._destroy_file(path)
            if left:
                sync_folder(self.path)
            self._read(fresh=True)
            yield

    def _write(self, one: str, entry: dict[str, dict[str, str]]) -> None:
        self._put(self.path / f"{one}.json", json.dumps(entry).encode())

    @staticmethod
    def _put(path: Path, data: bytes) -> None:
        draft = path.with_name(f".{path.name}{_DRAFT}")
        descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        replace_file(draft, path)

    def _read(self, *, fresh: bool = False) -> None:
        """Read the files again if the folder has changed."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._entries, self._ids, self._stamp = {}, {}, None
            return
        stamp = found.st_mtime_ns, found.st_ino
        if not fresh and stamp == self._stamp:
            return
        entries: dict[str, dict[str, dict[str, str]]] = {}
        for path in self.path.glob("*.json"):
            if _ID.fullmatch(path.stem):
                try:
                    entries[path.stem] = json.loads(path.read_bytes())
                except FileNotFoundError:
                    continue
                except ValueError as error:
                    msg = f"{path}: expected a file of keys; it is damaged ({error}): restore it from a backup of the keys"
                    raise SourceError(msg) from error
        self._know(entries, stamp)

    def _know(self, entries: dict[str, dict[str, dict[str, str]]], stamp: tuple[int, int] | None = None) -> None:
        """Remember the contents of the files; without a stamp, who calls has the lock and has just written them."""
        if stamp is None:
            found = self.path.stat()
            stamp = found.st_mtime_ns, found.st_ino
        self._entries, self._stamp = entries, stamp
        self._ids = {entry["subject"]["name"]: one for one, entry in entries.items()}


def _is_before(period: str, before: str, of: str | None) -> bool:
    month, _, kind = period.partition(" ")
    return bool(_MONTH.fullmatch(month)) and month < before and of in (None, kind or "personal")


def _overwrite(file: IO[bytes]) -> None:
    file.write(os.urandom(os.fstat(file.fileno()).st_size))
    file.flush()
    os.fsync(file.fileno())
