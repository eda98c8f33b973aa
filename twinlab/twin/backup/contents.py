"""What of a twin's folder is in a backup: all of it, but for what is made again, locks, and keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from twinlab.errors import SchemaError, SourceError
from twinlab.history.store.chunk_reader import seal_path
from twinlab.history.store.opening import repository_path
from twinlab.history.store.publish import MAIN, tip
from twinlab.twin.backup.other_files import WHY_KEY, WHY_PEOPLE, is_private_key, other_files
from twinlab.twin.backup.people import KeyState, next_state
from twinlab.twin.backup.record import packed
from twinlab.twin.privacy.encrypting import states_privacy
from twinlab.twin.privacy.recording import PrivacyAudit
from twinlab.twin.remote.contents import Contents, add_ledger, history_objects, identity
from twinlab.twin.remote.head import Head, Pieces
from twinlab.twin.remote.payload import Payload
from twinlab.twin.remote.protocol import PushedTwin

if TYPE_CHECKING:
    from twinlab.ledger import Ledger

__all__ = ["ALSO", "BackedUp", "BackupContents", "backup_contents"]

#: Folder for files from outside of the twin's.
ALSO = "also"
_TRIES = 5
_PEOPLE = (
    "keys of people are never in a backup: who destroys one erases its person everywhere; back the folder up apart"
)
_INVENTORY, _STATE = "inventory", "people"


class BackedUp(PushedTwin, Protocol):
    """A twin in a folder, whose history can be brought up to date."""

    folder: Path
    ledger: Ledger

    def _catch_up(self) -> object: ...


@dataclass
class BackupContents:
    """A state of a twin: objects and files, and what a backup says beside them."""

    state: Contents
    at_ns: int
    inventory: Pieces = ()
    people: Pieces = ()
    erasures: int = 0
    left_out: dict[str, str] = field(default_factory=dict)


def backup_contents(
    twin: BackedUp,
    before: Head | None,
    *,
    keys: KeyState,
    erasures: int,
    also: Sequence[Path] = (),
    with_keys: bool = False,
    known: Callable[[str], tuple[int, str] | None],
) -> BackupContents:
    """Return what a backup has of a twin at this instant.

    Parameters
    ----------
    twin : Twin
    before : Head, optional
        Of the backup before.
    keys, erasures
        Of the backup before.
    also : sequence of Path
        Files from outside of the twin's folder.
    with_keys : bool
        Whether private keys are included; those of people never are.
    known : callable
        Returns bytes and SHA-256 of an object of the history that is at the place already; it isn't read then.

    Raises
    ------
    SourceError
        If the folder changes all the time, or keys of people are missing.
    HistoryConflictError
        If the place has rows that the folder doesn't have.
    """
    for left in reversed(range(_TRIES)):
        try:
            return _once(twin, before, keys, erasures, also, with_keys=with_keys, known=known)
        except FileNotFoundError as error:
            # Sealed, archived or compacted meanwhile.
            if not left:
                msg = f"{error.filename} was moved while it was looked at; call again"
                raise SourceError(msg) from error
    raise AssertionError


def _once(
    twin: BackedUp,
    before: Head | None,
    keys: KeyState,
    erasures: int,
    also: Sequence[Path],
    *,
    with_keys: bool,
    known: Callable[[str], tuple[int, str] | None],
) -> BackupContents:
    private, now = states_privacy(twin.model), time.time_ns()
    # Rows first: what the journal and the audit say of them comes later.
    positions = {source: twin.ledger.reader(source).position() for source in twin.ledger.sources()}
    repository = repository_path(twin.folder / "history")
    snapshot = tip(repository, MAIN) if repository.is_dir() and not private else ""
    state = Contents(identity(twin), twin.model.twin, snapshot, positions)
    out = BackupContents(state, now)
    add_ledger(state, twin.ledger, before)
    found = other_files(twin.folder, private=private, with_keys=with_keys, known=state.files)
    pieces = before.files if before is not None else {}
    for name, payload in found.files.items():
        state.add_file(name, payload, before=_grown(payload, pieces.get(name, ())))
    out.left_out |= found.left_out
    _add_outside(out, also, with_keys=with_keys)
    if private:
        _add_people(out, twin, keys, erasures)
    if snapshot:
        seal = seal_path(repository, snapshot)
        state.add_file(f"history/seals/{snapshot}", Payload(seal, 0, seal.stat().st_size, seal.read_bytes()))
        objects = history_objects(repository, snapshot)
        listed = {name: known(name) or (payload.size, payload.sha256()) for name, payload in objects.items()}
        state.objects |= objects
        out.inventory = _add(state, _INVENTORY, packed(listed))
    return out


def _grown(payload: Payload, before: Pieces) -> Pieces:
    """Return the pieces that a file to which lines are added begins with; none if it begins otherwise now."""
    if payload.data is None or payload.path.suffix != ".jsonl":
        return ()
    first = 0
    for size, sha in before:
        if Payload(payload.path, 0, size, payload.data[first : first + size]).sha256() != sha:
            return ()
        first += size
    return before


def _add_outside(out: BackupContents, also: Sequence[Path], *, with_keys: bool) -> None:
    for path in also:
        if not path.is_file():
            msg = f"{path}: expected a file to add to the backup, there is none"
            raise SchemaError(msg)
        name = f"{ALSO}/{path.name}"
        if name in out.state.files:
            msg = f"{path}: expected files with different names, got two that are called {path.name}"
            raise SchemaError(msg)
        if not with_keys and is_private_key(path):
            out.left_out[name] = WHY_KEY
        else:
            data = path.read_bytes()
            out.state.add_file(name, Payload(path, 0, len(data), data))


def _add_people(out: BackupContents, twin: BackedUp, before: KeyState, erasures: int) -> None:
    encryption = twin.ledger.encryption
    assert encryption is not None
    out.erasures = sum(1 for _ in PrivacyAudit(twin.folder).rows("erasure"))
    now = next_state(before, encryption.keys.periods(), erased=out.erasures > erasures, where=str(encryption.keys.path))
    out.people = _add(out.state, _STATE, packed(now.to_json()))
    out.left_out |= {str(encryption.keys.path): _PEOPLE, "history/": WHY_PEOPLE}


def _add(state: Contents, name: str, data: bytes) -> Pieces:
    """Add an object that isn't a file of the folder; return its pieces."""
    whole = Contents(state.twin, state.name, "", {})
    whole.add_file(name, Payload(Path(name), 0, len(data), data))
    state.objects |= whole.objects
    return whole.files[name]
