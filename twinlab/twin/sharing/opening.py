"""Open a twin in a worker, at the state that it had where the work was divided."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from twinlab.compute import Handle
from twinlab.compute.handles import Opening
from twinlab.errors import ClusterError
from twinlab.history import HistoryReader
from twinlab.history.read.pin_cache import State
from twinlab.history.store.opening import repository_path
from twinlab.twin.definitions import MODEL

if TYPE_CHECKING:
    from twinlab.history.read.pinned import Pin
    from twinlab.ledger import Ledger
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel

__all__ = ["FolderTwin", "as_of_opening", "at_state", "folder_opening", "revision_opening", "state_of"]


class FolderTwin(Protocol):
    """What is needed of a twin: the façade is above."""

    folder: Path
    ledger: Ledger
    mappings: Mapping[str, SourceMapping]
    _reader: HistoryReader | None

    @property
    def model(self) -> TwinModel:
        """The twin's model."""

    @property
    def reader(self) -> HistoryReader:
        """The reader of the twin's history."""


Kind = TypeVar("Kind", bound=FolderTwin)


def state_of(pin: Pin, folder: Path) -> State | None:
    """Return the state that a pin is of; None if the twin has no history yet, but rows in its ledger at most."""
    if pin.view.path != repository_path(folder / "history"):
        return None
    return State(pin.view.snapshot, tuple(sorted(pin.position.items())))


def folder_opening(twin: FolderTwin) -> Opening:
    """Return how another process that sees the folder of a twin opens it."""
    state = state_of(twin.reader.pinned(), twin.folder)
    return Opening(_open_folder, (type(twin), str(twin.folder.resolve()), state), _check_folder)


def as_of_opening(twin: Opening, known: int, mapping: Literal["then", "current"]) -> Opening:
    """Return how another process opens a twin as it was known at an ingest time (ns since 1970)."""
    return Opening(_open_as_of, (twin, known, mapping), _check_other)


def revision_opening(twin: Opening, reader: HistoryReader) -> Opening:
    """Return how another process opens the reader of a revision of a twin."""
    return Opening(_open_revision, (twin, state_of(reader.pinned(), reader.root)), _check_other)


def at_state(twin: Kind, state: State | None) -> Kind:
    """Let a twin read one state from now on, and record no reads."""
    # Whoever divides the work has recorded what is read.
    for name in ("_note_read", "_note_all", "_note_links"):
        setattr(twin, name, _nothing)
    if state is not None:
        twin._reader = HistoryReader(twin.folder, twin.ledger, twin.model, twin.mappings, state=state)  # noqa: SLF001
    return twin


def _nothing(*names: object, **options: object) -> None:
    """Record nothing."""


def _open_folder(kind: type[Any], folder: str, state: State | None) -> Any:  # noqa: ANN401
    _check_folder(kind, folder, state)
    return at_state(kind(folder), state)


def _check_folder(kind: type[Any], folder: str, state: State | None) -> None:  # noqa: ARG001  (as it is opened)
    place = Path(folder)
    if not (place / MODEL).is_file():
        msg = (
            f"expected the twin's folder {folder} there, too; mount it at the same path on all machines, or `twinlab push` the twin to"
            " an object store and open it from there"
        )
        raise ClusterError(msg)
    if state is not None and not repository_path(place / "history").is_dir():
        msg = f"expected the history of the twin in {folder}, found none: it is another folder of that name; mount the twin's own there"
        raise ClusterError(msg)


def _open_as_of(twin: Opening, known: int, mapping: Literal["then", "current"]) -> Any:  # noqa: ANN401
    whole = Handle(twin).open()
    return whole.as_of(_instant(known), mapping=mapping)


def _open_revision(twin: Opening, state: State | None) -> HistoryReader:
    # Not as a `Revision`, which would build what was published meanwhile.
    whole: FolderTwin = Handle(twin).open()
    return HistoryReader(whole.folder, whole.ledger, whole.model, whole.mappings, state=state)


def _check_other(twin: Opening, *arguments: object) -> None:  # noqa: ARG001  (as it is opened)
    Handle(twin).check()


def _instant(known: int) -> object:
    import numpy as np  # noqa: PLC0415

    return np.datetime64(known, "ns")
