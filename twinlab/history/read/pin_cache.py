"""The state of a twin that a reader uses, cached until something new is published or ingested."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from twinlab.errors import CorruptionError, HistoryConflictError, SchemaError
from twinlab.history.build.mapping_context import Sources
from twinlab.history.index.index_file import index_folder
from twinlab.history.read.definitions import BuiltWith, Definitions
from twinlab.history.read.pinned import AsOfPin, Pin, TailPin, empty_view
from twinlab.history.store.opening import existing_path, open_history, repository_path
from twinlab.history.store.publish import MAIN, published
from twinlab.history.store.view import open_view
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.twinmodel import TwinModel

if TYPE_CHECKING:
    from twinlab.history.build.report import BuildReport
    from twinlab.history.store.view import View
    from twinlab.ledger import Journal, Ledger

__all__ = ["TAIL_ROWS", "PinCache", "State", "activated"]

#: Maximum number of unpublished rows that a reader builds; it ignores further ones until they are published.
TAIL_ROWS = 2_000_000


class State(NamedTuple):
    """One state of a twin's newest history; hashable, so that other processes can open the same one."""

    snapshot: str
    position: tuple[tuple[str, int], ...]


class PinCache:
    """Opens the newest state of a twin, or the state known at an ingest time, and caches it.

    Parameters
    ----------
    root : Path
        The twin's folder.
    ledger : Ledger
    model : TwinModel
    mappings : dict of source to Mapping
    known : int, optional
        Ingest time in nanoseconds since 1970: later rows are ignored. The newest state by default.
    rebuild : callable, optional
        Builds a history that is missing or doesn't open, and returns a report.
    branch : str
        Branch of the history's repository: the published history, or a revision.
    state : State, optional
        Read this state whatever is published or ingested since.

    Notes
    -----
    Each state is read with the model and the mappings that it was built with; those that were given count where they are
    the same, and for sources that the state doesn't have yet.
    """

    def __init__(
        self,
        root: Path,
        ledger: Ledger,
        model: TwinModel,
        mappings: Mapping[str, SourceMapping],
        *,
        known: int | None = None,
        rebuild: Callable[[], BuildReport] | None = None,
        branch: str = MAIN,
        state: State | None = None,
    ) -> None:
        self.root = root
        self.ledger = ledger
        self._built_with = BuiltWith(ledger.journal, model, mappings)
        self._definitions: Definitions = self._built_with.given
        self.branch = branch
        self.known = known
        self.rebuild = rebuild
        self.state = state
        #: Notes of a rebuild when the history was opened; empty if there was none.
        self.note = ""
        self._pin: Pin | None = None
        self._seen: object = None
        self._seen_published: object = None

    @property
    def model(self) -> TwinModel:
        """The model of the newest state."""
        return self._newest_definitions()[0]

    @property
    def mappings(self) -> dict[str, SourceMapping]:
        """The mappings of the newest state."""
        return self._newest_definitions()[1]

    def _newest_definitions(self) -> Definitions:
        # New rows don't change them, so that the ledger isn't asked.
        moves = self.known is None and self.state is None
        if self._pin is None or (moves and self._published() != self._seen_published):
            self.pin()
        return self._definitions

    def _published(self) -> object:
        return published(repository_path(self.root / "history"), self.branch)

    def pin(self) -> Pin:
        """Return the cached state, or a newer one if something was published or ingested since."""
        sources = self._pin.sources if self._pin is not None else self._sources()
        if self.known is not None:
            if self._pin is None:
                position = {name: self.ledger.reader(name).position_at(self.known) for name in sources.names()}
                self._pin = AsOfPin(self._empty(), sources, {name: at for name, at in position.items() if at})
            return self._pin
        if self.state is not None:
            if self._pin is None:
                self._pin = self._pin_of(self.state)
            return self._pin
        seen = (sources.position(), self._published())
        if self._pin is None or seen != self._seen:
            view = self._view(sources)
            found = self._built_with.definitions(view.meta)
            if found is not self._definitions:
                self._definitions, sources = found, self._sources(found)
            self._pin = TailPin(view, sources, _bounded(sources.position(), view))
            # As it was before: what is published meanwhile is seen by the next call.
            self._seen, self._seen_published = seen, seen[1]
        return self._pin

    def _pin_of(self, state: State) -> Pin:
        view = open_view(existing_path(self.root / "history"), state.snapshot)
        self._definitions = self._built_with.definitions(view.meta)
        return TailPin(view, self._sources(self._definitions), dict(state.position))

    def _sources(self, definitions: Definitions | None = None) -> Sources:
        model, mappings = definitions or self._definitions
        return Sources(self.ledger, model, mappings, index_folder=index_folder(self.root))

    def _empty(self) -> View:
        return empty_view(self.root / "cache", self._definitions[0].origin_ns, _temporary)

    def _view(self, sources: Sources) -> View:
        if not (self.root / "history").exists() and not any(sources.position().values()):
            return self._empty()
        try:
            return open_history(self.root / "history", branch=self.branch)
        except CorruptionError:
            if self.rebuild is None:
                raise
            try:
                self.note = "; ".join(self.rebuild().notes)
            except HistoryConflictError:
                # Another process, such as a historian that has just started, is building it: until then all rows are the tail.
                if sum(at for name, at in sources.position().items() if name != "_twin") > TAIL_ROWS:
                    raise
                return self._empty()
            return open_history(self.root / "history", branch=self.branch)


@lru_cache(maxsize=1)
def _temporary() -> Path:
    return Path(tempfile.mkdtemp(prefix="twinlab-empty-"))


def _bounded(position: dict[str, int], view: View) -> dict[str, int]:
    """Return the position, limited such that the tail has at most `TAIL_ROWS` rows."""
    stored: object = view.meta.get("position", {})
    published = {str(n): int(at) for n, at in dict(stored).items()}  # type: ignore[call-overload]
    left, out = TAIL_ROWS, {}
    for name in sorted(position):
        more = min(left, position[name] - published.get(name, 0)) if name != "_twin" else position[name]
        out[name] = published.get(name, 0) + more if name != "_twin" else more
        left -= more if name != "_twin" else 0
    return out


def activated(journal: Journal, known: int, which: str, model: TwinModel) -> tuple[TwinModel, dict[str, SourceMapping]]:
    """Return the model and the mappings that were active at ``known`` (ns UTC); ``model`` if none was active yet.

    Raises
    ------
    SchemaError
        If ``which`` isn't "then".
    """
    if which != "then":
        msg = f"expected mapping='then' or mapping='current', got {which!r}"
        raise SchemaError(msg)
    mappings: dict[str, str] = {}
    for entry in journal.entries(kind="model", known=known):
        model_text = str(entry.payload["text"])
        model = TwinModel.model_validate_json(model_text)
    for entry in journal.entries(kind="mapping", known=known):
        mappings[str(entry.payload["source"])] = str(entry.payload["text"])
    return model, {name: SourceMapping.model_validate_json(text) for name, text in mappings.items() if text}
